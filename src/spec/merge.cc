#include "spec/merge.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace tiphys::spec {

namespace {

using value::List;
using value::Map;
using value::Value;

// Lists whose elements Kubernetes and Argo merge by their `name`; all others are replaced whole.
constexpr std::array<std::string_view, 10> kMergedByName = {
    "templates",  "parameters",     "artifacts", "volumes",          "env",
    "containers", "initContainers", "sidecars",  "imagePullSecrets", "hostAliases"};

bool is_merged_by_name(std::string_view key) {
  return std::ranges::find(kMergedByName, key) != kMergedByName.end();
}

Value merge_named(const Value& low, const Value& high) {
  List merged = low.list();
  for (const Value& element : high.list()) {
    auto it = std::ranges::find_if(
        merged, [&](const Value& other) { return other["name"] == element["name"]; });
    if (it == merged.end()) {
      merged.push_back(element);
    } else {
      *it = strategic_merge(*it, element);
    }
  }
  return merged;
}

}  // namespace

Value strategic_merge(const Value& low, const Value& high) {
  if (high.is_null()) return low;
  if (!low.is_map() || !high.is_map()) return high;
  Map merged = low.map();
  for (const auto& [key, v] : high.map()) {
    const Value* other = merged.find(key);
    if (other == nullptr) {
      merged.set(key, v);
    } else if (v.is_list() && other->is_list() && is_merged_by_name(key)) {
      merged.set(key, merge_named(*other, v));
    } else {
      merged.set(key, strategic_merge(*other, v));
    }
  }
  return merged;
}

Value join_workflow_specs(const Value& workflow, const Value& workflow_template,
                          const Value& defaults) {
  auto overlay = [](const Value& low, const Value& high) {
    if (low.is_null()) return high;
    Value joined = strategic_merge(low, high);
    if (low["hooks"].is_null() && high["hooks"].is_null()) return joined;
    Map hooks = high["hooks"].map();  // a hook of the higher spec is taken whole
    for (const auto& [name, hook] : low["hooks"].map()) {
      if (hooks.find(name) == nullptr) hooks.set(name, hook);
    }
    Map with_hooks = joined.map();
    with_hooks.set("hooks", std::move(hooks));
    return Value(std::move(with_hooks));
  };
  return overlay(defaults, overlay(workflow_template, workflow));
}

Value validated_spec(const Value& workflow, const Value& defaults) {
  if (!workflow["workflowTemplateRef"].is_map()) return join_workflow_specs(workflow, {}, defaults);
  if (!defaults["workflowMetadata"].is_map()) return workflow;
  Map spec = workflow.map();
  spec.set("workflowMetadata",
           strategic_merge(defaults["workflowMetadata"], workflow["workflowMetadata"]));
  return Value(std::move(spec));
}

}  // namespace tiphys::spec
