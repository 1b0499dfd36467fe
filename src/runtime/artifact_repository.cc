#include "runtime/artifact_repository.h"

#include <fmt/format.h>

#include "spec/yaml_reader.h"
#include "tag/substitute.h"
#include "value/json.h"

namespace tiphys::runtime {

namespace {

using value::List;
using value::Map;
using value::Value;

constexpr const char* kDefaultMap = "artifact-repositories";
constexpr const char* kController = "workflow-controller-configmap";
constexpr const char* kDefaultKey = "workflows.argoproj.io/default-artifact-repository";
constexpr const char* kStores[] = {"s3", "gcs", "oss", "azure"};

// What `ref` names in one ConfigMap, or null when that has no such key.
diag::Result<Value> entry_of(const Value& config_map, std::string key) {
  if (key.empty()) key = config_map["metadata"]["annotations"][kDefaultKey].string_or("");
  const Value& text = config_map["data"][key];
  if (!text.is_string()) return Value();
  TRY(const spec::YamlDocument document, spec::read_yaml(text.as_string(), {.file = key}));
  return document.value;
}

diag::Result<Value> object_of(store::Store& store, const std::string& name_space,
                              const std::string& name) {
  auto row = store.find_object("ConfigMap", name_space, name);
  if (!row && row.error().code == diag::Code::kNotFound) return Value();
  if (!row) return std::unexpected(row.error());
  return value::parse_json(row->json);
}

const char* store_of(const Value& location) {
  for (const char* kind : kStores) {
    if (location[kind].is_map()) return kind;
  }
  return nullptr;
}

std::string_view key_of(const Value& store) {
  const std::string_view key = store["key"].string_or("");
  return key.empty() ? store["blob"].string_or("") : key;
}

// Fields of the repository that the artifact's own location does not have.
Value relocated(const Value& own, const Value& repository) {
  Map merged = own.map();
  for (const auto& [field, v] : repository.map()) {
    const bool is_key = field == "key" || field == "keyFormat" || field == "blobNameFormat";
    if (!is_key && merged.find(field) == nullptr) merged.set(field, v);
  }
  return merged;
}

// An artifact with a key and nothing else is in the repository's bucket.
Value relocated_artifact(const Value& artifact, const Value& repository) {
  const char* const kind = store_of(artifact);
  if (kind == nullptr || key_of(artifact[kind]).empty() || !repository[kind].is_map()) {
    return artifact;
  }
  const bool has_own = !artifact[kind]["bucket"].string_or("").empty() ||
                       !artifact[kind]["container"].string_or("").empty();
  if (has_own) return artifact;
  Map changed = artifact.map();
  changed.set(kind, relocated(artifact[kind], repository[kind]));
  return changed;
}

Value relocated_artifacts(const Value& exchange, const Value& repository) {
  List artifacts;
  for (const Value& a : exchange["artifacts"].list()) {
    artifacts.push_back(relocated_artifact(a, repository));
  }
  Map changed = exchange.map();
  changed.set("artifacts", std::move(artifacts));
  return changed;
}

// archiveLocation with the repository's store, its keyFormat being the folder of all artifacts.
diag::Result<Value> with_location(const Value& own, const Value& repository,
                                  const vars::Scope& variables) {
  const char* const kind = store_of(repository);
  if (kind == nullptr) return own;
  if (const char* const given = store_of(own); given != nullptr) {
    const bool is_bare = own[given]["bucket"].string_or("").empty() && repository[given].is_map();
    if (!is_bare) return own;
    Map changed = own.map();
    changed.set(given, relocated(own[given], repository[given]));
    return changed;
  }
  Map store = relocated(Map(), repository[kind]).map();
  for (const char* field : {"keyFormat", "blobNameFormat"}) {
    const std::string_view format = repository[kind][field].string_or("");
    if (format.empty()) continue;
    TRY(std::string key, tag::substitute(format, variables, {.all = true}));
    store.set(kind == std::string_view("azure") ? "blob" : "key", std::move(key));
  }
  Map changed = own.map();
  changed.set(kind, std::move(store));
  return changed;
}

}  // namespace

diag::Result<Value> find_repository(store::Store& store, const std::string& name_space,
                                    const Value& ref) {
  if (ref.is_map()) {
    const std::string name(ref["configMap"].string_or(kDefaultMap));
    const std::string key(ref["key"].string_or(""));
    TRY(const Value config_map, object_of(store, name_space, name));
    TRY(Value entry, entry_of(config_map, key));
    if (entry.is_map()) return entry;
    return diag::fail(
        diag::Code::kNotFound,
        fmt::format("failed to get artifact repository: ConfigMap '{}' has no key '{}'", name,
                    key));
  }
  TRY(const Value config_map, object_of(store, name_space, kDefaultMap));
  TRY(Value entry, entry_of(config_map, ""));
  if (entry.is_map()) return entry;
  TRY(const auto rows, store.list_objects("ConfigMap", ""));
  for (const store::ObjectRow& row : rows) {
    if (row.name != kController) continue;
    TRY(const Value controller, value::parse_json(row.json));
    return entry_of(controller, "artifactRepository");
  }
  return Value();
}

bool uses_artifacts(const Value& body) {
  return !body["inputs"]["artifacts"].list().empty() ||
         !body["outputs"]["artifacts"].list().empty() || body["archiveLocation"].is_map() ||
         body["data"].is_map();
}

diag::Result<Value> with_repository(const Value& body, const Value& repository,
                                    const vars::Scope& variables) {
  if (!repository.is_map()) return body;
  Map changed = body.map();
  for (const char* exchange : {"inputs", "outputs"}) {
    if (body[exchange]["artifacts"].list().empty()) continue;
    changed.set(exchange, relocated_artifacts(body[exchange], repository));
  }
  if (body["data"]["source"]["artifactPaths"].is_map()) {
    Map data = body["data"].map();
    data.set("source",
             Map{{"artifactPaths",
                  relocated_artifact(body["data"]["source"]["artifactPaths"], repository)}});
    changed.set("data", std::move(data));
  }
  TRY(Value location, with_location(body["archiveLocation"], repository, variables));
  const Value& archives = repository["archiveLogs"];
  if (archives.is_bool() && !location["archiveLogs"].is_bool()) {
    Map with_logs = location.map();
    with_logs.set("archiveLogs", archives);
    location = std::move(with_logs);
  }
  if (location.is_map()) changed.set("archiveLocation", std::move(location));
  return changed;
}

}  // namespace tiphys::runtime
