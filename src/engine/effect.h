// What the engine wants done outside, and which rows have changed. The runtime commits the rows and
// the event in one transaction, and carries the effects out after that.
//
// Pure data.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/event.h"
#include "value/value.h"

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

/// Look into a cache (a ConfigMap by that name); answered by CacheAnswered.
struct LookUpCache {
  std::uint32_t run = 0;
  std::uint32_t ticket = 0;
  std::string cache;
  std::string key;
};

/// Keep the outputs of a memoized node that has Succeeded.
struct SaveToCache {
  std::string cache;
  std::string key;
  std::string node_id;
  value::Value outputs;  // null when it has none
};

/// A mutex or semaphore, which workflows share.
struct Lock {
  enum class Kind : std::uint8_t { kMutex, kSemaphore, kDatabase };
  std::string name = {};  // Argo's: `NAMESPACE/Mutex/NAME`
  Kind kind = Kind::kMutex;
  std::string name_space = {};  // of a semaphore: the ConfigMap that has its limit
  std::string config_map = {};
  std::string key = {};  // in the ConfigMap; `mutex` or `semaphore` of a database
};

/// Acquire all of the locks at once, now or when they are free; answered by LocksAnswered, several
/// times while they are not.
struct AcquireLocks {
  std::uint32_t run = 0;
  std::uint32_t ticket = 0;
  std::string holder;  // `NAMESPACE/WORKFLOW` or `NAMESPACE/WORKFLOW/NODE`
  std::vector<Lock> locks;
  std::int64_t priority = 0;
  clock::Instant created_at;  // of the workflow: older ones come first
};

/// Give the locks back, or do not wait for them any more.
struct ReleaseLocks {
  std::string holder;
  std::vector<Lock> locks;
};

/// After a restart: these are all the holders of the workflow, and those that wait. What others of
/// it are noted as holding was given back by an effect that was lost.
struct OwnLocks {
  std::vector<std::string> holders;
};

/// The workflow has ended: remove its artifacts of this strategy (Engine::garbage()); answered by
/// ArtifactsCollected.
struct CollectArtifacts {
  std::uint32_t run = 0;
  std::string strategy;
};

using Effect = std::variant<StartLeaf, CancelLeaf, SetTimer, LookUpCache, SaveToCache, AcquireLocks,
                            ReleaseLocks, OwnLocks, CollectArtifacts>;

/// A change of a phase, for those who watch a workflow from outside.
struct Transition {
  NodeIndex node = kNoNode;          // kNoNode: the workflow's own
  std::optional<Phase> before = {};  // nullopt: it has just been made, or begun
  Phase after = Phase::kRunning;
  bool waits = false;  // no change of phase: from now on it waits for a person
};

/// The outcome of one Engine::apply().
struct Effects {
  bool wants_transitions = false;       // set by the caller: nobody pays for what nobody watches
  std::vector<Transition> transitions;  // all of them, in order
  std::vector<Effect> outside;
  std::vector<NodeIndex> dirty;  // nodes whose rows changed; each once
  bool nodes_replaced = false;   // a retry by hand: all node rows of before are void
  bool is_replay = false;        // what was wanted outside was carried out, or is outstanding

  void want(Effect effect) {
    if (!is_replay) outside.push_back(std::move(effect));
  }
  /// Empties it for the next event; keeps its memory.
  void clear() {
    transitions.clear();
    outside.clear();
    dirty.clear();
    nodes_replaced = false;
  }
};

}  // namespace tiphys::engine
