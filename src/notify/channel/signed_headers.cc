#include "notify/channel/signed_headers.h"

#include <algorithm>

#include <fmt/format.h>

#include "expr/unicode.h"
#include "notify/channel/field_channel.h"
#include "notify/standard_webhooks.h"

namespace tiphys::notify {

namespace {

// They say what the message is and where it ends; a user's text there could make two of one.
bool is_reserved(std::string_view lower_name) {
  constexpr std::string_view kNames[] = {"content-length",    "host",       "idempotency-key",
                                         "transfer-encoding", "connection", "expect",
                                         "upgrade",           "te",         "trailer"};
  return lower_name.starts_with("webhook-") || lower_name.starts_with("ce-") ||
         std::ranges::find(kNames, lower_name) != std::end(kNames);
}

}  // namespace

diag::Result<void> sign(const Draft& draft, HttpRequest& request) {
  const std::string& id = draft.notice.id;
  if (!is_header_text(id)) return refuse("the notice's id is no header text");
  request.headers.emplace_back("Idempotency-Key", id);
  TRY(HeaderList headers,
      webhook_headers(id, draft.now, request.body, texts_in(draft.config["signingSecrets"])));
  for (auto& header : headers) request.headers.push_back(std::move(header));
  return {};
}

diag::Result<void> add_headers(const value::Value& headers, HttpRequest& request) {
  for (const auto& [name, text] : headers.map()) {
    const std::string lower = expr::lower(name);
    const std::string content = plain_text(text);
    if (!is_header_name(name))
      return refuse(fmt::format("headers: \"{}\" is no name of a header", clean_line(name)));
    if (is_reserved(lower)) return refuse(fmt::format("headers: {} is set by the engine", name));
    // the value is not shown: it may be secret
    if (!is_header_text(content)) {
      return refuse(
          fmt::format("headers: the value of {} has a line break or control character", name));
    }
    std::erase_if(request.headers,
                  [&](const auto& header) { return expr::lower(header.first) == lower; });
    request.headers.emplace_back(name, content);
  }
  return {};
}

}  // namespace tiphys::notify
