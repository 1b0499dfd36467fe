#include "notify/rule.h"

#include <fmt/format.h>

#include <algorithm>

#include "clock/rfc3339.h"
#include "notify/rule_reader.h"
#include "spec/json_pointer.h"
#include "value/json.h"

namespace tiphys::notify {

namespace {

using value::List;
using value::Map;
using value::Value;

void read_once(Rule& rule, const Value& v, RuleReader& reader) {
  if (!v.is_map()) {
    rule.once_per = reader.expression(v, "/spec/oncePer");
    return;
  }
  reader.allow(v, "/spec/oncePer", {"key", "within"});
  rule.once_per = reader.expression(v["key"], "/spec/oncePer/key");
  rule.once_within = reader.duration(v["within"], "/spec/oncePer/within");
}

void read_digest(Rule& rule, const Value& v, RuleReader& reader) {
  if (!v.is_map()) {
    rule.digest = reader.duration(v, "/spec/digest");
    return;
  }
  reader.allow(v, "/spec/digest", {"window", "title"});
  if (v["window"].is_null()) reader.wrong("/spec/digest", "want 'window': a duration");
  rule.digest = reader.duration(v["window"], "/spec/digest/window");
  rule.digest_title = reader.text(v["title"], "/spec/digest/title");
  std::string others = rule.digest_title;
  constexpr std::string_view kCount = "{{count}}";
  if (const std::size_t at = others.find(kCount); at != std::string::npos) {
    others.erase(at, kCount.size());
  }
  reader.message(Value(others), "/spec/digest/title");
}

void read_limits(Rule& rule, const Value& spec, RuleReader& reader) {
  read_once(rule, spec["oncePer"], reader);
  const Value& failures = spec["afterFailures"];
  rule.after_failures = failures.int_or(0);
  if (!failures.is_null() && rule.after_failures < 1) {
    reader.wrong("/spec/afterFailures", "want a number, 1 or more");
  }
  rule.overdue_after = reader.duration(spec["overdueAfter"], "/spec/overdueAfter");
  rule.last_attempt_only = reader.flag(spec["lastAttemptOnly"], "/spec/lastAttemptOnly");
  read_digest(rule, spec["digest"], reader);
  rule.quiet = reader.quiet_hours(spec["quietHours"], "/spec/quietHours");
  rule.is_muted = reader.flag(spec["mute"], "/spec/mute");
  const std::string until = reader.text(spec["muteUntil"], "/spec/muteUntil");
  if (until.empty()) return;
  if (auto t = clock::parse_rfc3339(until)) {
    rule.muted_until = *t;
  } else {
    reader.wrong("/spec/muteUntil",
                 fmt::format("'{}' is no time: want \"2026-01-31T08:00:00Z\"", until));
  }
}

// A trigger on what never comes would be silent.
void check_overdue(const Rule& rule, const Value& given, RuleReader& reader) {
  for (std::size_t i = 0; i < rule.triggers.size(); ++i) {
    if (rule.triggers[i].on != set_of(Happening::kWorkflowOverdue)) continue;
    if (rule.overdue_after.ns > 0) continue;
    reader.wrong(given.is_list() ? fmt::format("/spec/triggers/{}", i) : "/spec/triggers",
                 "on-overdue wants spec.overdueAfter: how long a workflow may run");
  }
}

// `subscribe.on-failed.ops` to its trigger and channel.
bool split_subscription(std::string_view key, std::string& trigger, std::string& channel) {
  constexpr std::string_view kSubscribe = "subscribe.";
  if (!key.starts_with(kSubscribe)) return false;
  key.remove_prefix(kSubscribe.size());
  const std::size_t dot = key.find('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == key.size()) return false;
  trigger = key.substr(0, dot);
  channel = key.substr(dot + 1);
  return true;
}

}  // namespace

bool Rule::counts_streaks() const {
  return after_failures > 0 || std::ranges::any_of(triggers, &Trigger::is_recovery);
}

bool fits(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t from = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      from = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++from;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Rule parse_rule(const Value& object, std::string_view name_space,
                std::vector<RuleProblem>& problems) {
  RuleReader reader(problems);
  Rule rule;
  const Value& metadata = object["metadata"];
  rule.name = metadata["name"].string_or("");
  rule.name_space = metadata["namespace"].string_or(name_space);
  if (rule.name_space.empty()) rule.name_space = "default";
  if (rule.name.empty()) reader.wrong("", "a Notification needs metadata.name");
  reader.allow(object, "", {"apiVersion", "kind", "metadata", "spec"});
  const Value& spec = object["spec"];
  if (!spec.is_map()) {
    reader.wrong("", "a Notification needs a spec");
    return rule;
  }
  reader.allow(spec, "/spec",
               {"selector", "triggers", "when", "send", "message", "oncePer", "afterFailures",
                "overdueAfter", "lastAttemptOnly", "digest", "quietHours", "mute", "muteUntil"});
  rule.selector = reader.selector(spec["selector"], "/spec/selector");
  if (rule.selector.namespaces.empty()) rule.selector.namespaces = {rule.name_space};
  rule.triggers = reader.triggers(spec["triggers"], "/spec/triggers");
  rule.when = reader.condition(spec["when"], "/spec/when");
  rule.send = reader.addresses(spec["send"], "/spec/send");
  reader.message(spec["message"], "/spec/message");
  for (Address& address : rule.send) {
    if (address.message.is_null()) address.message = spec["message"];
  }
  read_limits(rule, spec, reader);
  check_overdue(rule, spec["triggers"], reader);
  return rule;
}

std::vector<Rule> parse_subscriptions(const Value& annotations, std::string_view name_space,
                                      std::vector<RuleProblem>& problems) {
  RuleReader reader(problems);
  std::vector<Rule> rules;
  clock::Duration overdue_after;
  for (const auto& [key, v] : annotations.map()) {
    if (!key.starts_with(kAnnotations)) continue;
    const std::string pointer = "/" + spec::escape_token(key);
    const auto wrong = [&](std::string message, std::string suggestion = "") {
      problems.push_back({pointer, true, std::move(message), std::move(suggestion)});
    };
    const std::string_view what = std::string_view(key).substr(kAnnotations.size());
    if (what == "mute") continue;
    if (what == "overdue-after") {
      overdue_after = reader.duration(v, pointer);
      continue;
    }
    std::string trigger;
    std::string channel;
    if (!split_subscription(what, trigger, channel)) {
      wrong(fmt::format("'{}' is no annotation for notifications", key),
            fmt::format("write {}subscribe.TRIGGER.CHANNEL: RECIPIENTS", kAnnotations));
      continue;
    }
    const ReadyTrigger* ready = find_ready_trigger(trigger);
    if (ready == nullptr) {
      const std::string near = nearest_ready_trigger(trigger);
      wrong(fmt::format("there is no trigger '{}'", trigger),
            near.empty() ? "" : fmt::format("did you mean '{}'?", near));
      continue;
    }
    rules.push_back(
        {.name_space = std::string(name_space),
         .name = "@" + std::string(what),
         .is_annotation = true,
         .triggers = {trigger_of(*ready)},
         .send = {{.channel = channel, .recipients = split_recipients(v.string_or(""))}}});
  }
  for (Rule& rule : rules) {
    if (!contains(rule.triggers[0].on, Happening::kWorkflowOverdue)) continue;
    rule.overdue_after = overdue_after;
    if (overdue_after.ns > 0) continue;
    problems.push_back(
        {"/" + spec::escape_token(fmt::format("{}{}", kAnnotations, rule.name.substr(1))), true,
         "on-overdue wants to know how long the workflow may run",
         fmt::format("add {}overdue-after: 30m", kAnnotations)});
  }
  return rules;
}

std::vector<Rule> parse_template_subscriptions(const Value& templates, std::string_view name_space,
                                               std::vector<RuleProblem>& problems) {
  std::vector<Rule> rules;
  std::size_t i = 0;
  for (const Value& t : templates.list()) {
    const std::string below = fmt::format("/{}/metadata/annotations", i++);
    const std::string name(t["name"].string_or(""));
    std::vector<RuleProblem> own;
    for (Rule& rule : parse_subscriptions(t["metadata"]["annotations"], name_space, own)) {
      if ((rule.triggers.front().on & kOfWorkflows) != 0) {
        own.push_back({fmt::format("/{}subscribe.{}.{}", spec::escape_token(kAnnotations),
                                   rule.triggers.front().name, rule.send.front().channel),
                       true,
                       fmt::format("'{}' is about workflows, and a template has steps",
                                   rule.triggers.front().name),
                       "use on-step-failed or on-step-succeeded, or annotate the workflow"});
        continue;
      }
      auto is_of_it =
          expr::Program::parse(fmt::format("node.templateName == {}", value::to_json(Value(name))));
      if (!is_of_it) continue;  // a text in quotes is an expression
      rule.when.emplace(std::move(*is_of_it));
      rule.name += "@" + name;
      rules.push_back(std::move(rule));
    }
    for (RuleProblem& p : own) {
      p.pointer = below + p.pointer;
      problems.push_back(std::move(p));
    }
  }
  return rules;
}

bool is_muted_by(const Value& annotations) {
  return annotations[std::string(kAnnotations) + "mute"].string_or("") == "true";
}

std::string_view recipients_field(std::string_view channel_kind) {
  if (channel_kind == "email") return "to";
  if (channel_kind == "slack") return "channel";
  if (channel_kind == "telegram") return "chatId";
  if (channel_kind == "ntfy") return "topic";
  if (channel_kind == "mattermost") return "channel";
  if (channel_kind == "dingtalk") return "atUserIds";
  if (channel_kind == "wecom") return "mentionedList";
  return "";
}

Value with_recipients(const Address& address, Value message, std::string_view channel_kind) {
  const std::string_view field = recipients_field(channel_kind);
  if (address.recipients.empty() || field.empty()) return message;
  Map with;
  if (message.is_map()) with = message.map();
  if (message.is_string()) with.set("text", message);
  List recipients;
  for (const std::string& r : address.recipients) recipients.emplace_back(r);
  with.set(std::string(field), std::move(recipients));
  return Value(std::move(with));
}

}  // namespace tiphys::notify
