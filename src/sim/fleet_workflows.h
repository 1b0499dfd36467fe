// Random workflows whose outcome does not depend on the order in which their steps end: no limits,
// no failFast, no suspensions, no deadlines. So what a fleet makes of them can be compared.
//
// Pure.
#pragma once

#include <map>
#include <string>

#include "engine/engine.h"
#include "sim/random.h"

namespace tiphys::sim {

/// A workflow named `uid`.
[[nodiscard]] engine::Definition fleet_workflow(Random& random, const std::string& uid);

/// The phase of each node, by name, and of the workflow (under ""), when nothing disturbs it.
using Phases = std::map<std::string, std::string>;
[[nodiscard]] Phases undisturbed(const engine::Definition& definition, std::uint64_t seed,
                                 const std::string& uid);
/// Those of an engine that has finished.
[[nodiscard]] Phases phases_of(const engine::Engine& engine);

}  // namespace tiphys::sim
