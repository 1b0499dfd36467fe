// The rules of this engine at work: what happens to its workflows becomes rows of the outbox, in
// the commit of the change that caused them.
//
// Rules are evaluated outside of workflows: nothing here changes one. Deadlines follow from what is
// stored (when a workflow began, when a digest closes), so they hold over a restart. Used by the
// loop's thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "notify/action_link.h"
#include "notify/rule_book.h"
#include "notify/rule_desk.h"
#include "runtime/config.h"
#include "runtime/notifications.h"
#include "runtime/rule_memory.h"
#include "runtime/workflow_run.h"
#include "store/store.h"

namespace tiphys::runtime {

class Subscriptions {
 public:
  /// Reads the rules of the store.
  Subscriptions(const Config& config, store::Store& store, Notifications& notifications);

  /// This engine has the workflow now; the run is borrowed until forget().
  void adopt(WorkflowRun& run);
  void forget(const std::string& uid);
  /// Forgets what has not changed in 90 days: what they told once, streaks.
  void forget_old(clock::Instant now);
  /// Something has changed in the store: if it was the rules, they are read again.
  void refresh();
  /// The run has just applied an event.
  void saw(WorkflowRun& run, clock::Instant at);

  /// Whether the next commit has something of ours.
  [[nodiscard]] bool has_work(clock::Instant now) const;
  /// When there is something to do, unless something happens before; nullopt for never.
  [[nodiscard]] std::optional<clock::Instant> next() const;
  /// Before the commit: makes orders of what has happened and what is due. Errors: kIo.
  [[nodiscard]] diag::Result<void> prepare(store::Batch& batch, clock::Instant now);
  /// After it.
  void committed() { memory_.unlock(); }

 private:
  struct Watched {
    WorkflowRun* run = nullptr;
    notify::Watch watch;
    bool is_mute = false;
  };
  struct Deadline {
    std::string uid;
    std::uint32_t run = 0;
    notify::RulePtr rule;
  };

  void load();
  void choose(Watched& watched);
  void arm(const Watched& watched);
  void note(const Watched& watched, notify::Happening what, value::Value event,
            const std::string& occasion, clock::Instant at);
  void end_overdue(const Watched& watched);
  [[nodiscard]] diag::Result<void> take_deadlines(clock::Instant now);
  [[nodiscard]] diag::Result<void> take_digests(clock::Instant now);
  void send(std::vector<notify::Letter> letters, clock::Instant now);
  void send_one(notify::Letter& letter, clock::Instant now);
  void post(const notify::Letter& letter, store::DeliveryRow row, const value::Value& message,
            clock::Instant now);
  void warn(const notify::Rule& rule, const std::string& what);

  const Config& config_;
  store::Store& store_;
  Notifications& notifications_;
  notify::LinkMaker links_;
  StoredRuleMemory memory_;
  notify::RuleBook book_;
  std::unordered_map<std::string, notify::RulePtr> by_id_;  // of the manifests
  std::uint64_t version_ = 0;                               // of the rules that were read
  std::map<std::string, Watched> watched_;                  // by uid
  std::multimap<clock::Instant, Deadline> deadlines_;
  std::optional<clock::Instant> next_digest_;
  std::vector<notify::Candidate> candidates_;
  std::set<std::string> warned_;  // of each trouble once
};

}  // namespace tiphys::runtime
