#include "sim/replica.h"

#include <algorithm>

#include "lease/share.h"

namespace tiphys::sim {

namespace {

using Party = Network::Party;

constexpr clock::Duration kTurn = clock::Duration::milliseconds(100);
constexpr clock::Duration kLook = clock::Duration::milliseconds(500);
constexpr std::size_t kAdoptedAtOnce = 2;

}  // namespace

void Replica::begin() {
  kill();
  is_running_ = true;
  loop_ = live();
  loop_.start();
}

void Replica::kill() {
  ++process_;
  is_running_ = false;
  loop_ = Routine<bool>();
  beater_ = Routine<bool>();
  watcher_ = Routine<bool>();
  engine_ = writer_ = ticket_ = valid_until_ = 0;
  must_ask_ = is_unknown_ = false;
  holdings_ = {};
  runs_.clear();
  pods_.clear();
  inbox_.clear();
  timers_.clear();
  acknowledged_.clear();
  releases_.clear();
  dropped_.clear();
  looked_at_ = {};
  paused_until_ = {};
}

clock::Instant Replica::boot_now() const {
  const clock::Instant now = ports_.agenda.now();
  return {now.ns + (now - kBeginning).ns / 1'000'000 * skew_.drift_ppm};
}

std::function<void()> Replica::guard(std::function<void()> what) {
  return [this, process = process_, what = std::move(what)] {
    if (process != process_) return;
    if (!is_paused()) return what();
    ports_.agenda.at(paused_until_, guard(what));
  };
}

Until Replica::sleep(clock::Duration time) {
  return Until{[this, time](std::function<void()> go_on) {
    ports_.agenda.in(time, guard(std::move(go_on)));
  }};
}

Routine<bool> Replica::live() {
  co_await join();
  beater_ = beat();
  beater_.start();
  watcher_ = watch();
  watcher_.start();
  for (;;) {
    co_await keep();
    take_messages();
    fire_timers();
    if (looked_at_ + kLook <= ports_.agenda.now()) {
      looked_at_ = ports_.agenda.now();
      co_await look();
    }
    if (has_pending() || !acknowledged_.empty()) co_await commit_and_dispatch();
    co_await sleep(kTurn);
  }
  co_return true;
}

Routine<bool> Replica::join() {
  const std::function<std::int64_t()> serve = [this] {
    return ports_.database.leases().join(place_, expiry());
  };
  while (engine_ == 0) {
    const std::int64_t begun = boot_now().ns;
    const std::optional<std::int64_t> number = co_await ask(Party::kStore, serve);
    if (!number) continue;
    engine_ = *number;
    valid_until_ = lease::valid_until(begun, kLease);
  }
  co_return true;
}

// As PgLeases::lost() and Host::State::keep_leases().
Routine<bool> Replica::keep() {
  const std::int64_t engine = engine_;
  const std::function<bool()> renew = [this, engine] {
    return ports_.database.leases().renew(engine, place_, ports_.agenda.now(), expiry());
  };
  const std::function<lease::Epochs()> held = [this, engine] {
    return ports_.database.leases().held_by(engine);
  };
  while (must_ask_ || boot_now().ns >= valid_until_) {
    const std::int64_t begun = boot_now().ns;
    const std::optional<bool> was_alive = co_await ask(Party::kStore, renew);
    if (!was_alive) continue;
    valid_until_ = lease::valid_until(begun, kLease);
    must_ask_ = false;
    const std::optional<lease::Epochs> kept = co_await ask(Party::kStore, held);
    must_ask_ = must_ask_ || !kept;
    if (!kept) continue;
    for (const std::string& uid : holdings_.settle(*kept)) drop(uid);
    break;
  }
  co_return true;
}

void Replica::drop(const std::string& uid) {
  dropped_.insert(uid);
  if (ports_.mutations.drop_ends_pods) {
    for (const auto& [key, pod] : pods_) {
      if (pod.uid == uid && !pod.is_told_end) cancel(key);
    }
  }
  if (!ports_.mutations.acknowledges_lost) {
    std::erase_if(acknowledged_,
                  [&](const std::string& key) { return key.starts_with(uid + "."); });
  }
  forget_pods(uid);
  std::erase_if(timers_, [&](const Timer& t) { return t.uid == uid; });
  runs_.erase(uid);
}

// As Host::State::find_unowned().
Routine<bool> Replica::look() {
  struct Sight {
    std::vector<std::string> unfinished;
    std::vector<std::string> elsewhere;
    std::size_t engines = 1;
  };
  const clock::Instant own = wall_now();
  const std::function<Sight()> serve = [this, own, engine = engine_] {
    const lease::Register& leases = ports_.database.leases();
    const clock::Instant now = ports_.mutations.judges_by_own_clock ? own : ports_.agenda.now();
    return Sight{.unfinished = ports_.database.unfinished(),
                 .elsewhere = leases.elsewhere(engine, place_, now),
                 .engines = leases.alive(ports_.agenda.now())};
  };
  const std::optional<Sight> sight = co_await ask(Party::kStore, serve);
  if (!sight) co_return false;
  std::set<std::string> wanted;
  for (const std::string& uid : sight->unfinished) {
    if (!runs_.contains(uid)) wanted.insert(uid);
  }
  for (const std::string& uid : sight->elsewhere) wanted.erase(uid);
  (void)lease::leave_to_others(wanted, {}, sight->unfinished.size(), sight->engines, runs_.size());
  std::size_t tries = 0;
  for (const std::string& uid : wanted) {
    if (++tries > kAdoptedAtOnce) break;
    co_await adopt(uid);
  }
  co_return true;
}

// As Host::State::give_up_processes(), where steps are processes.
std::vector<engine::LeafFinished> Replica::give_up_pods(const engine::Engine& engine,
                                                        std::vector<engine::Effect>& outstanding) {
  std::vector<engine::LeafFinished> lost;
  std::erase_if(outstanding, [&](const engine::Effect& effect) {
    const auto* start = std::get_if<engine::StartLeaf>(&effect);
    if (start == nullptr || engine.node(start->leaf.node).type != "Pod") return false;
    lost.push_back({.leaf = start->leaf,
                    .phase = engine::Phase::kError,
                    .message = "lost with the host",
                    .exit_code = {},
                    .outputs = {},
                    .started_at = wall_now(),
                    .finished_at = wall_now()});
    return true;
  });
  return lost;
}

// As Host::State::adopt().
Routine<bool> Replica::adopt(std::string uid) {
  using Taken = std::optional<lease::Register::Taken>;
  const clock::Instant own = wall_now();
  const std::function<Taken()> serve = [this, uid, own, engine = engine_] {
    const clock::Instant now = ports_.agenda.now();
    return ports_.database.take(uid, engine, place_, now,
                                ports_.mutations.judges_by_own_clock ? own : now);
  };
  const std::optional<Taken> answer = co_await ask(Party::kStore, serve);
  if (!answer || !*answer) co_return false;
  const lease::Register::Taken taken = **answer;
  holdings_.took(uid, taken.epoch);
  struct Log {
    std::shared_ptr<std::unique_ptr<engine::Engine>> engine;
    std::uint64_t rows = 0;
  };
  const std::function<Log()> load = [this, uid] {
    return Log{
        .engine = std::make_shared<std::unique_ptr<engine::Engine>>(ports_.database.replay(uid)),
        .rows = ports_.database.workflows().at(uid).log.size()};
  };
  const std::optional<Log> log = co_await ask(Party::kStore, load);
  if (!log) {
    holdings_.release(uid);
    co_return false;
  }
  dropped_.erase(uid);
  Run& run = runs_[uid];
  run.engine = std::move(*log->engine);
  run.sequence = log->rows;
  std::vector<engine::Effect> outstanding = run.engine->outstanding();
  std::vector<engine::LeafFinished> lost;
  if (ports_.mutations.gives_up_pods && taken.place != place_)
    lost = give_up_pods(*run.engine, outstanding);
  carry_out(uid, outstanding);
  for (const engine::LeafFinished& end : lost) apply(uid, {.at = wall_now(), .body = end});
  if (run.sequence == 0) apply(uid, {.at = wall_now(), .body = engine::Begin{}});
  co_return true;
}

void Replica::take_messages() {
  for (const Message& m : std::exchange(inbox_, {})) {
    const bool is_lost = dropped_.contains(m.uid) && !ports_.mutations.acknowledges_lost;
    if (is_lost) continue;
    if (m.is_pod && std::holds_alternative<engine::LeafFinished>(m.body))
      acknowledged_.push_back(m.key);
    std::visit([&](const auto& body) { apply(m.uid, {.at = wall_now(), .body = body}); }, m.body);
  }
}

void Replica::fire_timers() {
  std::vector<Timer> due;
  std::erase_if(timers_, [&](const Timer& t) {
    if (t.at > wall_now()) return false;
    due.push_back(t);
    return true;
  });
  for (const Timer& t : due) apply(t.uid, {.at = wall_now(), .body = t.timer});
}

void Replica::apply(const std::string& uid, engine::Event event) {
  const auto found = runs_.find(uid);
  if (found == runs_.end()) return;
  Run& run = found->second;
  engine::Effects effects;
  if (!run.engine->apply(event, effects)) return;
  run.pending += run.pending.empty() ? "" : ",";
  engine::append_json(run.pending, event);
  run.effects.insert(run.effects.end(), effects.outside.begin(), effects.outside.end());
}

bool Replica::has_pending() const {
  return std::ranges::any_of(runs_, [](const auto& r) { return !r.second.pending.empty(); });
}

Write Replica::collect() {
  Write out{.engine = engine_, .place = place_, .epochs = {}, .rows = {}};
  for (auto& [uid, run] : runs_) {
    if (run.pending.empty()) continue;
    out.rows.push_back({.uid = uid,
                        .sequence = ++run.sequence,
                        .events = "[" + std::exchange(run.pending, "") + "]",
                        .is_over = run.engine->is_finished()});
  }
  return out;
}

// As Host::State::commit_and_dispatch().
Routine<bool> Replica::commit_and_dispatch() {
  co_await keep();
  Write batch = collect();
  const auto act = [this, &batch] {
    for (const Write::Row& row : batch.rows) {
      if (const auto run = runs_.find(row.uid); run != runs_.end())
        carry_out(row.uid, std::exchange(run->second.effects, {}));
    }
  };
  if (ports_.mutations.acts_before_commit) act();
  co_await commit_own(batch);
  co_await keep();
  act();
  for (const std::string& key : std::exchange(acknowledged_, {})) acknowledge(key);
  retire();
  co_return true;
}

// As Host::State::commit_own().
Routine<bool> Replica::commit_own(Write& batch) {
  while (!batch.rows.empty()) {
    const Written done = co_await write(batch);
    if (done == Written::kYes) break;
    must_ask_ = true;
    co_await keep();
    std::erase_if(batch.rows, [&](const Write::Row& row) { return !runs_.contains(row.uid); });
  }
  co_return true;
}

// As PgSession::write().
Routine<Written> Replica::write(Write batch) {
  std::set<std::string_view> uids;
  for (const Write::Row& row : batch.rows) uids.insert(row.uid);
  lease::Proof proof = holdings_.prove(uids);
  if (proof.lost) co_return Written::kTakenOver;
  batch.epochs = std::move(proof.epochs);
  const std::function<std::int64_t()> sign_in = [this] { return ports_.database.new_writer(); };
  for (;;) {
    if (is_unknown_) {
      const bool is_committed = co_await find_out();
      if (is_committed) co_return Written::kYes;
    }
    if (writer_ == 0) {
      const std::optional<std::int64_t> writer = co_await ask(Party::kStore, sign_in);
      writer_ = writer.value_or(0);
      ticket_ = 0;
      if (!writer) continue;
    }
    batch.writer = writer_;
    batch.ticket = ticket_ + 1;
    const std::function<Written()> serve = [this, batch] { return ports_.database.commit(batch); };
    const std::optional<Written> done = co_await ask(Party::kStore, serve);
    is_unknown_ = !done;
    if (!done) continue;
    if (*done == Written::kYes) ++ticket_;
    if (*done != Written::kSealed) co_return *done;
    writer_ = 0;
  }
}

// Whether the last transaction was committed, of which no answer came.
Routine<bool> Replica::find_out() {
  const std::function<std::int64_t()> seal = [this, writer = writer_] {
    return ports_.database.seal(writer);
  };
  std::optional<std::int64_t> last;
  while (!last) {
    std::optional<std::int64_t> answer = co_await ask(Party::kStore, seal);
    last = answer;
  }
  is_unknown_ = false;
  writer_ = 0;
  co_return *last == ticket_ + 1;
}

void Replica::retire() {
  for (auto it = runs_.begin(); it != runs_.end();) {
    if (!it->second.engine->is_finished() || !it->second.pending.empty()) {
      ++it;
      continue;
    }
    holdings_.release(it->first);
    forget_pods(it->first);
    std::erase_if(timers_, [&](const Timer& t) { return t.uid == it->first; });
    it = runs_.erase(it);
  }
}

}  // namespace tiphys::sim
