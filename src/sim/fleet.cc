#include "sim/fleet.h"

#include <fmt/format.h>

namespace tiphys::sim {

namespace {

using Party = Network::Party;

constexpr clock::Duration kHarm = clock::Duration::seconds(240);       // so long there are faults
constexpr clock::Duration kPatience = clock::Duration::seconds(3600);  // then all is over
constexpr clock::Duration kSecond = clock::Duration::seconds(1);

}  // namespace

Fleet::Fleet(std::uint64_t seed, FleetOptions options)
    : seed_(seed),
      options_(options),
      random_(seed),
      network_(agenda_, random_),
      database_(options_.mutations),
      cluster_(seed, options_.mutations,
               [this](const std::string& key) { return database_.knows_end(key); }) {
  for (std::size_t i = 0; i < options_.engines; ++i) {
    const Skew skew{.drift_ppm = static_cast<std::int64_t>(random_.below(100'001)) - 50'000,
                    .wall = some(-30'000, 30'000)};
    engines_.push_back(std::make_unique<Replica>(
        i, Replica::Ports{agenda_, network_, database_, cluster_, options_.mutations}, skew));
    agenda_.in(some(0, 1000), [this, i] { engines_[i]->begin(); });
  }
  submit();
  if (!options_.has_faults) return;
  network_.set_faults({.request_lost = static_cast<unsigned>(random_.below(4)),
                       .answer_lost = static_cast<unsigned>(random_.below(4)),
                       .request_late = static_cast<unsigned>(random_.below(3))});
  harm();
}

clock::Duration Fleet::some(std::int64_t from_ms, std::int64_t to_ms) {
  const auto range = static_cast<std::uint64_t>(to_ms - from_ms + 1);
  return clock::Duration::milliseconds(from_ms + static_cast<std::int64_t>(random_.below(range)));
}

void Fleet::submit() {
  for (std::size_t i = 0; i < options_.workflows; ++i) {
    const std::string uid = fmt::format("flow-{}", i);
    auto definition = std::make_shared<engine::Definition>(fleet_workflow(random_, uid));
    agenda_.in(some(0, 180'000), [this, uid, definition] {
      submitted_at_[uid] = agenda_.now();
      database_.add(uid, *definition);
    });
  }
}

void Fleet::harm() {
  agenda_.in(some(500, 8000), [this] {
    if (agenda_.now() >= kBeginning + kHarm) return heal();
    const std::size_t i = random_.below(engines_.size());
    Replica& engine = *engines_[i];
    switch (random_.below(5)) {
      case 0:
        if (!engine.is_running()) break;
        ++totals_.kills;
        engine.kill();
        agenda_.in(some(0, 20'000), [&engine] {
          if (!engine.is_running()) engine.begin();
        });
        break;
      case 1:
        ++totals_.pauses;
        engine.pause(agenda_.now() + some(200, 40'000));
        break;
      case 2:
        ++totals_.cuts;
        network_.cut(i, Party::kStore, agenda_.now() + some(200, 30'000));
        break;
      case 3:
        ++totals_.cuts;
        network_.cut(i, Party::kCluster, agenda_.now() + some(200, 30'000));
        break;
      default:
        engine.step_wall_clock(some(-20'000, 20'000));
    }
    harm();
  });
}

void Fleet::heal() { network_.set_faults({}); }

bool Fleet::is_healthy(std::size_t engine) const {
  return engines_[engine]->is_running() && !engines_[engine]->is_paused() &&
         !network_.is_cut(engine, Party::kStore);
}

// It counts when one engine could have taken it all that time.
void Fleet::look_for_owners() {
  const clock::Instant now = agenda_.now();
  bool is_somebody_there = false;
  healthy_since_.resize(engines_.size());
  for (std::size_t i = 0; i < engines_.size(); ++i) {
    clock::Instant& since = healthy_since_[i];
    if (!is_healthy(i)) since = {};
    if (is_healthy(i) && !since.is_set()) since = now;
    is_somebody_there |= since.is_set() && now - since >= kOwnerless;
  }
  for (const std::string& uid : database_.unfinished()) {
    clock::Instant& since = lying_since_[uid];
    if (database_.leases().is_owned(uid, now))
      since = {};
    else if (!since.is_set())
      since = now;
    if (is_somebody_there && since.is_set() && now - since >= kOwnerless && complaint_.empty())
      complaint_ = fmt::format("{} was nobody's for {} s", uid, (now - since).in_seconds());
  }
}

std::string Fleet::trouble() const {
  if (!database_.complaint().empty()) return database_.complaint();
  if (!cluster_.complaint().empty()) return cluster_.complaint();
  return complaint_;
}

std::string Fleet::run() {
  clock::Instant next_look = kBeginning;
  clock::Instant over_at;
  while (agenda_.run_next()) {
    if (std::string why = trouble(); !why.empty()) return why;
    if (agenda_.now() < next_look) continue;
    next_look = agenda_.now() + kSecond;
    look_for_owners();
    const bool is_over =
        submitted_at_.size() == options_.workflows && database_.unfinished().empty();
    if (!is_over && agenda_.now() > kBeginning + kPatience)
      return fmt::format("{} has not ended", database_.unfinished().front());
    if (!is_over || agenda_.now() < kBeginning + kHarm) continue;
    // Those that stood still wake up and do what they had in mind.
    if (!over_at.is_set()) over_at = agenda_.now();
    if (agenda_.now() > over_at + clock::Duration::seconds(60)) break;
  }
  return compare();
}

std::string Fleet::compare() const {
  std::set<std::string> known;
  for (const auto& [uid, workflow] : database_.workflows()) {
    const auto engine = database_.replay(uid);
    const Phases is = phases_of(*engine);
    const Phases should = undisturbed(workflow.definition, seed_, uid);
    for (const auto& [name, phase] : should) {
      const auto found = is.find(name);
      if (found == is.end()) return fmt::format("{} has no node '{}'", uid, name);
      if (found->second != phase) {
        return fmt::format("'{}' of {} is {} and not {}", name, uid, found->second, phase);
      }
    }
    for (const auto& [name, phase] : is) {
      if (!should.contains(name)) return fmt::format("{} has a node '{}' too many", uid, name);
    }
    for (engine::NodeIndex i = 0; i < engine->node_count(); ++i) {
      const engine::Node& n = engine->node(i);
      const std::string key = key_of(uid, {.run = engine->run(), .node = i});
      known.insert(key);
      const auto* pod = cluster_.find(key);
      if (n.type == "Pod" && (pod == nullptr || pod->starts != 1))
        return fmt::format("the step {} of {} was not run once", n.name, uid);
      if (n.type == "HTTP" && !cluster_.requests().contains(uid + " " + n.name))
        return fmt::format("the request {} of {} was never sent", n.name, uid);
    }
  }
  for (const auto& [key, pod] : cluster_.pods()) {
    if (!known.contains(key)) return fmt::format("the pod {} is of no node", key);
  }
  return "";
}

FleetTotals Fleet::totals() const {
  FleetTotals out = totals_;
  out.takeovers = database_.takeovers();
  out.refused = database_.refused();
  out.pods = cluster_.pods().size();
  out.requests = cluster_.requests().size();
  return out;
}

}  // namespace tiphys::sim
