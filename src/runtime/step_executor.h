// The executors of container, script and resource templates that the configuration asks for.
//
// Reads the kubeconfig and may write the store.
#pragma once

#include <memory>

#include "diag/error.h"
#include "executor/environment.h"
#include "executor/executor.h"
#include "kube/resource_executor.h"
#include "runtime/config.h"
#include "runtime/own_objects.h"
#include "store/store.h"

namespace tiphys::runtime {

struct StepExecutors {
  std::unique_ptr<executor::Executor> steps;
  std::unique_ptr<kube::ResourceExecutor> resources;
};

/// Steps are processes, containers or sandboxes of this machine, or pods of a cluster, whose
/// objects resource templates then know. Borrows the store and `own`. Errors: there is no cluster,
/// its configuration is wrong.
[[nodiscard]] diag::Result<StepExecutors> make_step_executors(const Config& config,
                                                              store::Store& store, OwnObjects& own,
                                                              const executor::Images& images,
                                                              const executor::Listener& listener,
                                                              const executor::Lookup& lookup);

}  // namespace tiphys::runtime
