#include <algorithm>

#include <fmt/format.h>

#include "notify/channel/field_channel.h"
#include "notify/channel/kinds.h"

namespace tiphys::notify {

namespace {

constexpr Field kConfig[] = {
    {"url", FieldKind::kUrl},
    {"token"},
    {"channel", FieldKind::kTexts},
    {"thread", FieldKind::kBool},
    {"update", FieldKind::kBool},
    {"username", FieldKind::kPlain},
    {"iconEmoji", FieldKind::kPlain},
    {"apiUrl", FieldKind::kUrl},
    {"insecureSkipVerify", FieldKind::kBool},
};
constexpr Field kMessage[] = {
    {"channel", FieldKind::kTexts},
    {"blocks", FieldKind::kList},
    {"attachments", FieldKind::kList},
};

constexpr std::string_view kApi = "https://slack.com/api";
// Slack's limits: text of a section, and a message's text before it is cut.
constexpr std::size_t kSectionMax = 3000;
constexpr std::size_t kTextMax = 40000;
constexpr std::size_t kTitleMax = 300;
// Slack's words for what may pass; others are mistakes.
constexpr std::string_view kPassing[] = {
    "ratelimited",     "rate_limited",      "message_limit_exceeded",
    "internal_error",  "fatal_error",       "service_unavailable",
    "request_timeout", "team_added_to_org", "accesslimited",
};
constexpr clock::Duration kPause = clock::Duration::seconds(30);  // when Slack does not say

std::string heading(const Words& words) {
  const std::string title = fit_text(words.title, {kTitleMax}, escape_slack);
  if (words.link.empty() || title.empty()) return title.empty() ? "" : "*" + title + "*";
  return fmt::format("*<{}|{}>*", fit_text(words.link, {kSectionMax}, escape_slack), title);
}

void add_words(const Draft& draft, value::Map& body) {
  const Words words = words_of(draft.notice, draft.message);
  const value::Value& blocks = draft.message["blocks"];
  const value::Value& attachments = draft.message["attachments"];
  const std::string head = heading(words);
  if (!blocks.is_null() || !attachments.is_null()) {
    // of a message of blocks the text is what notifications of the desktop show
    body.set("text", words.is_own ? fit_text(words.text, {kTextMax}) : head);
    if (!blocks.is_null()) body.set("blocks", blocks);
    if (!attachments.is_null()) body.set("attachments", attachments);
    return;
  }
  if (words.is_own) {
    body.set("text", fit_text(head.empty() ? words.text : head + "\n" + words.text, {kTextMax}));
    return;
  }
  body.set("text", head);
  // plain_text: nothing in a step's message or log can be markup, or call for somebody
  const value::Value section =
      value::Map{{"type", "section"},
                 {"text", value::Map{{"type", "plain_text"},
                                     {"text", fit_text(words.text, {kSectionMax})},
                                     {"emoji", false}}}};
  body.set("attachments",
           value::List{value::Map{{"color", fmt::format("#{:06X}", color_of(words.severity))},
                                  {"blocks", value::List{section}}}});
}

class Slack final : public FieldChannel {
 public:
  Slack() : FieldChannel(kConfig, kMessage) {}

  [[nodiscard]] std::vector<std::string> destinations(const value::Value& config,
                                                      const value::Value& message) const override {
    if (config["token"].is_null()) return {""};
    std::vector<std::string> out = words_in(either(message, config, "channel"));
    if (out.empty()) out.emplace_back();
    return out;
  }

  [[nodiscard]] Verdict judge(const Answer& answer, clock::Instant now) const override {
    Verdict verdict = judge_http(answer, now);
    const value::Value body = json_answer(answer);
    if (!body["ok"].is_bool()) return verdict;
    if (body["ok"].as_bool()) {
      if (verdict.kind != Verdict::Kind::kDelivered) return verdict;
      // a reply's thread_ts is its thread's first message, which the next one must reply to
      const value::Value& thread = body["message"]["thread_ts"];
      verdict.memory =
          value::Map{{"ts", thread.is_null() ? body["ts"] : thread}, {"channel", body["channel"]}};
      return verdict;
    }
    const std::string_view error = body["error"].string_or("unknown error");
    const bool may_pass = std::ranges::find(kPassing, error) != std::end(kPassing);
    if (verdict.kind == Verdict::Kind::kRetry) return verdict;
    return {.kind = may_pass ? Verdict::Kind::kRetry : Verdict::Kind::kRefused,
            .reason = "Slack: " + clean_line(error),
            .retry_after = may_pass ? std::optional(kPause) : std::nullopt};
  }

 private:
  void find_problems(const value::Value& config, std::vector<std::string>& out) const override {
    const bool has_url = !config["url"].is_null();
    const bool has_token = !config["token"].is_null();
    if (!has_url && !has_token) out.emplace_back("url: required (an incoming webhook), or a token");
    if (has_url && has_token) out.emplace_back("url: not with a token; apiUrl is the API's");
    if (has_url && flag_in(config, "update", false)) out.emplace_back("update: needs a token");
  }

  [[nodiscard]] diag::Result<Request> make(const Draft& draft) const override {
    const value::Value& config = draft.config;
    value::Map body;
    if (config["token"].is_null()) {
      add_words(draft, body);
      return json_post(config, text_in(config, "url"), json_body(body));
    }
    if (draft.destination.empty()) return refuse("channel: required with a token");
    const std::string token = text_in(config, "token");
    if (!is_header_text(token)) return refuse("token: has a line break or control character");
    const value::Value& last = draft.memory;
    const bool is_update = flag_in(config, "update", false) && !last["ts"].is_null();
    body.set("channel", is_update ? plain_text(last["channel"]) : std::string(draft.destination));
    if (is_update) body.set("ts", last["ts"]);
    if (!is_update && flag_in(config, "thread", true) && !last["ts"].is_null()) {
      body.set("thread_ts", last["ts"]);
    }
    if (!is_update) {
      set_text(body, "username", text_in(config, "username"));
      set_text(body, "icon_emoji", text_in(config, "iconEmoji"));
      body.set("unfurl_links", false);
    }
    add_words(draft, body);
    std::string api = text_in(config, "apiUrl");
    if (api.empty()) api = kApi;
    HttpRequest out = json_post(config, api + (is_update ? "/chat.update" : "/chat.postMessage"),
                                json_body(body));
    out.headers[0].second = "application/json; charset=utf-8";  // else Slack warns in each answer
    out.headers.emplace_back("Authorization", "Bearer " + token);
    return out;
  }
};

}  // namespace

const Channel& slack_channel() {
  static const Slack channel;
  return channel;
}

}  // namespace tiphys::notify
