// One adopted workflow: its engine, its place in the log, its lock.
//
// Used by the loop's thread only.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "runtime/ownership.h"
#include "store/store.h"

namespace tiphys::runtime {

/// The key of a leaf for executors, and as Idempotency-Key: `UID.NODE.RUN`, the same after a
/// restart.
[[nodiscard]] std::string leaf_key(const std::string& uid, const engine::LeafId& leaf);
/// The parts of a key. Nullopt for any other text.
struct LeafAddress {
  std::string uid;
  engine::LeafId leaf;
};
[[nodiscard]] std::optional<LeafAddress> parse_leaf_key(const std::string& key);

class WorkflowRun {
 public:
  /// How long what readers see may be behind what has happened.
  static constexpr clock::Duration kRowsLag = clock::Duration::milliseconds(50);

  /// Rebuilds the engine from the log. Errors: kNotFound, kInternal (damaged log), kIo.
  [[nodiscard]] static diag::Result<WorkflowRun> load(store::Store& store, const std::string& uid,
                                                      Ownership lock);

  [[nodiscard]] const std::string& uid() const { return uid_; }
  [[nodiscard]] const engine::Engine& engine() const { return engine_; }
  /// Whether Begin is in the log.
  [[nodiscard]] bool has_begun() const { return !engine_.phase().empty(); }

  /// Gives the lock away, when the workflow is over and something of it still has to be done.
  [[nodiscard]] Ownership release_lock() { return std::move(lock_); }

  /// Applies an event; gives whether it changed anything. If it did, it belongs into the log.
  bool apply(const engine::Event& event);
  /// From now on keeps the changes of phases for take_transitions(), or no more.
  void watch(bool is_watched) { is_watched_ = is_watched; }
  /// Those of the last apply(), while it is watched.
  [[nodiscard]] std::vector<engine::Transition> take_transitions() {
    return std::exchange(transitions_, {});
  }
  /// Whether something outside waits for the events since the last collect(): effects, or a reader
  /// who asked for a change. If not, their commit may wait for others.
  /// The end of a request is urgent, too: after a crash nobody else knows of it, and it is sent
  /// again.
  [[nodiscard]] bool is_urgent() const {
    return !effects_.empty() || rows_due_now_ || has_ended_request_;
  }
  /// Puts the events since the last call into the batch, and the rows that readers see, if they are
  /// due at `now`. Rows follow the log by at most kRowsLag, so that a short step is written once.
  void collect(store::Batch& batch, clock::Instant now);
  /// When rows will be due; nullopt when they show all that has happened.
  [[nodiscard]] std::optional<clock::Instant> rows_due() const;
  /// What the events since the last call want done outside.
  [[nodiscard]] std::vector<engine::Effect> take_effects();
  [[nodiscard]] const std::vector<engine::Effect>& pending_effects() const { return effects_; }

  /// The Workflow object as it stands, with status.nodes.
  [[nodiscard]] value::Value object() const;

 private:
  WorkflowRun(std::string uid, engine::Engine engine, Ownership lock)
      : uid_(std::move(uid)), engine_(std::move(engine)), lock_(std::move(lock)) {}

  std::string uid_;
  engine::Engine engine_;
  Ownership lock_;
  void mark_stale(const engine::Effects& effects, clock::Instant at);
  [[nodiscard]] store::WorkflowRow workflow_row();

  std::uint64_t sequence_ = 0;  // of the last row in the log
  std::string log_;             // events that are not in the store yet, as the elements of a list
  clock::Instant created_at_;
  std::vector<engine::Effect> effects_;
  std::vector<engine::Transition> transitions_;
  bool is_watched_ = false;

  // Rows that show less than has happened.
  std::vector<engine::NodeIndex> stale_;
  std::vector<bool> is_stale_;  // by node
  clock::Instant stale_since_;
  bool rows_due_now_ = false;
  bool has_ended_request_ = false;
  bool nodes_replaced_ = false;
};

}  // namespace tiphys::runtime
