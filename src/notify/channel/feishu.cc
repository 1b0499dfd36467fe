#include <array>

#include "expr/base64.h"
#include "notify/channel/field_channel.h"
#include "notify/channel/kinds.h"
#include "notify/hmac.h"

namespace tiphys::notify {

namespace {

constexpr Field kConfig[] = {
    {"url", FieldKind::kUrl, true},
    {"secret"},
    {"insecureSkipVerify", FieldKind::kBool},
};
constexpr Field kMessage[] = {{"card", FieldKind::kMap}};

constexpr std::size_t kBodyMax = 20000;  // of a request to a custom bot: 20 KB
constexpr std::size_t kTitleMax = 300;
// Feishu's own faults and limits: internal error, too many requests of a bot, of a tenant.
constexpr std::array<std::int64_t, 4> kRetry = {2200, 9499, 11232, 11233};
constexpr clock::Duration kPause = clock::Duration::seconds(10);

std::string_view template_of(DefaultMessage::Severity severity) {
  switch (severity) {
    case DefaultMessage::Severity::kGood:
      return "green";
    case DefaultMessage::Severity::kBad:
      return "red";
    case DefaultMessage::Severity::kInfo:
      return "blue";
  }
  return "";
}

value::Value text_element(std::string_view tag, std::string_view content) {
  return value::Map{{"tag", tag}, {"content", content}};
}

value::Value card_of(const Words& words, const std::string& text) {
  value::Map card = {{"config", value::Map{{"wide_screen_mode", true}}}};
  if (!words.title.empty()) {
    card.set("header",
             value::Map{{"title", text_element("plain_text", fit_text(words.title, {kTitleMax}))},
                        {"template", template_of(words.severity)}});
  }
  value::List elements;
  elements.push_back(value::Map{
      {"tag", "div"}, {"text", text_element(words.is_own ? "lark_md" : "plain_text", text)}});
  if (!words.link.empty()) {
    const value::Value button =
        value::Map{{"tag", "button"},
                   {"text", text_element("plain_text", "Open the workflow")},
                   {"url", words.link},
                   {"type", "default"}};
    elements.push_back(value::Map{{"tag", "action"}, {"actions", value::List{button}}});
  }
  card.set("elements", std::move(elements));
  return card;
}

class Feishu final : public FieldChannel {
 public:
  Feishu() : FieldChannel(kConfig, kMessage) {}

  [[nodiscard]] Verdict judge(const Answer& answer, clock::Instant now) const override {
    return judge_code(answer, now, "code", "msg", kRetry, kPause);
  }

 private:
  [[nodiscard]] diag::Result<Request> make(const Draft& draft) const override {
    value::Map body;
    if (const std::string secret = text_in(draft.config, "secret"); !secret.empty()) {
      const std::string time = std::to_string(draft.now.ns / 1'000'000'000);
      body.set("timestamp", time);
      // time and secret are the key, and nothing is what is signed: Feishu's own way
      body.set("sign", expr::base64_encode(hmac_sha256(time + "\n" + secret, "")));
    }
    body.set("msg_type", "interactive");
    const Words words = words_of(draft.notice, draft.message);
    const value::Value& own = draft.message["card"];
    TRY(std::string text, fit_body(words.text, kBodyMax, kBodyMax, [&](const std::string& part) {
          body.set("card", own.is_null() ? card_of(words, part) : own);
          return json_body(body);
        }));
    return json_post(draft.config, text_in(draft.config, "url"), std::move(text));
  }
};

}  // namespace

const Channel& feishu_channel() {
  static const Feishu channel;
  return channel;
}

}  // namespace tiphys::notify
