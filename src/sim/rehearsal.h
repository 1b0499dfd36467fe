// Runs a workflow in virtual time, without executing anything: leaves end as a script says.
//
// The production engine decides everything else, so that what is seen here (which hooks fire, with
// which rendered request) is what a run with these outcomes gives. Pure: time begins at a fixed
// moment, chance comes from the seed.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "sim/random.h"

namespace tiphys::sim {

/// How leaves end. Names are those of steps and tasks (`build`; for a loop, one item `build(0:x)`
/// or all), or whole node names. What is not named succeeds after a second. A daemon is ready after
/// its duration, or at once, and lives until its scope ends, unless it is named to fail.
struct Script {
  std::map<std::string, int> fail = {};             // name -> exit code; also suspended nodes
  std::map<std::string, std::string> results = {};  // name -> outputs.result
  std::map<std::string, std::string> outputs =
      {};  // name.PARAMETER -> value; also of suspended nodes
  std::map<std::string, clock::Duration> durations = {};
  std::optional<std::uint64_t> seed = {};  // durations that are not given: random, up to a minute
};

/// A change of a node's phase.
struct Change {
  clock::Duration at;
  std::string node;
  std::string phase;
  std::string message;
};

/// An output parameter that a node waits for, of which the script has no value.
struct Missing {
  std::string node;  // as it is displayed
  std::string parameter;
};

/// An HTTP request that would be sent.
struct Sent {
  clock::Duration at;
  std::string node;
  value::Value http;  // the template's http, every tag replaced
};

class Rehearsal {
 public:
  Rehearsal(engine::Definition definition, Script script);

  /// When every rehearsal begins.
  [[nodiscard]] static clock::Instant beginning() { return {1'767'225'600'000'000'000}; }

  /// More changes than any sensible workflow has: it calls itself without an end.
  static constexpr std::size_t kChangesMax = 100'000;

  /// Hears of the changes of phases of each event, right after it.
  using Watcher =
      std::function<void(const engine::Engine& engine,
                         const std::vector<engine::Transition>& transitions, clock::Instant at)>;
  void watch(Watcher watcher) { watcher_ = std::move(watcher); }

  /// To the end of the workflow, or kChangesMax. What waits for a person gets its outputs from the
  /// script at once and is resumed when nothing else is left; what then lacks an output waits on.
  /// What the script lets fail fails instead, at once or after its duration.
  void run();

  [[nodiscard]] const std::vector<Change>& changes() const { return changes_; }
  [[nodiscard]] const std::vector<Sent>& sent() const { return sent_; }
  /// The node names of the leaves that were started, in order.
  [[nodiscard]] const std::vector<std::string>& leaves() const { return leaves_; }
  /// What the script says of leaves that never started and of outputs that they do not have, a line
  /// each.
  [[nodiscard]] std::vector<std::string> unused() const;
  /// The outputs for want of which suspended nodes could not be resumed.
  [[nodiscard]] std::vector<Missing> missing() const;
  /// The whole Workflow object as it stands.
  [[nodiscard]] value::Value workflow() const;
  [[nodiscard]] clock::Instant now() const { return now_; }

 private:
  struct Due {
    clock::Instant at;
    std::uint64_t order = 0;
    engine::Event event;
    friend bool operator>(const Due& a, const Due& b) {
      return a.at == b.at ? a.order > b.order : a.at > b.at;
    }
  };

  void deliver(const engine::Event& event);
  void schedule(clock::Instant at, engine::Event event);
  void start(const engine::LeafId& id);
  void answer(engine::NodeIndex node);
  void note_changes(const std::vector<engine::NodeIndex>& dirty);
  [[nodiscard]] engine::LeafFinished outcome_of(const engine::LeafId& id, const engine::Leaf& what);
  [[nodiscard]] value::Value outputs_of(engine::NodeIndex node, const engine::Leaf& what);
  [[nodiscard]] clock::Duration duration_of(engine::NodeIndex node);
  /// What is wrong with a name in the script.
  [[nodiscard]] std::string complaint_of(const std::string& name) const;
  /// The script's entry for the node, of which the name counts as used.
  template <typename T>
  const T* find(const std::map<std::string, T>& entries, engine::NodeIndex node,
                const std::string& ending = "");

  Watcher watcher_;
  Script script_;
  Random random_;
  clock::Instant now_ = beginning();
  engine::Engine engine_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> queue_;
  std::uint64_t scheduled_ = 0;
  std::vector<std::string> phases_;  // by node
  std::vector<Change> changes_;
  std::vector<Sent> sent_;
  std::vector<std::string> leaves_;
  std::map<std::string, bool> is_used_;
};

}  // namespace tiphys::sim
