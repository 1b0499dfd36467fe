#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "executor/image_layers.h"
#include "executor/path_words.h"
#include "executor/step_log.h"
#include "executor/view.h"

namespace tiphys::executor {
namespace {

std::unexpected<diag::Error> failed(const char* what, const std::string& path) {
  return diag::fail(diag::Code::kIo, fmt::format("{} {}: {}", what, path, std::strerror(errno)));
}

bool is_folder(const std::string& path) {
  struct stat st = {};
  return ::stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
}

}  // namespace

diag::Result<View> View::make_in_image(const ImageViewRequest& request) {
  View view;
  view.working_folder_ = clean_path(request.working_folder);
  view.volumes_ = request.volumes;
  std::sort(view.volumes_.begin(), view.volumes_.end(),
            [](const Placement& a, const Placement& b) { return a.path.size() > b.path.size(); });
  const std::string place = request.scratch + "/fs/0";
  view.layers_.push_back({"/", place, request.layers});
  remove_tree(place + "/w");  // of an attempt before, which a volatile overlay would refuse
  for (const char* part : {"/u", "/w", "/m"}) {
    if (!make_folders(place + part)) return failed("mkdir", place);
  }
  if (::chmod((place + "/u").c_str(), 0755) != 0) {
    return failed("chmod", place);
  }
  std::vector<Placement> wanted = std::exchange(view.volumes_, {});
  for (auto it = wanted.rbegin(); it != wanted.rend(); ++it) {  // outer ones first
    TRY_VOID(view.make_volume_target(*it));
    view.volumes_.insert(view.volumes_.begin(), std::move(*it));
  }
  TRY_VOID(view.make_folder_in_image(view.working_folder_));
  return view;
}

// What a volume is mounted on must be of its kind, here or in the volume around it. From now on its
// path is the one without the image's links.
diag::Result<void> View::make_volume_target(Placement& volume) const {
  const std::string above = parent_path(volume.path);
  TRY_VOID(make_folder_in_image(above));
  const std::string seen = seen_path(above);
  const std::string name = volume.path.substr(volume.path.rfind('/'));
  const Placement* const outer = volume_of(seen);
  const std::string upper = layers_[0].place + "/u";
  volume.path = seen == "/" ? name : seen + name;
  if (is_folder(volume.source)) {
    if (outer == nullptr) return make_folder_over(upper, layers_[0].lowers, volume.path);
    return make_folders(locate(volume.path)) ? diag::Result<void>() : failed("mkdir", volume.path);
  }
  if (outer == nullptr) {
    TRY_VOID(make_folder_over(upper, layers_[0].lowers, seen));
  }
  const std::string target = outer == nullptr ? upper + volume.path : locate(volume.path);
  const int fd = ::open(target.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (fd < 0) return failed("open", target);
  ::close(fd);
  return {};
}

diag::Result<void> View::make_folder_in_image(const std::string& path) const {
  if (path == "/" || is_folder(real_path(path))) return {};
  std::string seen = seen_path(path);
  if (seen.empty()) seen = path;  // below something that is gone
  for (const Placement& volume : volumes_) {
    if (!is_below(seen, volume.path)) continue;
    const std::string folder = volume.source + std::string(path_below(seen, volume.path));
    if (make_folders(folder)) return {};
    return failed("mkdir", folder);
  }
  return make_folder_over(layers_[0].place + "/u", layers_[0].lowers, seen);
}

diag::Result<std::string> View::place_in_image(const std::string& path) const {
  TRY_VOID(make_folder_in_image(parent_path(path)));
  const std::string seen = seen_path(path);
  const Placement* const volume = volume_of(seen);
  if (volume != nullptr) return locate(seen);
  // The folder above may be the image's own: what is put into it goes into the step's layer.
  const std::string upper = layers_[0].place + "/u";
  TRY_VOID(make_folder_over(upper, layers_[0].lowers, parent_path(seen)));
  return upper + seen;
}

diag::Result<void> View::complete(std::string_view path) const {
  if (!is_of_image()) return {};
  const std::string seen = seen_path(
      path.starts_with('/') ? std::string(path) : working_folder_ + "/" + std::string(path));
  if (seen.empty() || volume_of(seen) != nullptr) return {};
  return complete_folder(layers_[0].place + "/u", layers_[0].lowers, seen);
}

std::string View::image_options() const {
  if (!is_of_image()) return {};
  std::string lowers;
  for (const std::string& folder : layers_[0].lowers) {
    lowers += fmt::format("{}{}", lowers.empty() ? "" : ":", folder);
  }
  // volatile: its end need not wait for the disk, as what the step wrote is read at once.
  return fmt::format("lowerdir={},upperdir={}/u,workdir={}/w,volatile{}", lowers, layers_[0].place,
                     layers_[0].place, ::geteuid() == 0 ? "" : ",userxattr");
}

std::string View::image_root() const { return is_of_image() ? layers_[0].place + "/m" : ""; }

}  // namespace tiphys::executor
