#include "notify/literal_secrets.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "net/http_text.h"

namespace tiphys::notify {

namespace {

using value::Value;

// In the names of fields, headers and variables, in lower case.
constexpr std::array<std::string_view, 11> kInNames = {
    "authorization", "cookie",  "token",   "secret",  "password",   "passwd",
    "credential",    "api-key", "api_key", "api-sec", "access-key",
};
constexpr std::array<std::string_view, 5> kNames = {"key", "routingkey", "apikey", "x-key",
                                                    "access_key"};
// Of these the URL of an incoming webhook is all that a sender needs.
constexpr std::array<std::string_view, 8> kChats = {"dingtalk",   "discord", "feishu", "lark",
                                                    "mattermost", "slack",   "teams",  "wecom"};

bool is_secret_name(std::string_view given) {
  const std::string name = net::lower(given);
  return std::ranges::find(kNames, name) != kNames.end() ||
         std::ranges::any_of(
             kInNames, [&](std::string_view part) { return name.find(part) != std::string::npos; });
}

struct UrlParts {
  std::string_view credentials;  // USER:PASSWORD, or "" where there is no password
  std::string_view host;
  std::string_view rest;  // the path, query and fragment
};

UrlParts parts_of(std::string_view url) {
  if (!url.starts_with("http://") && !url.starts_with("https://")) return {};
  url.remove_prefix(url.find("://") + 3);
  const std::size_t end = std::min(url.find_first_of("/?#"), url.size());
  const std::string_view authority = url.substr(0, end);
  const std::size_t at = authority.rfind('@');
  UrlParts out{.credentials = {}, .host = authority, .rest = url.substr(end)};
  if (at == std::string_view::npos) return out;
  out.host = authority.substr(at + 1);
  const std::string_view user = authority.substr(0, at);
  const std::size_t colon = user.find(':');
  if (colon != std::string_view::npos && colon + 1 < user.size()) out.credentials = user;
  return out;
}

bool is_this_machine(std::string_view host) {
  return host.starts_with("127.") || host.starts_with("localhost") || host.starts_with("[::1]");
}

class Search {
 public:
  explicit Search(std::string_view kind)
      : is_chat_(std::ranges::find(kChats, kind) != kChats.end()) {}

  void look(const Value& v, std::string_view name, const std::string& pointer) {
    if (v.is_string()) {
      look_at(v.as_string(), name, pointer);
      return;
    }
    std::size_t i = 0;
    for (const Value& item : v.list()) {
      const std::string below = fmt::format("{}/{}", pointer, i++);
      const std::string_view own = item["name"].string_or("");
      if (own.empty()) {
        look(item, name, below);
      } else {  // a header of an http template
        look(item["value"], own, below + "/value");
      }
    }
    for (const auto& [key, member] : v.map()) {
      if (key != "secretKeyRef") look(member, key, fmt::format("{}/{}", pointer, key));
    }
  }

  std::vector<LiteralSecret> found;

 private:
  void look_at(const std::string& text, std::string_view name, const std::string& pointer) {
    const UrlParts url = parts_of(text);
    const bool is_key =
        is_chat_ && pointer == "/url" && url.rest.size() > 1 && !is_this_machine(url.host);
    const bool is_header = text.starts_with("Bearer ") || text.starts_with("Basic ");
    if (is_key || is_header || text.starts_with("whsec_") ||
        (!text.empty() && is_secret_name(name))) {
      found.push_back({.pointer = pointer, .text = text});
    } else if (!url.credentials.empty()) {
      found.push_back(
          {.pointer = pointer, .text = std::string(url.credentials), .is_in_url = true});
    }
  }

  const bool is_chat_;
};

}  // namespace

std::vector<LiteralSecret> literal_secrets(std::string_view kind, const Value& config) {
  Search search(kind);
  search.look(config, "", "");
  return std::move(search.found);
}

}  // namespace tiphys::notify
