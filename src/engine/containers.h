// The Container nodes of a containerSet: they hang below their pod's node and end with it.
//
// Pure.
#pragma once

#include "engine/machine.h"

namespace tiphys::engine {

/// Makes a Pending node for each container, below those that it depends on; nothing for other
/// templates.
void create_containers(Machine& m, NodeIndex pod, const Start& start);

/// The pod runs, and so do all of its containers (one that waits for another waits inside).
void start_containers(Machine& m, NodeIndex pod);

/// The pod has ended; `outcomes` is a list of {name, phase, message}. A container that is not in it
/// ends with `otherwise`.
void finish_containers(Machine& m, NodeIndex pod, const value::Value& outcomes, Phase otherwise);

/// Whether a node is the pod of a containerSet.
[[nodiscard]] bool has_containers(const Machine& m, const Node& n);

}  // namespace tiphys::engine
