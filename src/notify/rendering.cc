#include "notify/rendering.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "value/json.h"

namespace tiphys::notify {

namespace {

std::string pretty(const std::string& body) {
  auto parsed = value::parse_json(body);
  if (!parsed || !parsed->is_map()) return body;
  return value::to_json(
      *parsed, {.key_order = value::KeyOrder::kAsGiven, .indent = 2, .escape_html = false});
}

struct Shown {
  std::string operator()(const HttpRequest& r) const {
    std::string out = r.method + " " + r.url + "\n";
    for (const auto& [name, text] : r.headers) out += name + ": " + text + "\n";
    return out + "\n" + pretty(r.body) + "\n";
  }
  std::string operator()(const MailRequest& r) const {
    std::string out =
        fmt::format("{}:{}\nMAIL FROM:<{}>\nRCPT TO:<{}>\n\n", r.host, r.port, r.from, r.to);
    for (const char c : r.message) {
      if (c != '\r') out += c;
    }
    return out;
  }
  std::string operator()(const CommandRequest& r) const {
    std::string out;
    for (const auto& [name, text] : r.environment) {
      out += name + "=" + value::to_json(text, {.escape_html = false}) + "\n";
    }
    return fmt::format("{}{}\n\n", out, fmt::join(r.arguments, " ")) + pretty(r.input) + "\n";
  }
};

}  // namespace

std::string rendered(const Request& request) { return std::visit(Shown(), request); }

}  // namespace tiphys::notify
