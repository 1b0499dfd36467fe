// Parallelism and deadlines.
//
// Parallelism is a count of tokens, not a count of running nodes, so that asking is cheap.
// Pure.
#pragma once

#include "engine/machine.h"

namespace tiphys::engine {

/// If spec.parallelism or the parallelism of its boundary forbids to start now, takes `start` to
/// wait for its turn and gives true; it gives its locks back, as who has the room may need them.
/// Those who wait are looked at in order, and only when there is
/// room: a million of them cost nothing until then.
[[nodiscard]] bool defer_if_full(Machine& m, Start& start);
/// The same for the next attempt of a Retry node, which then waits; also while suspended.
[[nodiscard]] bool defer_retry_if_full(Machine& m, NodeIndex retry);
/// Starts those who wait, as far as tokens have been given back.
void start_what_has_room(Machine& m);
/// Tries to start all who wait, after a resume, a stop or a deadline. Cost: O(nodes).
void retry_deferred(Machine& m);

/// Takes the tokens of a node that starts; they are given back when it is final. An attempt of a
/// Retry node leaves its boundary's token to the Retry node.
void take_parallelism(Machine& m, NodeIndex n, bool of_boundary);
void release_parallelism(Machine& m, NodeIndex n);

/// How long a node of `body` may be Pending by its `timeout` and `pendingTimeout`; nothing when it
/// may for ever. Errors: one that is no duration, with Argo's text.
[[nodiscard]] diag::Result<std::optional<clock::Duration>> longest_pending(
    const spec::Template& body);

/// Sets the timers of a leaf's activeDeadlineSeconds, timeout and pendingTimeout; the last two run
/// since it began to wait for a lock, if it had to. Errors: one that is no number, or no duration,
/// with Argo's text.
[[nodiscard]] diag::Result<void> set_leaf_deadlines(Machine& m, NodeIndex n, const Start& start);

/// A timer of a node or of the workflow has fired.
void on_template_deadline(Machine& m, NodeIndex n);
void on_pending_deadline(Machine& m, NodeIndex n);
void on_workflow_deadline(Machine& m);

}  // namespace tiphys::engine
