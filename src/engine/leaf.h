// What an executor reports of a leaf, taken into the node.
//
// Pure.
#pragma once

#include "engine/machine.h"

namespace tiphys::engine {

/// Each returns false when the event no longer matters: the node is final, or of an earlier run.
bool on_leaf_running(Machine& m, const LeafRunning& event);
/// What is no progress (`done/all`, not more than all) changes nothing.
bool on_leaf_progress(Machine& m, const LeafProgress& event);
bool on_leaf_finished(Machine& m, const LeafFinished& event);
bool on_timer(Machine& m, const TimerFired& event);

}  // namespace tiphys::engine
