#include "engine/status.h"

#include <fmt/format.h>

#include "clock/rfc3339.h"
#include "engine/artifact_gc.h"
#include "engine/locks.h"
#include "engine/node_record.h"

namespace tiphys::engine {

namespace {

using value::List;
using value::Map;
using value::Value;

Value time_of(clock::Instant t) { return t.is_set() ? Value(clock::rfc3339(t)) : Value(); }

}  // namespace

Value node_status_of(const Machine& m, NodeIndex i) {
  std::string record;
  append_node_record(record, m, i);
  auto status = node_status_of_record(
      record, m.name, [&](NodeIndex n) -> std::string_view { return m.at(n).name; });
  CHECK(status);  // it was written here
  return std::move(*status);
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
  if (!m.artifact_gc.error.empty()) {
    conditions.emplace_back(
        Map{{"type", "ArtifactGCError"}, {"status", "True"}, {"message", m.artifact_gc.error}});
  }
  s.set("conditions", std::move(conditions));
  if (Value locks = synchronization_status(m); locks.is_map()) {
    s.set("synchronization", std::move(locks));
  }
  if (Value gc = artifact_gc_status(m); gc.is_map()) s.set("artifactGCStatus", std::move(gc));
  return s;
}

Value metadata_of(const Machine& m) {
  Map metadata = m.metadata.map();
  Map labels = metadata.find("labels") == nullptr ? Map() : metadata.find("labels")->map();
  if (m.has_begun) {
    labels.set("workflows.argoproj.io/phase", to_string(m.phase));
    if (m.is_over) labels.set("workflows.argoproj.io/completed", "true");
  }
  metadata.set("labels", std::move(labels));
  Map annotations =
      metadata.find("annotations") == nullptr ? Map() : metadata.find("annotations")->map();
  annotations.set("workflows.argoproj.io/pod-name-format", "v2");
  metadata.set("annotations", std::move(annotations));
  List finalizers = m.metadata["finalizers"].list();
  std::erase_if(finalizers, [](const Value& f) { return f.string_or("") == kArtifactFinalizer; });
  if (m.has_begun && has_artifact_finalizer(m)) {
    finalizers.emplace_back(std::string(kArtifactFinalizer));
  }
  if (finalizers.empty()) {
    metadata.erase("finalizers");
  } else {
    metadata.set("finalizers", std::move(finalizers));
  }
  return metadata;
}

}  // namespace tiphys::engine
