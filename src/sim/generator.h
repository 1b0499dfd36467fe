// Random workflows for the simulation: nested steps and DAGs with hooks, loops, conditions,
// retries, limits, mutexes, suspensions and exit handlers.
//
// Only what sim/blueprint.h understands. Pure.
#pragma once

#include "sim/random.h"
#include "value/value.h"

namespace tiphys::sim {

/// A Workflow object named `sim`, made from the generator's state.
[[nodiscard]] value::Value random_workflow(Random& random);

}  // namespace tiphys::sim
