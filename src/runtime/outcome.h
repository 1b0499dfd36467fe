// How a leaf ended, from the executor's words into the engine's.
//
// Pure.
#pragma once

#include "engine/event.h"
#include "executor/executor.h"

namespace tiphys::runtime {

[[nodiscard]] engine::LeafFinished finished_of(const engine::LeafId& leaf,
                                               executor::Outcome outcome);

}  // namespace tiphys::runtime
