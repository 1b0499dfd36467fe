// The images of this machine: which are here, and what a step needs of them.
//
// Two sources, in this order: OCI layout folders (default HOME/oci) and podman's store. What takes
// its time (unpacking, podman) is done by one thread of the store's own and told through
// `on_ready`; an answer is kept as long as the name means the same image. HOME/images holds the
// unpacked layers of layouts, which are a cache, and two small layers of ours: the host's names for
// the network above each image, the folders to mount on below it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "diag/error.h"
#include "executor/image.h"

namespace tiphys::executor {

/// `imagePullPolicy`. Here the default is kIfNotPresent for every tag.
enum class PullPolicy { kNever, kIfNotPresent, kAlways };

class ImageStore {
 public:
  using Found = diag::Result<std::shared_ptr<const Image>>;

  /// `layouts`: a folder, or "" for HOME/oci. `on_ready` is called on the store's thread.
  ImageStore(std::string home, std::string layouts, std::function<void()> on_ready);
  ~ImageStore();
  ImageStore(const ImageStore&) = delete;
  ImageStore& operator=(const ImageStore&) = delete;

  /// Whether it can be found without a pull. Quick; any thread.
  [[nodiscard]] bool is_here(const std::string& name) const;

  /// The image, or why there is none (`image 'x' not found: …`); nothing while that is being found
  /// out: on_ready is called then. Any thread.
  [[nodiscard]] std::optional<Found> find(const std::string& name, PullPolicy policy);

 private:
  struct Known {
    std::string identity;  // what the name meant; "" for nowhere
    std::optional<Found> found;
    std::int64_t pulled_at = 0;  // steady; 0 for never
    bool is_wanted = false;      // in the queue
    bool wants_pull = false;
  };

  void run();
  [[nodiscard]] Found resolve(const std::string& name, bool wants_pull) const;
  [[nodiscard]] Found load(const std::string& name) const;
  [[nodiscard]] diag::Result<void> add_own_layers(Image& image) const;
  /// What tells one image from another of the same name; "" when it is not here. Looked up anew
  /// after a second, as thousands of steps ask for the same one.
  [[nodiscard]] std::string identity(const std::string& name) const;
  [[nodiscard]] std::string identity_now(const std::string& name) const;
  void sweep() const;

  const std::string home_;
  const std::string layouts_;
  const std::function<void()> on_ready_;
  struct Seen {
    std::string identity;
    std::int64_t until = 0;  // steady
  };
  mutable std::mutex seen_mutex_;  // guards seen_
  mutable std::map<std::string, Seen> seen_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::map<std::string, Known> known_;
  std::vector<std::string> queue_;
  bool is_stopping_ = false;
  std::thread thread_;  // begins with the first image that is asked for
};

}  // namespace tiphys::executor
