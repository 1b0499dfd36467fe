#include "notify/channel/field_channel.h"
#include "notify/channel/kinds.h"

namespace tiphys::notify {

namespace {

constexpr Field kConfig[] = {
    {"url", FieldKind::kUrl, true},
    {"insecureSkipVerify", FieldKind::kBool},
};
constexpr Field kMessage[] = {{"card", FieldKind::kMap}};

constexpr std::size_t kBodyMax = 28672;  // Teams' limit of a message: 28 KB
constexpr std::size_t kTitleMax = 300;

std::string_view color_name(DefaultMessage::Severity severity) {
  switch (severity) {
    case DefaultMessage::Severity::kGood:
      return "good";
    case DefaultMessage::Severity::kBad:
      return "attention";
    case DefaultMessage::Severity::kInfo:
      return "accent";
  }
  return "";
}

// A TextBlock begins a new line only where a line is empty.
std::string with_paragraphs(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out += '\n';
    out += c;
  }
  return out;
}

value::Value card_of(const Words& words, const std::string& text) {
  value::List body;
  if (!words.title.empty()) {
    body.push_back(value::Map{{"type", "TextBlock"},
                              {"text", fit_text(words.title, {kTitleMax}, escape_markdown)},
                              {"size", "Large"},
                              {"weight", "Bolder"},
                              {"color", color_name(words.severity)},
                              {"wrap", true}});
  }
  const std::string shown =
      words.is_own ? text : with_paragraphs(fit_text(text, {2 * kBodyMax}, escape_markdown));
  body.push_back(value::Map{{"type", "TextBlock"}, {"text", shown}, {"wrap", true}});
  value::Map card = {{"$schema", "http://adaptivecards.io/schemas/adaptive-card.json"},
                     {"type", "AdaptiveCard"},
                     {"version", "1.4"},
                     {"msteams", value::Map{{"width", "Full"}}},
                     {"body", std::move(body)}};
  if (!words.link.empty()) {
    card.set("actions",
             value::List{value::Map{
                 {"type", "Action.OpenUrl"}, {"title", "Open the workflow"}, {"url", words.link}}});
  }
  return card;
}

class Teams final : public FieldChannel {
 public:
  Teams() : FieldChannel(kConfig, kMessage) {}

  [[nodiscard]] Verdict judge(const Answer& answer, clock::Instant now) const override {
    Verdict verdict = judge_http(answer, now);
    // Teams' older webhooks answer 200 and tell of their failure in words
    const bool is_limited = answer.body.find("HTTP error 429") != std::string::npos;
    if (verdict.kind != Verdict::Kind::kDelivered || !is_limited) return verdict;
    return {.kind = Verdict::Kind::kRetry,
            .reason = "Teams: too many messages",
            .retry_after = clock::Duration::seconds(30)};
  }

 private:
  [[nodiscard]] diag::Result<Request> make(const Draft& draft) const override {
    const Words words = words_of(draft.notice, draft.message);
    const value::Value& own = draft.message["card"];
    TRY(std::string body, fit_body(words.text, kBodyMax, kBodyMax, [&](const std::string& text) {
          const value::Value attachment =
              value::Map{{"contentType", "application/vnd.microsoft.card.adaptive"},
                         {"contentUrl", nullptr},
                         {"content", own.is_null() ? card_of(words, text) : own}};
          return json_body(
              value::Map{{"type", "message"}, {"attachments", value::List{attachment}}});
        }));
    return json_post(draft.config, text_in(draft.config, "url"), std::move(body));
  }
};

}  // namespace

const Channel& teams_channel() {
  static const Teams channel;
  return channel;
}

}  // namespace tiphys::notify
