// What follows when a node that exists cannot go on, for a reason that is not a process's.
//
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "engine/machine.h"

namespace tiphys::engine {

/// Makes the node Error, and tells whoever started it what Argo tells: a step's group is Error,
/// too; an entrypoint or exit handler ends the workflow; a task is named in its message.
void fail_node(Machine& m, NodeIndex n, const std::string& error);

inline constexpr std::string_view kTimeout = "timeout";

/// Ends a node that was Pending for longer than its template's `timeout` or `pendingTimeout`:
/// Failed with `timeout`, and so is its step's group, whatever `continueOn` says, as in Argo. A
/// leaf whose start was ordered is killed, and ends when it is gone.
void time_out(Machine& m, NodeIndex n);
/// The second half of it, for a leaf that was killed for it.
void end_timed_out(Machine& m, NodeIndex n);

}  // namespace tiphys::engine
