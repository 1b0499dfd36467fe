#include "runtime/lookup.h"

#include <fmt/format.h>

#include <memory>
#include <mutex>
#include <utility>

#include "store/open.h"
#include "store/secrets.h"
#include "value/json.h"

namespace tiphys::runtime {

namespace {

/// The store for the executors' threads. A connection to a server is kept, since making one costs
/// more than a question; it is also what waits for a server that is started anew.
class Reader {
 public:
  explicit Reader(std::string address) : address_(std::move(address)) {}
  diag::Result<value::Value> config_map(const std::string& name_space, const std::string& name) {
    const std::lock_guard lock(mutex_);
    if (store_ == nullptr) {
      TRY(store_, store::open(address_));
    }
    const auto row = store_->find_object("ConfigMap", name_space, name);
    if (!store_->has_leases()) store_.reset();
    if (!row) return std::unexpected(row.error());
    return value::parse_json(row->json);
  }

 private:
  std::string address_;
  std::mutex mutex_;
  std::unique_ptr<store::Store> store_;
};

diag::Result<std::string> config_map_value(Reader& reader, const std::string& name_space,
                                           const std::string& name, const std::string& key) {
  TRY(const value::Value object, reader.config_map(name_space, name));
  const value::Value& found = object["data"][key];
  if (found.is_string()) return found.as_string();
  return diag::fail(diag::Code::kNotFound,
                    fmt::format("couldn't find key {} in ConfigMap {}/{}", key, name_space, name));
}

using Entries = executor::Lookup::Entries;

diag::Result<Entries> config_map_entries(Reader& reader, const std::string& name_space,
                                         const std::string& name) {
  TRY(const value::Value object, reader.config_map(name_space, name));
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
  const auto reader = std::make_shared<Reader>(config.store_address());
  return {
      .secret =
          [secrets_path](const std::string& name_space, const std::string& name,
                         const std::string& key) {
            return store::Secrets(secrets_path).find(name_space, name, key);
          },
      .config_map =
          [reader](const std::string& name_space, const std::string& name, const std::string& key) {
            return config_map_value(*reader, name_space, name, key);
          },
      .secret_entries =
          [secrets_path](const std::string& name_space, const std::string& name) {
            return secret_entries(store::Secrets(secrets_path), name_space, name);
          },
      .config_map_entries =
          [reader](const std::string& name_space, const std::string& name) {
            return config_map_entries(*reader, name_space, name);
          },
  };
}

}  // namespace tiphys::runtime
