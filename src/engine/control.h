// What people may do to a workflow: stop, terminate, suspend, resume, set, retry, relabel.
//
// Pure.
#pragma once

#include <string>

#include "engine/machine.h"

namespace tiphys::engine {

/// Carries out a command. Arguments, all optional: `message`, `nodeFieldSelector` (stop, resume,
/// set), `phase` and `outputParameters` (set), `restartSuccessful` and `parameters` (retry),
/// `labels` and `annotations` (relabel; null removes one). Returns false when it changes nothing.
bool apply_control(Machine& m, const Control& control);

/// Ends a leaf's process; when it has ended, the node is Failed with this message (empty: with the
/// process's own).
void kill_leaf(Machine& m, NodeIndex n, const std::string& message);

/// Why a node of this kind must not run because of a shutdown or the deadline; empty when it may.
[[nodiscard]] std::string shutdown_forbids(const Machine& m, bool on_exit);

/// A suspend template's duration is over: outputs that nobody supplied take their defaults, and the
/// node is Succeeded; Error when one has no default.
void end_suspension(Machine& m, NodeIndex n);

/// Forgets all nodes and begins a new run; what m.kept holds is left.
void reset_for_retry(Machine& m);

}  // namespace tiphys::engine
