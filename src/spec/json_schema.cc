#include "spec/json_schema.h"

#include <deque>
#include <set>
#include <string>

#include "spec/schema.h"

namespace tiphys::spec {

namespace {

using value::List;
using value::Map;
using value::Value;

constexpr const char* kKinds[] = {"Workflow",     "WorkflowTemplate",     "ClusterWorkflowTemplate",
                                  "CronWorkflow", "WorkflowEventBinding", "Secret",
                                  "ConfigMap",    "PersistentVolumeClaim"};

Value of_type(const char* type) { return Map{{"type", type}}; }

Value of_types(List types) { return Map{{"type", std::move(types)}}; }

/// The schema of a field's type; structs are referred to and put into `open`.
Value schema_of(TypeCode type, std::deque<std::string>& open) {
  if (type.starts_with('*')) return schema_of(type.substr(1), open);
  if (type.starts_with("[]")) {
    return Map{{"type", "array"}, {"items", schema_of(type.substr(2), open)}};
  }
  if (type.starts_with("{}")) {
    return Map{{"type", "object"}, {"additionalProperties", schema_of(type.substr(2), open)}};
  }
  if (type == "P") return schema_of("[]v1alpha1.WorkflowStep", open);
  if (type.find('.') != TypeCode::npos) {
    open.emplace_back(type);
    return Map{{"$ref", "#/definitions/" + std::string(type)}};
  }
  if (type == "s" || type == "D" || type == "B") return of_type("string");
  if (type == "T") return Map{{"type", "string"}, {"format", "date-time"}};
  if (type == "b") return of_type("boolean");
  if (type == "i" || type == "n") return of_type("integer");
  if (type == "f" || type == "M") return of_type("number");
  if (type == "A") return of_types({"string", "number", "boolean"});
  if (type == "X") return of_types({"integer", "string"});
  if (type == "Q") return of_types({"string", "number"});
  if (type == "E") return of_type("object");
  return Map{};  // anything
}

Value definition_of(const Fields& fields, std::deque<std::string>& open) {
  Map properties;
  for (const Field& field : fields) {
    properties.set(std::string(field.name), schema_of(field.type, open));
  }
  return Map{
      {"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
}

}  // namespace

Value json_schema() {
  List kinds;
  List choices;
  std::deque<std::string> open;
  for (const char* kind : kKinds) {
    kinds.emplace_back(kind);
    const std::string type(type_of_kind(kind));
    open.push_back(type);
    Value is_kind =
        Map{{"properties", Map{{"kind", Map{{"const", kind}}}}}, {"required", List{"kind"}}};
    choices.emplace_back(
        Map{{"if", std::move(is_kind)}, {"then", Map{{"$ref", "#/definitions/" + type}}}});
  }
  Map definitions;
  std::set<std::string> done;
  for (; !open.empty(); open.pop_front()) {
    const std::string type = open.front();
    const Fields* fields = fields_of(type);
    if (fields == nullptr || !done.insert(type).second) continue;
    definitions.set(type, definition_of(*fields, open));
  }
  return Map{{"$schema", "http://json-schema.org/draft-07/schema#"},
             {"title", "Manifests of Argo Workflows v4.1.2"},
             {"type", "object"},
             {"required", List{"kind"}},
             {"properties", Map{{"kind", Map{{"enum", std::move(kinds)}}}}},
             {"allOf", std::move(choices)},
             {"definitions", std::move(definitions)}};
}

}  // namespace tiphys::spec
