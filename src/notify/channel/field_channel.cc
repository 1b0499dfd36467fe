#include "notify/channel/field_channel.h"

#include <algorithm>

#include <fmt/format.h>

#include "value/json.h"

namespace tiphys::notify {

namespace {

constexpr std::size_t kReasonMax = 300;
// The words that every channel takes, so that one message can go to several; see words_of().
constexpr Field kWords[] = {
    {"title", FieldKind::kAny},
    {"text", FieldKind::kAny},
    {"link", FieldKind::kUrl},
    {"severity", FieldKind::kPlain, false, "good bad info"},
};

}  // namespace

std::vector<std::string> FieldChannel::problems(const value::Value& config) const {
  const value::Value settled = settled_fields(config, config_);
  std::vector<std::string> out = check_fields(settled, config_, Unknown::kRefused);
  find_problems(settled, out);
  return out;
}

void FieldChannel::find_problems(const value::Value&, std::vector<std::string>&) const {}

std::vector<Field> FieldChannel::message_fields() const {
  std::vector<Field> fields(std::begin(kWords), std::end(kWords));
  fields.insert(fields.end(), message_.begin(), message_.end());
  return fields;
}

std::vector<std::string> FieldChannel::problems_of_message(const value::Value& message) const {
  std::vector<Field> fields = message_fields();
  const value::Value settled = settled_fields(message, fields);
  for (Field& field : fields) {
    const bool has_tags = value::to_json(settled[field.name]).find("{{") != std::string::npos;
    if (has_tags) field = {.name = field.name, .kind = FieldKind::kAny};
  }
  return check_fields(settled, fields, Unknown::kRefused);
}

diag::Result<Request> FieldChannel::request(const Draft& draft) const {
  const value::Value config = settled_fields(draft.config, config_);
  // unknown fields are told when the channel is stored, and stop nothing here
  std::vector<std::string> wrong = check_fields(config, config_, Unknown::kAllowed);
  find_problems(config, wrong);
  if (!wrong.empty()) return refuse(wrong.front());
  if (!draft.message.is_null() && !draft.message.is_map() && !draft.message.is_string()) {
    return refuse("message: want a text or a map");
  }
  const std::vector<Field> fields = message_fields();
  const value::Value message = settled_fields(draft.message, fields);
  wrong = check_fields(message, fields, Unknown::kRefused);
  if (!wrong.empty()) return refuse("message." + wrong.front());
  return make({.notice = draft.notice,
               .config = config,
               .message = message,
               .destination = draft.destination,
               .memory = draft.memory,
               .now = draft.now});
}

std::unexpected<diag::Error> refuse(std::string why) {
  return diag::fail(diag::Code::kInvalidManifest, std::move(why));
}

HttpRequest json_post(const value::Value& config, std::string url, std::string body) {
  return {.url = std::move(url),
          .headers = {{"Content-Type", "application/json"}, {"User-Agent", "tiphys"}},
          .body = std::move(body),
          .skips_verification = flag_in(config, "insecureSkipVerify", false)};
}

std::string json_body(const value::Value& body) {
  return value::to_json(body, {.key_order = value::KeyOrder::kAsGiven, .escape_html = false});
}

value::Value own_words(const Draft& draft) {
  const value::Value& message = draft.message;
  if (!message.is_string() && message["title"].is_null() && message["text"].is_null() &&
      message["link"].is_null()) {
    return {};
  }
  const Words words = words_of(draft.notice, message);
  value::Map out;
  set_text(out, "title", words.title);
  set_text(out, "text", words.text);
  set_text(out, "link", words.link);
  return out;
}

void set_text(value::Map& map, std::string name, std::string text) {
  if (!text.empty()) map.set(std::move(name), std::move(text));
}

value::Value json_answer(const Answer& answer) {
  auto parsed = value::parse_json(answer.body);
  return parsed ? *parsed : value::Value();
}

Verdict judge_code(const Answer& answer, clock::Instant now, std::string_view field,
                   std::string_view text, std::span<const std::int64_t> retry,
                   clock::Duration pause) {
  const Verdict verdict = judge_http(answer, now);
  const value::Value body = json_answer(answer);
  const value::Value& code = body[field];
  if (!code.is_int()) {
    if (verdict.kind != Verdict::Kind::kDelivered) return verdict;
    return {.kind = Verdict::Kind::kRefused,
            .reason = fmt::format("the answer has no {}: {}", field,
                                  fit_text(clean_line(answer.body), {kReasonMax}))};
  }
  if (code.as_int() == 0) return verdict;
  const std::string reason =
      fmt::format("{} {}: {}", field, code.as_int(),
                  fit_text(clean_line(plain_text(body[text])), {kReasonMax}));
  if (std::ranges::find(retry, code.as_int()) != retry.end()) {
    return {.kind = Verdict::Kind::kRetry,
            .reason = reason,
            .retry_after = verdict.retry_after ? verdict.retry_after : pause};
  }
  if (verdict.kind == Verdict::Kind::kRetry) return verdict;
  return {.kind = Verdict::Kind::kRefused, .reason = reason};
}

int color_of(DefaultMessage::Severity severity) {
  switch (severity) {
    case DefaultMessage::Severity::kGood:
      return 0x2EA44F;
    case DefaultMessage::Severity::kBad:
      return 0xD73A49;
    case DefaultMessage::Severity::kInfo:
      return 0x0366D6;
  }
  return 0;
}

}  // namespace tiphys::notify
