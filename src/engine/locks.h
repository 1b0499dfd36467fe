// synchronization: mutexes and semaphores of workflows and templates.
//
// Workflows share locks, so who holds them is outside; here is who waits for an answer and what has
// to be given back. Pure.
#pragma once

#include <string>
#include <vector>

#include "engine/machine.h"

namespace tiphys::engine {

/// Asks for the locks of a template that has any and does not hold them yet: then `start` is taken,
/// and goes on when they are acquired. Returns whether it did.
bool ask_for_locks(Machine& m, Start& start, const spec::Template& body);

/// Asks for the workflow's own locks; false when it has none, or asking fails it.
bool ask_for_workflow_locks(Machine& m);

/// The answer to an AcquireLocks; false when nobody waits for it.
bool on_locks_answer(Machine& m, const LocksAnswered& event);

/// Gives back what a node that is final has held.
void release_locks(Machine& m, NodeIndex n);
/// The same for the workflow.
void release_workflow_locks(Machine& m);

/// What has locks and cannot begin gives them back, to ask again.
void return_locks(Machine& m, Start& start);
/// A node that waits for a lock, or gave it back and waits for room, ends Failed without having
/// run. False when it is none such.
bool give_up_lock(Machine& m, NodeIndex n, const std::string& message);
/// What will not begin after all gives its locks back; its node, if it has one, is Failed.
void give_up_start(Machine& m, Start& start, const std::string& message);
/// The workflow waits for its locks and is shut down.
bool give_up_workflow_locks(Machine& m);

/// After a replay: who holds or waits, and what was asked and not answered.
void ask_for_locks_again(const Machine& m, std::vector<Effect>& effects);

/// status.synchronization: what the workflow and its nodes hold, and what they wait for. Who holds
/// that is outside (runtime/locks.h). Null when there is nothing.
[[nodiscard]] value::Value synchronization_status(const Machine& m);

}  // namespace tiphys::engine
