#include "runtime/submit.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "clock/rfc3339.h"
#include "engine/engine.h"
#include "engine/node_record.h"
#include "metrics/resources_duration.h"
#include "notify/rule.h"
#include "runtime/definition.h"
#include "runtime/locks.h"
#include "runtime/new_names.h"
#include "runtime/ready_templates.h"
#include "spec/merge.h"
#include "value/json.h"

namespace tiphys::runtime {

namespace {

using value::List;
using value::Map;
using value::Value;

/// A stored or given template holder, by kind and name.
struct Finder {
  store::Store& store;
  const Submission& submission;
  std::string name_space;

  [[nodiscard]] Value find(const std::string& kind, const std::string& name) const {
    for (const Value& t : submission.templates) {
      if (t["kind"].string_or("") == kind && t["metadata"]["name"].string_or("") == name) return t;
    }
    return find_template(store, kind, name_space, name).value_or(Value());
  }
};

using Reference = std::pair<std::string, std::string>;  // kind, name

// Every templateRef inside `v`.
void collect_references(const Value& v, std::set<Reference>& out) {
  for (const Value& element : v.list()) collect_references(element, out);
  for (const auto& [key, element] : v.map()) {
    if (key == "templateRef" && element.is_map()) {
      out.emplace(
          element["clusterScope"].bool_or(false) ? "ClusterWorkflowTemplate" : "WorkflowTemplate",
          element["name"].string_or(""));
    }
    collect_references(element, out);
  }
}

// A name that holds a tag is known only when the workflow runs: then all templates have to be at
// hand.
void add_all_stored(const Finder& finder, std::set<Reference>& wanted) {
  for (const char* kind : {"WorkflowTemplate", "ClusterWorkflowTemplate"}) {
    for (const Value& t : finder.submission.templates) {
      if (t["kind"].string_or("") == kind)
        wanted.emplace(kind, t["metadata"]["name"].string_or(""));
    }
    auto rows = finder.store.list_objects(
        kind, std::string_view(kind) == "WorkflowTemplate" ? finder.name_space : "");
    if (!rows) continue;
    for (const store::ObjectRow& row : *rows) wanted.emplace(kind, row.name);
  }
}

Value reachable_templates(const Finder& finder, const Value& spec) {
  std::set<Reference> wanted;
  std::set<Reference> seen;
  List found;
  collect_references(spec, wanted);
  while (!wanted.empty()) {
    const Reference next = *wanted.begin();
    wanted.erase(wanted.begin());
    if (!seen.insert(next).second) continue;
    if (next.second.find("{{") != std::string::npos) {
      add_all_stored(finder, wanted);
      continue;
    }
    const Value holder = finder.find(next.first, next.second);
    if (holder.is_null()) continue;  // the engine says so when it gets there, as Argo does
    collect_references(holder["spec"], wanted);
    found.push_back(holder);
  }
  return found;
}

Value config_maps_for(store::Store& store, const Submission& submission,
                      const std::string& name_space, const std::string& spec_text) {
  Map maps;
  auto rows = store.list_objects("ConfigMap", name_space);
  if (rows) {
    for (const store::ObjectRow& row : *rows) {
      // Only what the spec may read is kept with the workflow.
      if (spec_text.find(row.name) == std::string::npos &&
          spec_text.find("configMapKeyRef") == std::string::npos) {
        continue;
      }
      if (auto object = value::parse_json(row.json)) maps.set(row.name, (*object)["data"]);
    }
  }
  for (const Value& given : submission.config_maps) {
    maps.set(std::string(given["metadata"]["name"].string_or("")), given["data"]);
  }
  return maps;
}

diag::Result<void> keep_objects(store::Store& store, const char* kind,
                                const std::vector<Value>& objects, const std::string& name_space,
                                clock::Instant now) {
  for (const Value& given : objects) {
    TRY_VOID(store.put_object({.kind = kind,
                               .name_space = name_space,
                               .name = std::string(given["metadata"]["name"].string_or("")),
                               .json = value::to_json(given),
                               .created_at = now}));
  }
  return {};
}

// The spec with what its workflowTemplateRef adds; `unresolved` says what Argo says of one that is
// not there.
diag::Result<Value> merged_spec(const Finder& finder, const Submission& submission,
                                std::string& unresolved, Map& annotations) {
  const Value& spec = submission.workflow["spec"];
  Value base;
  if (const Value& ref = spec["workflowTemplateRef"]; ref.is_map()) {
    const bool is_cluster = ref["clusterScope"].bool_or(false);
    const std::string name(ref["name"].string_or(""));
    const Value holder =
        finder.find(is_cluster ? "ClusterWorkflowTemplate" : "WorkflowTemplate", name);
    if (holder.is_null()) {
      if (!submission.may_be_unresolved) {
        return diag::fail(diag::Code::kNotFound,
                          fmt::format("{} '{}' not found; store it with 'tiphys {} create FILE'",
                                      is_cluster ? "ClusterWorkflowTemplate" : "WorkflowTemplate",
                                      name, is_cluster ? "cluster-template" : "template"));
      }
      unresolved = fmt::format("{}.argoproj.io \"{}\" not found",
                               is_cluster ? "clusterworkflowtemplate" : "workflowtemplate", name);
    }
    base = holder["spec"];
    for (const auto& [key, v] : holder["metadata"]["annotations"].map()) {
      if (key.starts_with(notify::kAnnotations)) annotations.set(key, v);
    }
  }
  return spec::join_workflow_specs(spec, base, submission.workflow_defaults["spec"]);
}

// `annotations`: those that the workflow has from its template.
diag::Result<Value> named_metadata(const Submission& submission, const std::string& name_space,
                                   Map annotations, clock::Instant now) {
  Map metadata = submission.workflow["metadata"].map();
  std::string name(submission.workflow["metadata"]["name"].string_or(""));
  if (name.empty()) {
    const std::string_view prefix = submission.workflow["metadata"]["generateName"].string_or("");
    if (prefix.empty()) {
      return diag::fail(diag::Code::kInvalidManifest,
                        "the workflow has neither metadata.name nor metadata.generateName");
    }
    name = generated_name(prefix);
  }
  const Value& defaults = submission.workflow_defaults["metadata"];
  for (const char* field : {"labels", "annotations"}) {
    const Value merged =
        spec::strategic_merge(defaults[field], submission.workflow["metadata"][field]);
    if (!merged.is_null()) metadata.set(field, merged);
  }
  if (!annotations.empty()) {
    for (const auto& [key, v] : Value(metadata)["annotations"].map()) annotations.set(key, v);
    metadata.set("annotations", std::move(annotations));
  }
  metadata.set("name", name);
  metadata.set("namespace", name_space);
  metadata.set("uid", new_uid());
  metadata.set("creationTimestamp", clock::rfc3339(now));
  return Value(std::move(metadata));
}

// status.nodes: NodeStatus by id.
diag::Result<Map> load_nodes(store::Store& store, const store::WorkflowRow& row) {
  TRY(const std::vector<store::NodeRow> rows, store.load_nodes(row.uid));
  std::vector<std::string> names;  // by index, of which there is one for each row
  for (const store::NodeRow& node : rows) {
    if (node.index != names.size()) {
      return diag::fail(diag::Code::kInternal,
                        fmt::format("the nodes of workflow '{}' are damaged", row.name));
    }
    TRY(names.emplace_back(), engine::name_of_record(node.record));
  }
  const auto name_of = [&](engine::NodeIndex i) -> std::string_view {
    return i < names.size() ? std::string_view(names[i]) : std::string_view();
  };
  Map nodes;
  for (const store::NodeRow& node : rows) {
    TRY(const Value v, engine::node_status_of_record(node.record, row.name, name_of));
    // Ids are unique by construction, and a set() would look at all that are there.
    nodes.entries().emplace_back(std::string(v["id"].string_or("")), v);
  }
  return nodes;
}

}  // namespace

diag::Result<store::WorkflowRow> submit(store::Store& store, const Submission& submission,
                                        clock::Instant now) {
  std::string name_space(submission.workflow["metadata"]["namespace"].string_or(""));
  if (name_space.empty()) name_space = "default";
  const Finder finder{store, submission, name_space};
  std::string unresolved;
  Map annotations;  // of the template: who subscribes to it
  TRY(const Value spec, merged_spec(finder, submission, unresolved, annotations));
  TRY(const Value metadata, named_metadata(submission, name_space, std::move(annotations), now));
  TRY_VOID(keep_objects(store, "ConfigMap", submission.config_maps, name_space, now));
  TRY_VOID(keep_objects(store, "ExecutorPlugin", submission.executor_plugins, name_space, now));
  engine::Definition definition;
  definition.workflow = Map{{"apiVersion", "argoproj.io/v1alpha1"},
                            {"kind", "Workflow"},
                            {"metadata", metadata},
                            {"spec", spec}};
  char host[256] = "localhost";
  if (::gethostname(host, sizeof host - 1) == 0) definition.host = host;
  definition.original = submission.original;
  definition.unresolved = std::move(unresolved);
  definition.invalid = submission.invalid;
  definition.templates = reachable_templates(finder, spec);
  const std::string text = value::to_json(spec) + value::to_json(definition.templates);
  definition.config_maps = config_maps_for(store, submission, name_space, text);
  const store::WorkflowRow row{
      .uid = std::string(metadata["uid"].string_or("")),
      .name_space = name_space,
      .name = std::string(metadata["name"].string_or("")),
      .created_at = now,
      .suspended = spec["suspend"].bool_or(false),
      .metadata_json = value::to_json(metadata, {.key_order = value::KeyOrder::kAsGiven}),
      .spec_json = value::to_json(spec, {.key_order = value::KeyOrder::kAsGiven}),
      .status_json = "{}",
  };
  TRY_VOID(
      store.create_workflow(row, {.uid = row.uid, .sequence = 1, .payload = to_json(definition)}));
  return row;
}

namespace {

Value stored_template(store::Store& store, const std::string& name_space, const std::string& kind,
                      const std::string& holder, const std::string& name) {
  const bool is_cluster = kind == "ClusterWorkflowTemplate";
  const auto row = store.find_object(kind, is_cluster ? "" : name_space, holder);
  const auto object =
      row ? value::parse_json(row->json) : diag::Result<Value>(std::unexpected(row.error()));
  if (!object) return {};
  for (const Value& t : (*object)["spec"]["templates"].list()) {
    if (t["name"].string_or("") == name) return t;
  }
  return {};
}

}  // namespace

metrics::FindTemplate template_finder(store::Store& store, std::string name_space) {
  return [&store, name_space = std::move(name_space)](
             const std::string& kind, const std::string& holder, const std::string& name) {
    return stored_template(store, name_space, kind, holder, name);
  };
}

diag::Result<Value> load_workflow_object(store::Store& store, const store::WorkflowRow& row) {
  TRY(const Value metadata, value::parse_json(row.metadata_json));
  TRY(const Value spec, value::parse_json(row.spec_json));
  TRY(const Value status, value::parse_json(row.status_json.empty() ? "{}" : row.status_json));
  TRY(Map nodes, load_nodes(store, row));
  Map with_nodes = status.map();
  if (!nodes.empty()) with_nodes.set("nodes", std::move(nodes));
  if (status["synchronization"].is_map()) {
    with_nodes.set("synchronization", with_holders(store, status["synchronization"]));
  }
  Map workflow{{"apiVersion", "argoproj.io/v1alpha1"},
               {"kind", "Workflow"},
               {"metadata", metadata},
               {"spec", spec},
               {"status", std::move(with_nodes)}};
  return metrics::with_resources_duration(Value(std::move(workflow)),
                                          template_finder(store, row.name_space));
}

}  // namespace tiphys::runtime
