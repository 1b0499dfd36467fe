// How a workflow ends: entry node, workflow hooks, exit handler, final phase (HOOKS.md 3, 9.4).
//
// Pure.
#pragma once

#include <string>

#include "engine/machine.h"

namespace tiphys::engine {

/// The workflow begins; its entrypoint starts once it has its locks.
void begin_workflow(Machine& m);
/// The workflow may run: starts the entrypoint.
void enter_workflow(Machine& m);
/// The workflow ends without having run anything.
void fail_before_start(Machine& m, Phase phase, std::string message);

void on_entry_settled(Machine& m);
void on_exit_settled(Machine& m);
/// All workflow hooks that have fired are final.
void on_workflow_hooks_done(Machine& m);

/// An error of a workflow hook: the entry node counts as Error with this text (HOOKS.md 6.6).
void fail_entry(Machine& m, const std::string& error);

/// Ends the workflow at once, without exit handler: the entry template, or the exit handler, could
/// not be started.
void end_workflow(Machine& m, Phase phase, std::string message);

/// Called when a leaf has ended, in case the end of the workflow waits for it.
void maybe_finish(Machine& m);

/// Adds the outputs of a finished node that have a globalName to the workflow's.
void export_node_outputs(Machine& m, NodeIndex n);

}  // namespace tiphys::engine
