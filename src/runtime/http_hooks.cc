#include "runtime/http_hooks.h"

#include <string>

#include "clock/go_duration.h"
#include "observe/log.h"

namespace tiphys::runtime {

namespace {

using value::Value;

constexpr const char* kMode = "notifications.tiphys.dev/http-hooks";
constexpr const char* kRetries = "notifications.tiphys.dev/http-hook-retries";

// The annotation of the nearest that has it; "" when none has.
std::string_view annotation(const Value& body, const Value& metadata, const char* name) {
  const Value* const holders[] = {&body["annotations"], &body["metadata"]["annotations"],
                                  &metadata["annotations"]};
  for (const Value* const annotations : holders) {
    if (const auto text = (*annotations)[name].string_or(""); !text.empty()) return text;
  }
  return "";
}

// `0s, 5s, 1m`; nullopt when a part is no duration, or negative.
std::optional<notify::Schedule> parse_waits(std::string_view text) {
  constexpr std::string_view kBetween = ", \t\n";
  notify::Schedule schedule;
  for (;;) {
    const std::size_t begin = text.find_first_not_of(kBetween);
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.find_first_of(kBetween), text.size());
    const auto wait = clock::parse_duration(text.substr(0, end));
    if (!wait || wait->ns < 0) return std::nullopt;
    schedule.waits.push_back(*wait);
    text.remove_prefix(end);
  }
  if (schedule.waits.empty()) return std::nullopt;
  return schedule;
}

void warn(const char* name, std::string_view text, const char* wanted, const Value& metadata) {
  observe::log(observe::LogLevel::kWarn, "an annotation cannot be read",
               {{"workflow", metadata["name"].string_or("")},
                {"annotation", name},
                {"value", std::string(text)},
                {"wanted", wanted}});
}

}  // namespace

std::optional<HttpHooks> parse_http_hooks(std::string_view word) {
  if (word == "retry") return HttpHooks::kRetry;
  if (word == "await") return HttpHooks::kAwait;
  if (word == "once") return HttpHooks::kOnce;
  return std::nullopt;
}

HttpHookRules http_hook_rules(const Value& template_body, const Value& workflow_metadata,
                              HttpHooks otherwise) {
  HttpHookRules rules{.mode = otherwise};
  if (const auto word = annotation(template_body, workflow_metadata, kMode); !word.empty()) {
    const auto mode = parse_http_hooks(word);
    if (mode) {
      rules.mode = *mode;
    } else {
      warn(kMode, word, "retry, await or once", workflow_metadata);
    }
  }
  if (const auto text = annotation(template_body, workflow_metadata, kRetries); !text.empty()) {
    auto schedule = parse_waits(text);
    if (schedule) {
      rules.schedule = std::move(*schedule);
    } else {
      warn(kRetries, text, "durations with commas between: 0s, 5s, 1m", workflow_metadata);
    }
  }
  return rules;
}

}  // namespace tiphys::runtime
