#include <cmath>

#include "clock/rfc3339.h"
#include "net/http_text.h"
#include "notify/channel/field_channel.h"
#include "notify/channel/kinds.h"

namespace tiphys::notify {

namespace {

using Unit = TextLimit::Unit;

constexpr Field kConfig[] = {
    {"url", FieldKind::kUrl, true},           {"username", FieldKind::kPlain},
    {"avatarUrl", FieldKind::kUrl},           {"threadId", FieldKind::kPlain},
    {"insecureSkipVerify", FieldKind::kBool},
};
constexpr Field kMessage[] = {
    {"content", FieldKind::kAny},
    {"embeds", FieldKind::kList},
    {"allowedMentions", FieldKind::kMap},
};

// Discord's limits, in characters; title and description are below the 6000 of an embed together.
constexpr std::size_t kContentMax = 2000;
constexpr std::size_t kTitleMax = 256;
constexpr std::size_t kDescriptionMax = 4096;

value::Value embed_of(const Notice& notice, const Words& words) {
  value::Map embed;
  set_text(embed, "title", fit_text(words.title, {kTitleMax, Unit::kUtf16}, escape_markdown));
  set_text(embed, "url", words.link);
  set_text(embed, "description",
           fit_text(words.text, {kDescriptionMax, Unit::kUtf16},
                    words.is_own ? nullptr : escape_markdown));
  embed.set("color", color_of(words.severity));
  embed.set("timestamp", clock::rfc3339(notice.at));
  return embed;
}

class Discord final : public FieldChannel {
 public:
  Discord() : FieldChannel(kConfig, kMessage) {}

  [[nodiscard]] Verdict judge(const Answer& answer, clock::Instant now) const override {
    Verdict verdict = judge_http(answer, now);
    const value::Value body = json_answer(answer);
    const value::Value& wait = body["retry_after"];  // seconds, finer than the header's
    const double seconds = wait.is_int()     ? static_cast<double>(wait.as_int())
                           : wait.is_float() ? wait.as_float()
                                             : -1.0;
    constexpr double kDay = 24 * 3600;
    if (answer.status == 429 && seconds >= 0 && seconds <= kDay) {
      verdict.retry_after =
          clock::Duration::milliseconds(static_cast<std::int64_t>(std::ceil(seconds * 1000)));
    }
    return verdict;
  }

 private:
  [[nodiscard]] diag::Result<Request> make(const Draft& draft) const override {
    const value::Value& config = draft.config;
    const value::Value& message = draft.message;
    value::Map body;
    set_text(body, "username", text_in(config, "username"));
    set_text(body, "avatar_url", text_in(config, "avatarUrl"));
    set_text(body, "content",
             fit_text(clean_text(plain_text(message["content"])), {kContentMax, Unit::kUtf16}));
    body.set("embeds", message["embeds"].is_null()
                           ? value::List{embed_of(draft.notice, words_of(draft.notice, message))}
                           : message["embeds"]);
    // nothing in a step's message can call `@everyone`
    body.set("allowed_mentions", message["allowedMentions"].is_null()
                                     ? value::Map{{"parse", value::List{}}}
                                     : message["allowedMentions"]);
    std::string url = text_in(config, "url");
    if (const std::string thread = text_in(config, "threadId"); !thread.empty()) {
      url += url.find('?') == std::string::npos ? "?" : "&";
      url += "thread_id=" + net::uri_encoded(thread);
    }
    return json_post(config, std::move(url), json_body(body));
  }
};

}  // namespace

const Channel& discord_channel() {
  static const Discord channel;
  return channel;
}

}  // namespace tiphys::notify
