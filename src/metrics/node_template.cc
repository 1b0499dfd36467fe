#include "metrics/node_template.h"

#include <string_view>

namespace tiphys::metrics {

using value::Value;

Value node_template(const Value& node, const Value& workflow, const FindTemplate& find) {
  const Value& ref = node["templateRef"];
  if (ref.is_map()) {
    const bool is_cluster = ref["clusterScope"].bool_or(false);
    return find(is_cluster ? "ClusterWorkflowTemplate" : "WorkflowTemplate",
                std::string(ref["name"].string_or("")), std::string(ref["template"].string_or("")));
  }
  const std::string_view name = node["templateName"].string_or("");
  // A template of a stored holder calls its own by their bare names.
  const std::string_view scope = node["templateScope"].string_or("");
  const std::size_t slash = scope.find('/');
  const std::string_view kind = scope.substr(0, slash);
  if (slash != std::string_view::npos && (kind == "namespaced" || kind == "cluster")) {
    return find(kind == "cluster" ? "ClusterWorkflowTemplate" : "WorkflowTemplate",
                std::string(scope.substr(slash + 1)), std::string(name));
  }
  for (const Value& t : workflow["spec"]["templates"].list()) {
    if (!name.empty() && t["name"].string_or("") == name) return t;
  }
  return {};
}

}  // namespace tiphys::metrics
