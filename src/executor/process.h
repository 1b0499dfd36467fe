// Runs container and script templates as processes of this machine.
//
// By default images are ignored, and that is said once; programs come from the host. In containers
// and sandboxes they come from the image (placing.h). The processes belong to the supervisor
// (supervisor.h), so an engine may die and another one goes on with them. make_process_executor()
// starts one thread, which talks to the supervisor and collects outputs.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "executor/environment.h"
#include "executor/executor.h"
#include "executor/placing.h"
#include "executor/step_log.h"

namespace tiphys::executor {

struct ProcessOptions {
  std::string home;   // TIPHYS_HOME: socket, journal, volumes of claims, artifacts
  int steps_max = 0;  // processes at once over all engines of this home; 0: 4 x cores, 16 at least
  std::int64_t log_max = kLogMax;                    // bytes of output that are kept of each step
  Images images = {};                                // what images start, before the built-in table
  ExecutorKind kind = ExecutorKind::kHost;           // where steps run
  std::string image_layouts = {};                    // a folder of OCI layouts; default: HOME/oci
  std::string host_paths = {};                       // what hostPath may show: folders and colons
  std::string artifact_root = {};                    // default: HOME/artifacts
  std::vector<std::string> supervisor_command = {};  // default: this binary's `__supervisor`
  pid_t launched = -1;                               // what launch_supervisor() gave
  std::function<void(const std::string&)> warn =
      {};  // things said once: images ignored, no private paths
};

[[nodiscard]] inline Placing::Options placing_options(const ProcessOptions& options) {
  return {options.kind, options.home, options.image_layouts, options.warn};
}

/// The functions of `listener` are called from the executor's thread. Destroying the executor
/// leaves the steps running.
[[nodiscard]] std::unique_ptr<Executor> make_process_executor(ProcessOptions options,
                                                              Listener listener, Lookup lookup);

}  // namespace tiphys::executor
