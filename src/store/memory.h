// A store in memory that loses and fails on demand, for tests and for simulated worlds.
//
// It keeps the contract of store.h (store_contract_test.cc holds both stores to it), so a test can
// crash an engine at each of its commits: fail the n-th write, copy what was committed, go on with
// the copy. Handles made by another() share one state, as connections to one file do; all of them
// are used by one thread. No I/O.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "store/store.h"

namespace tiphys::store {

/// When a write fails: before anything of it was kept, or after all of it was (the answer got
/// lost).
enum class FailureTime { kBeforeEffect, kAfterEffect };

class MemoryStore final : public Store {
 public:
  /// An empty store.
  MemoryStore();
  ~MemoryStore() override;

  /// Another connection to the same state.
  [[nodiscard]] std::unique_ptr<MemoryStore> another() const;
  /// What a crash of the machine would leave now: a copy of what was committed, with a state of its
  /// own, that fails at nothing.
  [[nodiscard]] std::unique_ptr<MemoryStore> after_crash() const;
  /// The `nth` write from now on (1: the next one), through any handle, fails with kIo; after it,
  /// all do when `for_good` (a full disk), else they work again. Writes are commit, create, put,
  /// delete and add.
  void fail_write(std::uint64_t nth, FailureTime when, bool for_good = false);
  /// Forgets what fail_write() asked for.
  void heal();
  /// How many writes took effect.
  [[nodiscard]] std::uint64_t write_count() const;

  [[nodiscard]] diag::Result<void> commit(const Batch& batch) override;
  [[nodiscard]] diag::Result<void> create_workflow(const WorkflowRow& row,
                                                   const EventRow& first) override;
  [[nodiscard]] diag::Result<WorkflowRow> find_workflow(std::string_view name_space,
                                                        std::string_view name) override;
  [[nodiscard]] diag::Result<std::vector<WorkflowRow>> list_workflows(std::string_view name_space,
                                                                      bool brief) override;
  [[nodiscard]] diag::Result<std::vector<WorkflowRow>> unfinished_workflows() override;
  [[nodiscard]] diag::Result<std::vector<WorkflowRow>> created_since(clock::Instant time) override;
  [[nodiscard]] diag::Result<std::vector<NodeRow>> load_nodes(std::string_view uid) override;
  [[nodiscard]] diag::Result<void> each_record_with(
      std::string_view text, std::string_view except,
      const std::function<void(const std::string& record)>& visit) override;
  [[nodiscard]] diag::Result<std::vector<EventRow>> load_events(std::string_view uid) override;
  [[nodiscard]] diag::Result<std::uint64_t> shown_sequence(std::string_view uid) override;
  [[nodiscard]] diag::Result<void> delete_workflow(std::string_view uid) override;
  [[nodiscard]] diag::Result<std::vector<DeliveryRow>> load_deliveries(
      const DeliveryFilter& filter) override;
  [[nodiscard]] diag::Result<std::string> delivery_payload(std::string_view id) override;
  [[nodiscard]] diag::Result<std::vector<AttemptRow>> load_attempts(std::string_view id) override;
  [[nodiscard]] diag::Result<DeliveryTotals> delivery_totals() override;
  [[nodiscard]] diag::Result<std::size_t> prune_deliveries(const Retention& retention) override;
  [[nodiscard]] diag::Result<std::optional<RuleMemoryRow>> find_rule_memory(
      std::string_view rule, std::string_view key) override;
  [[nodiscard]] diag::Result<std::vector<RuleMemoryRow>> timed_rule_memory() override;
  [[nodiscard]] diag::Result<void> forget_rule_memory(clock::Instant time) override;
  [[nodiscard]] diag::Result<void> add_command(const CommandRow& command) override;
  [[nodiscard]] diag::Result<std::vector<CommandRow>> load_commands(std::string_view uid) override;
  [[nodiscard]] diag::Result<std::uint64_t> data_version() override;
  [[nodiscard]] diag::Result<void> put_object(const ObjectRow& row) override;
  [[nodiscard]] diag::Result<ObjectRow> find_object(std::string_view kind,
                                                    std::string_view name_space,
                                                    std::string_view name) override;
  [[nodiscard]] diag::Result<std::vector<ObjectRow>> list_objects(
      std::string_view kind, std::string_view name_space) override;
  [[nodiscard]] diag::Result<void> delete_object(std::string_view kind, std::string_view name_space,
                                                 std::string_view name) override;
  [[nodiscard]] diag::Result<std::uint64_t> objects_version(std::string_view kind) override;

 private:
  struct Tables;
  struct State;
  explicit MemoryStore(std::shared_ptr<State> state);
  /// Runs `edit` on the tables unless a failure is due.
  template <typename Edit>
  [[nodiscard]] diag::Result<void> write(const Edit& edit);

  std::shared_ptr<State> state_;
  std::uint64_t own_writes_ = 0;  // those that another handle sees as a new data_version
};

}  // namespace tiphys::store
