#include <array>

#include <fmt/format.h>

#include "expr/base64.h"
#include "net/http_text.h"
#include "notify/channel/field_channel.h"
#include "notify/channel/kinds.h"
#include "notify/hmac.h"

namespace tiphys::notify {

namespace {

constexpr Field kConfig[] = {
    {"url", FieldKind::kUrl},
    {"accessToken"},
    {"secret"},
    {"atMobiles", FieldKind::kTexts},
    {"atUserIds", FieldKind::kTexts},
    {"isAtAll", FieldKind::kBool},
    {"insecureSkipVerify", FieldKind::kBool},
};
constexpr Field kMessage[] = {
    {"atMobiles", FieldKind::kTexts},
    {"atUserIds", FieldKind::kTexts},
    {"isAtAll", FieldKind::kBool},
};

constexpr std::string_view kUrl = "https://oapi.dingtalk.com/robot/send?access_token=";
constexpr std::size_t kBodyMax = 20000;  // DingTalk's limit of a message
constexpr std::size_t kTitleMax = 200;
// Busy; too fast (more than 20 messages a minute, then it is shut for ten); the same for its old
// API.
constexpr std::array<std::int64_t, 3> kRetry = {-1, 130101, 410100};
constexpr clock::Duration kPause = clock::Duration::seconds(60);

// A line break of DingTalk's Markdown needs two blanks before it.
std::string with_breaks(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out += "  ";
    out += c;
  }
  return out;
}

std::string signed_url(const Draft& draft) {
  const std::string token = text_in(draft.config, "accessToken");
  std::string url =
      token.empty() ? text_in(draft.config, "url") : std::string(kUrl) + net::uri_encoded(token);
  const std::string secret = text_in(draft.config, "secret");
  if (secret.empty()) return url;
  const std::string time = std::to_string(draft.now.ns / 1'000'000);
  const std::string code = expr::base64_encode(hmac_sha256(secret, time + "\n" + secret));
  return fmt::format("{}{}timestamp={}&sign={}", url,
                     url.find('?') == std::string::npos ? "?" : "&", time, net::uri_encoded(code));
}

void add_list(const Draft& draft, std::string_view name, value::Map& at) {
  value::List who;
  for (std::string& word : words_in(either(draft.message, draft.config, name))) {
    who.emplace_back(std::move(word));
  }
  if (!who.empty()) at.set(std::string(name), std::move(who));
}

class DingTalk final : public FieldChannel {
 public:
  DingTalk() : FieldChannel(kConfig, kMessage) {}

  [[nodiscard]] Verdict judge(const Answer& answer, clock::Instant now) const override {
    return judge_code(answer, now, "errcode", "errmsg", kRetry, kPause);
  }

 private:
  void find_problems(const value::Value& config, std::vector<std::string>& out) const override {
    if (config["url"].is_null() == config["accessToken"].is_null()) {
      out.emplace_back("url: required, or the accessToken alone (not both)");
    }
  }

  [[nodiscard]] diag::Result<Request> make(const Draft& draft) const override {
    const Words words = words_of(draft.notice, draft.message);
    // the title is what phones show; there must be one
    const std::string title =
        fit_text(clean_line(words.title.empty() ? words.text : words.title), {kTitleMax});
    std::string head;
    if (!words.title.empty())
      head = "#### " + fit_text(title, {kTitleMax}, escape_markdown) + "\n\n";
    const std::string foot =
        words.link.empty() ? "" : "\n\n[Open the workflow](" + words.link + ")";
    value::Map at;
    add_list(draft, "atMobiles", at);
    add_list(draft, "atUserIds", at);
    // only who is named in the text is called
    std::string calls;
    for (const char* name : {"atMobiles", "atUserIds"}) {
      for (const value::Value& who : value::Value(at)[name].list()) calls += " @" + who.as_string();
    }
    const value::Value& all = either(draft.message, draft.config, "isAtAll");
    if (flag_in(value::Map{{"all", all}}, "all", false)) at.set("isAtAll", true);
    TRY(std::string body, fit_body(words.text, kBodyMax, kBodyMax, [&](const std::string& text) {
          const std::string shown =
              words.is_own ? text : with_breaks(fit_text(text, {2 * kBodyMax}, escape_markdown));
          value::Map out = {
              {"msgtype", "markdown"},
              {"markdown", value::Map{{"title", title}, {"text", head + shown + foot + calls}}}};
          if (!at.empty()) out.set("at", at);
          return json_body(out);
        }));
    return json_post(draft.config, signed_url(draft), std::move(body));
  }
};

}  // namespace

const Channel& dingtalk_channel() {
  static const DingTalk channel;
  return channel;
}

}  // namespace tiphys::notify
