#include "runtime/workflow_defaults.h"

#include <fmt/format.h>

#include "spec/yaml_reader.h"
#include "value/json.h"

namespace tiphys::runtime {

namespace {

using value::Value;

constexpr const char* kController = "workflow-controller-configmap";

diag::Result<Value> controller_map(store::Store& store, const std::vector<Value>& config_maps,
                                   const std::string& name_space) {
  for (const Value& given : config_maps) {
    if (given["metadata"]["name"].string_or("") == kController) return given;
  }
  for (const std::string& space : {name_space, std::string("argo")}) {
    auto row = store.find_object("ConfigMap", space, kController);
    if (row) return value::parse_json(row->json);
    if (row.error().code != diag::Code::kNotFound) return std::unexpected(row.error());
  }
  TRY(const auto rows, store.list_objects("ConfigMap", ""));
  for (const store::ObjectRow& row : rows) {
    if (row.name == kController) return value::parse_json(row.json);
  }
  return Value();
}

diag::Result<Value> yaml_in(const Value& data, const char* key) {
  const Value& text = data[key];
  if (!text.is_string()) return Value();
  const std::string file = fmt::format("{}: {}", kController, key);
  TRY(const spec::YamlDocument document, spec::read_yaml(text.as_string(), {.file = file}));
  if (document.value.is_map() || document.value.is_null()) return document.value;
  return diag::fail(diag::Code::kInvalidManifest, fmt::format("{}: want a map", file));
}

}  // namespace

diag::Result<Value> find_workflow_defaults(store::Store& store,
                                           const std::vector<Value>& config_maps,
                                           const std::string& name_space) {
  TRY(const Value map, controller_map(store, config_maps, name_space));
  TRY(const Value own, yaml_in(map["data"], "workflowDefaults"));
  if (!own.is_null()) return own;
  TRY(const Value config, yaml_in(map["data"], "config"));
  return config["workflowDefaults"];
}

}  // namespace tiphys::runtime
