#include "lint/walk.h"

#include "spec/json_pointer.h"
#include "spec/schema.h"

namespace tiphys::lint {

using value::Value;

namespace {

void walk_type(const Value& v, std::string_view type, const std::string& at,
               const VisitStruct& visit) {
  if (type.starts_with('*')) type.remove_prefix(1);
  if (type == "P") type = "[]v1alpha1.WorkflowStep";
  if (type.starts_with("[]")) {
    std::size_t i = 0;
    for (const Value& element : v.list()) {
      walk_type(element, type.substr(2), spec::pointer_to(at, i++), visit);
    }
  } else if (type.starts_with("{}")) {
    for (const auto& [key, member] : v.map()) {
      walk_type(member, type.substr(2), spec::pointer_to(at, key), visit);
    }
  } else {
    walk_structs(v, type, at, visit);
  }
}

}  // namespace

void walk_structs(const Value& v, std::string_view type, const std::string& at,
                  const VisitStruct& visit) {
  const spec::Fields* fields = spec::fields_of(type);
  if (fields == nullptr || !v.is_map()) return;
  visit(v, type, at);
  for (const auto& [name, member] : v.map()) {
    if (const spec::Field* field = spec::find_field(*fields, name)) {
      walk_type(member, field->type, spec::pointer_to(at, name), visit);
    }
  }
}

}  // namespace tiphys::lint
