// Parallelism and deadlines.
//
// Parallelism is a count of tokens, not a count of running nodes, so that asking is cheap.
// Pure.
#pragma once

#include "engine/machine.h"

namespace tiphys::engine {

/// Whether a node may start now under spec.parallelism and the parallelism of its boundary.
[[nodiscard]] bool has_capacity(Machine& m, const Start& start);

/// Takes the tokens of a node that starts; they are given back when it is final. An attempt of a
/// Retry node leaves its boundary's token to the Retry node.
void take_parallelism(Machine& m, NodeIndex n, bool of_boundary);
void release_parallelism(Machine& m, NodeIndex n);

/// Sets the timers of a leaf's activeDeadlineSeconds and timeout.
void set_leaf_deadlines(Machine& m, NodeIndex n);

/// A timer of a leaf or of the workflow has fired.
void on_template_deadline(Machine& m, NodeIndex n);
void on_workflow_deadline(Machine& m);

}  // namespace tiphys::engine
