#include "runtime/lookup.h"

#include <fmt/format.h>

#include "store/open.h"
#include "store/secrets.h"
#include "value/json.h"

namespace tiphys::runtime {

namespace {

diag::Result<std::string> config_map_value(const Config& config, const std::string& name_space,
                                           const std::string& name, const std::string& key) {
  TRY(const auto store, store::open(config.store_address()));
  TRY(const store::ObjectRow row, store->find_object("ConfigMap", name_space, name));
  TRY(const value::Value object, value::parse_json(row.json));
  const value::Value& found = object["data"][key];
  if (found.is_string()) return found.as_string();
  return diag::fail(diag::Code::kNotFound,
                    fmt::format("couldn't find key {} in ConfigMap {}/{}", key, name_space, name));
}

using Entries = executor::Lookup::Entries;

diag::Result<Entries> config_map_entries(const Config& config, const std::string& name_space,
                                         const std::string& name) {
  TRY(const auto store, store::open(config.store_address()));
  TRY(const store::ObjectRow row, store->find_object("ConfigMap", name_space, name));
  TRY(const value::Value object, value::parse_json(row.json));
  Entries entries;
  for (const auto& [key, v] : object["data"].map()) entries.emplace_back(key, v.string_or(""));
  return entries;
}

diag::Result<Entries> secret_entries(const store::Secrets& secrets, const std::string& name_space,
                                     const std::string& name) {
  TRY(const auto infos, secrets.list(name_space));
  for (const store::SecretInfo& info : infos) {
    if (info.name != name) continue;
    Entries entries;
    for (const std::string& key : info.keys) {
      TRY(std::string bytes, secrets.find(name_space, name, key));
      entries.emplace_back(key, std::move(bytes));
    }
    return entries;
  }
  return diag::fail(diag::Code::kNotFound, fmt::format("secrets \"{}\" not found", name));
}

}  // namespace

executor::Lookup make_lookup(const Config& config) {
  const std::string secrets_path = config.secrets_path();
  return {
      .secret =
          [secrets_path](const std::string& name_space, const std::string& name,
                         const std::string& key) {
            return store::Secrets(secrets_path).find(name_space, name, key);
          },
      .config_map =
          [config](const std::string& name_space, const std::string& name, const std::string& key) {
            return config_map_value(config, name_space, name, key);
          },
      .secret_entries =
          [secrets_path](const std::string& name_space, const std::string& name) {
            return secret_entries(store::Secrets(secrets_path), name_space, name);
          },
      .config_map_entries =
          [config](const std::string& name_space, const std::string& name) {
            return config_map_entries(config, name_space, name);
          },
  };
}

}  // namespace tiphys::runtime
