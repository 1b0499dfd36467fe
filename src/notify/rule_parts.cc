#include <fmt/format.h>

#include <algorithm>

#include "clock/civil.h"
#include "clock/go_duration.h"
#include "notify/event_scope.h"
#include "notify/rule_reader.h"
#include "spec/json_pointer.h"
#include "spec/schema.h"

namespace tiphys::notify {

using value::Value;

namespace {

bool looks_like_a_name(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; });
}

std::string did_you_mean(const std::string& near) {
  return near.empty() ? "" : fmt::format("did you mean '{}'?", near);
}

}  // namespace

std::vector<std::string> split_recipients(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t end = text.find_first_of(";,");
    std::string_view one = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::size_t first = one.find_first_not_of(" \t\n");
    if (first == std::string_view::npos) continue;
    one.remove_prefix(first);
    one = one.substr(0, one.find_last_not_of(" \t\n") + 1);
    out.emplace_back(one);
  }
  return out;
}

Trigger trigger_of(const ReadyTrigger& ready) {
  return {.name = std::string(ready.name),
          .on = ready.on,
          .nodes = ready.nodes,
          .is_recovery = ready.is_recovery,
          .is_stop = ready.is_stop};
}

void RuleReader::allow(const Value& v, const std::string& pointer,
                       const std::vector<std::string_view>& fields) {
  if (!v.is_map()) {
    if (!v.is_null()) wrong(pointer, "want a map");
    return;
  }
  for (const auto& [key, member] : v.map()) {
    if (std::ranges::find(fields, key) != fields.end()) continue;
    problems_.push_back({fmt::format("{}/{}", pointer, spec::escape_token(key)), true,
                         fmt::format("unknown field '{}'", key),
                         did_you_mean(spec::nearest_name(key, fields))});
  }
}

std::string RuleReader::text(const Value& v, const std::string& pointer) {
  if (!v.is_string() && !v.is_null()) wrong(pointer, "want a text");
  return std::string(v.string_or(""));
}

std::vector<std::string> RuleReader::texts(const Value& v, const std::string& pointer) {
  if (v.is_string()) return {v.as_string()};
  if (!v.is_list() && !v.is_null()) wrong(pointer, "want a list of texts");
  std::vector<std::string> out;
  std::size_t i = 0;
  for (const Value& item : v.list()) out.push_back(text(item, fmt::format("{}/{}", pointer, i++)));
  return out;
}

bool RuleReader::flag(const Value& v, const std::string& pointer) {
  if (!v.is_bool() && !v.is_null()) wrong(pointer, "want true or false");
  return v.bool_or(false);
}

clock::Duration RuleReader::duration(const Value& v, const std::string& pointer) {
  if (v.is_null()) return {};
  const std::string given = v.is_int() ? std::to_string(v.as_int()) : std::string(v.string_or(""));
  auto d = clock::parse_duration(given);
  if (d && d->ns > 0) return *d;
  wrong(pointer, fmt::format("'{}' is no duration: want 30s, 15m, 2h ...", given));
  return {};
}

std::optional<Condition> RuleReader::condition(const Value& v, const std::string& pointer) {
  std::optional<Condition> out;
  if (auto program = expression(v, pointer)) out.emplace(std::move(*program));
  return out;
}

std::optional<expr::Program> RuleReader::expression(const Value& v, const std::string& pointer) {
  if (v.is_null()) return std::nullopt;
  auto program = expr::Program::parse(text(v, pointer));
  if (!program) {
    wrong(pointer, "expression: " + program.error().message);
    return std::nullopt;
  }
  std::string suggestion;
  if (std::string problem = expression_problem(*program, suggestion); !problem.empty()) {
    wrong(pointer, "expression: " + problem, suggestion);
  }
  return std::move(*program);
}

WorkflowSelector RuleReader::selector(const Value& v, const std::string& pointer) {
  allow(v, pointer, {"namespaces", "names", "templates", "matchLabels", "matchExpressions"});
  WorkflowSelector out{.namespaces = texts(v["namespaces"], pointer + "/namespaces"),
                       .names = texts(v["names"], pointer + "/names"),
                       .templates = texts(v["templates"], pointer + "/templates")};
  auto labels = spec::Selector::from_object(v);
  if (labels) {
    out.labels = std::move(*labels);
  } else {
    wrong(pointer, labels.error().message);
  }
  return out;
}

HappeningSet RuleReader::happenings(const Value& v, const std::string& pointer) {
  HappeningSet set = 0;
  std::size_t i = 0;
  for (const std::string& type : texts(v, pointer)) {
    if (const auto h = parse_happening(type)) {
      set |= set_of(*h);
    } else {
      wrong(v.is_list() ? fmt::format("{}/{}", pointer, i) : pointer,
            fmt::format("there is no event '{}'", type),
            did_you_mean(spec::nearest_name(type, happening_names())));
    }
    ++i;
  }
  return set;
}

// A name, an expression, or {on, when}.
Trigger RuleReader::trigger(const Value& v, const std::string& pointer) {
  if (v.is_map()) {
    // YAML 1.1, and so kubectl, takes the key `on` for true
    const char* const on = v["on"].is_null() && !v["true"].is_null() ? "true" : "on";
    allow(v, pointer, {on, "when"});
    Trigger out{.on = happenings(v[on], fmt::format("{}/{}", pointer, on)),
                .when = condition(v["when"], pointer + "/when")};
    if (v[on].is_null()) wrong(pointer, "want 'on': a list of events");
    return out;
  }
  const std::string given = text(v, pointer);
  if (const ReadyTrigger* ready = find_ready_trigger(given)) return trigger_of(*ready);
  if (looks_like_a_name(given)) {
    wrong(pointer, fmt::format("there is no trigger '{}'", given),
          did_you_mean(nearest_ready_trigger(given)));
    return {};
  }
  Trigger out{.when = condition(v, pointer)};
  if (!out.when) return out;
  const bool is_of_node = std::ranges::any_of(
      out.when->program.reads(),
      [](const std::string& path) { return path == "node" || path.starts_with("node."); });
  out.on = is_of_node ? kOfNodes : kOfWorkflows;
  return out;
}

std::vector<Trigger> RuleReader::triggers(const Value& v, const std::string& pointer) {
  std::vector<Trigger> out;
  if (!v.is_list()) {
    if (!v.is_null()) out.push_back(trigger(v, pointer));
  }
  std::size_t i = 0;
  for (const Value& item : v.list()) {
    out.push_back(trigger(item, fmt::format("{}/{}", pointer, i++)));
  }
  if (out.empty()) wrong(pointer, "required: a list of triggers, such as on-failed");
  return out;
}

void RuleReader::message(const Value& v, const std::string& pointer) {
  if (!v.is_null() && !v.is_string() && !v.is_map()) wrong(pointer, "want a text or a map");
  for (MessageProblem& p : message_problems(v)) {
    wrong(pointer + p.pointer, std::move(p.message), std::move(p.suggestion));
  }
}

std::vector<Address> RuleReader::addresses(const Value& v, const std::string& pointer) {
  std::vector<Address> out;
  if (!v.is_list() || v.list().empty()) {
    wrong(pointer, "required: a list of {channel: NAME}");
    return out;
  }
  std::size_t i = 0;
  for (const Value& item : v.list()) {
    const std::string at = fmt::format("{}/{}", pointer, i++);
    allow(item, at, {"channel", "recipients", "message"});
    Address address{.channel = text(item["channel"], at + "/channel"), .message = item["message"]};
    if (address.channel.empty()) wrong(at, "want 'channel': the name of a NotificationChannel");
    const Value& recipients = item["recipients"];
    address.recipients = recipients.is_string() ? split_recipients(recipients.as_string())
                                                : texts(recipients, at + "/recipients");
    message(item["message"], at + "/message");
    out.push_back(std::move(address));
  }
  return out;
}

std::optional<QuietHours> RuleReader::quiet_hours(const Value& v, const std::string& pointer) {
  if (v.is_null()) return std::nullopt;
  allow(v, pointer, {"from", "to", "timeZone", "days", "then"});
  QuietHours out;
  const auto time = [&](const char* field) {
    const std::string given = text(v[field], fmt::format("{}/{}", pointer, field));
    const auto minute = parse_time_of_day(given);
    if (!minute) {
      wrong(fmt::format("{}/{}", pointer, field),
            fmt::format("{}: '{}' is no time of the day: want \"22:00\"", field, given));
    }
    return minute.value_or(0);
  };
  out.from_minute = time("from");
  out.to_minute = time("to");
  out.zone = text(v["timeZone"], pointer + "/timeZone");
  if (!clock::civil_in({1}, out.zone)) {
    wrong(pointer + "/timeZone", fmt::format("there is no time zone '{}'", out.zone));
  }
  if (!v["days"].is_null()) out.days = 0;
  std::size_t i = 0;
  for (const std::string& word : texts(v["days"], pointer + "/days")) {
    const auto day = parse_weekday(word);
    if (!day) wrong(fmt::format("{}/days/{}", pointer, i), fmt::format("'{}' is no day", word));
    out.days = static_cast<std::uint8_t>(out.days | 1U << static_cast<unsigned>(day.value_or(0)));
    ++i;
  }
  const std::string then = text(v["then"], pointer + "/then");
  out.drops = then == "drop";
  if (!then.empty() && then != "drop" && then != "hold") {
    wrong(pointer + "/then", fmt::format("then: '{}' is none of hold, drop", then));
  }
  return out;
}

}  // namespace tiphys::notify
