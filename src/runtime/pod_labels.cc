#include "runtime/pod_labels.h"

#include <fmt/format.h>

#include "spec/named.h"
#include "tag/substitute.h"

namespace tiphys::runtime {

namespace {

using value::Value;

const Value& spec_of(const engine::Definition& d, bool is_cluster, std::string_view name) {
  static const Value kNone;
  const std::string_view kind = is_cluster ? "ClusterWorkflowTemplate" : "WorkflowTemplate";
  for (const Value& object : d.templates.list()) {
    if (object["kind"].string_or("") != kind) continue;
    if (object["metadata"]["name"].string_or("") == name) return object["spec"];
  }
  return kNone;
}

}  // namespace

const Value& template_of(const engine::Definition& d, const Value& node) {
  const Value& ref = node["templateRef"];
  if (ref.is_map()) {
    const Value& spec = spec_of(d, ref["clusterScope"].bool_or(false), ref["name"].string_or(""));
    return spec::named(spec["templates"], ref["template"].string_or(""));
  }
  const std::string_view scope = node["templateScope"].string_or("");
  const std::string_view name = node["templateName"].string_or("");
  const std::string_view holder = scope.substr(scope.find('/') + 1);
  if (scope.starts_with("cluster/"))
    return spec::named(spec_of(d, true, holder)["templates"], name);
  if (scope.starts_with("namespaced/"))
    return spec::named(spec_of(d, false, holder)["templates"], name);
  return spec::named(d.workflow["spec"]["templates"], name);
}

namespace {

void add_parameters(vars::MapScope& scope, const Value& list, std::string_view prefix) {
  for (const Value& p : list.list()) {
    const Value& v = p["value"].is_null() ? p["default"] : p["value"];
    if (!v.is_null()) scope.set(fmt::format("{}{}", prefix, p["name"].string_or("")), v);
  }
}

}  // namespace

spec::Labels pod_labels(const engine::Definition& d, const Value& node) {
  const Value& metadata = d.workflow["metadata"];
  const Value& spec = d.workflow["spec"];
  vars::MapScope scope;
  for (const char* field : {"name", "namespace", "uid"}) {
    scope.set(fmt::format("workflow.{}", field), metadata[field]);
  }
  add_parameters(scope, spec["arguments"]["parameters"], "workflow.parameters.");
  add_parameters(scope, node["inputs"]["parameters"], "inputs.parameters.");
  spec::Labels labels;
  const Value& body = template_of(d, node);
  for (const Value* from :
       {&spec["podMetadata"]["labels"], &spec["templateDefaults"]["metadata"]["labels"],
        &body["metadata"]["labels"]}) {
    const auto replaced = tag::substitute(*from, scope, {});
    for (const auto& [key, text] : spec::labels_of(replaced ? *replaced : *from)) {
      labels.insert_or_assign(key, text);
    }
  }
  labels.insert_or_assign("workflows.argoproj.io/workflow",
                          std::string(metadata["name"].string_or("")));
  labels.insert_or_assign("workflows.argoproj.io/completed",
                          node["finishedAt"].is_string() ? "true" : "false");
  return labels;
}

}  // namespace tiphys::runtime
