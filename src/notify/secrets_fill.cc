#include "notify/secrets_fill.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "net/http_text.h"
#include "notify/channel/fields.h"
#include "notify/literal_secrets.h"
#include "value/json.h"

namespace tiphys::notify {

namespace {

using value::List;
using value::Map;
using value::Value;

constexpr std::size_t kShortest = 4;
constexpr std::size_t kPartShortest = 8;  // of what may be a word by itself

void add(std::string_view text, std::size_t shortest, std::vector<std::string>& out) {
  if (text.size() < shortest || std::ranges::find(out, text) != out.end()) return;
  out.emplace_back(text);
}

// A receiver that repeats what it was sent seldom has it as it was written.
void add_forms(const std::string& text, std::vector<std::string>& out) {
  add(text, kShortest, out);
  add(net::uri_encoded(text), kShortest, out);
  const std::string quoted = value::to_json(Value(text));
  add(std::string_view(quoted).substr(1, quoted.size() - 2), kShortest, out);
}

void add_secret(const std::string& text, std::vector<std::string>& out) {
  add_forms(text, out);
  if (const std::size_t scheme = text.find("://"); scheme != std::string::npos) {
    const std::size_t path = text.find_first_of("/?", scheme + 3);
    if (path == std::string::npos) return;
    const std::string behind = text.substr(path + 1);
    if (behind.size() >= kPartShortest) add_forms(behind, out);
    // The key is mostly the last part, or a parameter.
    for (const char mark : {'/', '=', '?'}) {
      const std::size_t at = behind.rfind(mark);
      const std::string last = at == std::string::npos ? "" : behind.substr(at + 1);
      if (last.size() >= kPartShortest) add_forms(last, out);
    }
  } else if (const std::size_t blank = text.find(' '); blank != std::string::npos) {
    const std::string credentials = text.substr(blank + 1);
    if (credentials.size() >= kPartShortest) add_forms(credentials, out);
  }
}

void put_longest_first(std::vector<std::string>& secrets) {
  std::ranges::stable_sort(secrets, std::ranges::greater(), &std::string::size);
}

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
    add_secret(text, secrets);
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
  put_longest_first(result.secrets);
  return result;
}

void add_credentials_of(const Request& request, std::vector<std::string>& secrets) {
  const auto* http = std::get_if<HttpRequest>(&request);
  if (http == nullptr) return;
  for (const auto& [name, text] : http->headers) {
    if (name != "Authorization") continue;
    const std::size_t blank = text.find(' ');
    add(std::string_view(text).substr(blank == std::string::npos ? 0 : blank + 1), kPartShortest,
        secrets);
  }
  put_longest_first(secrets);
}

void add_literal_secrets(std::string_view kind, const Value& config,
                         std::vector<std::string>& secrets) {
  for (const LiteralSecret& literal : literal_secrets(kind, config)) {
    add_secret(literal.text, secrets);
    if (!literal.is_in_url) continue;
    add_forms(literal.text.substr(literal.text.find(':') + 1), secrets);  // the password alone
  }
  put_longest_first(secrets);
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

Value redacted(const Value& v, const std::vector<std::string>& secrets) {
  if (v.is_string()) return Value(redacted(v.as_string(), secrets));
  if (v.is_list()) {
    List list;
    for (const Value& element : v.list()) list.push_back(redacted(element, secrets));
    return Value(std::move(list));
  }
  if (!v.is_map()) return v;
  Map map;
  for (const auto& [key, member] : v.map()) map.set(key, redacted(member, secrets));
  return Value(std::move(map));
}

}  // namespace tiphys::notify
