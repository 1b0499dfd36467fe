// The executor of a simulated engine, which works like kube/executor.h: it creates pods until an
// answer comes, looks at them, and tells the loop; and the thread that renews the leases.
#include "sim/replica.h"

namespace tiphys::sim {

namespace {

using Party = Network::Party;
constexpr clock::Duration kWatch = clock::Duration::seconds(1);

}  // namespace

void Replica::carry_out(const std::string& uid, const std::vector<engine::Effect>& effects) {
  for (const engine::Effect& effect : effects) {
    if (const auto* start = std::get_if<engine::StartLeaf>(&effect)) {
      start_leaf(uid, start->leaf);
    } else if (const auto* stop = std::get_if<engine::CancelLeaf>(&effect)) {
      cancel(key_of(uid, stop->leaf));
    } else if (const auto* timer = std::get_if<engine::SetTimer>(&effect)) {
      timers_.push_back({.at = timer->at, .uid = uid, .timer = timer->timer});
    }
  }
}

void Replica::start_leaf(const std::string& uid, const engine::LeafId& leaf) {
  const engine::Node& node = runs_.at(uid).engine->node(leaf.node);
  const std::string key = key_of(uid, leaf);
  if (node.type != "Pod") return send(uid, key, leaf, node.name);
  if (pods_.contains(key)) return;
  pods_[key] = {.uid = uid, .leaf = leaf, .node_name = node.name};
  create(key);
}

void Replica::create(const std::string& key) {
  const Pod& pod = pods_.at(key);
  const auto answer = std::make_shared<Cluster::Pod>();
  ports_.network.call(
      number_, Party::kCluster,
      [this, key, answer, uid = pod.uid, name = pod.node_name] {
        *answer = ports_.cluster.create(key, uid, name, ports_.agenda.now());
      },
      [this, key, answer, process = process_](bool is_answered) {
        if (process != process_ || !is_answered) return;
        guard([this, key, answer] {
          const auto found = pods_.find(key);
          if (found == pods_.end()) return;
          found->second.is_there = true;
          saw(key, *answer);
        })();
      });
}

void Replica::send(const std::string& uid, const std::string& key, const engine::LeafId& leaf,
                   const std::string& node_name) {
  std::string shown = key;
  if (ports_.mutations.new_key_each_time) shown += "#" + std::to_string(++sent_ * 10 + number_);
  const auto end = std::make_shared<engine::LeafFinished>();
  const auto told = [=, this, process = process_](bool is_answered) {
    if (process != process_) return;
    guard([=, this] {
      if (!runs_.contains(uid)) return;
      if (!is_answered) return send(uid, key, leaf, node_name);
      end->leaf = leaf;
      end->started_at = end->finished_at = wall_now();
      inbox_.push_back({.uid = uid, .key = key, .body = *end, .is_pod = false});
    })();
  };
  ports_.network.call(
      number_, Party::kWorld, [=, this] { *end = ports_.cluster.receive(shown, uid, node_name); },
      told);
}

void Replica::cancel(const std::string& key) {
  ports_.network.call(
      number_, Party::kCluster, [this, key] { ports_.cluster.remove(key, ports_.agenda.now()); },
      [](bool) {});
}

void Replica::forget_pods(const std::string& uid) {
  std::erase_if(pods_, [&](const auto& entry) { return entry.second.uid == uid; });
}

void Replica::saw(const std::string& key, const Cluster::Pod& seen) {
  Pod& pod = pods_.at(key);
  const bool has_ended = seen.has_ended(ports_.agenda.now());
  if (!has_ended && !std::exchange(pod.is_told_running, true)) {
    const engine::LeafRunning running{.leaf = pod.leaf, .started_at = seen.started_at};
    inbox_.push_back({.uid = pod.uid, .key = key, .body = running, .is_pod = true});
  }
  if (has_ended && !std::exchange(pod.is_told_end, true)) {
    engine::LeafFinished end = seen.outcome;
    end.leaf = pod.leaf;
    inbox_.push_back({.uid = pod.uid, .key = key, .body = end, .is_pod = true});
  }
}

void Replica::acknowledge(const std::string& key) {
  pods_.erase(key);
  releases_.insert(key);
}

Routine<bool> Replica::watch() {
  for (;;) {
    co_await sleep(kWatch);
    std::vector<std::string> keys;
    for (const auto& [key, pod] : pods_) {
      if (!pod.is_there) create(key);
      if (pod.is_there && !pod.is_told_end) keys.push_back(key);
    }
    for (const std::string& key : releases_) {
      ports_.network.call(
          number_, Party::kCluster, [this, key] { ports_.cluster.release(key); },
          [this, key, process = process_](bool is_answered) {
            if (is_answered && process == process_) releases_.erase(key);
          });
    }
    if (keys.empty()) continue;
    using Pods = std::map<std::string, Cluster::Pod>;
    const std::function<Pods()> serve = [this, keys] {
      Pods out;
      for (const std::string& key : keys) out.emplace(key, *ports_.cluster.find(key));
      return out;
    };
    const std::optional<Pods> seen = co_await ask(Party::kCluster, serve);
    if (!seen) continue;
    for (const auto& [key, pod] : *seen) {
      if (pods_.contains(key)) saw(key, pod);
    }
  }
  co_return true;
}

// As PgLeases::beat().
Routine<bool> Replica::beat() {
  const std::function<bool()> renew = [this, engine = engine_] {
    return ports_.database.leases().renew(engine, place_, ports_.agenda.now(), expiry());
  };
  for (;;) {
    co_await sleep({kLease.ns / 5});
    const std::int64_t begun = boot_now().ns;
    const std::optional<bool> was_alive = co_await ask(Party::kStore, renew);
    if (!was_alive) continue;
    if (!*was_alive) must_ask_ = true;
    valid_until_ = lease::valid_until(begun, kLease);
  }
  co_return true;
}

}  // namespace tiphys::sim
