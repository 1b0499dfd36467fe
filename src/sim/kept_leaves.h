// Which leaves a retry by hand leaves as they are, for the oracle: what Argo's
// FormulateRetryWorkflow does with the nodes of a finished workflow, worked out in the plainest
// way.
//
// Pure.
#pragma once

#include <deque>
#include <set>
#include <string>

#include "sim/sight.h"

namespace tiphys::sim {

/// The names of the leaves and suspensions that do not run again. `options`: those of the command;
/// a selector is understood as `name=NODE` only.
[[nodiscard]] std::set<std::string> kept_leaves(const std::deque<Seen>& finished,
                                                const value::Value& options);

}  // namespace tiphys::sim
