#include "notify/secrets_fill.h"

#include <utility>

namespace tiphys::notify {

namespace {

using value::List;
using value::Map;
using value::Value;

constexpr std::size_t kShortest = 4;

diag::Result<Value> filled(const Value& v, const SecretOf& secret,
                           std::vector<std::string>& secrets) {
  if (v.is_list()) {
    List list;
    for (const Value& element : v.list()) {
      TRY(Value f, filled(element, secret, secrets));
      list.push_back(std::move(f));
    }
    return Value(std::move(list));
  }
  if (!v.is_map()) return v;
  if (const Value& ref = v["secretKeyRef"]; ref.is_map() && v.map().size() == 1) {
    TRY(std::string text,
        secret(std::string(ref["name"].string_or("")), std::string(ref["key"].string_or(""))));
    secrets.push_back(text);
    return Value(std::move(text));
  }
  Map map;
  for (const auto& [key, member] : v.map()) {
    TRY(Value f, filled(member, secret, secrets));
    map.set(key, std::move(f));
  }
  return Value(std::move(map));
}

}  // namespace

diag::Result<Filled> fill_secrets(const Value& config, const SecretOf& secret) {
  Filled result;
  TRY(result.config, filled(config, secret, result.secrets));
  return result;
}

std::string redacted(std::string text, const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    if (secret.size() < kShortest) continue;
    for (std::size_t at = text.find(secret); at != std::string::npos;
         at = text.find(secret, at + 3)) {
      text.replace(at, secret.size(), "***");
    }
  }
  return text;
}

}  // namespace tiphys::notify
