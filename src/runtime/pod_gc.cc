#include "runtime/pod_gc.h"

#include <filesystem>

#include "clock/go_duration.h"
#include "runtime/pod_labels.h"

namespace tiphys::runtime {

namespace {

using value::Value;

constexpr clock::Duration kDefaultDelay = clock::Duration::seconds(5);  // Argo's

bool is_failed(std::string_view phase) { return phase == "Failed" || phase == "Error"; }

}  // namespace

std::optional<PodGcRules> PodGcRules::from_spec(const Value& spec) {
  const Value& gc = spec["podGC"];
  PodGcRules rules;
  rules.strategy = gc["strategy"].string_or("");
  if (rules.strategy.empty()) return std::nullopt;
  auto selector = spec::Selector::from_object(gc["labelSelector"]);
  if (!selector) return std::nullopt;  // lint has refused it
  rules.selector = std::move(*selector);
  if (gc["deleteDelayDuration"].is_string()) {
    if (auto delay = clock::parse_go_duration(gc["deleteDelayDuration"].as_string())) {
      rules.delay = *delay;
    }
  }
  return rules;
}

bool PodGcRules::takes(const engine::Definition& definition, const Value& node,
                       std::string_view workflow_phase) const {
  if (node["type"].string_or("") != "Pod" || !node["finishedAt"].is_string()) return false;
  const bool is_over = workflow_phase == "Succeeded" || is_failed(workflow_phase);
  const bool goes = strategy == "OnPodCompletion" ||
                    (strategy == "OnPodSuccess" && node["phase"].string_or("") == "Succeeded") ||
                    (strategy == "OnWorkflowCompletion" && is_over) ||
                    (strategy == "OnWorkflowSuccess" && workflow_phase == "Succeeded");
  return goes && selector.matches(pod_labels(definition, node));
}

PodGc::~PodGc() {
  for (const auto& [at, item] : by_time_) {
    if (!item.has_delay) remove(item);
  }
}

bool PodGc::add(const std::string& uid, const engine::Engine& engine, engine::NodeIndex leaf,
                const PodGcRules& rules, clock::Instant now) {
  if (!rules.takes(engine.definition(), engine.node_status(leaf), engine.phase())) return false;
  by_time_.emplace(now + rules.delay.value_or(kDefaultDelay),
                   Item{.uid = uid,
                        .name_space = std::string(engine.metadata()["namespace"].string_or("")),
                        .pod = engine.leaf(leaf).pod_name,
                        .has_delay = rules.delay.has_value()});
  return true;
}

void PodGc::leaf_ended(const std::string& uid, const engine::Engine& engine, engine::NodeIndex leaf,
                       clock::Instant now) {
  if (leaf >= engine.node_count()) return;
  const auto rules = PodGcRules::from_spec(engine.spec());
  if (!rules || !rules->strategy.starts_with("OnPod")) return;
  if (!add(uid, engine, leaf, *rules, now)) return;
  std::vector<bool>& seen = seen_to_[uid];
  if (seen.size() <= leaf) seen.resize(engine.node_count());
  seen[leaf] = true;
}

void PodGc::workflow_ended(const std::string& uid, const engine::Engine& engine,
                           clock::Instant now) {
  const auto known = seen_to_.extract(uid);
  const auto is_seen_to = [&](engine::NodeIndex i) {
    return known && i < known.mapped().size() && known.mapped()[i];
  };
  const auto rules = PodGcRules::from_spec(engine.spec());
  if (!rules) return;
  for (engine::NodeIndex i = 0; i < engine.node_count(); ++i) {
    if (engine.node(i).type == "Pod" && !is_seen_to(i)) add(uid, engine, i, *rules, now);
  }
}

// A pod's logs are POD.log and POD.CONTAINER.log.
void PodGc::remove(const Item& item) const {
  if (on_remove_) on_remove_(item.name_space, item.pod);
  // A cluster's pods go; their logs are here, and stay.
  if (config_.executor == executor::ExecutorKind::kKubernetes) return;
  namespace fs = std::filesystem;
  const fs::path own = config_.log_path(item.uid, item.pod);
  std::error_code error;
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(own.parent_path(), error)) {
    if (entry.path().filename().native().starts_with(item.pod + ".")) found.push_back(entry.path());
  }
  for (const fs::path& path : found) fs::remove(path, error);
}

void PodGc::carry_out(clock::Instant now) {
  while (!by_time_.empty() && by_time_.begin()->first <= now) {
    remove(by_time_.begin()->second);
    by_time_.erase(by_time_.begin());
  }
}

std::optional<clock::Instant> PodGc::next() const {
  if (by_time_.empty()) return std::nullopt;
  return by_time_.begin()->first;
}

}  // namespace tiphys::runtime
