#include "runtime/host.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <set>

#include "clock/rfc3339.h"
#include "executor/http.h"
#include "executor/plugin_executor.h"
#include "executor/pod.h"
#include "observe/log.h"
#include "runtime/clocks.h"
#include "runtime/dispatch.h"
#include "runtime/expiry.h"
#include "runtime/fault_point.h"
#include "runtime/images.h"
#include "runtime/inbox.h"
#include "runtime/lookup.h"
#include "runtime/notifications.h"
#include "runtime/observer.h"
#include "runtime/outcome.h"
#include "runtime/ownership.h"
#include "runtime/plugins.h"
#include "runtime/subscriptions.h"
#include "runtime/success_condition.h"
#include "runtime/timers.h"
#include "runtime/workflow_run.h"
#include "store/secrets.h"
#include "store/sqlite.h"
#include "value/json.h"

namespace tiphys::runtime {

namespace {

constexpr int kPollMs = 250;  // how often the store is asked for commands when nobody rings

void log_trouble(std::string_view what, const std::string& uid, const std::string& error) {
  observe::log(observe::LogLevel::kError, what,
               {{"uid", uid}, {"error", observe::without_urls(error)}});
}

}  // namespace

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
  std::unique_ptr<Locks> locks;
  std::unique_ptr<Dispatch> dispatch;
  std::unique_ptr<Notifications> notifications;
  std::unique_ptr<Subscriptions> subscriptions;
  std::map<std::string, WorkflowRun> runs;    // by uid
  std::map<std::string, value::Value> ended;  // the objects of those that have ended here
  std::map<std::string, std::string> final_phases;
  Expiry expiry;
  std::set<std::string> unreadable;  // logs that cannot be replayed: said once
  std::set<WorkflowRun*> open;       // with events that are not committed, or rows that lag behind
  std::vector<std::string> acknowledged;     // leaves whose ends the next commit holds
  std::vector<std::uint64_t> done_commands;  // commands whose effects it holds
  std::optional<diag::Error> damage;         // of the store: there is no going on
  bool takes_all = false;
  std::atomic<bool> must_stop = false;
  std::uint64_t seen_version = 0;

  [[nodiscard]] diag::Result<void> adopt(const std::string& uid);
  void adopt_unowned();
  /// Gives what it is given; notes it when the store turns out to be damaged.
  template <typename T>
  [[nodiscard]] diag::Result<T> readable(diag::Result<T> read);
  void apply(WorkflowRun& run, engine::Event event);
  void carry_out(const WorkflowRun& run, const std::vector<engine::Effect>& effects,
                 bool is_recovery);
  template <typename Answer>
  void apply_answer(const std::string& uid, Answer answer);
  void apply_messages();
  void apply_timers();
  void apply_commands();
  [[nodiscard]] bool is_commit_due() const;
  /// Whether there is no going on: only a server waits for its store.
  [[nodiscard]] bool is_lasting(const diag::Error& error) const {
    return !takes_all || error.code == diag::Code::kDamaged;
  }
  [[nodiscard]] diag::Result<void> commit(const store::Batch& batch);
  [[nodiscard]] diag::Result<void> commit_and_dispatch(const Progress& progress);
  void retire(WorkflowRun& run);
  void note_stored_expiries();
  void delete_expired();
  [[nodiscard]] bool wait();
};

diag::Result<void> Host::State::adopt(const std::string& uid) {
  if (runs.contains(uid)) return {};
  TRY(Ownership lock, Ownership::take(config.run_path(uid)));
  TRY(WorkflowRun run, WorkflowRun::load(*store, uid, std::move(lock)));
  auto [it, inserted] = runs.emplace(uid, std::move(run));
  final_phases.erase(uid);
  ended.erase(uid);
  observer.adopted(it->second);
  const std::vector<engine::Effect> outstanding = it->second.engine().outstanding();
  TRY_VOID(notifications->adopt(it->second, outstanding, wall_now()));
  carry_out(it->second, outstanding, true);
  if (it->second.rows_due()) open.insert(&it->second);
  subscriptions->adopt(it->second);
  if (!it->second.has_begun()) apply(it->second, {.at = wall_now(), .body = engine::Begin{}});
  return {};
}

void Host::State::apply(WorkflowRun& run, engine::Event event) {
  const Observer::Before before = Observer::before(run);
  if (!run.apply(event)) return;
  open.insert(&run);
  subscriptions->saw(run, event.at);
  observer.applied(run, event, before);
}

void Host::State::carry_out(const WorkflowRun& run, const std::vector<engine::Effect>& effects,
                            bool is_recovery) {
  observer.dispatching(run, effects);
  for (const engine::Effect& effect : effects) {
    if (const auto* cancelled = std::get_if<engine::CancelLeaf>(&effect)) {
      notifications->cancel(leaf_key(run.uid(), cancelled->leaf), wall_now());
    }
  }
  dispatch->carry_out(run, effects, is_recovery);
  observer.dispatched();
}

template <typename T>
diag::Result<T> Host::State::readable(diag::Result<T> read) {
  if (!read && read.error().code == diag::Code::kDamaged) damage = read.error();
  return read;
}

// Unfinished workflows, and finished ones that somebody has a command for (retry), unless another
// process has them.
void Host::State::adopt_unowned() {
  std::set<std::string> wanted;
  if (auto rows = readable(store->unfinished_workflows())) {
    for (const store::WorkflowRow& row : *rows) wanted.insert(row.uid);
  }
  if (auto commands = readable(store->load_commands(""))) {
    for (const store::CommandRow& c : *commands) wanted.insert(c.uid);
  }
  for (const std::string& uid : wanted) {
    if (runs.contains(uid) || unreadable.contains(uid)) continue;
    auto adopted = readable(adopt(uid));
    if (damage) return;
    if (!adopted && adopted.error().code != diag::Code::kConflict) {
      unreadable.insert(uid);
      log_trouble("cannot be adopted", uid, adopted.error().message);
    }
  }
}

template <typename Answer>
void Host::State::apply_answer(const std::string& uid, Answer answer) {
  if (auto it = runs.find(uid); it != runs.end()) {
    apply(it->second, {.at = wall_now(), .body = std::move(answer)});
  }
}

void Host::State::apply_messages() {
  std::vector<Message> messages = inbox.take();
  observer.looked_at_inbox(messages.size());
  for (Message& message : messages) {
    if (auto* answered = std::get_if<Answered>(&message)) {
      apply_answer(answered->uid, std::move(answered->answer));
      continue;
    }
    if (auto* report = std::get_if<notify::Report>(&message)) {
      notifications->settle(std::move(*report), wall_now());
      continue;
    }
    if (auto* unlocked = std::get_if<Unlocked>(&message)) {
      apply_answer(unlocked->uid, std::move(unlocked->answer));
      continue;
    }
    const std::string& key = std::holds_alternative<Began>(message) ? std::get<Began>(message).key
                                                                    : std::get<Ended>(message).key;
    const auto address = parse_leaf_key(key);
    if (!address) continue;
    auto it = runs.find(address->uid);
    if (auto* ended_leaf = std::get_if<Ended>(&message)) {
      acknowledged.push_back(key);
      observer.leaf_ended(key);
      if (it == runs.end()) continue;
      apply(it->second,
            {.at = wall_now(), .body = finished_of(address->leaf, std::move(ended_leaf->outcome))});
    } else if (it != runs.end()) {
      const auto& began = std::get<Began>(message);
      apply(it->second,
            {.at = wall_now(),
             .body = engine::LeafRunning{.leaf = address->leaf, .started_at = began.at}});
    }
  }
}

void Host::State::apply_timers() {
  for (const auto& [uid, timer] : timers.take_due(steady_now())) {
    if (auto it = runs.find(uid); it != runs.end())
      apply(it->second, {.at = wall_now(), .body = timer});
  }
}

void Host::State::apply_commands() {
  auto version = store->data_version();
  const bool has_changed = !version || *version != seen_version;
  for (auto& [uid, answer] : locks->retry(has_changed)) apply_answer(uid, answer);
  if (!has_changed) return;
  if (version) seen_version = *version;
  subscriptions->refresh();
  if (takes_all) {
    adopt_unowned();
    notifications->adopt_orphans(wall_now());
  }
  for (auto& [uid, run] : runs) {
    auto commands = readable(store->load_commands(uid));
    if (!commands) continue;
    for (const store::CommandRow& c : *commands) {
      if (std::ranges::find(done_commands, c.id) != done_commands.end()) continue;
      const auto verb = engine::parse_verb(c.verb);
      auto arguments = value::parse_json(c.arguments_json.empty() ? "{}" : c.arguments_json);
      done_commands.push_back(c.id);
      if (!verb || !arguments) {
        observe::log(observe::LogLevel::kWarn, "unknown command", {{"uid", uid}, {"verb", c.verb}});
        continue;
      }
      apply(run,
            {.at = wall_now(), .body = engine::Control{.verb = *verb, .arguments = *arguments}});
    }
  }
}

// Events that want nothing outside may wait: after a crash their senders tell them again. So many
// of them share a commit, and a short step's beginning and end are one row.
bool Host::State::is_commit_due() const {
  if (!done_commands.empty() || (open.empty() && !acknowledged.empty())) return true;
  if (notifications->has_rows() || subscriptions->has_work(wall_now())) return true;
  const clock::Instant time = wall_now();
  return std::ranges::any_of(open, [&](const WorkflowRun* run) {
    const auto due = run->rows_due();
    // Later than that they are due only by a clock that was set back.
    const bool is_due = due && (*due <= time || *due > time + WorkflowRun::kRowsLag);
    return run->is_urgent() || is_due;
  });
}

// A server waits until the store takes it (the disk has room again ...): what it holds is nowhere
// else, and nothing that depends on it has been done.
diag::Result<void> Host::State::commit(const store::Batch& batch) {
  for (bool is_told = false;;) {
    fault_point::before_commit();
    const clock::Instant begun = wall_now();
    auto done = fault_point::commit_fails()
                    ? diag::fail(diag::Code::kIo, "the store fails, as the test wants")
                    : store->commit(batch);
    if (done) fault_point::after_commit();
    if (done) observer.committed(batch, begun, wall_now() - begun);
    if (done && is_told) observe::log(observe::LogLevel::kInfo, "the store can be written again");
    if (done || must_stop || is_lasting(done.error())) return done;
    if (!std::exchange(is_told, true)) {
      observe::log(observe::LogLevel::kError, done.error().message + "; trying again");
    }
    poll(nullptr, 0, kPollMs);
  }
}

diag::Result<void> Host::State::commit_and_dispatch(const Progress& progress) {
  store::Batch batch;
  batch.done_commands = std::exchange(done_commands, {});
  const clock::Instant time = wall_now();
  for (WorkflowRun* run : open) {
    notifications->prepare(*run, run->pending_effects(), time);
    run->collect(batch, time);
  }
  TRY_VOID(subscriptions->prepare(batch, time));
  notifications->collect(batch);
  if (!batch.empty()) TRY_VOID(commit(batch));
  subscriptions->committed();
  for (WorkflowRun* run : open) {
    const std::vector<engine::Effect> effects = run->take_effects();
    if (!effects.empty()) carry_out(*run, effects, false);
  }
  for (const std::string& key : std::exchange(acknowledged, {})) {
    process->acknowledge(key);
    http->acknowledge(key);
  }
  for (WorkflowRun* run : std::exchange(open, {})) {
    if (progress.on_change) progress.on_change(run->uid());
    if (run->engine().is_finished()) {
      retire(*run);
    } else if (run->rows_due()) {
      open.insert(run);
    }
  }
  return {};
}

void Host::State::retire(WorkflowRun& run) {
  const std::string uid = run.uid();
  const engine::Engine& e = run.engine();
  final_phases[uid] = e.phase();
  Observer::workflow_ended(run);
  if (takes_all) {
    const auto at = clock::parse_rfc3339(e.workflow_status()["finishedAt"].string_or(""));
    if (auto due = expires_at(e.spec(), e.phase(), at ? *at : wall_now()))
      expiry.add(uid, steady_time_of(*due));
  } else {
    ended.insert_or_assign(uid, run.object());
  }
  timers.drop(uid);
  locks->forget(uid);
  subscriptions->forget(uid);
  process->forget_workflow(config.run_path(uid) + "/work");
  notifications->keep(uid, run.release_lock());
  plugins->forget_workflow(config.run_path(uid) + "/work");
  runs.erase(uid);
}

// What ended before this engine began, or without one, has its time, too.
void Host::State::note_stored_expiries() {
  auto rows = store->list_workflows("", false);
  if (!rows) return;
  for (const store::WorkflowRow& row : *rows) {
    if (row.spec_json.find("ttlStrategy") == std::string::npos || !row.finished_at.is_set()) {
      continue;
    }
    auto spec = value::parse_json(row.spec_json);
    if (!spec) continue;
    if (auto due = expires_at(*spec, row.phase, row.finished_at))
      expiry.add(row.uid, steady_time_of(*due));
  }
}

void Host::State::delete_expired() {
  for (const std::string& uid : expiry.take_due(steady_now())) {
    if (runs.contains(uid)) continue;  // it was retried
    auto deleted = store->delete_workflow(uid);
    if (!deleted) {
      if (deleted.error().code != diag::Code::kNotFound) {
        log_trouble("cannot be deleted", uid, deleted.error().message);
      }
      continue;
    }
    std::error_code error;
    std::filesystem::remove_all(config.run_path(uid), error);
    final_phases.erase(uid);
  }
}

bool Host::State::wait() {
  int timeout = kPollMs;
  const auto wake_in = [&timeout](clock::Duration d) {
    const std::int64_t ms = d.ns / 1'000'000 + (d.ns % 1'000'000 > 0 ? 1 : 0);
    timeout = static_cast<int>(std::clamp<std::int64_t>(ms, 0, timeout));
  };
  if (const auto next = timers.next()) wake_in(*next - steady_now());
  for (const WorkflowRun* run : open) {
    if (const auto due = run->rows_due()) wake_in(*due - wall_now());
  }
  if (const auto due = notifications->next()) wake_in(*due - wall_now());
  if (const auto due = subscriptions->next()) wake_in(*due - wall_now());
  pollfd fds[2] = {{inbox.descriptor(), POLLIN, 0}, {doorbell.descriptor(), POLLIN, 0}};
  const int ready = poll(fds, 2, timeout);
  if ((fds[1].revents & POLLIN) != 0) doorbell.clear();
  return ready == 0 || (fds[1].revents & POLLIN) != 0;
}

Host::Host(std::unique_ptr<State> state) : state_(std::move(state)) {}
Host::~Host() = default;

diag::Result<std::unique_ptr<Host>> Host::open(Config config) {
  TRY(Doorbell bell, Doorbell::hang(config.home));
  auto state = std::make_unique<State>(std::move(config), std::move(bell));
  TRY(state->store, store::open_sqlite(state->config.store_path()));
  State* s = state.get();
  if (!s->config.trace_path.empty()) {
    TRY(observe::Trace trace, observe::Trace::open(s->config.trace_path));
    s->observer.trace_to(std::move(trace));
  }
  const executor::Listener listener{
      .on_running = [s](const std::string& key,
                        clock::Instant at) { s->inbox.post(Began{key, at}); },
      .on_finished =
          [s](const std::string& key, executor::Outcome outcome) {
            s->inbox.post(Ended{key, std::move(outcome)});
          },
      .on_sent = [s](const std::string& key, clock::Instant at) { s->observer.sent(key, at); },
  };
  const executor::Lookup lookup = make_lookup(state->config);
  executor::ProcessOptions options{.home = state->config.home,
                                   .steps_max = state->config.steps_max,
                                   .log_max = state->config.log_max,
                                   .kind = state->config.executor,
                                   .image_layouts = state->config.image_layouts};
  const executor::Images images = stored_images(*state->store);
  options.images = images;
  options.warn = [](const std::string& text) { observe::log(observe::LogLevel::kWarn, text); };
  state->process = executor::make_pod_executor(std::move(options), listener, lookup);
  state->http = executor::make_http_executor({.condition = success_condition}, listener, lookup);
  state->plugins = executor::make_plugin_executor(
      {.home = state->config.home, .find = stored_plugins(state->config), .images = images},
      listener, lookup);
  state->locks = std::make_unique<Locks>(*state->store, state->config.home);
  state->dispatch =
      std::make_unique<Dispatch>(state->config, *state->process, *state->http, *state->plugins,
                                 state->inbox, state->timers, *state->store, *state->locks);
  state->notifications =
      std::make_unique<Notifications>(state->config, *state->store, state->inbox, lookup);
  state->subscriptions =
      std::make_unique<Subscriptions>(state->config, *state->store, *state->notifications);
  return std::unique_ptr<Host>(new Host(std::move(state)));
}

diag::Result<void> Host::adopt(const std::string& uid) { return state_->adopt(uid); }

void Host::adopt_all() {
  state_->takes_all = true;
  state_->note_stored_expiries();
  state_->subscriptions->forget_old(wall_now());
  state_->adopt_unowned();
  adopt_notifications();
}

std::size_t Host::adopt_notifications() { return state_->notifications->adopt_orphans(wall_now()); }

std::size_t Host::pending_notifications() const { return state_->notifications->pending(); }

diag::Result<void> Host::run(const std::function<bool()>& is_done, const Progress& progress) {
  State& s = *state_;
  bool look_for_commands = true;
  while (!s.must_stop) {
    s.apply_messages();
    s.apply_timers();
    for (auto& [uid, answer] : s.locks->retry(false)) s.apply_answer(uid, answer);
    if (look_for_commands) s.apply_commands();
    if (s.damage) return std::unexpected(*s.damage);
    if (const auto& trouble = s.locks->trouble(); trouble && s.is_lasting(*trouble))
      return std::unexpected(*trouble);
    if (s.is_commit_due()) TRY_VOID(s.commit_and_dispatch(progress));
    s.notifications->carry_out(wall_now());
    s.delete_expired();
    if (is_done() && !s.notifications->is_busy(wall_now())) break;
    look_for_commands = s.wait();
  }
  return {};
}

void Host::request_stop() {
  state_->must_stop = true;
  state_->inbox.wake();
}

bool Host::is_idle() const {
  if (!state_->runs.empty()) return false;
  auto rows = state_->store->unfinished_workflows();
  return !rows || std::ranges::all_of(*rows, [&](const store::WorkflowRow& row) {
    return state_->unreadable.contains(row.uid);
  });
}

void Host::wake() { state_->inbox.wake(); }

observe::Stats Host::stats() const { return state_->observer.stats(); }
observe::Usage Host::usage() const { return state_->observer.usage(); }

std::string Host::final_phase(const std::string& uid) const {
  auto it = state_->final_phases.find(uid);
  return it == state_->final_phases.end() ? "" : it->second;
}

value::Value Host::workflow_object(const std::string& uid) const {
  if (auto it = state_->runs.find(uid); it != state_->runs.end()) return it->second.object();
  auto it = state_->ended.find(uid);
  return it == state_->ended.end() ? value::Value() : it->second;
}

}  // namespace tiphys::runtime
