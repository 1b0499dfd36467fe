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
#include <vector>

#include "executor/executor.h"
#include "notify/courier.h"
#include "notify/outbox.h"
#include "runtime/config.h"
#include "runtime/inbox.h"
#include "runtime/workflow_run.h"
#include "store/store.h"

namespace tiphys::runtime {

class Notifications {
 public:
  Notifications(const Config& config, store::Store& store, Inbox& inbox, executor::Lookup lookup);

  /// Whether a leaf with this template is a notification: `plugin: {tiphys: {notify: {...}}}`.
  [[nodiscard]] static bool is_one(const value::Value& body);

  /// Before the commit: makes rows of the notifications among the effects.
  void prepare(const WorkflowRun& run, const std::vector<engine::Effect>& effects,
               clock::Instant now);
  /// What a rule wants told: a row with all but its payload. One that is not pending is only kept.
  /// `payload` is {event, message, channel} and `space`, the namespace of the channel.
  void order(store::DeliveryRow row, value::Value payload, clock::Instant now);
  /// Whether something of the workflow, or digest, is to be sent by this engine.
  [[nodiscard]] bool has_open(const std::string& uid) const { return open_of_.contains(uid); }
  /// After a restart: takes back what was pending of a workflow that this engine has now, and ends
  /// the leaves among its outstanding effects whose deliveries are done with.
  [[nodiscard]] diag::Result<void> adopt(const WorkflowRun& run,
                                         const std::vector<engine::Effect>& outstanding,
                                         clock::Instant now);
  /// Takes what is pending of workflows that are over and that no engine has. Gives how many.
  std::size_t adopt_orphans(clock::Instant now);
  /// The leaf is not wanted any more: what was not sent is discarded.
  void cancel(const std::string& leaf_key, clock::Instant now);
  /// A workflow is over; its lock is kept while something of it is to be sent.
  void keep(const std::string& uid, Ownership lock);

  /// An attempt has ended.
  void settle(notify::Report report, clock::Instant now);
  [[nodiscard]] bool has_rows() const { return !rows_.empty() || !ended_.empty(); }
  /// Whether something is under way, or due now.
  [[nodiscard]] bool is_busy(clock::Instant now) const {
    const auto due = outbox_.next();
    return has_rows() || outbox_.under_way() > 0 || (due && *due <= now);
  }
  /// Moves the rows that changed into the batch of the next commit.
  void collect(store::Batch& batch);
  /// After the commit: sends what is due, and tells the inbox of leaves that have ended.
  void carry_out(clock::Instant now);
  /// When something is due next.
  [[nodiscard]] std::optional<clock::Instant> next() const { return outbox_.next(); }
  /// How many wait to be sent, or are under way.
  [[nodiscard]] std::size_t pending() const { return items_.size(); }

 private:
  /// A delivery that is not done with.
  struct Item {
    store::DeliveryRow row;  // without the payload
    value::Value payload;
    std::string lane;
    std::vector<std::string> secrets;  // of the attempt under way
  };
  /// A leaf that waits for its deliveries.
  struct Waiting {
    std::set<std::string> open;
    std::string failure;  // of the first that failed
    clock::Instant started_at;
  };
  struct Target;

  void add(const WorkflowRun& run, const engine::LeafId& leaf, const engine::Leaf& what,
           clock::Instant now);
  void refuse(const std::string& leaf_key, const std::string& why);
  [[nodiscard]] diag::Result<Target> target_of(const value::Value& notify,
                                               const std::string& name_space) const;
  void take_in(store::DeliveryRow row, value::Value payload, clock::Instant now);
  [[nodiscard]] diag::Result<notify::Request> request_of(Item& item, clock::Instant now);
  void try_to_send(const std::string& id, clock::Instant now);
  void finish(std::string id, const std::string& failure, clock::Instant now);
  Item forget(const std::string& id);
  void end_leaf(const std::string& leaf_key, const std::string& failure, clock::Instant started_at,
                clock::Instant now);

  const Config& config_;
  store::Store& store_;
  Inbox& inbox_;
  executor::Lookup lookup_;
  notify::Outbox outbox_;
  std::unordered_map<std::string, Item> items_;           // by id
  std::unordered_map<std::string, Waiting> waiting_;      // by leaf key
  std::unordered_map<std::string, std::string> memory_;   // by lane: JSON
  std::unordered_map<std::string, std::size_t> open_of_;  // how many items, by workflow
  std::map<std::string, Ownership> kept_;                 // locks of workflows that are over
  std::vector<store::DeliveryRow> rows_;
  std::vector<store::AttemptRow> attempts_;
  std::vector<Ended> ended_;  // to be told after the commit
  std::unique_ptr<notify::Courier> courier_;
};

}  // namespace tiphys::runtime
