// The engine's state as Argo's WorkflowStatus and NodeStatus. Made on request or for changed rows,
// never per event.
//
// Pure.
#pragma once

#include "engine/machine.h"

namespace tiphys::engine {

[[nodiscard]] value::Value node_status_of(const Machine& m, NodeIndex i);
[[nodiscard]] value::Value workflow_status_of(const Machine& m);
[[nodiscard]] value::Value metadata_of(const Machine& m);

}  // namespace tiphys::engine
