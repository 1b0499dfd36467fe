// Decides where a step runs: as a process of this machine, in a container, or in a sandbox.
//
// `auto` takes a container when a runtime and the step's image are both here, else a process, as
// if there were no containers in the world. The other kinds are orders: what they need and is not
// there is an error of the node. What was taken is told once for each image. One thread, the
// executor's, except where said.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "executor/executor.h"
#include "executor/executor_kind.h"
#include "executor/image_preparation.h"
#include "executor/image_store.h"
#include "executor/image_user.h"
#include "executor/runtime_config.h"

namespace tiphys::executor {

/// Where a step runs.
struct Place {
  enum class Kind { kHost, kImage, kLater, kNowhere };
  Kind kind = Kind::kHost;
  std::shared_ptr<const Image> image = {};  // of kImage
  Runtime runtime = {};                     // of kImage
  std::string problem = {};                 // of kNowhere: the node's message
};

class Placing {
 public:
  struct Options {
    ExecutorKind kind = ExecutorKind::kHost;
    std::string home;
    std::string layouts;  // a folder with OCI layouts; "" for HOME/oci
    std::function<void(const std::string&)> warn = {};
  };

  /// `on_ready` is called from another thread when a step that was put off may be asked for again.
  Placing(Options options, std::function<void()> on_ready);

  [[nodiscard]] Place place(const Task& task);
  /// Whether a container with this image would not be a process of this machine. Any thread.
  [[nodiscard]] bool is_in_image(const std::string& image) const;
  /// The kernel refuses the namespaces or mounts. True when the step may be placed again, on the
  /// host.
  [[nodiscard]] bool on_refused();

 private:
  void say_once(const std::string& what);
  void tell_place(const std::string& image, const Place& place);
  void tell_ignored(const Task& task, bool is_sandbox);
  [[nodiscard]] Runtime runtime_for(const Task& task) const;

  const Options options_;
  Runtime runtime_;      // the quickest there is; empty path: none
  Runtime with_limits_;  // one that can set limits here
  bool is_refused_ = false;
  bool has_taken_image_ = false;
  std::set<std::string> said_;
  ImageStore images_;
};

}  // namespace tiphys::executor
