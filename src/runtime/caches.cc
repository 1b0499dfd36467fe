#include "runtime/caches.h"

#include <fmt/format.h>

#include <algorithm>

#include "clock/rfc3339.h"
#include "value/json.h"

namespace tiphys::runtime {

namespace {

using value::Map;
using value::Value;

constexpr const char* kTypeLabel = "workflows.argoproj.io/configmap-type";

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_valid_key(std::string_view key) {
  return !key.empty() && is_letter_or_digit(key[0]) &&
         std::ranges::all_of(key, [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

diag::Result<void> check_label(const Value& config_map) {
  const Value& label = config_map["metadata"]["labels"][kTypeLabel];
  if (!label.is_string()) {
    return diag::fail(
        diag::Code::kInvalidManifest,
        fmt::format("memoization configmap doesn't have {} label, refusing to use it", kTypeLabel));
  }
  if (label.as_string() != "Cache") {
    return diag::fail(
        diag::Code::kInvalidManifest,
        fmt::format("memoization configmap doesn't have label {} = Cache, refusing to use it",
                    kTypeLabel));
  }
  return {};
}

// The ConfigMap, or null when there is none yet.
diag::Result<Value> find_cache(store::Store& store, const std::string& name_space,
                               const std::string& name, const std::string& key) {
  if (!is_valid_key(key)) {
    return diag::fail(diag::Code::kInvalidManifest, "invalid cache key: " + key);
  }
  auto row = store.find_object("ConfigMap", name_space, name);
  if (!row) {
    if (row.error().code == diag::Code::kNotFound) return Value();
    return std::unexpected(row.error());
  }
  TRY(Value object, value::parse_json(row->json));
  TRY_VOID(check_label(object));
  return object;
}

diag::Result<void> put_entry(store::Store& store, const std::string& name_space,
                             const std::string& name, const std::string& key, Value config_map,
                             const Value& entry, clock::Instant now) {
  if (config_map.is_null()) {
    config_map = Map{{"apiVersion", "v1"},
                     {"kind", "ConfigMap"},
                     {"metadata", Map{{"name", name}, {"labels", Map{{kTypeLabel, "Cache"}}}}}};
  }
  Map data = config_map["data"].map();
  data.set(key, value::to_json(entry));
  Map object = config_map.map();
  object.set("data", std::move(data));
  return store.put_object({.kind = "ConfigMap",
                           .name_space = name_space,
                           .name = name,
                           .json = value::to_json(object),
                           .created_at = now});
}

}  // namespace

diag::Result<Value> look_up_cache(store::Store& store, const std::string& name_space,
                                  const engine::LookUpCache& what, clock::Instant now) {
  TRY(Value config_map, find_cache(store, name_space, what.cache, what.key));
  const std::string text(config_map["data"][what.key].string_or(""));
  if (text.empty()) return Value();
  auto entry = value::parse_json(text);
  if (!entry) {
    return diag::fail(diag::Code::kInvalidManifest,
                      "malformed cache entry: could not unmarshal JSON; unable to parse: " +
                          entry.error().message);
  }
  Map hit = entry->map();
  hit.set("lastHitTimestamp", clock::rfc3339(now));
  TRY_VOID(put_entry(store, name_space, what.cache, what.key, config_map, hit, now));
  return entry;
}

diag::Result<void> save_to_cache(store::Store& store, const std::string& name_space,
                                 const engine::SaveToCache& what, clock::Instant now) {
  TRY(Value config_map, find_cache(store, name_space, what.cache, what.key));
  Map entry{{"nodeID", what.node_id}};
  entry.set("outputs", what.outputs);
  entry.set("creationTimestamp", clock::rfc3339(now));
  entry.set("lastHitTimestamp", clock::rfc3339(now));
  return put_entry(store, name_space, what.cache, what.key, std::move(config_map), entry, now);
}

}  // namespace tiphys::runtime
