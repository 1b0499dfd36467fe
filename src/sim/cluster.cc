#include "sim/cluster.h"

#include <fmt/format.h>

#include "sim/random.h"

namespace tiphys::sim {

namespace {

std::uint64_t hash_of(std::uint64_t seed, std::string_view text) {
  std::uint64_t out = 1469598103934665603ULL ^ seed;  // FNV-1a
  for (const char c : text) out = (out ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return out;
}

}  // namespace

engine::LeafFinished outcome_of(std::uint64_t seed, const std::string& uid,
                                const std::string& node_name) {
  engine::LeafFinished out;
  Random random(hash_of(hash_of(seed, uid), node_name));
  const bool fails = random.chance(20);
  out.phase = fails ? engine::Phase::kFailed : engine::Phase::kSucceeded;
  out.message = fails ? "main: Error (exit code 1)" : "";
  out.exit_code = fails ? 1 : 0;
  return out;
}

const Cluster::Pod& Cluster::create(const std::string& key, const std::string& uid,
                                    const std::string& node_name, clock::Instant now) {
  if (const auto found = pods_.find(key); found != pods_.end()) {
    Pod& pod = found->second;
    if (pod.node_name != node_name) {
      complain(fmt::format("the pod {} of the node {} was asked for as that of {}", key,
                           pod.node_name, node_name));
    }
    if (mutations_.create_not_idempotent) ++pod.starts;
    if (pod.starts > 1) complain(fmt::format("the step {} of {} was run twice", node_name, uid));
    return pod;
  }
  if (is_end_stored_(key)) complain(fmt::format("{} was begun after its end", key));
  Pod pod{.node_name = node_name,
          .started_at = now,
          .ends_at = {},
          .outcome = outcome_of(seed_, uid, node_name)};
  const std::uint64_t time = hash_of(seed_ + 1, key) % 100;
  pod.ends_at = now + clock::Duration::milliseconds(
                          static_cast<std::int64_t>(time < 80 ? 20 + time * 30 : time * 400));
  pod.outcome.started_at = pod.started_at;
  pod.outcome.finished_at = pod.ends_at;
  return pods_.emplace(key, pod).first->second;
}

void Cluster::remove(const std::string& key, clock::Instant now) {
  const auto found = pods_.find(key);
  if (found == pods_.end() || found->second.has_ended(now)) return;
  Pod& pod = found->second;
  pod.is_deleted = true;
  pod.ends_at = now;
  pod.outcome.finished_at = now;
  pod.outcome.phase = engine::Phase::kError;
  pod.outcome.message = "pod deleted";
  pod.outcome.exit_code.reset();
}

void Cluster::release(const std::string& key) {
  const auto found = pods_.find(key);
  if (found == pods_.end()) return;
  found->second.is_released = true;
  if (!is_end_stored_(key))
    complain(fmt::format("the pod {} may go, and its end is nowhere else", key));
}

const Cluster::Pod* Cluster::find(const std::string& key) const {
  const auto found = pods_.find(key);
  return found == pods_.end() ? nullptr : &found->second;
}

engine::LeafFinished Cluster::receive(const std::string& key, const std::string& uid,
                                      const std::string& node_name) {
  auto& keys = requests_[uid + " " + node_name];
  keys.insert(key);
  if (keys.size() > 1)
    complain(fmt::format("the request of {} of {} came under two keys", node_name, uid));
  return outcome_of(seed_, uid, node_name);
}

}  // namespace tiphys::sim
