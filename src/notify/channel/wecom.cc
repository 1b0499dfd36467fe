#include <array>

#include <fmt/format.h>

#include "net/http_text.h"
#include "notify/channel/field_channel.h"
#include "notify/channel/kinds.h"

namespace tiphys::notify {

namespace {

constexpr Field kConfig[] = {
    {"url", FieldKind::kUrl},
    {"key"},
    {"msgType", FieldKind::kPlain, false, "markdown text"},
    {"mentionedList", FieldKind::kTexts},
    {"mentionedMobileList", FieldKind::kTexts},
    {"insecureSkipVerify", FieldKind::kBool},
};
constexpr Field kMessage[] = {
    {"mentionedList", FieldKind::kTexts},
    {"mentionedMobileList", FieldKind::kTexts},
};

constexpr std::string_view kUrl = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=";
// WeCom's limits, in bytes.
constexpr std::size_t kMarkdownMax = 4096;
constexpr std::size_t kTextMax = 2048;
constexpr std::size_t kTitleMax = 300;
constexpr std::size_t kLinkMax = 1000;
// The system is busy; more than 20 messages a minute.
constexpr std::array<std::int64_t, 2> kRetry = {-1, 45009};
constexpr clock::Duration kPause = clock::Duration::seconds(60);

std::string_view color_name(DefaultMessage::Severity severity) {
  switch (severity) {
    case DefaultMessage::Severity::kGood:
      return "info";  // WeCom's name for green
    case DefaultMessage::Severity::kBad:
      return "warning";
    case DefaultMessage::Severity::kInfo:
      return "comment";
  }
  return "";
}

// Title, text and link; only the text is cut when they are too long together.
std::string content_of(const Words& words, bool is_markdown) {
  std::string head = fit_text(words.title, {kTitleMax});
  std::string foot = words.link.size() <= kLinkMax ? words.link : "";
  if (is_markdown && !head.empty()) {
    head = fmt::format("**<font color=\"{}\">{}</font>**", color_name(words.severity),
                       fit_text(words.title, {kTitleMax}, escape_slack));
  }
  if (is_markdown && !foot.empty()) foot = fmt::format("[{}]({})", "Open the workflow", foot);
  if (!head.empty()) head += "\n";
  if (!foot.empty()) foot = "\n" + foot;
  const std::size_t room = (is_markdown ? kMarkdownMax : kTextMax) - head.size() - foot.size();
  const bool is_escaped = is_markdown && !words.is_own;
  return head + fit_text(words.text, {room}, is_escaped ? escape_slack : nullptr) + foot;
}

class WeCom final : public FieldChannel {
 public:
  WeCom() : FieldChannel(kConfig, kMessage) {}

  [[nodiscard]] Verdict judge(const Answer& answer, clock::Instant now) const override {
    return judge_code(answer, now, "errcode", "errmsg", kRetry, kPause);
  }

 private:
  void find_problems(const value::Value& config, std::vector<std::string>& out) const override {
    if (config["url"].is_null() == config["key"].is_null()) {
      out.emplace_back("url: required, or the key alone (not both)");
    }
  }

  [[nodiscard]] diag::Result<Request> make(const Draft& draft) const override {
    const std::string key = text_in(draft.config, "key");
    const std::string url =
        key.empty() ? text_in(draft.config, "url") : std::string(kUrl) + net::uri_encoded(key);
    const bool is_markdown = text_in(draft.config, "msgType") != "text";
    const std::string_view type = is_markdown ? "markdown" : "text";
    value::Map content = {
        {"content", content_of(words_of(draft.notice, draft.message), is_markdown)}};
    for (const auto& [name, member] : {std::pair{"mentionedList", "mentioned_list"},
                                       std::pair{"mentionedMobileList", "mentioned_mobile_list"}}) {
      value::List who;
      for (std::string& word : words_in(either(draft.message, draft.config, name))) {
        who.emplace_back(std::move(word));
      }
      if (who.empty()) continue;
      if (is_markdown) return refuse(fmt::format("{}: only with msgType: text", name));
      content.set(member, std::move(who));
    }
    const value::Value body =
        value::Map{{"msgtype", type}, {std::string(type), std::move(content)}};
    return json_post(draft.config, url, json_body(body));
  }
};

}  // namespace

const Channel& wecom_channel() {
  static const WeCom channel;
  return channel;
}

}  // namespace tiphys::notify
