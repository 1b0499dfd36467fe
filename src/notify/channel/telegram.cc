#include <algorithm>

#include <fmt/format.h>

#include "notify/channel/field_channel.h"
#include "notify/channel/kinds.h"
#include "value/json.h"

namespace tiphys::notify {

namespace {

using Unit = TextLimit::Unit;

constexpr Field kConfig[] = {
    {"token", FieldKind::kText, true},
    {"chatId", FieldKind::kTexts},
    {"parseMode", FieldKind::kPlain, false, "HTML MarkdownV2 none"},
    {"messageThreadId", FieldKind::kPlain},
    {"disableNotification", FieldKind::kBool},
    {"apiUrl", FieldKind::kUrl},
    {"insecureSkipVerify", FieldKind::kBool},
};
constexpr Field kMessage[] = {
    {"chatId", FieldKind::kTexts},
    {"parseMode", FieldKind::kPlain, false, "HTML MarkdownV2 none"},
};

constexpr std::string_view kApi = "https://api.telegram.org";
constexpr std::size_t kTextMax = 4096;  // Telegram's limit, in UTF-16
constexpr std::size_t kTitleMax = 300;
constexpr std::size_t kLinkMax = 1000;

/// How a markup writes what a message has.
struct Markup {
  std::string parse_mode;
  std::string_view bold;  // with {} for the title
  std::string_view link;  // with {} for the URL
  Escape escape = nullptr;
};

// Within MarkdownV2's parentheses only these two have a meaning.
void escape_link_v2(std::string& out, std::string_view character) {
  if (character == ")" || character == "\\") out += '\\';
  out += character;
}

Markup markup_of(std::string_view mode) {
  if (mode == "none") return {.parse_mode = "", .bold = "{}", .link = "{}"};
  if (mode == "MarkdownV2") {
    return {.parse_mode = std::string(mode),
            .bold = "*{}*",
            .link = "[Open the workflow]({})",
            .escape = escape_markdown_v2};
  }
  return {.parse_mode = "HTML",
          .bold = "<b>{}</b>",
          .link = "<a href=\"{}\">Open the workflow</a>",
          .escape = escape_html};
}

std::string text_of(const Words& words, const Markup& markup, bool is_raw) {
  std::string head = fit_text(words.title, {kTitleMax, Unit::kUtf16}, markup.escape);
  if (!head.empty()) head = fmt::format(fmt::runtime(markup.bold), head) + "\n";
  std::string foot;
  if (!words.link.empty() && words.link.size() <= kLinkMax) {
    const bool is_v2 = markup.parse_mode == "MarkdownV2";
    const Escape escape = is_v2 ? escape_link_v2 : markup.escape;
    foot =
        "\n" + fmt::format(fmt::runtime(markup.link), fit_text(words.link, {2 * kTextMax}, escape));
  }
  const std::size_t used = head.size() + foot.size();  // bytes: never less than UTF-16 has
  const std::size_t room = used < kTextMax ? kTextMax - used : 0;
  return head + fit_text(words.text, {room, Unit::kUtf16}, is_raw ? nullptr : markup.escape) + foot;
}

class Telegram final : public FieldChannel {
 public:
  Telegram() : FieldChannel(kConfig, kMessage) {}

  [[nodiscard]] std::vector<std::string> destinations(const value::Value& config,
                                                      const value::Value& message) const override {
    std::vector<std::string> out = words_in(either(message, config, "chatId"));
    if (out.empty()) out.emplace_back();
    return out;
  }

  [[nodiscard]] Verdict judge(const Answer& answer, clock::Instant now) const override {
    Verdict verdict = judge_http(answer, now);
    const value::Value body = json_answer(answer);
    const value::Value& description = body["description"];
    if (verdict.kind == Verdict::Kind::kDelivered && !body["ok"].bool_or(true)) {
      verdict.kind = Verdict::Kind::kRefused;
      verdict.reason = "Telegram: " + clean_line(plain_text(description));
    }
    constexpr std::int64_t kDay = 24 * 3600;
    const std::int64_t seconds = body["parameters"]["retry_after"].int_or(-1);
    if (seconds < 0) return verdict;
    return {.kind = Verdict::Kind::kRetry,
            .reason = "Telegram: " + clean_line(plain_text(description)),
            .retry_after = clock::Duration::seconds(std::min(seconds, kDay))};
  }

 private:
  [[nodiscard]] diag::Result<Request> make(const Draft& draft) const override {
    const value::Value& config = draft.config;
    if (draft.destination.empty()) return refuse("chatId: required");
    const std::string token = text_in(config, "token");
    const auto is_token_byte = [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
             c == ':' || c == '_' || c == '-';
    };
    if (!std::ranges::all_of(token, is_token_byte)) return refuse("token: want NUMBER:LETTERS");
    // a text is taken as markup only where the message itself says so
    const std::string own_mode = text_in(draft.message, "parseMode");
    const Markup markup = markup_of(own_mode.empty() ? text_in(config, "parseMode") : own_mode);
    value::Map body = {{"chat_id", draft.destination}};
    if (const std::string thread = text_in(config, "messageThreadId"); !thread.empty()) {
      auto number = value::parse_json(thread);
      if (!number || !number->is_int()) return refuse("messageThreadId: want a number");
      body.set("message_thread_id", *number);
    }
    body.set("text", text_of(words_of(draft.notice, draft.message), markup, !own_mode.empty()));
    set_text(body, "parse_mode", markup.parse_mode);
    body.set("link_preview_options", value::Map{{"is_disabled", true}});
    if (flag_in(config, "disableNotification", false)) body.set("disable_notification", true);
    std::string api = text_in(config, "apiUrl");
    if (api.empty()) api = kApi;
    return json_post(config, fmt::format("{}/bot{}/sendMessage", api, token), json_body(body));
  }
};

}  // namespace

const Channel& telegram_channel() {
  static const Telegram channel;
  return channel;
}

}  // namespace tiphys::notify
