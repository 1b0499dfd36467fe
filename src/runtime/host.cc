#include "runtime/host.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <map>
#include <set>

#include "clock/rfc3339.h"
#include "observe/log.h"
#include "runtime/claim_gc.h"
#include "runtime/clocks.h"
#include "runtime/fault_point.h"
#include "runtime/host_state.h"
#include "runtime/outcome.h"
#include "store/secrets.h"
#include "value/json.h"

namespace tiphys::runtime {

namespace {

constexpr int kPollMs = 250;  // how often the store is asked for commands when nobody rings
constexpr clock::Duration kAdoptPart = clock::Duration::milliseconds(20);  // of each round

void log_trouble(std::string_view what, const std::string& uid, const std::string& error) {
  observe::log(observe::LogLevel::kError, what,
               {{"uid", uid}, {"error", observe::without_urls(error)}});
}

}  // namespace

diag::Result<void> Host::State::adopt(const std::string& uid) {
  if (runs.contains(uid)) return {};
  // This engine may have the lock of one that was over, for notifications that were not delivered.
  std::optional<Ownership> kept = notifications->give_lock(uid);
  if (!kept) {
    TRY(kept, Ownership::take(config, *store, uid));
  }
  const std::string lost_host = kept->lost_host();
  TRY(WorkflowRun run, WorkflowRun::load(*store, uid, std::move(*kept)));
  auto [it, inserted] = runs.emplace(uid, std::move(run));
  final_phases.erase(uid);
  ended.erase(uid);
  dropped.erase(uid);
  observer.adopted(it->second);
  std::vector<engine::Effect> outstanding = it->second.engine().outstanding();
  const std::vector<engine::Event> ends = give_up_processes(it->second, lost_host, outstanding);
  TRY_VOID(notifications->adopt(it->second, outstanding, wall_now()));
  carry_out(it->second, outstanding, true);
  // One that has ended is let go again by the next commit, when nothing is left to do for it.
  if (it->second.rows_due() || it->second.engine().is_finished()) open.insert(&it->second);
  subscriptions->adopt(it->second);
  for (const engine::Event& end : ends) apply(it->second, end);
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

// Unfinished workflows, and finished ones that somebody has a command for (retry).
void Host::State::find_unowned() {
  std::set<std::string> wanted;
  std::set<std::string> urgent;  // somebody waits for them
  if (auto rows = readable(store->unfinished_workflows())) {
    for (const store::WorkflowRow& row : *rows) wanted.insert(row.uid);
  }
  const std::size_t unfinished = wanted.size();
  if (auto commands = readable(store->load_commands(""))) {
    for (const store::CommandRow& c : *commands) urgent.insert(c.uid);
    wanted.insert(urgent.begin(), urgent.end());
  }
  std::erase_if(wanted, [this](const std::string& uid) {
    return runs.contains(uid) || unreadable.contains(uid);
  });
  leave_to_others(wanted, urgent, unfinished);
  if (!wanted.empty()) {
    if (auto rows = readable(store->load_deliveries({.state = "pending"}))) {
      for (const store::DeliveryRow& row : *rows) urgent.insert(row.uid);
    }
  }
  adoptions.set({wanted.begin(), wanted.end()}, urgent);
}

// A part of those that wait for it, unless another process has them: what runs already, and what is
// to be delivered, goes on in between.
void Host::State::adopt_some() {
  if (adoptions.empty()) return;
  const clock::Instant until = steady_now() + kAdoptPart;
  do {
    const auto uid = adoptions.take();
    if (!uid) break;
    if (runs.contains(*uid)) continue;
    auto adopted = readable(adopt(*uid));
    if (damage) return;
    note_refusal(*uid, adopted);
  } while (steady_now() < until);
  take_commands();
}

void Host::State::note_refusal(const std::string& uid, const diag::Result<void>& adopted) {
  if (adopted || adopted.error().code == diag::Code::kConflict) return;
  unreadable.insert(uid);
  log_trouble("cannot be adopted", uid, adopted.error().message);
}

template <typename Answer>
void Host::State::apply_answer(const std::string& uid, Answer answer) {
  if (auto it = runs.find(uid); it != runs.end()) {
    apply(it->second, {.at = wall_now(), .body = std::move(answer)});
  }
}

void Host::State::apply_progress(Progressed message) {
  const auto address = parse_leaf_key(message.key);
  if (!address) return;
  apply_answer(address->uid, engine::LeafProgress{.leaf = address->leaf,
                                                  .progress = std::move(message.progress),
                                                  .waiting = std::move(message.waiting)});
}

void Host::State::apply_messages() {
  std::vector<Message> messages = inbox.take();
  observer.looked_at_inbox(messages.size());
  const auto take_answer = [this](auto& message) {
    constexpr bool kIsAnswer = requires { message.uid, message.answer; };
    if constexpr (kIsAnswer) apply_answer(message.uid, std::move(message.answer));
    return kIsAnswer;
  };
  for (Message& message : messages) {
    if (std::visit(take_answer, message)) continue;
    if (auto* report = std::get_if<notify::Report>(&message)) {
      notifications->settle(std::move(*report), wall_now());
      continue;
    }
    if (auto* progressed = std::get_if<Progressed>(&message)) {
      apply_progress(std::move(*progressed));
      continue;
    }
    if (const auto* created = std::get_if<Created>(&message)) {
      note_refusal(created->uid, readable(adopt(created->uid)));
      continue;
    }
    if (const auto* undeleted = std::get_if<Undeleted>(&message)) {
      deletions->try_again(undeleted->uid);
      continue;
    }
    if (auto* answer = std::get_if<Ended>(&message)) {
      auto of_leaf = notifications->settle(std::move(*answer), wall_now());
      if (!of_leaf) continue;
      *answer = std::move(*of_leaf);
    }
    const std::string& key = std::holds_alternative<Began>(message) ? std::get<Began>(message).key
                                                                    : std::get<Ended>(message).key;
    const auto address = parse_leaf_key(key);
    if (!address) continue;
    auto it = runs.find(address->uid);
    if (auto* ended_leaf = std::get_if<Ended>(&message)) {
      if (adoptions.waits(address->uid)) continue;  // its adoption asks for it again
      if (leaves_end(key)) continue;
      acknowledged.push_back(key);
      observer.leaf_ended(key);
      if (it == runs.end()) continue;
      apply(it->second,
            {.at = wall_now(), .body = finished_of(address->leaf, std::move(ended_leaf->outcome))});
    } else if (it != runs.end()) {
      const auto& began = std::get<Began>(message);
      apply(it->second, {.at = wall_now(),
                         .body = engine::LeafRunning{
                             .leaf = address->leaf, .started_at = began.at, .place = began.place}});
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
  looked_at = steady_now();
  auto version = store->data_version();
  const bool has_changed = !version || *version != seen_version || leaves_some;
  for (auto& [uid, answer] : locks->retry(has_changed)) apply_answer(uid, answer);
  if (!has_changed) return;
  if (version) seen_version = *version;
  subscriptions->refresh();
  if (cron) cron->store_changed();
  if (takes_all) find_unowned();
  if (takes_all) deletions->store_changed();
  notifications->adopt_orphans(
      takes_notifications ? Custody::Whose::kNobodys : Custody::Whose::kOwn, wall_now());
  take_commands();
}

void Host::State::take_commands() {
  auto commands = readable(store->load_commands(""));
  if (!commands) return;
  for (const store::CommandRow& c : *commands) {
    if (c.verb == kDiscardVerb) {
      if (notifications->discard(c.arguments_json, wall_now())) done_commands.push_back(c.id);
      continue;
    }
    const auto run = runs.find(c.uid);
    if (run == runs.end() || std::ranges::find(done_commands, c.id) != done_commands.end())
      continue;
    const auto verb = engine::parse_verb(c.verb);
    auto arguments = value::parse_json(c.arguments_json.empty() ? "{}" : c.arguments_json);
    done_commands.push_back(c.id);
    if (!verb || !arguments) {
      observe::log(observe::LogLevel::kWarn, "unknown command", {{"uid", c.uid}, {"verb", c.verb}});
      continue;
    }
    apply(run->second,
          {.at = wall_now(), .body = engine::Control{.verb = *verb, .arguments = *arguments}});
  }
}

// What the scheduler has written itself is no change of the store to this connection.
void Host::State::work_schedules() {
  if (!cron) return;
  const auto done = readable(cron->work(wall_now()));
  if (done && *done) find_unowned();
  if (done && *done) take_commands();
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
    const bool is_done = run->engine().is_finished() && !run->engine().is_collecting();
    return run->is_urgent() || is_due || is_done;
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
    if (done.error().code == diag::Code::kConflict) return done;
    if (!std::exchange(is_told, true)) {
      observe::log(observe::LogLevel::kError, done.error().message + "; trying again");
    }
    poll(nullptr, 0, kPollMs);
  }
}

diag::Result<void> Host::State::commit_and_dispatch(const Progress& progress) {
  TRY_VOID(keep_leases());
  store::Batch batch;
  batch.done_commands = std::exchange(done_commands, {});
  const clock::Instant time = wall_now();
  for (WorkflowRun* run : open) {
    notifications->prepare(*run, run->pending_effects(), time);
    run->collect(batch, time);
  }
  TRY_VOID(subscriptions->prepare(batch, time));
  notifications->collect(batch);
  TRY_VOID(commit_own(batch));
  subscriptions->committed();
  TRY_VOID(keep_leases());  // it may have stood still since: then others have what it would start
  for (WorkflowRun* run : open) {
    const std::vector<engine::Effect> effects = run->take_effects();
    if (!effects.empty()) carry_out(*run, effects, false);
  }
  for (const std::string& key : std::exchange(acknowledged, {})) {
    const auto address = parse_leaf_key(key);
    if (const auto it = address ? runs.find(address->uid) : runs.end(); it != runs.end()) {
      pod_gc.leaf_ended(it->first, it->second.engine(), address->leaf.node, steady_now());
    }
    process->acknowledge(key);
    http->acknowledge(key);
    resources->acknowledge(key);
  }
  for (WorkflowRun* run : std::exchange(open, {})) {
    if (progress.on_change) progress.on_change(run->uid());
    if (run->engine().is_finished() && !run->engine().is_collecting()) {
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
  pod_gc.workflow_ended(uid, e, steady_now());
  for (const std::string& claim :
       claims_to_remove(e.spec(), e.metadata()["name"].string_or(""), e.phase())) {
    process->remove_claim(std::string(e.metadata()["namespace"].string_or("")), claim);
  }
  if (takes_all) deletions->note(run, wall_now());
  if (cron) cron->workflow_ended(e.metadata());
  timers.drop(uid);
  locks->forget(uid);
  subscriptions->forget(uid);
  process->forget_workflow(config.run_path(uid) + "/work");
  notifications->keep(uid, run.release_lock());
  plugins->forget_workflow(config.run_path(uid) + "/work");
  auto over = runs.extract(uid);
  if (!takes_all) ended.insert(std::move(over));
}

bool Host::State::wait() {
  int timeout = adoptions.empty() ? kPollMs : 0;
  const auto wake_in = [&timeout](clock::Duration d) {
    const std::int64_t ms = d.ns / 1'000'000 + (d.ns % 1'000'000 > 0 ? 1 : 0);
    timeout = static_cast<int>(std::clamp<std::int64_t>(ms, 0, timeout));
  };
  if (const auto next = timers.next()) wake_in(*next - steady_now());
  if (const auto next = pod_gc.next()) wake_in(*next - steady_now());
  for (const WorkflowRun* run : open) {
    if (const auto due = run->rows_due()) wake_in(*due - wall_now());
  }
  if (const auto due = notifications->next()) wake_in(*due - wall_now());
  if (const auto due = cron ? cron->next() : std::nullopt) wake_in(*due - wall_now());
  if (const auto due = subscriptions->next()) wake_in(*due - wall_now());
  pollfd fds[2] = {{inbox.descriptor(), POLLIN, 0}, {doorbell.descriptor(), POLLIN, 0}};
  const int ready = poll(fds, 2, timeout);
  if ((fds[1].revents & POLLIN) != 0) doorbell.clear();
  return ready == 0 || (fds[1].revents & POLLIN) != 0;
}

Host::Host(std::unique_ptr<State> state) : state_(std::move(state)) {}
Host::~Host() = default;

diag::Result<void> Host::adopt(const std::string& uid) { return state_->adopt(uid); }

void Host::adopt_all() {
  state_->takes_all = true;
  state_->resources->remove_orphans();
  if (auto identity = engine_identity(state_->config); identity && state_->store->has_leases()) {
    identity->takes_all = true;
    (void)state_->readable(state_->store->join(*identity));
  }
  for (const std::string& uid : state_->deletions->note_stored()) {
    state_->note_refusal(uid, state_->readable(state_->adopt(uid)));
  }
  state_->subscriptions->forget_old(wall_now());
  state_->find_unowned();
  serve_notifications();
}

void Host::keep_schedules(std::function<diag::Result<void>(const value::Value& cron)> check) {
  state_->cron = std::make_unique<CronScheduler>(state_->config, *state_->store, *state_->deletions,
                                                 std::move(check));
}

void Host::serve_notifications() {
  state_->takes_notifications = true;
  adopt_notifications();
}

std::size_t Host::adopt_notifications() {
  return state_->notifications->adopt_orphans(Custody::Whose::kNobodys, wall_now());
}

diag::Result<void> Host::run(const std::function<bool()>& is_done, const Progress& progress) {
  State& s = *state_;
  bool look_for_commands = true;
  while (!s.must_stop) {
    TRY_VOID(s.keep_leases());
    s.apply_messages();
    s.apply_timers();
    for (auto& [uid, answer] : s.locks->retry(false)) s.apply_answer(uid, answer);
    // Whoever waits for a command's effect does not wait for the engine to be idle.
    const clock::Duration since = steady_now() - s.looked_at;
    if (look_for_commands || since >= clock::Duration::milliseconds(kPollMs)) s.apply_commands();
    if (!s.damage) s.work_schedules();
    if (!s.damage) s.adopt_some();
    if (s.damage) return std::unexpected(*s.damage);
    if (const auto& trouble = s.locks->trouble(); trouble && s.is_lasting(*trouble))
      return std::unexpected(*trouble);
    if (s.is_commit_due()) TRY_VOID(s.commit_and_dispatch(progress));
    TRY_VOID(s.keep_leases());
    s.notifications->carry_out(wall_now());
    s.pod_gc.carry_out(steady_now());
    s.deletions->note_others();
    for (const std::string& uid : s.deletions->carry_out(
             [&s](const std::string& u) { return s.runs.contains(u) || s.is_elsewhere(u); })) {
      s.final_phases.erase(uid);
    }
    if (is_done() && s.notifications->may_end(wall_now())) break;
    look_for_commands = s.wait();
  }
  return {};
}

void Host::request_stop() {
  state_->must_stop = true;
  state_->inbox.wake();
}

bool Host::is_at_rest() const { return state_->runs.empty(); }

bool Host::is_idle() const {
  if (!is_at_rest()) return false;
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
  return it == state_->ended.end() ? value::Value() : it->second.object();
}

}  // namespace tiphys::runtime
