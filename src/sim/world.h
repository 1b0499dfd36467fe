// A deterministic world around the production engine: virtual clock, a durable log in memory,
// scripted leaves, faults.
//
// The world plays runtime, store and executors. It can crash at any commit: before it (the events
// were never applied) or after it and before the effects left (they must be asked for again). A
// leaf's process survives such a crash, as real ones do under the supervisor, and its end is told
// again until it is in the log. After each commit the oracle says what it thinks of the nodes.
// Pure: all chance comes from the seed.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "sim/mutexes.h"
#include "sim/oracle.h"
#include "sim/random.h"

namespace tiphys::sim {

/// How often each fault happens, in percent.
struct Faults {
  unsigned crash_before_commit = 0;
  unsigned crash_after_commit = 0;
  unsigned told_twice = 0;     // the end of a leaf is delivered again
  unsigned skips_running = 0;  // only the end of a leaf is seen
  unsigned clock_jumps = 0;    // back or forth, up to an hour
  unsigned leaf_fails = 20;
};

class World {
 public:
  World(std::uint64_t seed, engine::Definition definition, Faults faults);

  /// One thing happens: an event is delivered, a timer fires, or a crash. Returns false when
  /// nothing is left to happen.
  bool step();
  /// Gives the engine a command as the next event; gives whether it changed anything.
  bool command(engine::Control::Verb verb, value::Value arguments = {});

  [[nodiscard]] const engine::Engine& engine() const { return *engine_; }
  /// A fresh engine that has replayed the log.
  [[nodiscard]] engine::Engine replay() const;
  /// How often each leaf's work was really done, by key: more than once is a fault.
  [[nodiscard]] const std::map<std::string, int>& work_done() const { return work_done_; }
  [[nodiscard]] std::size_t crashes() const { return crashes_; }
  /// What has broken an invariant so far; empty when all is well.
  [[nodiscard]] const std::string& complaint() const { return complaint_; }

 private:
  struct Leaf {
    engine::LeafId id;
    bool told_running = false;
    bool cancelled = false;
    engine::LeafFinished outcome;
  };

  bool deliver(const engine::Event& event);
  void commit(const engine::Event& event, const engine::Effects& effects);
  void carry_out(const std::vector<engine::Effect>& effects);
  void start_leaf(const engine::LeafId& id);
  bool fire_timer();
  void move_clock();
  void crash();
  /// The runtime lets a workflow go that has ended ...
  void retire();
  /// ... and takes it up again for a command, as it does after a crash.
  void adopt();
  void check_phases();
  [[nodiscard]] engine::Event next_of(Leaf& leaf);

  Random random_;
  engine::Definition definition_;
  Faults faults_;
  clock::Instant now_;
  std::unique_ptr<engine::Engine> engine_;
  std::vector<std::string> log_;        // durable
  std::map<std::string, Leaf> leaves_;  // durable: the supervisor's
  std::map<std::string, int> work_done_;
  std::vector<std::pair<clock::Instant, engine::TimerFired>> timers_;  // volatile
  Mutexes mutexes_;
  Oracle oracle_;
  std::vector<engine::Phase> seen_;  // phases of the nodes at the last check
  std::uint32_t seen_run_ = 1;
  std::size_t crashes_ = 0;
  std::string complaint_;
};

}  // namespace tiphys::sim
