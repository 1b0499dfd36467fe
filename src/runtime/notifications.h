// The notifications of this engine: what hooks want told becomes rows of the outbox in the commit
// of the transition that wants it, is sent after that commit, and what comes back ends the hook's
// node.
//
// A row belongs to the engine that has its workflow; when the workflow is over, to the engine that
// had it while it lives, and then to any that takes it (adopt_orphans). Used by the loop's thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "executor/executor.h"
#include "notify/courier.h"
#include "notify/outages.h"
#include "notify/outbox.h"
#include "runtime/config.h"
#include "runtime/custody.h"
#include "runtime/delivery_target.h"
#include "runtime/hook_requests.h"
#include "runtime/inbox.h"
#include "runtime/workflow_run.h"
#include "store/store.h"

namespace tiphys::runtime {

/// The verb of a command that asks whoever has a pending notification to discard it; the arguments
/// are its id alone.
inline constexpr std::string_view kDiscardVerb = "discard-notification";
/// The reason that such a notification has then.
inline constexpr const char* kDiscardedByHand = "discarded by hand";

class Notifications {
 public:
  /// What the notifications need of their engine. `send` sends the request of an http template: an
  /// Ended with the task's key follows.
  struct Ports {
    const Config& config;
    store::Store& store;
    Inbox& inbox;
    executor::Lookup lookup;
    Custody::Tells runs_here;
    Custody::Tells will_run;
    std::function<void(executor::Task)> send;
  };
  explicit Notifications(Ports ports);

  /// Whether a leaf with this template is a notification: `plugin: {tiphys: {notify: {...}}}`.
  [[nodiscard]] static bool is_one(const value::Value& body);

  /// Before the commit: makes rows of the notifications among the effects.
  void prepare(const WorkflowRun& run, const std::vector<engine::Effect>& effects,
               clock::Instant now);
  /// What a rule wants told: a row with all but its payload. One that is not pending is only kept.
  /// `payload` is {event, message, channel} and `space`, the namespace of the channel.
  void order(store::DeliveryRow row, value::Value payload, clock::Instant now);
  /// Whether something of the workflow, or digest, is to be sent by this engine.
  [[nodiscard]] bool has_open(const std::string& uid) const { return custody_.has_open(uid); }
  /// After a restart: takes back what was pending of a workflow that this engine has now, and ends
  /// the leaves among its outstanding effects whose deliveries are done with. Leaves that are not
  /// to be started again leave `outstanding`.
  [[nodiscard]] diag::Result<void> adopt(const WorkflowRun& run,
                                         std::vector<engine::Effect>& outstanding,
                                         clock::Instant now);
  /// Takes the pending rows that this engine may send and does not have. Gives how many.
  std::size_t adopt_orphans(Custody::Whose whose, clock::Instant now);
  /// A workflow is over; its lock is kept while something of it is to be sent.
  void keep(const std::string& uid, Ownership lock) { custody_.keep(uid, std::move(lock)); }
  /// Gives the lock back that keep() has: the workflow runs again, here. nullopt: it has none.
  [[nodiscard]] std::optional<Ownership> give_lock(const std::string& uid) {
    return custody_.give(uid);
  }
  /// Another engine has taken the workflow over: nothing more of it is sent here.
  void drop(const std::string& uid, clock::Instant now);
  /// The leaf is not wanted any more: what was not sent is discarded.
  void cancel(const std::string& leaf_key, clock::Instant now);

  /// A person does not want it any more. False when this engine does not have it, or is sending it
  /// at the moment.
  bool discard(const std::string& id, clock::Instant now);

  /// An attempt has ended.
  void settle(notify::Report report, clock::Instant now);
  /// The same of requests of http templates; see HookRequests.
  [[nodiscard]] std::optional<Ended> settle(Ended ended, clock::Instant now) {
    return requests_.settle(std::move(ended), now);
  }
  [[nodiscard]] bool has_rows() const {
    return !rows_.empty() || !ended_.empty() || requests_.has_rows();
  }
  /// Whether something is under way, or due now.
  [[nodiscard]] bool is_busy(clock::Instant now) const {
    const auto due = outbox_.next();
    return has_rows() || outbox_.under_way() > 0 || (due && *due <= now) || requests_.is_busy(now);
  }
  /// Whether an engine that has nothing else to do may end: a look for orphans that was put off is
  /// made now, since nothing waits for it any more.
  [[nodiscard]] bool may_end(clock::Instant now);
  /// Moves the rows that changed into the batch of the next commit.
  void collect(store::Batch& batch);
  /// After the commit: sends what is due, and tells the inbox of leaves that have ended.
  void carry_out(clock::Instant now);
  /// When something is due next.
  [[nodiscard]] std::optional<clock::Instant> next() const;

 private:
  /// A delivery that is not done with.
  struct Item {
    store::DeliveryRow row;  // without the payload
    value::Value payload;
    std::string memory = {};                    // its place in memory_
    bool is_ordered = false;                    // with those of other workflows
    std::vector<std::string> secrets = {};      // of the attempt under way
    std::optional<DeliveryTarget> target = {};  // for the first attempt, which follows at once
    std::string outage_channel = {};
    std::uint32_t outage_after = 0;
  };
  /// What is to be told, whoever wants it.
  struct Order {
    std::string id;  // of the row for the first destination
    std::string uid;
    std::string name_space;
    std::string workflow;
    std::string node;
    value::Value event;
    value::Value notify;  // {channel, or kind and config; message, retries}
    std::string leaf;     // the key of the leaf that waits, or ""
  };
  /// A leaf that waits for its deliveries.
  struct Waiting {
    std::set<std::string> open;
    std::string failure;  // of the first that failed
    clock::Instant started_at;
  };

  void add(const WorkflowRun& run, const engine::LeafId& leaf, const engine::Leaf& what,
           clock::Instant now);
  void refuse(const std::string& leaf_key, const std::string& why);
  [[nodiscard]] DeliveryTarget target_now(const store::DeliveryRow& row,
                                          const value::Value& payload) const;
  std::vector<std::string> enqueue(const Order& order, const DeliveryTarget& target,
                                   clock::Instant now);
  void take_in(store::DeliveryRow row, value::Value payload, const DeliveryTarget& target,
               clock::Instant now);
  void note_outage(const Item& item, bool is_delivered, clock::Instant now);
  [[nodiscard]] bool is_outage_told(const Item& item) const;
  std::size_t take_orphans(Custody::Whose whose, clock::Instant now);
  void recall(const std::vector<store::DeliveryRow>& rows);
  void prune(clock::Instant now);
  [[nodiscard]] diag::Result<notify::Request> request_of(Item& item, clock::Instant now);
  [[nodiscard]] bool waits_for_older(const Item& item) const;
  void try_to_send(const std::string& id, clock::Instant now);
  void finish(std::string id, const std::string& failure, clock::Instant now);
  Item forget(const std::string& id);
  void end_leaf(const std::string& leaf_key, const std::string& failure, clock::Instant started_at,
                clock::Instant now);

  const Config& config_;
  store::Store& store_;
  Inbox& inbox_;
  executor::Lookup lookup_;
  Custody custody_;
  HookRequests requests_;
  notify::Outbox outbox_;
  notify::Outages outages_;
  clock::Instant prune_at_;
  std::optional<Custody::Whose> missed_;  // orphans were not looked for when they should have been
  clock::Instant looked_next_;            // steady: not before this
  std::unordered_map<std::string, Item> items_;          // by id
  std::unordered_map<std::string, Waiting> waiting_;     // by leaf key
  std::unordered_map<std::string, std::string> memory_;  // by destination and workflow: JSON
  /// By channel: when something of a workflow that is about to come was decided, and its uid.
  std::map<std::string, std::vector<std::pair<clock::Instant, std::string>>> coming_;
  std::vector<store::DeliveryRow> rows_;
  std::vector<store::AttemptRow> attempts_;
  std::vector<Ended> ended_;  // to be told after the commit
  std::unique_ptr<notify::Courier> courier_;
};

}  // namespace tiphys::runtime
