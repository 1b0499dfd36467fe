// The log lines of workflows: who began and ended, which hooks fired, what failed or waits; at
// debug every event, commit and dispatch.
//
// Names and outcomes only: no parameters, outputs or bodies of requests. Used by the loop's thread.
#pragma once

#include <cstddef>
#include <vector>

#include "runtime/workflow_run.h"
#include "store/store.h"

namespace tiphys::runtime {

/// Whether the node is a hook or an exit handler, not a part of one.
[[nodiscard]] bool is_hook(const engine::Node& node);

void log_adopted(const WorkflowRun& run);
void log_ended(const WorkflowRun& run);
/// An event that changed something; nodes from `nodes_before` on are new.
void log_applied(const WorkflowRun& run, const engine::Event& event, std::size_t nodes_before);
void log_committed(const store::Batch& batch, clock::Duration took);
void log_dispatching(const WorkflowRun& run, const std::vector<engine::Effect>& effects);

}  // namespace tiphys::runtime
