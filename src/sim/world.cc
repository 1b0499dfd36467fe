#include "sim/world.h"

#include <fmt/format.h>

#include <algorithm>

namespace tiphys::sim {

namespace {

std::string key_of(const engine::LeafId& id) { return fmt::format("{}.{}", id.node, id.run); }

}  // namespace

World::World(std::uint64_t seed, engine::Definition definition, Faults faults)
    : random_(seed),
      definition_(std::move(definition)),
      faults_(faults),
      oracle_(definition_.workflow,
              [this](const std::string& mutex) { return mutexes_.is_free(mutex); }) {
  now_ = {1'767'225'600'000'000'000};
  engine_ = std::make_unique<engine::Engine>(definition_);
  (void)deliver({.at = now_, .body = engine::Begin{}});
}

engine::Engine World::replay() const {
  engine::Engine fresh(definition_);
  for (const std::string& row : log_) {
    auto events = engine::parse_events(row);
    CHECK(events.has_value());
    engine::Effects ignored;
    ignored.is_replay = true;
    for (const engine::Event& event : *events) fresh.apply(event, ignored);
  }
  return fresh;
}

bool World::deliver(const engine::Event& event) {
  if (random_.chance(faults_.crash_before_commit)) {
    crash();
    // What has no sender that repeats it is lost with the crash only if nobody was told it had
    // arrived.
    if (!std::holds_alternative<engine::Begin>(event.body) &&
        !std::holds_alternative<engine::Control>(event.body)) {
      return true;
    }
  }
  engine::Effects effects;
  if (!engine_->apply(event, effects)) return false;
  commit(event, effects);
  return true;
}

void World::commit(const engine::Event& event, const engine::Effects& effects) {
  std::string& row = log_.emplace_back("[");
  engine::append_json(row, event);
  row += ']';
  check_phases();
  oracle_.note(*engine_, event, effects.outside);
  if (std::getenv("TIPHYS_SIM_TRACE") != nullptr) fmt::print("{}\n", log_.back());
  if (random_.chance(faults_.crash_after_commit)) {
    crash();
  } else {
    carry_out(effects.outside);
  }
  if (engine_->is_finished()) retire();
  if (complaint_.empty()) complaint_ = oracle_.check(*engine_);
}

void World::crash() {
  ++crashes_;
  timers_.clear();
  mutexes_.forget_waiting();
  adopt();
}

// Who holds a mutex is kept, as in the store: a release that a crash has lost stays lost.
void World::retire() {
  timers_.clear();
  mutexes_.forget_waiting();
}

void World::adopt() {
  engine_ = std::make_unique<engine::Engine>(replay());
  carry_out(engine_->outstanding());
}

void World::carry_out(const std::vector<engine::Effect>& effects) {
  for (const engine::Effect& effect : effects) {
    if (const auto* start = std::get_if<engine::StartLeaf>(&effect)) {
      start_leaf(start->leaf);
    } else if (const auto* cancel = std::get_if<engine::CancelLeaf>(&effect)) {
      if (auto it = leaves_.find(key_of(cancel->leaf)); it != leaves_.end())
        it->second.cancelled = true;
    } else if (const auto* timer = std::get_if<engine::SetTimer>(&effect)) {
      timers_.emplace_back(timer->at, timer->timer);
    } else if (const auto* wish = std::get_if<engine::AcquireLocks>(&effect)) {
      mutexes_.acquire(*wish);
    } else if (const auto* locks = std::get_if<engine::ReleaseLocks>(&effect)) {
      mutexes_.release(*locks);
    } else if (const auto* own = std::get_if<engine::OwnLocks>(&effect)) {
      mutexes_.keep_only(*own);
    }
  }
}

void World::start_leaf(const engine::LeafId& id) {
  const std::string key = key_of(id);
  if (leaves_.contains(key)) return;  // the supervisor knows it: nothing is started twice
  ++work_done_[key];
  Leaf leaf{.id = id, .outcome = {}};
  leaf.outcome.leaf = id;
  const bool fails = random_.chance(faults_.leaf_fails);
  if (fails && random_.chance(20)) {
    leaf.outcome.phase = engine::Phase::kError;
    leaf.outcome.message = "lost with the host";
  } else {
    leaf.outcome.phase = fails ? engine::Phase::kFailed : engine::Phase::kSucceeded;
    leaf.outcome.message = fails ? "main: Error (exit code 1)" : "";
    leaf.outcome.exit_code = fails ? 1 : 0;
  }
  leaves_.emplace(key, leaf);
}

engine::Event World::next_of(Leaf& leaf) {
  if (!leaf.told_running && !random_.chance(faults_.skips_running)) {
    leaf.told_running = true;
    return {.at = now_, .body = engine::LeafRunning{.leaf = leaf.id, .started_at = now_}};
  }
  leaf.outcome.started_at = now_;
  leaf.outcome.finished_at = now_;
  if (leaf.cancelled) {
    leaf.outcome.phase = engine::Phase::kFailed;
    leaf.outcome.message = "main: Error (exit code 143)";
  }
  return {.at = now_, .body = leaf.outcome};
}

void World::move_clock() {
  const auto step =
      clock::Duration::milliseconds(static_cast<std::int64_t>(1 + random_.below(500)));
  now_ = now_ + step;
  if (!random_.chance(faults_.clock_jumps)) return;
  const auto jump = clock::Duration::seconds(static_cast<std::int64_t>(random_.below(7200)) - 3600);
  now_ = now_ + jump;
}

bool World::fire_timer() {
  if (timers_.empty()) return false;
  const auto due = std::ranges::min_element(timers_, {}, [](const auto& t) { return t.first; });
  now_ = std::max(now_, due->first);
  const engine::TimerFired timer = due->second;
  timers_.erase(due);
  (void)deliver({.at = now_, .body = timer});
  return true;
}

bool World::step() {
  move_clock();
  if (mutexes_.has_answer() && random_.chance(50)) {
    (void)deliver({.at = now_, .body = mutexes_.take_answer()});
    return true;
  }
  if (random_.chance(10) && fire_timer()) return true;
  std::vector<std::string> live;
  for (const auto& [key, leaf] : leaves_) {
    const bool is_known = leaf.id.run == engine_->run() && leaf.id.node < engine_->node_count();
    const bool is_over = !is_known || engine::is_fulfilled(engine_->node(leaf.id.node).phase);
    // The end of a leaf is repeated until it is in the log, and sometimes after that.
    if (!is_over || random_.chance(faults_.told_twice)) live.push_back(key);
  }
  if (!live.empty()) {
    (void)deliver(next_of(leaves_.at(live[random_.below(live.size())])));
    return true;
  }
  return fire_timer() || mutexes_.has_answer();
}

bool World::command(engine::Control::Verb verb, value::Value arguments) {
  if (engine_->is_finished()) adopt();
  now_ = now_ + clock::Duration::milliseconds(1);  // no person is as quick as what happened last
  return deliver(
      {.at = now_, .body = engine::Control{.verb = verb, .arguments = std::move(arguments)}});
}

void World::check_phases() {
  if (engine_->run() != seen_run_) {
    seen_.clear();
    seen_run_ = engine_->run();
  }
  for (engine::NodeIndex i = 0; i < engine_->node_count(); ++i) {
    const engine::Phase now = engine_->node(i).phase;
    if (i >= seen_.size()) {
      seen_.push_back(now);
      continue;
    }
    if (engine::is_fulfilled(seen_[i]) && now != seen_[i]) {
      complaint_ = fmt::format("node {} left its final phase {} for {}", engine_->node(i).name,
                               engine::to_string(seen_[i]), engine::to_string(now));
    }
    seen_[i] = now;
  }
  if (!engine_->is_finished()) return;
  for (engine::NodeIndex i = 0; i < engine_->node_count(); ++i) {
    if (!engine::is_fulfilled(engine_->node(i).phase)) {
      complaint_ = fmt::format("the workflow is finished but node {} is {}", engine_->node(i).name,
                               engine::to_string(engine_->node(i).phase));
    }
  }
}

}  // namespace tiphys::sim
