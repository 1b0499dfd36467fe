// The flags that say where steps run, shared by the commands that are engines.
#pragma once

#include <string>

#include "cli/parser.h"
#include "diag/error.h"
#include "runtime/config.h"

namespace tiphys::cli {

struct ExecutorFlags {
  std::string executor;  // empty: as the environment says
  std::string images;
  std::string host_paths;
  std::string kubeconfig;
  std::string context;
  std::string step_image;
};

/// --executor, --images, --host-paths, and where the Kubernetes cluster is.
void add_executor_flags(Command command, ExecutorFlags& flags);

/// Puts what was given into `config`. Errors: kInvalidManifest for an unknown executor or a
/// list that is none.
[[nodiscard]] diag::Result<void> apply_executor_flags(const ExecutorFlags& flags,
                                                      runtime::Config& config);

}  // namespace tiphys::cli
