#include "runtime/plugins.h"

#include <algorithm>

#include "executor/plugin_executor.h"
#include "observe/log.h"
#include "spec/yaml_reader.h"
#include "store/open.h"
#include "value/json.h"

namespace tiphys::runtime {

namespace {

using executor::PluginManifest;
using value::Map;
using value::Value;

constexpr const char* kTypeLabel = "workflows.argoproj.io/configmap-type";
constexpr std::string_view kSuffix = "-executor-plugin";

// What `argo executor-plugin build` has made a ConfigMap of; null for other ConfigMaps.
diag::Result<Value> plugin_in_config_map(const Value& config_map) {
  if (config_map["metadata"]["labels"][kTypeLabel].string_or("") != "ExecutorPlugin") {
    return Value();
  }
  std::string name(config_map["metadata"]["name"].string_or(""));
  if (name.ends_with(kSuffix)) name.resize(name.size() - kSuffix.size());
  TRY(const spec::YamlDocument container,
      spec::read_yaml(config_map["data"]["sidecar.container"].string_or(""), {.file = name}));
  return Value(Map{{"metadata", Map{{"name", name}}},
                   {"spec", Map{{"sidecar", Map{{"container", container.value}}}}}});
}

diag::Result<PluginManifest> manifest_of(const store::ObjectRow& row) {
  TRY(Value object, value::parse_json(row.json));
  if (row.kind == "ConfigMap") {
    TRY(object, plugin_in_config_map(object));
    if (object.is_null()) return PluginManifest();
  }
  return executor::plugin_manifest(object, row.name_space);
}

std::vector<PluginManifest> find_all(const Config& config, const std::string& name_space) {
  std::vector<PluginManifest> found;
  const auto store = store::open(config.store_address());
  if (!store) return found;
  for (const char* kind : {"ExecutorPlugin", "ConfigMap"}) {
    const auto rows = (*store)->list_objects(kind, name_space);
    if (!rows) continue;
    for (const store::ObjectRow& row : *rows) {
      auto manifest = manifest_of(row);
      if (!manifest) {
        observe::log(observe::LogLevel::kWarn, "an executor plugin cannot be used",
                     {{"name", row.name}, {"error", manifest.error().message}});
      } else if (!manifest->name.empty() &&
                 std::ranges::find(found, manifest->name, &PluginManifest::name) == found.end()) {
        found.push_back(std::move(*manifest));
      }
    }
  }
  std::ranges::sort(found, {}, &PluginManifest::name);
  return found;
}

}  // namespace

std::function<std::vector<PluginManifest>(const std::string& name_space)> stored_plugins(
    const Config& config) {
  return [config](const std::string& name_space) { return find_all(config, name_space); };
}

}  // namespace tiphys::runtime
