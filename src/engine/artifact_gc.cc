#include "engine/artifact_gc.h"

#include <algorithm>

namespace tiphys::engine {

namespace {

using value::List;
using value::Map;
using value::Value;

std::string_view strategy_of(const Machine& m, const Value& artifact) {
  const std::string_view own = artifact["artifactGC"]["strategy"].string_or("");
  return own.empty() ? m.spec["artifactGC"]["strategy"].string_or("") : own;
}

bool is_given_up(std::string_view strategy) {
  return strategy == kOnCompletion || strategy == kOnDeletion;
}

bool has_any(const Machine& m, const Library& library) {
  return std::ranges::any_of(library.templates, [&](const auto& entry) {
    const List& artifacts = entry.second.body->raw["outputs"]["artifacts"].list();
    return std::ranges::any_of(artifacts,
                               [&](const Value& a) { return is_given_up(strategy_of(m, a)); });
  });
}

bool is_processed(const Machine& m, std::string_view strategy) {
  return std::ranges::find(m.artifact_gc.processed, strategy) != m.artifact_gc.processed.end();
}

void set_processed(Machine& m, std::string_view strategy) {
  if (!is_processed(m, strategy)) m.artifact_gc.processed.emplace_back(strategy);
}

void mark_deleted(Machine& m, NodeIndex i, std::string_view name) {
  Node& n = m.at(i);
  Map outputs = n.outputs.map();
  List artifacts = n.outputs["artifacts"].list();
  for (Value& artifact : artifacts) {
    if (artifact["name"].string_or("") != name) continue;
    Map changed = artifact.map();
    changed.set("deleted", true);
    artifact = std::move(changed);
  }
  outputs.set("artifacts", std::move(artifacts));
  n.outputs = Value(std::move(outputs));
  m.touch(i);
}

}  // namespace

bool wants_artifact_gc(const Machine& m) {
  const auto has = [&m](const auto& entry) { return has_any(m, entry.second); };
  return has_any(m, m.local) || std::ranges::any_of(m.namespaced, has) ||
         std::ranges::any_of(m.cluster, has);
}

List garbage_of(const Machine& m, std::string_view strategy) {
  List garbage;
  if (!m.artifact_gc.is_wanted) return garbage;
  for (NodeIndex i = 0; i < m.nodes.size(); ++i) {
    const Node& n = m.at(i);
    if (n.type != "Pod") continue;
    for (const Value& artifact : n.outputs["artifacts"].list()) {
      if (artifact["deleted"].bool_or(false) || strategy_of(m, artifact) != strategy) continue;
      garbage.emplace_back(Map{{"node", static_cast<std::int64_t>(i)}, {"artifact", artifact}});
    }
  }
  return garbage;
}

void ask_for_artifact_gc(Machine& m) {
  if (!m.artifact_gc.is_wanted) return;
  if (garbage_of(m, kOnCompletion).empty()) return set_processed(m, kOnCompletion);
  m.effects->want(CollectArtifacts{.run = m.run, .strategy = std::string(kOnCompletion)});
}

bool is_collecting(const Machine& m) {
  return m.is_over && m.artifact_gc.is_wanted && !is_processed(m, kOnCompletion) &&
         !garbage_of(m, kOnCompletion).empty();
}

bool on_artifacts_collected(Machine& m, const ArtifactsCollected& event) {
  if (!m.is_over || event.run != m.run || !is_given_up(event.strategy)) return false;
  set_processed(m, event.strategy);
  for (const Value& result : event.results.list()) {
    const std::int64_t node = result["node"].int_or(-1);
    if (node < 0 || static_cast<std::size_t>(node) >= m.nodes.size()) continue;
    const std::string_view error = result["error"].string_or("");
    if (error.empty()) {
      mark_deleted(m, static_cast<NodeIndex>(node), result["name"].string_or(""));
    } else {
      m.artifact_gc.error = error;
    }
  }
  return true;
}

bool has_artifact_finalizer(const Machine& m) {
  if (!m.artifact_gc.is_wanted) return false;
  if (!m.is_over) return true;
  const bool is_forced = m.spec["artifactGC"]["forceFinalizerRemoval"].bool_or(false);
  if (is_forced && !m.artifact_gc.error.empty()) return false;
  return !garbage_of(m, kOnCompletion).empty() || !garbage_of(m, kOnDeletion).empty();
}

Value artifact_gc_status(const Machine& m) {
  if (!m.artifact_gc.is_wanted) return {};
  Map processed;
  for (const std::string& strategy : m.artifact_gc.processed) processed.set(strategy, true);
  Map status;
  if (!processed.empty()) status.set("strategiesProcessed", std::move(processed));
  return status;
}

}  // namespace tiphys::engine
