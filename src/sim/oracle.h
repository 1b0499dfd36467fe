// A second opinion on the engine, for simulation: which nodes there must be now, and which phases
// composites must have, worked out from the spec and the phases of the leaves alone.
//
// Written for clarity: after each event it walks the whole tree and reads the spec again; it knows
// nothing of the engine's counters and queues. What may be either way (a step that a limit holds
// back) it leaves open. Pure.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sim/blueprint.h"
#include "sim/sight.h"

namespace tiphys::sim {

class Oracle {
 public:
  /// `is_mutex_free`: nobody holds the mutex, and nobody who waits for it is to be told so.
  Oracle(const value::Value& workflow, std::function<bool(const std::string&)> is_mutex_free);

  /// Takes in an event that was committed, and what it started.
  void note(const engine::Engine& engine, const engine::Event& event,
            const std::vector<engine::Effect>& effects);
  /// What is wrong with the nodes as they stand; empty when nothing is.
  [[nodiscard]] std::string check(const engine::Engine& engine);

 private:
  /// Where a node must be, or may be, and what its template and its caller say.
  struct Place {
    std::string name;
    const TemplatePlan* body = nullptr;
    std::string boundary = {};             // "" on the workflow's own level
    const TemplatePlan* around = nullptr;  // the template of the boundary
    const std::vector<HookPlan>* hooks = nullptr;
    const HookPlan* exit = nullptr;
    std::string label = {};  // `steps["a"]`: how its hooks name it
    bool on_exit = false;    // runs on in spite of `stop`
    bool is_step = false;    // failFast drops it
    bool may_miss = false;   // the group is over: a sibling was Pending for too long
    bool is_attempt = false;
  };
  struct Outcome {
    bool is_there = false;
    bool is_settled = false;  // final, and so are its hooks
    bool is_dropped = false;  // by failFast: it will never be there ...
    bool is_held = false;     // ... though it may still wait, for something else
    engine::Phase phase = engine::Phase::kPending;
  };
  /// Of a task. It is out when a shutdown came before it.
  struct TaskOutcome : Outcome {
    bool is_out = false;
    std::vector<engine::Phase> items = {};
    bool is_loop = false;
  };

  // oracle.cc
  void walk_workflow(const engine::Engine& engine);
  void check_end(const engine::Engine& engine, const Outcome& entry, bool hooks_settled);
  Outcome visit(const Place& place);
  Outcome visit_skipped(const Place& place, engine::Phase phase);
  Outcome missing(const Place& place);
  [[nodiscard]] static bool is_failed_step(const Seen& n);
  /// Because of a child whose name begins with `prefix`.
  [[nodiscard]] bool is_failing_fast(const TemplatePlan& body, const std::string& boundary,
                                     const std::string& prefix) const;
  [[nodiscard]] bool is_held(const Place& place) const;
  void walk_retry(const Place& place, Seen& node);
  bool hooks_settled(const Place& place, const Seen& node);
  bool fires(const HookPlan& hook, const std::string& label, const std::set<engine::Phase>& ever);
  void check_limits(const Place& place, const Seen& node);
  void must_be(Seen& node, const std::set<engine::Phase>& phases);
  void must_run(const Seen& node);
  void complain(const std::string& what);
  [[nodiscard]] bool is_stopped(bool on_exit) const;

  // oracle_composites.cc
  void walk_steps(const Place& place, Seen& node);
  void walk_dag(const Place& place, Seen& node);
  struct DagWalk;
  TaskOutcome visit_task(DagWalk& dag, const CallPlan& task);
  TaskOutcome visit_items(const Place& group, const Place& dag, const CallPlan& task);
  void close_dag(DagWalk& dag, Seen& node);
  [[nodiscard]] Place place_of(const Place& around, const std::string& name, const CallPlan& call,
                               const std::string& label);

  Blueprint plan_;
  std::function<bool(const std::string&)> is_mutex_free_;
  Sight sight_;
  std::uint32_t run_ = 1;
  bool is_stop_ = false;
  bool is_terminate_ = false;
  bool deadline_passed_ = false;
  std::map<std::string, std::size_t> backoffs_over_;  // by Retry node

  std::string lasting_;                 // a complaint that stays
  std::set<std::string> with_failure_;  // of the check before: boundaries of which a child failed

  // Of the current check().
  bool is_suspended_ = false;  // nothing follows anything until it is resumed
  bool hooks_of_workflow_settled_ = true;
  std::map<std::string, int> holders_;  // by mutex
  std::string complaints_;

  std::map<std::string, bool> truths_;  // of expressions, by what they were asked with
};

/// Whether a `when` is true; `status_of` gives the status of a step or task that a tag names.
[[nodiscard]] bool is_when_true(
    const std::string& when, const std::function<std::string(const std::string& name)>& status_of);

}  // namespace tiphys::sim
