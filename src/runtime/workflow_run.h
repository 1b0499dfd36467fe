// One adopted workflow: its engine, its place in the log, its lock.
//
// Used by the loop's thread only.
#pragma once

#include <optional>
#include <string>

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
  /// Rebuilds the engine from the log. Errors: kNotFound, kInternal (damaged log), kIo.
  [[nodiscard]] static diag::Result<WorkflowRun> load(store::Store& store, const std::string& uid,
                                                      Ownership lock);

  [[nodiscard]] const std::string& uid() const { return uid_; }
  [[nodiscard]] const engine::Engine& engine() const { return engine_; }
  /// Whether Begin is in the log.
  [[nodiscard]] bool has_begun() const { return !engine_.phase().empty(); }

  /// Applies an event; if it changed anything, its row and the rows of changed nodes go into
  /// `batch`.
  void apply(const engine::Event& event, store::Batch& batch);
  /// Puts the workflow's own row into the batch if the events since the last call changed it.
  void add_workflow_row(store::Batch& batch);
  /// What the events since the last call want done outside.
  [[nodiscard]] std::vector<engine::Effect> take_effects();
  /// True once, after events that changed something.
  [[nodiscard]] bool take_changed();

  /// The Workflow object as it stands, with status.nodes.
  [[nodiscard]] value::Value object() const;

 private:
  WorkflowRun(std::string uid, engine::Engine engine, Ownership lock)
      : uid_(std::move(uid)), engine_(std::move(engine)), lock_(std::move(lock)) {}

  std::string uid_;
  engine::Engine engine_;
  Ownership lock_;
  std::uint64_t sequence_ = 0;  // of the last event in the log
  clock::Instant created_at_;
  std::vector<engine::Effect> effects_;
  bool workflow_changed_ = false;
  bool changed_ = false;
};

}  // namespace tiphys::runtime
