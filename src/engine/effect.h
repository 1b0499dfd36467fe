// What the engine wants done outside, and which rows have changed. The runtime commits the rows and
// the event in one transaction, and carries the effects out after that.
//
// Pure data.
#pragma once

#include <variant>
#include <vector>

#include "engine/event.h"

namespace tiphys::engine {

/// Start the leaf (Engine::leaf() tells what to run). Idempotent by the leaf's key.
struct StartLeaf {
  LeafId leaf;
};

/// End the leaf's process; its LeafFinished still follows.
struct CancelLeaf {
  LeafId leaf;
};

/// Send TimerFired{run, node, kind} at or soon after `at`; replaces an earlier one of the same node
/// and kind.
struct SetTimer {
  TimerFired timer;
  clock::Instant at;
};

using Effect = std::variant<StartLeaf, CancelLeaf, SetTimer>;

/// The outcome of one Engine::apply().
struct Effects {
  std::vector<Effect> outside;
  std::vector<NodeIndex> dirty;   // nodes whose rows changed; each once
  bool workflow_changed = false;  // phase, message, outputs, suspend ...
  bool nodes_replaced = false;    // a retry by hand: all node rows of before are void
};

}  // namespace tiphys::engine
