#include "engine/status.h"

#include <fmt/format.h>

#include "clock/rfc3339.h"
#include "engine/daemon.h"
#include "engine/memoize.h"

namespace tiphys::engine {

namespace {

using value::List;
using value::Map;
using value::Value;

Value time_of(clock::Instant t) { return t.is_set() ? Value(clock::rfc3339(t)) : Value(); }

Value ids_of(const Machine& m, const std::vector<NodeIndex>& nodes) {
  List ids;
  for (const NodeIndex i : nodes) ids.emplace_back(m.at(i).id);
  return ids;
}

Value reference_of(const spec::TemplateRef& ref) {
  Map map{{"name", ref.name}, {"template", ref.template_name}};
  if (ref.cluster_scope) map.set("clusterScope", true);
  return map;
}

Value flag_of(const Node& n) {
  Map flag;
  if (n.hooked) flag.set("hooked", true);
  if (n.retried) flag.set("retried", true);
  return flag;
}

std::string progress_of(const Node& n) { return is_fulfilled(n.phase) ? "1/1" : "0/1"; }

}  // namespace

Value node_status_of(const Machine& m, NodeIndex i) {
  const Node& n = m.at(i);
  Map s{{"id", n.id}, {"name", n.name}, {"displayName", n.display_name}, {"type", n.type}};
  if (!n.template_name.empty()) s.set("templateName", n.template_name);
  if (n.template_ref.is_set()) s.set("templateRef", reference_of(n.template_ref));
  if (n.scope) s.set("templateScope", n.scope->label);
  s.set("phase", to_string(n.phase));
  if (n.boundary != kNoNode) s.set("boundaryID", m.at(n.boundary).id);
  if (!n.message.empty()) s.set("message", n.message);
  if (n.is_daemon && !is_fulfilled(n.phase)) {
    s.set("daemoned", true);
    s.set("podIP", kDaemonIp);
  }
  if (std::string_view(n.type) == "Pod" && n.phase != Phase::kPending && !is_cache_hit(n)) {
    s.set("hostNodeName", m.definition.host);
  }
  s.set("startedAt", time_of(n.started_at));
  s.set("finishedAt", time_of(n.finished_at));
  const std::string_view type = n.type;
  if (type == "Pod" || type == "HTTP" || type == "Suspend") s.set("progress", progress_of(n));
  if (!n.inputs.map().empty()) s.set("inputs", n.inputs);
  if (!n.outputs.map().empty()) s.set("outputs", n.outputs);
  if (!n.waits_for_lock.empty()) {
    s.set("synchronizationStatus", Map{{"waiting", n.waits_for_lock}});
  }
  if (n.memoization.is_map()) s.set("memoizationStatus", n.memoization);
  if (!n.children.empty()) s.set("children", ids_of(m, n.children));
  if (!n.outbound.empty()) s.set("outboundNodes", ids_of(m, n.outbound));
  if (n.has_flag || n.hooked || n.retried) s.set("nodeFlag", flag_of(n));
  return s;
}

Value workflow_status_of(const Machine& m) {
  Map s;
  if (!m.has_begun) return s;
  s.set("phase", to_string(m.phase));
  s.set("startedAt", time_of(m.started_at));
  s.set("finishedAt", time_of(m.finished_at));
  s.set("progress", fmt::format("{}/{}", m.progress_done, m.progress_all));
  if (!m.message.empty()) s.set("message", m.message);
  List parameters;
  for (const auto& [name, v] : m.output_parameters) {
    Map p{{"name", name}};
    if (!v.is_null()) p.set("value", v);
    parameters.emplace_back(std::move(p));
  }
  List artifacts;
  for (const auto& [name, v] : m.output_artifacts) artifacts.push_back(v);
  Map outputs;
  if (!parameters.empty()) outputs.set("parameters", std::move(parameters));
  if (!artifacts.empty()) outputs.set("artifacts", std::move(artifacts));
  if (!outputs.empty()) s.set("outputs", std::move(outputs));
  List conditions;
  conditions.emplace_back(
      Map{{"type", "PodRunning"}, {"status", m.active_leaves > 0 ? "True" : "False"}});
  if (m.is_over) conditions.emplace_back(Map{{"type", "Completed"}, {"status", "True"}});
  s.set("conditions", std::move(conditions));
  return s;
}

Value metadata_of(const Machine& m) {
  Map metadata = m.metadata.map();
  Map labels = metadata.find("labels") == nullptr ? Map() : metadata.find("labels")->map();
  for (const auto& [key, v] : m.spec["workflowMetadata"]["labels"].map()) labels.set(key, v);
  if (m.has_begun) {
    labels.set("workflows.argoproj.io/phase", to_string(m.phase));
    if (m.is_over) labels.set("workflows.argoproj.io/completed", "true");
  }
  metadata.set("labels", std::move(labels));
  Map annotations =
      metadata.find("annotations") == nullptr ? Map() : metadata.find("annotations")->map();
  for (const auto& [key, v] : m.spec["workflowMetadata"]["annotations"].map())
    annotations.set(key, v);
  annotations.set("workflows.argoproj.io/pod-name-format", "v2");
  metadata.set("annotations", std::move(annotations));
  return metadata;
}

}  // namespace tiphys::engine
