// Random workflows for the simulation: nested steps and DAGs with hooks, loops, conditions, retries
// and exit handlers.
//
// Every hook has an expression of the form `X.status == "PHASE"`, and its name is the phase in
// lower case, so that a test can say from a node's history which hooks must exist. Pure.
#pragma once

#include "sim/random.h"
#include "value/value.h"

namespace tiphys::sim {

/// A Workflow object named `sim`, made from the generator's state.
[[nodiscard]] value::Value random_workflow(Random& random);

}  // namespace tiphys::sim
