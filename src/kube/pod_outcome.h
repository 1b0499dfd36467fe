// What goes into a pod and what has come out of it, between a Task's folder and the API.
//
// Artifacts and outputs are handled as for steps of this machine (executor/artifacts.h,
// executor/outputs.h), on files that lie in the task's work_path for that. Called on the executor's
// thread.
#pragma once

#include <string>
#include <vector>

#include "diag/error.h"
#include "executor/executor.h"
#include "kube/pod_spec.h"
#include "kube/pod_view.h"
#include "step/report.h"

namespace tiphys::kube {

/// Loads the input artifacts, but for those that are large and that the pod can fetch itself.
/// Errors: the node's message.
[[nodiscard]] diag::Result<std::vector<PodInput>> load_inputs(const executor::Task& task,
                                                              const executor::Lookup& lookup,
                                                              const std::string& artifact_root);

/// The main container whose report has the outputs: `main`, else the last one.
[[nodiscard]] const ContainerEnd* output_container(const PodView& view);

/// How the task ended. `report` is that of output_container(), empty when it left none.
[[nodiscard]] executor::Outcome outcome_of(const executor::Task& task, const PodView& view,
                                           const std::string& report,
                                           const executor::Lookup& lookup,
                                           const std::string& artifact_root);

/// That of a pod that was deleted before it had ended, with what is here of its logs.
[[nodiscard]] executor::Outcome deleted_outcome(const executor::Task& task, const PodView& view,
                                                clock::Instant at, const executor::Lookup& lookup,
                                                const std::string& artifact_root);

}  // namespace tiphys::kube
