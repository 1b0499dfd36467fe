// What an engine's process holds: the parts that host_open.cc puts together and host.cc's loop
// works with. Inside of the runtime only; the loop's thread, but for the inbox and the observer.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "executor/executor.h"
#include "kube/resource_executor.h"
#include "runtime/adoptions.h"
#include "runtime/artifact_gc.h"
#include "runtime/cron_scheduler.h"
#include "runtime/deletions.h"
#include "runtime/dispatch.h"
#include "runtime/host.h"
#include "runtime/inbox.h"
#include "runtime/notifications.h"
#include "runtime/observer.h"
#include "runtime/own_objects.h"
#include "runtime/ownership.h"
#include "runtime/pod_gc.h"
#include "runtime/subscriptions.h"
#include "runtime/timers.h"
#include "runtime/workflow_run.h"
#include "store/store.h"

namespace tiphys::runtime {

struct Host::State {
  explicit State(Config c, Doorbell bell) : config(std::move(c)), doorbell(std::move(bell)) {}

  Config config;
  Doorbell doorbell;
  Inbox inbox;
  Observer observer;  // executors tell it, too: it outlives them
  Timers timers;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<executor::Executor> process;
  std::unique_ptr<executor::Executor> http;
  std::unique_ptr<executor::Executor> plugins;
  std::unique_ptr<OwnObjects> own_objects;  // the resources' thread's own
  std::unique_ptr<kube::ResourceExecutor> resources;
  std::unique_ptr<Locks> locks;
  std::unique_ptr<ArtifactGc> artifact_gc;
  std::unique_ptr<Dispatch> dispatch;
  std::unique_ptr<Notifications> notifications;
  std::unique_ptr<Subscriptions> subscriptions;
  std::map<std::string, WorkflowRun> runs;   // by uid
  std::map<std::string, WorkflowRun> ended;  // those that have ended here, to be shown
  std::map<std::string, std::string> final_phases;
  std::unique_ptr<Deletions> deletions;
  std::unique_ptr<CronScheduler> cron;  // null: this engine keeps no schedules
  PodGc pod_gc{config, [this](const std::string& name_space, const std::string& pod) {
                 process->remove_pod(name_space, pod);
               }};
  Adoptions adoptions;               // unfinished ones that nobody has
  std::set<std::string> unreadable;  // logs that cannot be replayed: said once
  std::set<WorkflowRun*> open;       // with events that are not committed, or rows that lag behind
  std::vector<std::string> acknowledged;     // leaves whose ends the next commit holds
  std::vector<std::uint64_t> done_commands;  // commands whose effects it holds
  std::set<std::string> dropped;             // workflows that other engines have taken over
  std::optional<diag::Error> damage;         // of the store: there is no going on
  bool takes_all = false;
  bool takes_notifications = false;  // of everybody
  std::atomic<bool> must_stop = false;
  std::uint64_t seen_version = 0;
  bool leaves_some = false;  // work that is left to other engines, to be looked at again
  clock::Instant looked_at;  // steady: when commands of other processes were last looked for

  [[nodiscard]] diag::Result<void> adopt(const std::string& uid);
  void find_unowned();
  void leave_to_others(std::set<std::string>& wanted, const std::set<std::string>& urgent,
                       std::size_t unfinished);
  [[nodiscard]] std::vector<engine::Event> give_up_processes(
      const WorkflowRun& run, const std::string& host,
      std::vector<engine::Effect>& outstanding) const;
  /// Looks whether this engine still has what it runs, and lets go of what it has lost. Returns
  /// when it is known. Errors: kConflict when this is no server, and a workflow of it was lost;
  /// kIo.
  [[nodiscard]] diag::Result<void> keep_leases();
  void drop(const std::string& uid);
  /// Whether the end of the leaf is another engine's to acknowledge.
  [[nodiscard]] bool leaves_end(const std::string& key);
  void leave_ends(const std::string& uid);
  /// Whether another engine has the workflow (a retry of one that was over).
  [[nodiscard]] bool is_elsewhere(const std::string& uid);
  /// Commits the batch without what belongs to others by now.
  [[nodiscard]] diag::Result<void> commit_own(store::Batch& batch);
  void remove_lost(store::Batch& batch);
  void adopt_some();
  void note_refusal(const std::string& uid, const diag::Result<void>& adopted);
  /// Gives what it is given; notes it when the store turns out to be damaged.
  template <typename T>
  [[nodiscard]] diag::Result<T> readable(diag::Result<T> read);
  void apply(WorkflowRun& run, engine::Event event);
  void carry_out(const WorkflowRun& run, const std::vector<engine::Effect>& effects,
                 bool is_recovery);
  template <typename Answer>
  void apply_answer(const std::string& uid, Answer answer);
  void apply_progress(Progressed message);
  void apply_messages();
  void apply_timers();
  void apply_commands();
  void take_commands();
  void work_schedules();
  [[nodiscard]] bool is_commit_due() const;
  /// Whether there is no going on: only a server waits for its store.
  [[nodiscard]] bool is_lasting(const diag::Error& error) const {
    return !takes_all || error.code == diag::Code::kDamaged;
  }
  [[nodiscard]] diag::Result<void> commit(const store::Batch& batch);
  [[nodiscard]] diag::Result<void> commit_and_dispatch(const Progress& progress);
  void retire(WorkflowRun& run);
  [[nodiscard]] bool wait();
};

}  // namespace tiphys::runtime
