#include "executor/view.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "executor/image_layers.h"
#include "executor/path_words.h"
#include "executor/step_log.h"

namespace tiphys::executor {
namespace {

constexpr int kLinksMax = 40;
constexpr const char* kTemporary[] = {"/tmp", "/var/tmp", "/mnt"};

bool exists(const std::string& path) {
  struct stat st = {};
  return ::lstat(path.c_str(), &st) == 0;
}

bool is_folder(const std::string& path) {
  struct stat st = {};
  return ::stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
}

bool is_whiteout(const std::string& path) {
  struct stat st = {};
  return ::lstat(path.c_str(), &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0);
}

std::string resolved(const std::string& path) {
  char* const real = ::realpath(path.c_str(), nullptr);
  std::string text = real == nullptr ? path : real;
  std::free(real);
  return text;
}

// The deepest folder of the host at or above `path`, without links.
std::string existing_folder(std::string path) {
  while (!is_folder(path)) path = parent_path(path);
  return resolved(path);
}

// `/var/run/argo` as `/run/argo`, whether it exists or not.
std::string without_links(const std::string& path) {
  std::string folder = path;
  while (!is_folder(folder)) folder = parent_path(folder);
  const std::string_view below = path_below(path, folder);
  const std::string real = resolved(folder);
  return real == "/" ? std::string(below) : real + std::string(below);
}

bool is_temporary(std::string_view folder) {
  return std::any_of(std::begin(kTemporary), std::end(kTemporary),
                     [folder](const char* t) { return folder == t; });
}

diag::Result<void> make_folder(const std::string& path) {
  if (make_folders(path)) return {};
  return diag::fail(diag::Code::kIo, fmt::format("mkdir {}: {}", path, std::strerror(errno)));
}

diag::Result<void> make_file(const std::string& path) {
  TRY_VOID(make_folder(parent_path(path)));
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) {
    return diag::fail(diag::Code::kIo, fmt::format("open {}: {}", path, std::strerror(errno)));
  }
  ::close(fd);
  return {};
}

// Mount points of the host, so that a layer does not hide what is mounted below it.
std::vector<std::string> mount_points() {
  std::vector<std::string> points;
  std::ifstream file("/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string word;
    for (int i = 0; i < 5; ++i) words >> word;
    points.push_back(word);
  }
  return points;
}

std::string options_of(const std::string& folder, const std::string& place) {
  return fmt::format("lowerdir={},upperdir={}/u,workdir={}/w{}", folder, place, place,
                     ::geteuid() == 0 ? "" : ",userxattr");
}

}  // namespace

const Placement* View::volume_of(std::string_view path) const {
  for (const Placement& volume : volumes_) {
    if (is_below(path, volume.path)) return &volume;
  }
  return nullptr;
}

const View::Layer* View::layer_of(std::string_view path) const {
  for (const Layer& layer : layers_) {
    if (is_below(path, layer.folder)) return &layer;
  }
  return nullptr;
}

void View::add_layer(std::string folder) {
  const auto is_same = [&folder](const Layer& l) { return l.folder == folder; };
  if (std::none_of(layers_.begin(), layers_.end(), is_same)) {
    layers_.push_back({std::move(folder), {}});
  }
}

void View::choose_layers(const ViewRequest& request) {
  for (const std::string& path : request.declared) {
    if (volume_of(path) != nullptr) continue;
    const std::string above = parent_path(path);
    add_layer(existing_folder(is_folder(path) && !is_temporary(above) ? path : above));
  }
  for (const Placement& volume : volumes_) {
    // A mount needs something to be mounted on.
    const Placement* const outer = volume_of(parent_path(volume.path));
    if (outer == nullptr && !exists(volume.path)) add_layer(existing_folder(volume.path));
  }
  for (const std::string& path : request.mentioned) {
    if (volume_of(path) != nullptr || exists(path)) continue;
    std::string folder = existing_folder(path);
    if (is_temporary(folder)) add_layer(std::move(folder));
  }
  // "/" takes in new names at the top only, so it does not cover the layers below it.
  std::erase_if(layers_, [this](const Layer& inner) {
    return std::any_of(layers_.begin(), layers_.end(), [&inner](const Layer& outer) {
      return outer.folder != "/" && outer.folder != inner.folder &&
             is_below(inner.folder, outer.folder);
    });
  });
  std::sort(layers_.begin(), layers_.end(),
            [](const Layer& a, const Layer& b) { return a.folder.size() > b.folder.size(); });
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    layers_[i].place = fmt::format("{}/fs/{}", request.scratch, i);
  }
}

diag::Result<void> View::make_layers(const ViewRequest&) {
  for (const Layer& layer : layers_) {
    for (const char* part : {"/u", "/w", "/m"}) TRY_VOID(make_folder(layer.place + part));
    struct stat st = {};
    if (::stat(layer.folder.c_str(), &st) != 0) continue;
    const std::string upper = layer.place + "/u";
    ::chmod(upper.c_str(), st.st_mode & 07777U);  // the mounted folder looks like its upper layer
    if (::geteuid() == 0 && ::chown(upper.c_str(), st.st_uid, st.st_gid) != 0) continue;
  }
  return {};
}

// What a volume is mounted on: a folder or file of the same kind in the layer or in the volume
// around it.
diag::Result<void> View::make_volumes() {
  for (const Placement& volume : volumes_) {
    const Placement* const outer = volume_of(parent_path(volume.path));
    std::string target;
    const std::string path = without_links(volume.path);
    if (outer != nullptr) {
      target = outer->source + std::string(path_below(volume.path, outer->path));
    } else if (const Layer* layer = layer_of(path); layer != nullptr && !exists(path)) {
      target = layer->place + "/u" + std::string(path_below(path, layer->folder));
    }
    if (target.empty()) continue;
    if (is_folder(volume.source)) {
      TRY_VOID(make_folder(target));
    } else {
      TRY_VOID(make_file(target));
    }
  }
  return {};
}

// What stays the host's inside of layers: what is mounted there, our scratch folder, what the
// step's words name.
std::vector<Placement> View::shared_places(const ViewRequest& request) const {
  std::vector<std::string> paths = mount_points();
  paths.push_back(request.scratch);
  for (const std::string& path : request.mentioned) {
    const bool is_declared =
        std::any_of(request.declared.begin(), request.declared.end(),
                    [&path](const auto& d) { return is_below(path, d) || is_below(d, path); });
    if (is_declared || volume_of(path) != nullptr) continue;
    paths.push_back(exists(path) ? resolved(path) : existing_folder(path));
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Placement> places;
  for (const std::string& path : paths) {
    const Layer* const layer = layer_of(path);
    if (layer == nullptr || layer->folder == "/" || layer->folder == path || !exists(path))
      continue;
    const bool holds_declared =
        std::any_of(request.declared.begin(), request.declared.end(),
                    [&path](const std::string& d) { return is_below(d, path); });
    const bool is_covered = std::any_of(places.begin(), places.end(), [&path](const Placement& p) {
      return is_below(path, p.path);
    });
    if (!holds_declared && !is_covered) places.push_back({path, path});
  }
  return places;
}

diag::Result<void> View::make_mounts(const ViewRequest& request) {
  using Kind = wire::Mount::Kind;
  const auto bind = [this](std::string source, std::string target) {
    mounts_.push_back({Kind::kBind, std::move(source), std::move(target), {}});
  };
  // Where a path is reached while the layers are not yet in their places.
  const auto staged = [this](const std::string& path) {
    const Layer* const layer = layer_of(path);
    if (layer == nullptr ||
        (layer->folder == "/" && exists("/" + path.substr(1, path.find('/', 1) - 1)))) {
      return path;
    }
    return layer->place + "/m" + std::string(path_below(path, layer->folder));
  };
  for (const Layer& layer : layers_) {
    mounts_.push_back(
        {Kind::kOverlay, "overlay", layer.place + "/m", options_of(layer.folder, layer.place)});
  }
  for (auto it = volumes_.rbegin(); it != volumes_.rend(); ++it) {  // outer ones first
    mounts_.push_back({it->is_read_only ? Kind::kBindReadOnly : Kind::kBind, it->source,
                       staged(without_links(it->path)), it->trusted});
  }
  // The scratch folder last: what is copied with it into a layer must be complete.
  const std::vector<Placement> shared = shared_places(request);
  for (const bool takes_scratch : {false, true}) {
    for (const Placement& place : shared) {
      const bool holds_scratch = is_below(request.scratch, place.path);
      if (holds_scratch == takes_scratch) bind(place.source, staged(place.path));
    }
  }
  for (const Layer& layer : layers_) {
    if (layer.folder != "/") bind(layer.place + "/m", layer.folder);
  }
  if (!layers_.empty() && layers_.back().folder == "/") add_root_mounts();
  return {};
}

// A new root: the overlay for new names, every folder of the host bound into it.
void View::add_root_mounts() {
  root_ = layers_.back().place + "/m";
  DIR* const root = ::opendir("/");
  if (root == nullptr) return;
  while (const dirent* entry = ::readdir(root)) {
    const std::string name = entry->d_name;
    const std::string path = "/" + name;
    struct stat st = {};
    if (name == "." || name == ".." || ::lstat(path.c_str(), &st) != 0 || !S_ISDIR(st.st_mode)) {
      continue;
    }
    mounts_.push_back({wire::Mount::Kind::kBind, path, root_ + path, {}});
  }
  ::closedir(root);
}

// An output that another program left in a temporary folder is not this step's.
void View::hide_outputs(const ViewRequest& request) const {
  for (const std::string& path : request.outputs) {
    const Layer* const layer = layer_of(path);
    if (layer == nullptr || !is_temporary(layer->folder) || layer->folder == path) continue;
    if (volume_of(path) != nullptr || !exists(path)) continue;
    const std::string upper = layer->place + "/u" + std::string(path_below(path, layer->folder));
    if (!make_folders(parent_path(upper))) continue;
    // a whiteout; only root may make one, else the old file stays visible
    if (::mknod(upper.c_str(), S_IFCHR, makedev(0, 0)) != 0) continue;
  }
}

void View::use_rewriting(const ViewRequest& request) {
  for (const std::string& path : request.declared) {
    if (volume_of(path) == nullptr) rewritten_.push_back({path, request.scratch + "/fs" + path});
  }
  for (const Placement& volume : volumes_) rewritten_.push_back(volume);
  std::sort(rewritten_.begin(), rewritten_.end(),
            [](const Placement& a, const Placement& b) { return a.path.size() > b.path.size(); });
}

diag::Result<View> View::make(const ViewRequest& request) {
  View view;
  view.volumes_ = request.volumes;
  std::sort(view.volumes_.begin(), view.volumes_.end(),
            [](const Placement& a, const Placement& b) { return a.path.size() > b.path.size(); });
  if (!request.may_mount) {
    view.use_rewriting(request);
    for (const Placement& place : view.rewritten_) {
      TRY_VOID(make_folder(parent_path(place.source)));
    }
    return view;
  }
  view.choose_layers(request);
  if (view.layers_.empty() && view.volumes_.empty()) return view;
  TRY_VOID(view.make_layers(request));
  TRY_VOID(view.make_volumes());
  view.hide_outputs(request);
  TRY_VOID(view.make_mounts(request));
  return view;
}

std::string View::locate(const std::string& path) const {
  for (const Placement& place : rewritten_) {
    if (is_below(path, place.path)) return place.source + std::string(path_below(path, place.path));
  }
  if (const Placement* volume = volume_of(path)) {
    return volume->source + std::string(path_below(path, volume->path));
  }
  const Layer* const layer = layer_of(path);
  if (layer == nullptr) return path;
  const std::string upper = layer->place + "/u" + std::string(path_below(path, layer->folder));
  if (!layer->lowers.empty()) return locate_in_layers(layer->place + "/u", layer->lowers, path);
  return exists(upper) || is_whiteout(upper) ? upper : path;
}

std::string View::real_path(std::string_view path) const {
  const std::string seen = seen_path(path);
  return seen.empty() ? seen : locate(seen);
}

std::string View::seen_path(std::string_view path) const {
  std::string rest = clean_path(path);
  std::string seen;  // what is resolved, as the step sees it
  for (int links = 0; !rest.empty() && rest != "/";) {
    const std::size_t slash = rest.find('/', 1);
    const std::string next = seen + rest.substr(0, slash);
    rest = slash == std::string::npos ? "" : rest.substr(slash);
    const std::string real = locate(next);
    if (is_whiteout(real)) return {};
    char target[4096];
    const ssize_t size = ::readlink(real.c_str(), target, sizeof target - 1);
    if (size <= 0 || ++links > kLinksMax) {
      seen = next;
      continue;
    }
    const std::string link(target, static_cast<std::size_t>(size));
    const std::string base = link[0] == '/' ? link : parent_path(next) + "/" + link;
    rest = clean_path(base + rest);
    seen.clear();
  }
  return seen.empty() ? "/" : seen;
}

diag::Result<std::string> View::place_for(std::string_view path) const {
  const std::string clean = clean_path(path);
  if (is_of_image()) return place_in_image(clean);
  std::string place = locate(clean);
  if (place == clean) {
    // not there yet: into the layer, never onto the host
    const std::string folder = existing_folder(parent_path(clean));
    const Layer* const layer = layer_of(is_folder(clean) ? clean : folder);
    if (layer != nullptr) {
      const std::string through_links =
          is_folder(clean) ? resolved(clean)
                           : resolved(parent_path(clean)) + clean.substr(clean.rfind('/'));
      place = layer->place + "/u" + std::string(path_below(through_links, layer->folder));
    }
  }
  if (is_whiteout(place)) ::unlink(place.c_str());
  TRY_VOID(make_folder(parent_path(place)));
  return place;
}

std::string View::rewrite(std::string text) const {
  std::size_t from = 0;
  while (!rewritten_.empty() && from < text.size()) {
    const Placement* best = nullptr;
    std::size_t best_at = std::string::npos;
    for (const Placement& place : rewritten_) {
      const std::size_t at = text.find(place.path, from);
      if (at < best_at) {
        best = &place;
        best_at = at;
      }
    }
    if (best == nullptr) break;
    text.replace(best_at, best->path.size(), best->source);
    from = best_at + best->source.size();
  }
  return text;
}

std::string View::save() const {
  std::string text;
  for (const Layer& l : layers_) {
    text += fmt::format("layer\n{}\n{}\n", l.folder, l.place);
    for (const std::string& lower : l.lowers) text += fmt::format("lower\n{}\n\n", lower);
  }
  if (is_of_image()) text += fmt::format("working folder\n{}\n\n", working_folder_);
  for (const Placement& v : volumes_) text += fmt::format("volume\n{}\n{}\n", v.path, v.source);
  for (const Placement& r : rewritten_)
    text += fmt::format("rewritten\n{}\n{}\n", r.path, r.source);
  return text;
}

View View::load(std::string_view text) {
  View view;
  std::istringstream lines{std::string(text)};
  std::string kind;
  std::string first;
  std::string second;
  while (std::getline(lines, kind) && std::getline(lines, first) && std::getline(lines, second)) {
    if (kind == "layer") view.layers_.push_back({first, second});
    if (kind == "lower" && !view.layers_.empty()) view.layers_.back().lowers.push_back(first);
    if (kind == "working folder") view.working_folder_ = first;
    if (kind == "volume") view.volumes_.push_back({first, second});
    if (kind == "rewritten") view.rewritten_.push_back({first, second});
  }
  return view;
}

}  // namespace tiphys::executor
