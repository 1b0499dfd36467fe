// Turns a Task into what the supervisor starts when the step runs in an image: as a container of an
// OCI runtime, or in a sandbox of our own.
//
// Both have the image's files with a layer of the step's own above them, in namespaces that end
// with the step (isolated_spawn.h). A container adds what a runtime does: capabilities, a user,
// masked paths, limits. A sandbox starts the program itself: it costs a millisecond, and claims to
// be no border for a program that means harm. In the task's work_path: `fs` the step's layer,
// `bundle` what the runtime reads, `view` the view for a later engine. Called on an executor's
// thread.
#pragma once

#include <string>

#include "diag/error.h"
#include "executor/image.h"
#include "executor/preparation.h"

namespace tiphys::executor {

/// The runtime of containers.
struct Runtime {
  std::string name;          // `runc` or `crun`: they differ in their options
  std::string path;          // empty: a sandbox
  bool sets_limits = false;  // it can handle this machine's cgroups
};

/// Makes everything ready. Errors: the message is the node's; its phase is Error.
[[nodiscard]] diag::Result<Prepared> prepare_in_image(const Task& task, const Image& image,
                                                      const Runtime& runtime,
                                                      const PrepareSettings& settings);

/// What a runtime had to say of a container that it could not start; "" when it could. Its words
/// are in the task's work_path.
[[nodiscard]] std::string runtime_complaint(const Task& task);

}  // namespace tiphys::executor
