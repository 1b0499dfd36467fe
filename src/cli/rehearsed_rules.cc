#include "cli/rehearsed_rules.h"

#include <fmt/format.h>

#include "notify/actions.h"
#include "notify/channel.h"
#include "notify/message_text.h"
#include "value/json.h"

namespace tiphys::cli {

namespace {

using notify::Happening;
using value::Value;

std::string space_or(std::string_view own, const std::string& name_space) {
  if (!own.empty()) return std::string(own);
  return name_space.empty() ? "default" : name_space;
}

// Nothing has run: where the end of a step's log would be said, this is.
Value with_logs(const Value& event) {
  value::List failures;
  for (const Value& failure : event["failures"].list()) {
    value::Map with = failure.map();
    with.set("log", "(the end of its log)");
    failures.emplace_back(std::move(with));
  }
  value::Map out = event.map();
  out.set("failures", std::move(failures));
  return out;
}

}  // namespace

diag::Result<RuleSource> RuleSource::of(const Documents& documents, store::Store& store,
                                        const std::string& name_space) {
  RuleSource out;
  std::map<std::string, notify::RulePtr> by_id;
  const auto add = [&](const std::string& kind, const Value& object, const std::string& space) {
    const std::string own = space_or(object["metadata"]["namespace"].string_or(""), space);
    const std::string name(object["metadata"]["name"].string_or(""));
    if (kind == "NotificationChannel") {
      out.channels.try_emplace({own, name}, object["spec"]);
      return;
    }
    std::vector<notify::RuleProblem> problems;
    auto rule = std::make_shared<const notify::Rule>(notify::parse_rule(object, own, problems));
    if (problems.empty()) by_id.try_emplace(rule->id(), rule);
  };
  for (const spec::Manifest& m : documents.manifests) {
    if (m.kind == "Notification" || m.kind == "NotificationChannel") {
      add(m.kind, m.object, name_space);
    }
  }
  for (const char* kind : {"Notification", "NotificationChannel"}) {
    TRY(const auto rows, store.list_objects(kind, ""));
    for (const store::ObjectRow& row : rows) {
      if (auto object = value::parse_json(row.json)) add(kind, *object, row.name_space);
    }
  }
  for (auto& [id, rule] : by_id) out.rules.push_back(rule);
  return out;
}

RehearsedRules::RehearsedRules(RuleSource source, const engine::Definition& definition,
                               clock::Instant begins, std::string url)
    : source_(std::move(source)), begins_(begins), url_(std::move(url)) {
  const Value& metadata = definition.workflow["metadata"];
  notify::RuleBook book;
  for (const notify::RulePtr& rule : source_.rules) book.add(rule);
  std::vector<notify::RulePtr> rules = book.of(metadata, definition.workflow["spec"]);
  std::vector<notify::RuleProblem> problems;
  for (notify::Rule& rule : notify::parse_subscriptions(
           metadata["annotations"], metadata["namespace"].string_or(""), problems)) {
    rules.push_back(std::make_shared<const notify::Rule>(std::move(rule)));
  }
  for (notify::Rule& rule :
       notify::parse_template_subscriptions(definition.workflow["spec"]["templates"],
                                            metadata["namespace"].string_or(""), problems)) {
    rules.push_back(std::make_shared<const notify::Rule>(std::move(rule)));
  }
  is_mute_ = notify::is_muted_by(metadata["annotations"]);
  watch_ = notify::Watch(std::move(rules));
}

diag::Result<Value> RehearsedRules::recall(const std::string& rule, const std::string& key) {
  const auto found = memory_.find({rule, key});
  return found == memory_.end() ? Value() : found->second.first;
}

void RehearsedRules::keep(const std::string& rule, const std::string& key, Value v,
                          clock::Instant due_at) {
  memory_.insert_or_assign({rule, key}, std::pair(std::move(v), due_at));
}

void RehearsedRules::saw(const engine::Engine& engine,
                         const std::vector<engine::Transition>& transitions, clock::Instant at) {
  for (const notify::RulePtr& rule : watch_.rules()) {
    if (rule->overdue_after.ns <= 0 || !engine.started_at().is_set()) continue;
    const clock::Instant due = engine.started_at() + rule->overdue_after;
    if (at < due || !told_overdue_.insert(rule->id()).second) continue;
    note(Happening::kWorkflowOverdue, engine.overdue_facts(due), "overdue", due, rule.get());
  }
  for (const engine::Transition& t : transitions) {
    const bool is_of_node = t.node != engine::kNoNode;
    if (is_of_node) {
      const spec::NodeType type = engine.node(t.node).type;
      if (type == "StepGroup" || type == "TaskGroup") continue;
    }
    Value event = engine.facts(t);
    const auto what = notify::parse_happening(event["type"].string_or(""));
    if (!what || !notify::contains(watch_.wanted(), *what)) continue;
    note(*what, std::move(event), "", at, nullptr);
  }
}

void RehearsedRules::note(Happening what, Value event, const std::string& occasion,
                          clock::Instant at, const notify::Rule* only) {
  event = notify::with_actions(event, url_, {}, at);
  for (const notify::Match& match : watch_.matches(what, event, at, {})) {
    if (is_mute_ || (only != nullptr && match.rule.get() != only)) continue;
    auto letters = notify::decide({.match = match,
                                   .what = what,
                                   .event = event,
                                   .occasion = occasion,
                                   .at = at,
                                   .complete = with_logs},
                                  *this);
    if (!letters) continue;
    for (const notify::Letter& letter : *letters) add(letter, at);
  }
}

void RehearsedRules::end() {
  const auto remembered = memory_;
  for (const auto& [name, kept] : remembered) {
    if (!kept.second.is_set() || kept.first.is_null()) continue;
    for (const notify::RulePtr& rule : watch_.rules()) {
      if (rule->id() != name.first) continue;
      for (const notify::Letter& letter :
           notify::close_digest(rule, name.second, kept.first, kept.second, *this)) {
        add(letter, kept.second);
      }
    }
  }
}

void RehearsedRules::add(const notify::Letter& letter, clock::Instant at) {
  const notify::Rule& rule = *letter.rule;
  const notify::Address& address = rule.send[letter.address];
  RehearsedLetter out{.at = at - begins_,
                      .rule = rule.name,
                      .trigger = std::string(letter.event["trigger"].string_or("")),
                      .channel = address.channel,
                      .kind = {},
                      .destination = {},
                      .not_before = letter.not_before,
                      .title = {},
                      .text = {},
                      .link = {},
                      .problem = letter.trouble};
  const auto found = source_.channels.find({rule.name_space, address.channel});
  const Value spec = found == source_.channels.end() ? Value() : found->second;
  out.kind = spec["kind"].string_or("");
  const notify::Channel* how = notify::find_channel(out.kind);
  const Value message = notify::with_recipients(address, letter.message, out.kind);
  const notify::Notice notice{.id = "", .at = at, .event = letter.event};
  const notify::Words words = notify::words_of(notice, message);
  out.title = words.title;
  out.text = words.text;
  out.link = words.link;
  // A webhook's body is what its receiver sees.
  if (const Value& body = message["body"]; !body.is_null()) {
    out.title.clear();
    out.text = notify::plain_text(body);
  }
  if (how == nullptr) {
    out.problem =
        fmt::format("there is no channel '{}' in namespace '{}'", address.channel, rule.name_space);
    letters_.push_back(std::move(out));
    return;
  }
  for (const std::string& destination : how->destinations(spec["config"], message)) {
    out.destination = destination;
    letters_.push_back(out);
  }
}

}  // namespace tiphys::cli
