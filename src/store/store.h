// Durable state behind one interface: workflows, their nodes, their event log, templates, secrets
// and commands.
//
// commit() is atomic and durable: when it returns, the whole batch survives a crash of the machine;
// when it fails, none of it happened. Several processes may have the same store open (an engine,
// and people asking); one process owns a workflow. An object is used by one thread; open one per
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clock/instant.h"
#include "diag/error.h"
#include "store/delivery.h"
#include "store/delivery_totals.h"
#include "store/lease.h"
#include "store/rule_memory.h"
#include "value/value.h"

namespace tiphys::store {

/// A workflow as lists show it. JSON members are texts, made and read by the caller. In a commit an
/// empty metadata_json or spec_json keeps what is stored, so that a long spec is not written again
/// with each change of the status.
struct WorkflowRow {
  std::string uid = {};
  std::string name_space = {};
  std::string name = {};
  std::string phase = {};  // "" (not yet begun), Pending, Running, Succeeded, Failed, Error
  std::string message = {};
  std::string progress = {};  // "done/all"
  clock::Instant created_at = {};
  clock::Instant started_at = {};
  clock::Instant finished_at = {};
  bool suspended = false;
  std::string metadata_json = {};    // Argo's metadata
  std::string spec_json = {};        // Argo's spec
  std::string status_json = {};      // Argo's status without `nodes`
  std::uint64_t shown_sequence = 0;  // the last event that this row and the node rows show
};

/// One node: `record` is engine/node_record.h's.
struct NodeRow {
  std::string uid;
  std::uint32_t index = 0;  // order of creation; unique within the workflow
  std::string record;
};

/// The events that one commit added to a workflow's log; replaying the log gives the engine's
/// state.
struct EventRow {
  std::string uid;
  std::uint64_t sequence = 0;  // 1, 2, 3 .. without gaps
  std::string payload;
};

/// A request to the engine that owns a workflow: stop, terminate, suspend, resume, set ...
struct CommandRow {
  std::uint64_t id = 0;
  std::string uid;
  std::string verb;
  std::string arguments_json;
  clock::Instant created_at;
};

/// What one transaction writes. Rows replace those with the same key.
struct Batch {
  std::vector<WorkflowRow> workflows = {};
  std::vector<NodeRow> nodes = {};
  std::vector<EventRow> events = {};
  std::vector<std::uint64_t> done_commands = {};  // removed with the effects that they had
  std::vector<DeliveryRow> deliveries = {};
  std::vector<AttemptRow> attempts = {};
  std::vector<RuleMemoryRow> rule_memory = {};
  std::vector<std::string> void_nodes_of =
      {};  // workflows all of whose node rows go first (a retry by hand)
  [[nodiscard]] bool empty() const {
    return workflows.empty() && nodes.empty() && events.empty() && done_commands.empty() &&
           void_nodes_of.empty() && deliveries.empty() && attempts.empty() && rule_memory.empty();
  }
};

/// A stored WorkflowTemplate, ClusterWorkflowTemplate, CronWorkflow or ConfigMap.
struct ObjectRow {
  std::string kind;
  std::string name_space;  // empty for cluster-scoped kinds
  std::string name;
  std::string json;
  clock::Instant created_at;
};

class Store {
 public:
  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  virtual ~Store() = default;

  /// Writes all of `batch` or nothing, in the order: void_nodes_of, events, nodes, workflows,
  /// done_commands. Errors: kAlreadyExists when a new workflow's name is taken, kIo.
  [[nodiscard]] virtual diag::Result<void> commit(const Batch& batch) = 0;

  // Workflows. Errors: kNotFound, kIo.
  /// Inserts a new workflow with its first event. Errors: kAlreadyExists when name is taken in the
  /// namespace.
  [[nodiscard]] virtual diag::Result<void> create_workflow(const WorkflowRow& row,
                                                           const EventRow& first) = 0;
  /// By name; an empty name_space finds it in any.
  [[nodiscard]] virtual diag::Result<WorkflowRow> find_workflow(std::string_view name_space,
                                                                std::string_view name) = 0;
  /// All workflows of a namespace (empty: of all), newest first, without spec and status texts when
  /// `brief`.
  [[nodiscard]] virtual diag::Result<std::vector<WorkflowRow>> list_workflows(
      std::string_view name_space, bool brief) = 0;
  /// uid and name of every workflow that has not finished.
  [[nodiscard]] virtual diag::Result<std::vector<WorkflowRow>> unfinished_workflows() = 0;
  /// All workflows that were created at `time` or later, newest first.
  [[nodiscard]] virtual diag::Result<std::vector<WorkflowRow>> created_since(
      clock::Instant time) = 0;
  [[nodiscard]] virtual diag::Result<std::vector<NodeRow>> load_nodes(std::string_view uid) = 0;
  /// Shows `visit` the record of each node that holds `text`, but for those of the workflow
  /// `except`. Reads all nodes of the store.
  [[nodiscard]] virtual diag::Result<void> each_record_with(
      std::string_view text, std::string_view except,
      const std::function<void(const std::string& record)>& visit) = 0;
  [[nodiscard]] virtual diag::Result<std::vector<EventRow>> load_events(std::string_view uid) = 0;
  /// shown_sequence of the workflow's row: rows may lag behind the log, never the other way round.
  [[nodiscard]] virtual diag::Result<std::uint64_t> shown_sequence(std::string_view uid) = 0;
  /// Removes the workflow and all that belongs to it, but for notifications that are still to be
  /// sent or could not be delivered: those go when they are pruned. Errors: kNotFound, kIo.
  [[nodiscard]] virtual diag::Result<void> delete_workflow(std::string_view uid) = 0;

  // Notifications. Errors: kNotFound (payload), kIo.
  /// Oldest first, without payloads.
  [[nodiscard]] virtual diag::Result<std::vector<DeliveryRow>> load_deliveries(
      const DeliveryFilter& filter) = 0;
  [[nodiscard]] virtual diag::Result<std::string> delivery_payload(std::string_view id) = 0;
  /// Those of one delivery, in order.
  [[nodiscard]] virtual diag::Result<std::vector<AttemptRow>> load_attempts(
      std::string_view id) = 0;
  /// Of all there are and have ever been: also of those that were pruned or went with their
  /// workflow, which count as discarded if they had not been done with.
  [[nodiscard]] virtual diag::Result<DeliveryTotals> delivery_totals() = 0;
  /// Removes outdated deliveries, some thousands at once; gives how many. Call it until it gives 0.
  [[nodiscard]] virtual diag::Result<std::size_t> prune_deliveries(const Retention& retention) = 0;

  // What notification rules remember. Errors: kIo.
  /// Nullopt when there is nothing under the key.
  [[nodiscard]] virtual diag::Result<std::optional<RuleMemoryRow>> find_rule_memory(
      std::string_view rule, std::string_view key) = 0;
  /// Those with a time at which something is to be done, the earliest first.
  [[nodiscard]] virtual diag::Result<std::vector<RuleMemoryRow>> timed_rule_memory() = 0;
  /// Removes those without such a time that have not changed since `time`.
  [[nodiscard]] virtual diag::Result<void> forget_rule_memory(clock::Instant time) = 0;

  // Commands.
  [[nodiscard]] virtual diag::Result<void> add_command(const CommandRow& command) = 0;
  /// Of one workflow, oldest first; of all workflows when uid is empty.
  [[nodiscard]] virtual diag::Result<std::vector<CommandRow>> load_commands(
      std::string_view uid) = 0;
  /// Changes whenever another connection has changed the store, but not with this one's own writes;
  /// cheap to ask.
  [[nodiscard]] virtual diag::Result<std::uint64_t> data_version() = 0;

  // Stored objects. Errors: kNotFound (find, delete), kIo.
  /// Inserts or replaces; created_at stays that of the first. What a deleted Notification has
  /// remembered goes with it.
  [[nodiscard]] virtual diag::Result<void> put_object(const ObjectRow& row) = 0;
  [[nodiscard]] virtual diag::Result<ObjectRow> find_object(std::string_view kind,
                                                            std::string_view name_space,
                                                            std::string_view name) = 0;
  [[nodiscard]] virtual diag::Result<std::vector<ObjectRow>> list_objects(
      std::string_view kind, std::string_view name_space) = 0;
  [[nodiscard]] virtual diag::Result<void> delete_object(std::string_view kind,
                                                         std::string_view name_space,
                                                         std::string_view name) = 0;
  /// Changes whenever an object of this kind is put or deleted, by anybody; cheap to ask.
  [[nodiscard]] virtual diag::Result<std::uint64_t> objects_version(std::string_view kind) = 0;

  // Several engines on machines of their own. A store that is a file needs none of this: there the
  // lock of a run folder tells who owns a workflow (runtime/ownership.h).
  /// Whether workflows are owned by lease here.
  [[nodiscard]] virtual bool has_leases() const { return false; }
  /// From now on this object is an engine: its leases last while it lives, and a commit() for a
  /// workflow whose lease it had and has lost fails with kConflict. Errors: kIo.
  [[nodiscard]] virtual diag::Result<void> join(const EngineIdentity& /*identity*/) { return {}; }
  /// Takes a workflow over that no living engine has, or that an engine of the same place had; the
  /// caller holds the lock of its run folder. Errors: kConflict when another engine has it, kIo.
  [[nodiscard]] virtual diag::Result<Lease> take_lease(std::string_view /*uid*/) { return Lease{}; }
  /// Gives it back if the workflow is over; else it runs out by itself, so that an engine of the
  /// same place can go on with its processes.
  virtual void release_lease(std::string_view /*uid*/) {}
  /// Those that have been lost since the last call: other engines have taken them over. Cheap while
  /// this engine has been heard of in time; asks the server else. Errors: kIo, then nothing may be
  /// started.
  [[nodiscard]] virtual diag::Result<std::vector<std::string>> lost_leases() {
    return std::vector<std::string>();
  }
  /// Whether what this engine has by lease is its own at this moment. False from when it was not
  /// heard of for too long until lost_leases() has told what that cost, and was called again by
  /// somebody who has let go of it. Any thread; cheap.
  [[nodiscard]] virtual bool leases_hold() const { return true; }
  /// Workflows that other living engines have.
  [[nodiscard]] virtual diag::Result<std::vector<std::string>> leased_elsewhere() {
    return std::vector<std::string>();
  }
  [[nodiscard]] virtual diag::Result<Spread> spread() { return Spread{}; }
  /// Until leave_section() no other engine is in the section: looking and writing are one step. In
  /// it a lost connection is an error and not made up for. Errors: kIo.
  [[nodiscard]] virtual diag::Result<void> enter_section() { return {}; }
  virtual void leave_section() {}
};

}  // namespace tiphys::store
