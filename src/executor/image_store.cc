#include "executor/image_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "executor/oci_layout.h"
#include "executor/path_words.h"
#include "executor/podman_store.h"
#include "executor/preparation.h"
#include "executor/step_log.h"
#include "executor/step_table.h"

namespace tiphys::executor {
namespace {

constexpr std::int64_t kPullAgain = std::int64_t{60} * 1'000'000'000;  // for Always
constexpr std::int64_t kLookAgain = 1'000'000'000;
constexpr const char* kHostFiles[] = {"hosts", "resolv.conf"};
constexpr const char* kMountPoints[] = {"dev", "proc", "sys", "tmp"};

std::unexpected<diag::Error> not_found(const std::string& name, const std::string& why) {
  return diag::fail(diag::Code::kNotFound, fmt::format("image '{}' not found: {}", name, why));
}

diag::Result<void> make_folder(const std::string& path, unsigned mode) {
  if (make_folders(path) && ::chmod(path.c_str(), mode) == 0) return {};
  return diag::fail(diag::Code::kIo, fmt::format("mkdir {}: {}", path, std::strerror(errno)));
}

std::uint64_t hash_of(std::string_view text) {  // FNV-1a: it only has to tell versions apart
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  }
  return hash;
}

// A layer with the files that tell how to reach others, as they are now.
diag::Result<std::string> host_layer(const std::string& home) {
  std::string texts[2];
  std::string all;
  for (int i = 0; i < 2; ++i) {
    if (auto text = read_file(fmt::format("/etc/{}", kHostFiles[i]))) texts[i] = std::move(*text);
    all += texts[i] + '\0';
  }
  std::string folder = fmt::format("{}/images/host-{:08x}", home, hash_of(all) & 0xffffffffULL);
  if (::access(folder.c_str(), F_OK) == 0) return folder;
  const std::string fresh = fmt::format("{}/images/.host.{}", home, ::getpid());
  remove_tree(fresh);
  TRY_VOID(make_folder(fresh, 0755));
  TRY_VOID(make_folder(fresh + "/etc", 0755));
  for (int i = 0; i < 2; ++i) {
    TRY_VOID(write_file(fmt::format("{}/etc/{}", fresh, kHostFiles[i]), texts[i]));
  }
  if (::rename(fresh.c_str(), folder.c_str()) != 0) remove_tree(fresh);  // another was as quick
  return folder;
}

std::string look_for(const std::string& name, const std::string& layouts) {
  if (auto place = find_in_layouts(layouts, name)) return place->layout + "@" + place->digest;
  auto id = find_in_podman(name);
  return id ? "podman:" + *id : "";
}

}  // namespace

ImageStore::ImageStore(std::string home, std::string layouts, std::function<void()> on_ready)
    : home_(std::move(home)),
      layouts_(layouts.empty() ? home_ + "/oci" : std::move(layouts)),
      on_ready_(std::move(on_ready)) {}

ImageStore::~ImageStore() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

std::string ImageStore::identity(const std::string& name) const {
  const std::int64_t now = steady_now();
  {
    const std::lock_guard lock(seen_mutex_);
    const auto it = seen_.find(name);
    if (it != seen_.end() && it->second.until > now) return it->second.identity;
  }
  return identity_now(name);
}

std::string ImageStore::identity_now(const std::string& name) const {
  std::string identity = look_for(name, layouts_);
  const std::lock_guard lock(seen_mutex_);
  seen_[name] = {identity, steady_now() + kLookAgain};
  return identity;
}

bool ImageStore::is_here(const std::string& name) const { return !identity(name).empty(); }

std::optional<ImageStore::Found> ImageStore::find(const std::string& name, PullPolicy policy) {
  if (name.empty()) return not_found(name, "the container names none");
  const std::string is = identity(name);
  if (is.empty() && policy == PullPolicy::kNever) {
    return not_found(name, fmt::format("not in '{}' and not in podman's store, and the pull "
                                       "policy is Never",
                                       layouts_));
  }
  const std::lock_guard lock(mutex_);
  Known& known = known_[name];
  const std::int64_t now = steady_now();
  const bool pulls = policy == PullPolicy::kAlways || is.empty();
  const bool is_fresh = known.pulled_at != 0 && now - known.pulled_at < kPullAgain;
  const bool is_valid = known.found && known.identity == is && (!pulls || is_fresh);
  if (is_valid) return known.found;
  known.wants_pull = known.wants_pull || pulls;
  if (!std::exchange(known.is_wanted, true)) {
    queue_.push_back(name);
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    changed_.notify_one();
  }
  return std::nullopt;
}

void ImageStore::run() {
  sweep();
  for (;;) {
    std::string name;
    bool wants_pull = false;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return is_stopping_ || !queue_.empty(); });
      if (is_stopping_) return;
      name = queue_.front();
      queue_.erase(queue_.begin());
      wants_pull = std::exchange(known_[name].wants_pull, false);
    }
    Found found = resolve(name, wants_pull);
    std::string is = identity_now(name);
    {
      const std::lock_guard lock(mutex_);
      Known& known = known_[name];
      known.found = std::move(found);
      known.identity = std::move(is);
      known.is_wanted = false;
      if (wants_pull) known.pulled_at = steady_now();
    }
    on_ready_();
  }
}

ImageStore::Found ImageStore::resolve(const std::string& name, bool wants_pull) const {
  const bool is_of_layout = find_in_layouts(layouts_, name).has_value();
  if (wants_pull && !is_of_layout) {  // a layout is what its owner put there
    if (auto pulled = podman_pull(name); !pulled) {
      return not_found(name, pulled.error().code == diag::Code::kNotFound
                                 ? fmt::format("not in '{}', and there is no podman", layouts_)
                                 : pulled.error().message);
    }
  }
  return load(name);
}

ImageStore::Found ImageStore::load(const std::string& name) const {
  diag::Result<Image> image;
  if (auto place = find_in_layouts(layouts_, name)) {
    image = load_oci_image(*place, name, home_ + "/images");
  } else if (auto id = find_in_podman(name)) {
    image = load_podman_image(*id, name);
  } else {
    return not_found(name, "podman has pulled it, but does not list it");
  }
  if (!image) {
    return diag::fail(image.error().code,
                      fmt::format("image '{}' cannot be used: {}", name, image.error().message));
  }
  TRY_VOID(add_own_layers(*image));
  return std::make_shared<const Image>(std::move(*image));
}

diag::Result<void> ImageStore::add_own_layers(Image& image) const {
  const std::string points = home_ + "/images/mount-points";
  TRY_VOID(make_folder(points, 0755));
  for (const char* point : kMountPoints) {
    TRY_VOID(make_folder(fmt::format("{}/{}", points, point),
                         std::string_view(point) == "tmp" ? 01777 : 0755));
  }
  TRY(std::string host, host_layer(home_));
  image.layers.insert(image.layers.begin(), std::move(host));
  image.layers.push_back(points);
  return {};
}

// What an engine that was killed was unpacking: `.NAME.PID`.
void ImageStore::sweep() const {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(home_ + "/images", error)) {
    const std::string name = entry.path().filename().string();
    const int pid = std::atoi(name.c_str() + name.rfind('.') + 1);
    const bool is_dead = pid > 0 && ::kill(pid, 0) != 0 && errno == ESRCH;
    if (name.starts_with('.') && is_dead) remove_tree(entry.path().string());
  }
}

}  // namespace tiphys::executor
