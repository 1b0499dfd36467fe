#include "runtime/workflow_defaults.h"

#include <fmt/format.h>

#include "spec/decode.h"
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

// What the YAML holds, decoded. `positions`: null when they are not those of a file.
diag::Result<Value> decoded(const Value& v, const spec::Positions* positions, bool is_strict) {
  if (v.is_null()) return v;
  if (!v.is_map()) return diag::fail(diag::Code::kInvalidManifest, "workflowDefaults: want a map");
  std::vector<spec::Flaw> flaws;
  Value form = spec::decode_object(v, "v1alpha1.Workflow", {.is_strict = is_strict}, flaws);
  for (const spec::Flaw& flaw : flaws) {
    if (flaw.is_ignored) continue;
    diag::Error error{diag::Code::kInvalidManifest, "workflowDefaults: " + flaw.message, {}};
    if (!flaw.suggestion.empty()) error.message += "; " + flaw.suggestion;
    if (positions != nullptr) {
      error.at =
          flaw.is_unknown_field ? positions->key(flaw.pointer) : positions->value(flaw.pointer);
    }
    return std::unexpected(std::move(error));
  }
  return form;
}

}  // namespace

diag::Result<Value> read_workflow_defaults(std::string_view text, const std::string& file,
                                           bool is_strict) {
  TRY(const spec::YamlDocument document, spec::read_yaml(text, {.file = file}));
  return decoded(document.value, document.positions.get(), is_strict);
}

diag::Result<Value> find_workflow_defaults(store::Store& store,
                                           const std::vector<Value>& config_maps,
                                           const std::string& name_space) {
  TRY(const Value map, controller_map(store, config_maps, name_space));
  TRY(const Value own, yaml_in(map["data"], "workflowDefaults"));
  if (!own.is_null()) return decoded(own, nullptr, false);
  TRY(const Value config, yaml_in(map["data"], "config"));
  return decoded(config["workflowDefaults"], nullptr, false);
}

}  // namespace tiphys::runtime
