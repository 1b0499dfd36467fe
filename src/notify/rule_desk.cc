#include "notify/rule_desk.h"

#include <fmt/format.h>

#include <algorithm>

#include "clock/rfc3339.h"
#include "notify/event_scope.h"
#include "notify/message_text.h"
#include "notify/notice.h"

namespace tiphys::notify {

namespace {

using value::List;
using value::Map;
using value::Value;

constexpr std::string_view kCountTag = "{{count}}";  // of a digest's title
constexpr std::size_t kDigestMax = 100;  // events of which a digest keeps more than their number

/// Which workflows are one after the other: those of a cron workflow, of a template, of a pattern
/// of names, of a generateName.
std::string line_of(const Rule& rule, const Value& workflow) {
  const std::string_view name = workflow["name"].string_or("");
  std::string_view kind = "name";
  std::string_view which = name;
  if (const std::string_view cron = workflow["cronWorkflow"].string_or(""); !cron.empty()) {
    kind = "cron";
    which = cron;
  } else if (const auto used = workflow["template"].string_or(""); !used.empty()) {
    kind = "template";
    which = used;
  } else if (const auto pattern = std::ranges::find_if(
                 rule.selector.names, [&](const std::string& p) { return fits(p, name); });
             pattern != rule.selector.names.end()) {
    which = *pattern;
  } else if (const auto prefix = workflow["generateName"].string_or(""); !prefix.empty()) {
    which = prefix;
  }
  return fmt::format("streak {} {} {}", workflow["namespace"].string_or(""), kind, which);
}

/// How the workflow's predecessors have ended; counts it, too.
diag::Result<std::int64_t> count_streak(const Candidate& c, RuleMemory& memory) {
  const Rule& rule = *c.match.rule;
  const std::string key = line_of(rule, c.event["workflow"]);
  TRY(const Value kept, memory.recall(rule.id(), key));
  const std::int64_t before = kept["failures"].int_or(0);
  if (c.what == Happening::kWorkflowSucceeded) {
    if (before > 0) memory.keep(rule.id(), key, {}, {});
    return before;
  }
  memory.keep(rule.id(), key, Value(Map{{"failures", before + 1}}), {});
  return before + 1;
}

bool is_told_of(const Candidate& c, std::int64_t failures) {
  const Rule& rule = *c.match.rule;
  if (c.match.trigger == nullptr) return false;
  const std::int64_t least = std::max<std::int64_t>(rule.after_failures, 1);
  if (c.match.trigger->is_recovery) return failures >= least;
  if (rule.after_failures == 0 || !contains(kEndings, c.what)) return true;
  return c.what != Happening::kWorkflowSucceeded && failures == rule.after_failures;
}

/// Whether it was told before; if not, it is now.
diag::Result<bool> was_told(const Candidate& c, RuleMemory& memory, std::string& trouble) {
  const Rule& rule = *c.match.rule;
  if (!rule.once_per) return false;
  auto v = rule.once_per->run(EventScope(c.event, c.at));
  if (!v) {
    trouble = "oncePer: " + v.error().message;  // rather twice than never
    return false;
  }
  const std::string key = "once " + plain_text(*v);
  TRY(const Value kept, memory.recall(rule.id(), key));
  if (kept.is_map()) {
    const clock::Instant told{kept["at"].int_or(0)};
    if (rule.once_within.ns == 0 || c.at - told < rule.once_within) return true;
  }
  memory.keep(rule.id(), key, Value(Map{{"at", c.at.ns}}), {});
  return false;
}

// The words of a message that are about each event of a digest, in one line or several.
std::string words_of_one(const Value& message, const Candidate& c, std::string& trouble) {
  const Value& title = message["title"];
  const Value& text = message.is_string() ? message : message["text"];
  std::string out;
  for (const Value* words : {&title, &text}) {
    if (!words->is_string() || reads_digest(words->as_string())) continue;
    Rendered one = rendered(*words, c.event, c.at);
    if (trouble.empty()) trouble = std::move(one.trouble);
    const std::string said = plain_text(one.message);
    if (!said.empty()) out += out.empty() ? said : ": " + said;
  }
  return out;
}

Value brief_of(const Candidate& c, std::string& trouble) {
  const Value& event = c.event;
  Map brief{{"type", event["type"]}, {"workflow", event["workflow"]}};
  if (event["node"].is_map()) brief.set("node", event["node"]);
  const DefaultMessage m = default_message({.id = "", .at = {}, .event = event});
  brief.set("title", m.title);
  List lines;
  for (const Address& address : c.match.rule->send) {
    lines.emplace_back(words_of_one(address.message, c, trouble));
  }
  const bool has_own = std::ranges::any_of(lines, [](const Value& v) { return v != Value(""); });
  if (has_own) brief.set("lines", std::move(lines));
  return Value(std::move(brief));
}

diag::Result<void> gather(const Candidate& c, RuleMemory& memory) {
  const Rule& rule = *c.match.rule;
  TRY(const Value kept, memory.recall(rule.id(), "digest"));
  Map digest = kept.map();
  List events = kept["events"].list();
  const std::int64_t count = kept["count"].int_or(0) + 1;
  if (events.size() < kDigestMax) {
    std::string trouble;
    events.push_back(brief_of(c, trouble));
    if (!trouble.empty()) digest.set("trouble", std::move(trouble));
  }
  clock::Instant due{kept["due"].int_or(0)};
  if (!due.is_set()) {
    due = c.at + rule.digest;
    digest.set("due", due.ns);
    digest.set("since", clock::rfc3339(c.at));
    digest.set("key", fmt::format("{}.{}", c.uid, c.occasion));  // of the first: it makes the id
  }
  digest.set("events", std::move(events));
  digest.set("count", count);
  memory.keep(rule.id(), "digest", Value(std::move(digest)), due);
  return {};
}

std::string digest_text(const Value& gathered, std::size_t address) {
  std::string text;
  const auto shown = static_cast<std::int64_t>(gathered["events"].list().size());
  for (const Value& e : gathered["events"].list()) {
    const List& lines = e["lines"].list();
    std::string own = address < lines.size() ? plain_text(lines[address]) : "";
    if (own.empty()) own = e["title"].string_or("");
    text += fmt::format("{}{}", text.empty() ? "" : "\n", own);
  }
  const std::int64_t more = gathered["count"].int_or(0) - shown;
  return more > 0 ? text + fmt::format("\n… and {} more", more) : text;
}

std::string digest_title(const Rule& rule, const Value& gathered, const Value& event,
                         clock::Instant now) {
  const std::string count = std::to_string(gathered["count"].int_or(0));
  if (rule.digest_title.empty()) {
    return fmt::format("{}: {} notification{} since {}", rule.name, count, count == "1" ? "" : "s",
                       gathered["since"].string_or(""));
  }
  std::string title = rule.digest_title;
  if (const std::size_t at = title.find(kCountTag); at != std::string::npos) {
    title.replace(at, kCountTag.size(), count);
  }
  return plain_text(rendered(Value(title), event, now).message);
}

// The words about each event are lines of the text; what else the rule's message has stays.
Letter digest_letter(const RulePtr& rule, std::size_t address, const Value& gathered,
                     const Value& event, clock::Instant now) {
  const Value& own = rule->send[address].message;
  const std::string first(gathered["key"].string_or(""));
  Letter letter{.rule = rule,
                .address = address,
                .uid = "digest-" + first,
                .key = fmt::format("{} digest {} {}", rule->id(), first, address),
                .event = event,
                .trouble = std::string(gathered["trouble"].string_or(""))};
  Map message;
  const auto set = [&](const std::string& field, const Value& words) {
    Rendered whole = rendered(words, event, now);
    message.set(field, std::move(whole.message));
    if (letter.trouble.empty()) letter.trouble = std::move(whole.trouble);
  };
  const auto is_of_all = [](const Value& v) {
    return v.is_string() && reads_digest(v.as_string());
  };
  message.set("title", digest_title(*rule, gathered, event, now));
  message.set("text", digest_text(gathered, address));
  for (const auto& [field, v] : own.map()) {
    if ((field != "title" && field != "text") || is_of_all(v)) set(field, v);
  }
  if (is_of_all(own)) set("text", own);
  letter.message = Value(std::move(message));
  return letter;
}

Letter letter_of(const Candidate& c, std::size_t address, const Value& event) {
  const Rule& rule = *c.match.rule;
  Letter letter{.rule = c.match.rule,
                .address = address,
                .uid = c.uid,
                .key = fmt::format("{} {} {}", rule.id(), c.occasion, address),
                .event = event};
  Rendered whole = rendered(rule.send[address].message, event, c.at);
  letter.message = std::move(whole.message);
  letter.trouble = std::move(whole.trouble);
  return letter;
}

}  // namespace

diag::Result<std::vector<Letter>> decide(const Candidate& given, RuleMemory& memory) {
  std::vector<Letter> letters;
  Candidate c = given;
  const Rule& rule = *c.match.rule;
  Map event = c.event.map();
  std::int64_t failures = 0;
  if (rule.counts_streaks() && contains(kEndings, c.what)) {
    TRY(failures, count_streak(c, memory));
  }
  if (!is_told_of(c, failures) || rule.is_mute(c.at)) return letters;
  event.set("consecutiveFailures", failures);
  event.set("trigger", rule.is_annotation || c.match.trigger->name.empty()
                           ? (rule.is_annotation ? c.match.trigger->name : rule.name)
                           : fmt::format("{}/{}", rule.name, c.match.trigger->name));
  c.event = Value(std::move(event));
  std::string trouble;
  TRY(const bool is_old, was_told(c, memory, trouble));
  if (is_old) return letters;
  const auto quiet = rule.quiet ? quiet_until(*rule.quiet, c.at) : std::nullopt;
  if (quiet && rule.quiet->drops) return letters;
  if (c.complete) c.event = c.complete(c.event);
  if (rule.digest.ns > 0) {
    TRY_VOID(gather(c, memory));
    return letters;
  }
  for (std::size_t i = 0; i < rule.send.size(); ++i) {
    letters.push_back(letter_of(c, i, c.event));
    if (quiet) letters.back().not_before = *quiet;
    if (letters.back().trouble.empty()) letters.back().trouble = trouble;
  }
  return letters;
}

std::vector<Letter> close_digest(const RulePtr& rule, const std::string& key, const Value& gathered,
                                 clock::Instant now, RuleMemory& memory) {
  std::vector<Letter> letters;
  if (!gathered["events"].is_list() || gathered["events"].list().empty()) {
    memory.keep(rule->id(), key, {}, {});
    return letters;
  }
  const auto quiet = rule->quiet ? quiet_until(*rule->quiet, now) : std::nullopt;
  if (quiet && !rule->quiet->drops) {
    memory.keep(rule->id(), key, gathered, *quiet);
    return letters;
  }
  memory.keep(rule->id(), key, {}, {});
  if (quiet || rule->is_mute(now)) return letters;
  const Value& last = gathered["events"].list().back();
  Map event{{"type", "digest"},
            {"trigger", rule->name},
            {"workflow", last["workflow"]},
            {"digest", Map{{"count", gathered["count"]},
                           {"since", gathered["since"]},
                           {"events", gathered["events"]}}}};
  for (std::size_t i = 0; i < rule->send.size(); ++i) {
    letters.push_back(digest_letter(rule, i, gathered, Value(event), now));
  }
  return letters;
}

std::string overdue_key(const std::string& uid, std::uint32_t run) {
  return fmt::format("overdue {} {}", uid, run);
}

}  // namespace tiphys::notify
