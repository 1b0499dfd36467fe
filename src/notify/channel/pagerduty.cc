#include <fmt/format.h>

#include "clock/rfc3339.h"
#include "notify/channel/field_channel.h"
#include "notify/channel/kinds.h"

namespace tiphys::notify {

namespace {

constexpr Field kConfig[] = {
    {"routingKey", FieldKind::kText, true},
    {"dedupKey", FieldKind::kPlain},
    {"source", FieldKind::kPlain},
    {"url", FieldKind::kUrl},
    {"insecureSkipVerify", FieldKind::kBool},
};
constexpr Field kMessage[] = {
    {"action", FieldKind::kPlain, false, "trigger acknowledge resolve"},
    {"dedupKey", FieldKind::kPlain},
    {"pagerdutySeverity", FieldKind::kPlain, false, "critical error warning info"},
    {"component", FieldKind::kPlain},
    {"group", FieldKind::kPlain},
    {"class", FieldKind::kPlain},
    {"customDetails", FieldKind::kMap},
};

constexpr std::string_view kUrl = "https://events.pagerduty.com/v2/enqueue";
// PagerDuty's limits.
constexpr std::size_t kSummaryMax = 1024;
constexpr std::size_t kDedupKeyMax = 255;
constexpr std::size_t kBodyMax = 512UL * 1024;
constexpr std::size_t kTextMax = 20000;

std::string_view severity_name(DefaultMessage::Severity severity) {
  return severity == DefaultMessage::Severity::kBad ? "error" : "info";
}

std::string dedup_key(const Draft& draft) {
  std::string own = text_in(draft.message, "dedupKey");
  if (own.empty()) own = text_in(draft.config, "dedupKey");
  const value::Value& workflow = draft.notice.event["workflow"];
  if (own.empty()) {
    own = fmt::format("{}/{}", plain_text(workflow["namespace"]), plain_text(workflow["name"]));
  }
  return fit_text(clean_line(own), {kDedupKeyMax});
}

std::string action_of(const Draft& draft, const Words& words) {
  const std::string own = text_in(draft.message, "action");
  if (!own.empty()) return own;
  return words.severity == DefaultMessage::Severity::kGood ? "resolve" : "trigger";
}

value::Value payload_of(const Draft& draft, const Words& words, const std::string& text) {
  const value::Value& workflow = draft.notice.event["workflow"];
  std::string severity = text_in(draft.message, "pagerdutySeverity");
  if (severity.empty()) severity = severity_name(words.severity);
  std::string source = text_in(draft.config, "source");
  if (source.empty()) {
    source = fmt::format("tiphys/{}", plain_text(workflow["namespace"]));
  }
  value::Map payload = {
      {"summary",
       fit_text(clean_line(words.title.empty() ? words.text : words.title), {kSummaryMax})},
      {"source", source},
      {"severity", severity},
      {"timestamp", clock::rfc3339(draft.notice.at)}};
  std::string component = text_in(draft.message, "component");
  if (component.empty()) component = plain_text(workflow["name"]);
  set_text(payload, "component", component);
  set_text(payload, "group", text_in(draft.message, "group"));
  set_text(payload, "class", text_in(draft.message, "class"));
  const value::Value& details = draft.message["customDetails"];
  payload.set("custom_details", details.is_null() ? value::Map{{"text", text}} : details);
  return payload;
}

class PagerDuty final : public FieldChannel {
 public:
  PagerDuty() : FieldChannel(kConfig, kMessage) {}

 private:
  [[nodiscard]] diag::Result<Request> make(const Draft& draft) const override {
    const Words words = words_of(draft.notice, draft.message);
    const std::string action = action_of(draft, words);
    value::Map body = {{"routing_key", text_in(draft.config, "routingKey")},
                       {"event_action", action},
                       {"dedup_key", dedup_key(draft)}};
    if (action == "trigger") {
      body.set("client", "tiphys");
      set_text(body, "client_url", words.link);
      if (!words.link.empty()) {
        body.set("links",
                 value::List{value::Map{{"href", words.link}, {"text", "Open the workflow"}}});
      }
    }
    TRY(std::string text, fit_body(words.text, kTextMax, kBodyMax, [&](const std::string& part) {
          // of the others, the key says which incident
          if (action == "trigger") body.set("payload", payload_of(draft, words, part));
          return json_body(body);
        }));
    std::string url = text_in(draft.config, "url");
    if (url.empty()) url = kUrl;
    return json_post(draft.config, std::move(url), std::move(text));
  }
};

}  // namespace

const Channel& pagerduty_channel() {
  static const PagerDuty channel;
  return channel;
}

}  // namespace tiphys::notify
