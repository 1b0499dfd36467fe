// The requests of hooks' http templates as rows of the outbox: what was decided is never lost, and
// what fails is sent again under the same Idempotency-Key, while the node is what Argo shows.
//
// The first attempt is the http executor's, as of any http template: it is started after the commit
// that holds the row, and its outcome is in the commit of the row's change. From then on the
// outbox decides. Requests do not wait for each other, since in Argo they do not; an endpoint that
// seems dead is left alone by repeated requests only. Templates below a retryStrategy are repeated
// by that, and have no rows. Used by the loop's thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "executor/executor.h"
#include "notify/channel.h"
#include "notify/outages.h"
#include "notify/outbox.h"
#include "runtime/custody.h"
#include "runtime/inbox.h"
#include "runtime/workflow_run.h"
#include "store/store.h"

namespace tiphys::runtime {

class HookRequests {
 public:
  /// The channel and kind of its rows.
  static constexpr const char* kKind = "http";

  struct Ports {
    const Config& config;
    store::Store& store;
    Custody& custody;
    executor::Lookup lookup;
    /// Sends a request; an Ended with the task's key follows.
    std::function<void(executor::Task)> send;
  };
  explicit HookRequests(Ports ports) : ports_(std::move(ports)) {}

  /// Before the commit: makes rows of the requests among the effects.
  void prepare(const WorkflowRun& run, const std::vector<engine::Effect>& effects,
               clock::Instant now);
  /// After a restart: takes back what was pending of a workflow that this engine has now. Leaves
  /// whose next attempt the outbox has to decide leave `outstanding`. Errors: kIo.
  [[nodiscard]] diag::Result<void> adopt(const WorkflowRun& run,
                                         std::vector<engine::Effect>& outstanding,
                                         clock::Instant now);
  /// Takes the pending rows that this engine may send and does not have. Gives how many.
  std::size_t adopt_orphans(Custody::Whose whose, clock::Instant now);
  /// Another engine has taken the workflow over. The caller sees to the custody.
  void drop(const std::string& uid, clock::Instant now);
  /// The leaf is not wanted any more.
  void cancel(const std::string& leaf_key, clock::Instant now);
  /// What a person discarded: the leaf that waited for it, or "", and since when it did.
  struct Withdrawn {
    std::string leaf;
    clock::Instant since;
  };
  /// A person does not want it any more. nullopt when it is not here, or is being sent at the
  /// moment. The caller ends the leaf.
  [[nodiscard]] std::optional<Withdrawn> discard(const std::string& id, const char* why,
                                                 clock::Instant now);

  /// A request has ended, any leaf's or one sent again. Gives the end of the leaf that the engine
  /// shall hear of, if there is one; what has no row is given back as it is.
  [[nodiscard]] std::optional<Ended> settle(Ended ended, clock::Instant now);
  [[nodiscard]] bool has_rows() const { return !rows_.empty(); }
  /// Whether something is under way, or due now.
  [[nodiscard]] bool is_busy(clock::Instant now) const {
    const auto due = outbox_.next();
    return has_rows() || outbox_.under_way() > 0 || (due && *due <= now);
  }
  /// Moves the rows that changed into the batch of the next commit.
  void collect(store::Batch& batch);
  /// After the commit: sends again what is due.
  void carry_out(clock::Instant now);
  /// When something is due next.
  [[nodiscard]] std::optional<clock::Instant> next() const { return outbox_.next(); }

 private:
  struct Item {
    store::DeliveryRow row;  // without the payload
    value::Value payload;    // {http, leaf, retries?, await?}
    notify::Schedule schedule;
    bool is_queued = false;  // the outbox has it: its first attempt has ended
  };

  void add(const WorkflowRun& run, const engine::LeafId& leaf, const engine::Leaf& what,
           clock::Instant now);
  Item& take_in(store::DeliveryRow row, value::Value payload);
  void queue(Item& item, clock::Instant now);
  void note_attempt(const Item& item, const executor::Outcome& outcome);
  void note_outage(const store::DeliveryRow& row, bool is_delivered);
  void withdraw(const std::string& id, const char* why, clock::Instant now);
  void forget(const std::string& id);
  [[nodiscard]] bool is_changed(const std::string& id) const;

  Ports ports_;
  notify::Outbox outbox_;
  notify::Outages outages_;                      // by host
  std::unordered_map<std::string, Item> items_;  // by id
  std::vector<store::DeliveryRow> rows_;
  std::vector<store::AttemptRow> attempts_;
};

}  // namespace tiphys::runtime
