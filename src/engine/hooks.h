// Which lifecycle hooks fire when a node or the workflow changes, and when exit hooks start
// (HOOKS.md 4, 6, appendix B).
//
// Argo looks at hooks whenever it happens to reconcile, so a step that is Running for less than one
// pass never fires `status == "Running"`. Here on_phase() is called once for each transition, by
// transition.cc only. Pure.
#pragma once

#include <string>

#include "engine/machine.h"

namespace tiphys::engine {

/// A node has entered `phase`: fires its hooks, the workflow's hooks if it is the entry node, and
/// queues it to settle when the phase is final.
void on_phase(Machine& m, NodeIndex n, Phase phase);

/// Starts the exit hook of a final node if there is one, its expression is true and no shutdown
/// forbids it.
void start_exit_hook(Machine& m, NodeIndex n);

/// A hook node of `parent` has settled.
void on_hook_settled(Machine& m, NodeIndex parent);

/// A hook node of the workflow has settled.
void on_workflow_hook_settled(Machine& m);

/// Evaluates spec.hooks against the entry node's phase.
void evaluate_workflow_hooks(Machine& m);

/// What becomes of an error in starting a hook or exit hook of `owner`, or one of the workflow,
/// which has no owner (HOOKS.md 6.6).
void on_hook_error(Machine& m, OwnerKind kind, NodeIndex owner, const std::string& error);

}  // namespace tiphys::engine
