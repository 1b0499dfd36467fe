// Which leaves a retry by hand leaves as they are, for the oracle: what Argo's
// FormulateRetryWorkflow does with the nodes of a finished workflow, worked out in the plainest
// way.
//
// Only for a retry without options. Pure.
#pragma once

#include <deque>
#include <set>
#include <string>

#include "sim/sight.h"

namespace tiphys::sim {

/// The names of the leaves and suspensions that do not run again.
[[nodiscard]] std::set<std::string> kept_leaves(const std::deque<Seen>& finished);

}  // namespace tiphys::sim
