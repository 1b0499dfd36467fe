#include <algorithm>

#include <fmt/format.h>

#include "expr/base64.h"
#include "notify/channel/field_channel.h"
#include "notify/channel/kinds.h"
#include "notify/channel/mail_text.h"

namespace tiphys::notify {

namespace {

constexpr std::string_view kPriorities = "1 2 3 4 5 min low default high max urgent";
constexpr Field kConfig[] = {
    {"topic", FieldKind::kText, true},
    {"url", FieldKind::kUrl},
    {"token"},
    {"username"},
    {"password"},
    {"priority", FieldKind::kPlain, false, kPriorities},
    {"tags", FieldKind::kTexts},
    {"insecureSkipVerify", FieldKind::kBool},
};
constexpr Field kMessage[] = {
    {"topic", FieldKind::kTexts},
    {"priority", FieldKind::kPlain, false, kPriorities},
    {"tags", FieldKind::kTexts},
};

constexpr std::string_view kServer = "https://ntfy.sh";
constexpr std::size_t kTextMax = 4096;  // in bytes; a longer one would become an attachment
constexpr std::size_t kTitleMax = 250;

bool is_topic(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-';
  });
}

// ntfy shows the names of emojis as such
std::string_view default_tag(DefaultMessage::Severity severity) {
  switch (severity) {
    case DefaultMessage::Severity::kGood:
      return "white_check_mark";
    case DefaultMessage::Severity::kBad:
      return "rotating_light";
    case DefaultMessage::Severity::kInfo:
      return "information_source";
  }
  return "";
}

diag::Result<void> add_credentials(const value::Value& config, HttpRequest& out) {
  const std::string token = text_in(config, "token");
  const std::string user = text_in(config, "username");
  if (!is_header_text(token)) return refuse("token: has a line break or control character");
  if (!token.empty()) {
    out.headers.emplace_back("Authorization", "Bearer " + token);
  } else if (!user.empty()) {
    out.headers.emplace_back(
        "Authorization", "Basic " + expr::base64_encode(user + ":" + text_in(config, "password")));
  }
  return {};
}

class Ntfy final : public FieldChannel {
 public:
  Ntfy() : FieldChannel(kConfig, kMessage) {}

  // The topic of the configuration may be a secret, so it is no name of a destination.
  [[nodiscard]] std::vector<std::string> destinations(const value::Value&,
                                                      const value::Value& message) const override {
    std::vector<std::string> out = words_in(message["topic"]);
    if (out.empty()) out.emplace_back();
    return out;
  }

 private:
  [[nodiscard]] diag::Result<Request> make(const Draft& draft) const override {
    const value::Value& config = draft.config;
    const std::string topic =
        draft.destination.empty() ? text_in(config, "topic") : std::string(draft.destination);
    if (!is_topic(topic)) return refuse("topic: want 1 to 64 letters, digits, '_' and '-'");
    std::string server = text_in(config, "url");
    if (server.empty()) server = kServer;
    while (server.ends_with('/')) server.pop_back();
    const Words words = words_of(draft.notice, draft.message);
    const std::string title = fit_text(words.title, {kTitleMax});
    if (!is_header_text(title)) return refuse("title: has a line break or control character");
    HttpRequest out = json_post(config, server + "/" + topic, fit_text(words.text, {kTextMax}));
    out.headers[0].second = "text/plain; charset=utf-8";
    if (!title.empty()) out.headers.emplace_back("Title", encoded_header(title));
    const bool is_bad = words.severity == DefaultMessage::Severity::kBad;
    std::string priority = plain_text(either(draft.message, config, "priority"));
    if (priority.empty()) priority = is_bad ? "high" : "default";
    out.headers.emplace_back("Priority", priority);
    std::vector<std::string> tags = words_in(either(draft.message, config, "tags"));
    if (tags.empty()) tags.emplace_back(default_tag(words.severity));
    const std::string list = fmt::format("{}", fmt::join(tags, ","));
    if (!is_header_text(list)) return refuse("tags: has a control character");
    out.headers.emplace_back("Tags", encoded_header(list));
    if (!words.link.empty()) out.headers.emplace_back("Click", words.link);
    TRY_VOID(add_credentials(config, out));
    return out;
  }
};

}  // namespace

const Channel& ntfy_channel() {
  static const Ntfy channel;
  return channel;
}

}  // namespace tiphys::notify
