#include "spec/template.h"

#include <array>
#include <utility>

namespace tiphys::spec {

namespace {

constexpr std::array<std::pair<const char*, TemplateKind>, 10> kKinds = {{
    {"container", TemplateKind::kContainer},
    {"containerSet", TemplateKind::kContainerSet},
    {"script", TemplateKind::kScript},
    {"resource", TemplateKind::kResource},
    {"data", TemplateKind::kData},
    {"http", TemplateKind::kHttp},
    {"plugin", TemplateKind::kPlugin},
    {"suspend", TemplateKind::kSuspend},
    {"steps", TemplateKind::kSteps},
    {"dag", TemplateKind::kDag},
}};

void decode_rules(Template& t) {
  constexpr const char* kDisplayName = "workflows.argoproj.io/display-name";
  const value::Value& raw = t.raw;
  if (!raw["inputs"].is_null()) t.inputs = std::make_shared<const value::Value>(raw["inputs"]);
  const std::string_view shown = raw["metadata"]["annotations"][kDisplayName].string_or("");
  t.display_name = raw["annotations"][kDisplayName].string_or(shown);
  t.is_daemon = raw["daemon"].bool_or(false);
  t.has_outputs = !raw["outputs"].map().empty();
  t.has_retry_strategy = raw["retryStrategy"].is_map();
  t.has_synchronization = raw["synchronization"].is_map();
  t.has_memoize = raw["memoize"].is_map();
  t.has_deadline = !raw["activeDeadlineSeconds"].is_null() || !raw["timeout"].is_null() ||
                   !raw["pendingTimeout"].is_null();
}

}  // namespace

NodeType node_type_of(TemplateKind kind) {
  switch (kind) {
    case TemplateKind::kSteps:
      return "Steps";
    case TemplateKind::kDag:
      return "DAG";
    case TemplateKind::kSuspend:
      return "Suspend";
    case TemplateKind::kHttp:
      return "HTTP";
    case TemplateKind::kPlugin:
      return "Plugin";
    case TemplateKind::kNone:
    case TemplateKind::kContainer:
    case TemplateKind::kContainerSet:
    case TemplateKind::kScript:
    case TemplateKind::kResource:
    case TemplateKind::kData:
      return "Pod";
  }
  return "Pod";
}

std::shared_ptr<const Template> decode_template(const value::Value& raw) {
  auto result = std::make_shared<Template>();
  result->raw = raw;
  result->name = raw["name"].string_or("");
  for (const auto& [field, kind] : kKinds) {
    if (!raw[field].is_null()) result->kind = kind;
  }
  for (const value::Value& group : raw["steps"].list()) {
    std::vector<Step> steps;
    for (const value::Value& step : group.list()) steps.push_back(decode_step(step));
    result->steps.push_back(std::move(steps));
  }
  const value::Value& dag = raw["dag"];
  for (const value::Value& task : dag["tasks"].list()) {
    result->dag.tasks.push_back(decode_step(task));
  }
  result->dag.target = dag["target"].string_or("");
  result->dag.fail_fast = dag["failFast"].bool_or(true);
  decode_rules(*result);
  return result;
}

}  // namespace tiphys::spec
