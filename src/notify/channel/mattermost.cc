#include <fmt/format.h>

#include "notify/channel/field_channel.h"
#include "notify/channel/kinds.h"

namespace tiphys::notify {

namespace {

using Unit = TextLimit::Unit;

constexpr Field kConfig[] = {
    {"url", FieldKind::kUrl, true},           {"channel", FieldKind::kPlain},
    {"username", FieldKind::kPlain},          {"iconUrl", FieldKind::kUrl},
    {"insecureSkipVerify", FieldKind::kBool},
};
constexpr Field kMessage[] = {
    {"channel", FieldKind::kTexts},
    {"attachments", FieldKind::kList},
    {"props", FieldKind::kMap},
};

constexpr std::size_t kPostMax = 16383;  // Mattermost's limit of a post, in characters
constexpr std::size_t kTitleMax = 300;

class Mattermost final : public FieldChannel {
 public:
  Mattermost() : FieldChannel(kConfig, kMessage) {}

  [[nodiscard]] std::vector<std::string> destinations(const value::Value&,
                                                      const value::Value& message) const override {
    std::vector<std::string> out = words_in(message["channel"]);
    if (out.empty()) out.emplace_back();
    return out;
  }

 private:
  [[nodiscard]] diag::Result<Request> make(const Draft& draft) const override {
    const value::Value& config = draft.config;
    const Words words = words_of(draft.notice, draft.message);
    value::Map body;
    set_text(
        body, "channel",
        draft.destination.empty() ? text_in(config, "channel") : std::string(draft.destination));
    set_text(body, "username", text_in(config, "username"));
    set_text(body, "icon_url", text_in(config, "iconUrl"));
    const value::Value& own = draft.message["attachments"];
    const std::string title = fit_text(clean_line(words.title), {kTitleMax});
    const std::string text =
        fit_text(words.text, {kPostMax, Unit::kUtf16}, words.is_own ? nullptr : escape_markdown);
    if (!own.is_null()) {
      if (words.is_own) set_text(body, "text", text);
      body.set("attachments", own);
    } else if (words.is_own && title.empty()) {
      body.set("text", text);
    } else {
      value::Map attachment = {{"fallback", title},
                               {"color", fmt::format("#{:06X}", color_of(words.severity))},
                               {"title", title}};
      set_text(attachment, "title_link", words.link);
      attachment.set("text", text);
      body.set("attachments", value::List{std::move(attachment)});
    }
    if (!draft.message["props"].is_null()) body.set("props", draft.message["props"]);
    return json_post(config, text_in(config, "url"), json_body(body));
  }
};

}  // namespace

const Channel& mattermost_channel() {
  static const Mattermost channel;
  return channel;
}

}  // namespace tiphys::notify
