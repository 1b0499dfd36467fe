// The nodes of a workflow as somebody sees them who knows nothing of the engine's inside: their
// names, types, phases, and which phases they have had.
//
// The only file of the oracle that reads engine::Node. Pure.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"

namespace tiphys::sim {

struct Seen {
  std::string name;
  std::string boundary;  // the name of the Steps or DAG node around it
  std::string_view type;
  engine::Phase phase = engine::Phase::kPending;
  std::set<engine::Phase> ever;  // the phases that it has had
  bool is_new = false;           // it was not there before
  clock::Instant finished_at;
  std::vector<engine::NodeIndex> children;  // once the workflow has ended
  bool is_hook = false;
  bool is_attempt = false;    // of a Retry node
  bool is_started = false;    // a leaf that an executor was asked to run
  bool is_timed_out = false;  // it was Pending for too long
  bool is_kept = false;       // it ended before a retry by hand, which leaves it as it is
  std::size_t below = 0;      // nodes whose boundary it is; of a Retry node its attempts

  // The oracle's own notes.
  bool is_expected = false;
  bool is_closed = false;  // it was right when it became final: nothing may be added
  std::size_t below_when_closed = 0;

  [[nodiscard]] bool is_final() const { return engine::is_fulfilled(phase); }
  [[nodiscard]] bool is_leaf() const { return type == "Pod" || type == "HTTP"; }
  /// It shows that its template waits for a lock, and has not begun.
  [[nodiscard]] bool is_placeholder() const {
    return phase == engine::Phase::kPending && type != "Suspend" && !is_started;
  }
};

class Sight {
 public:
  /// Takes the nodes in; to be called after every event that changed something.
  void look(const engine::Engine& engine);
  /// What an event that was committed tells of leaves: which ran, however shortly.
  void note(const engine::Event& event);
  /// An executor was asked to run the leaf.
  void note_started(const engine::LeafId& leaf);

  /// Null when there is no such node.
  [[nodiscard]] Seen* find(const std::string& name);
  [[nodiscard]] const std::deque<Seen>& nodes() const { return nodes_; }
  /// Pods that have not ended, and children of a composite that count against its parallelism.
  [[nodiscard]] std::int64_t active_pods() const;
  [[nodiscard]] std::int64_t active_below(const std::string& boundary) const;
  [[nodiscard]] bool has_active_leaf() const;
  /// What a retry by hand runs again and should keep, or keeps and should run again; empty when
  /// nothing is.
  [[nodiscard]] std::string complaint_of_retry() const;

 private:
  /// How a node of the run before had ended.
  struct Before {
    engine::Phase phase = engine::Phase::kPending;
    clock::Instant finished_at;
    bool had_run = false;
    bool stays = false;  // a retry by hand does not run it again
  };

  void begin_run(const engine::Engine& engine);
  void add(const engine::Engine& engine, engine::NodeIndex index);
  /// It is as it was in the run before, and was not asked to run.
  [[nodiscard]] bool is_as_before(engine::NodeIndex index) const;

  std::uint32_t run_ = 1;
  value::Value retry_options_;  // of the last retry by hand
  std::deque<Seen> nodes_;      // by index
  std::map<std::string, Seen*> by_name_;
  using Key = std::pair<std::uint32_t, engine::NodeIndex>;  // run, node
  std::set<Key> ran_;                                       // leaves that were Running
  std::set<Key> started_;                 // leaves that an executor was asked to run
  std::map<std::string, Before> before_;  // the leaves of the run before
};

}  // namespace tiphys::sim
