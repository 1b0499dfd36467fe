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

/// Processes, containers or sandboxes of this machine, or pods of a cluster. Errors: there is no
/// cluster, its configuration is wrong.
[[nodiscard]] diag::Result<std::unique_ptr<executor::Executor>> make_step_executor(
    const Config& config, store::Store& store, const executor::Images& images,
    const executor::Listener& listener, const executor::Lookup& lookup);

/// The executor of resource templates; with a cluster where steps are its pods. Borrows both.
[[nodiscard]] diag::Result<std::unique_ptr<kube::ResourceExecutor>> make_resources(
    const Config& config, store::Store& store, OwnObjects& own, const executor::Listener& listener,
    const executor::Lookup& lookup);

}  // namespace tiphys::runtime
