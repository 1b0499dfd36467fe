#include "notify/rule_book.h"

#include <algorithm>
#include <utility>

#include "notify/event_scope.h"

namespace tiphys::notify {

namespace {

using value::Value;

constexpr std::string_view kCron = "workflows.argoproj.io/cron-workflow";

bool is_exact(const std::vector<std::string>& patterns) {
  return patterns.size() == 1 && patterns[0].find('*') == std::string::npos;
}

std::string label_drawer(std::string_view key, std::string_view v) {
  return "l:" + std::string(key) + "=" + std::string(v);
}

// The drawer of a condition that a workflow must fulfil.
std::string drawer_of(const Rule& rule) {
  const WorkflowSelector& s = rule.selector;
  if (is_exact(s.templates)) return "t:" + s.templates[0];
  for (const spec::Requirement& r : s.labels.requirements()) {
    using enum spec::Requirement::Operator;
    const bool is_one =
        (r.op == kIn || r.op == kEquals || r.op == kDoubleEquals) && r.values.size() == 1;
    if (is_one) return label_drawer(r.key, r.values[0]);
  }
  if (is_exact(s.names)) return "w:" + s.names[0];
  if (is_exact(s.namespaces)) return "n:" + s.namespaces[0];
  return "*";
}

bool fits_any(const std::vector<std::string>& patterns, std::string_view text) {
  return patterns.empty() ||
         std::ranges::any_of(patterns, [&](const std::string& p) { return fits(p, text); });
}

/// What selectors ask of a workflow.
struct Subject {
  std::string_view name_space;
  std::string_view name;
  std::string_view used_template;
  std::string_view cron;
  spec::Labels labels;

  Subject(const Value& metadata, const Value& spec)
      : name_space(metadata["namespace"].string_or("")),
        name(metadata["name"].string_or("")),
        used_template(spec["workflowTemplateRef"]["name"].string_or("")),
        cron(metadata["labels"][kCron].string_or("")),
        labels(spec::labels_of(metadata["labels"])) {}

  [[nodiscard]] bool is_chosen_by(const WorkflowSelector& s) const {
    const bool fits_template = s.templates.empty() ||
                               (!used_template.empty() && fits_any(s.templates, used_template)) ||
                               (!cron.empty() && fits_any(s.templates, cron));
    return fits_template && fits_any(s.namespaces, name_space) && fits_any(s.names, name) &&
           s.labels.matches(labels);
  }
};

bool is_in_scope(const Rule& rule, const Trigger& trigger, Happening what, const Value& event) {
  if (trigger.is_stop && event["shutdown"].string_or("").empty()) return false;
  if (!contains(kOfNodes, what)) return true;
  const Value& node = event["node"];
  const bool is_attempt = node["isAttempt"].bool_or(false);
  if (rule.last_attempt_only && is_attempt) return false;
  if (trigger.nodes != NodeScope::kSteps) return true;
  const std::string_view type = node["type"].string_or("");
  const bool runs_itself = type == "Pod" || type == "HTTP" || type == "Plugin" ||
                           type == "Suspend" || type == "Container" || type == "Skipped";
  // A Retry node stands for its last attempt: one of the two is told.
  const bool is_step = runs_itself || (type == "Retry" && rule.last_attempt_only);
  return is_step && !node["isHook"].bool_or(false);
}

// Most of many rules are about another step, phase or workflow: that is seen without evaluating.
bool may_hold(const std::vector<expr::NecessaryText>& needs, const EventScope& scope) {
  return std::ranges::all_of(needs, [&](const expr::NecessaryText& need) {
    Value scratch;
    const Value* v = scope.find_leaf(need.path, scratch);
    return v == nullptr || !v->is_string() || v->as_string() == need.text;
  });
}

bool holds(const std::optional<Condition>& when, const EventScope& scope, const Rule& rule,
           const Watch::Trouble& trouble) {
  if (!when) return true;
  if (!may_hold(when->needs, scope)) return false;
  auto result = when->program.run_bool(scope);
  if (!result && trouble) trouble(rule, result.error().message);
  return result && *result;
}

}  // namespace

void RuleBook::add(RulePtr rule) {
  const std::string drawer = drawer_of(*rule);
  drawers_[drawer].push_back(std::move(rule));
  ++size_;
}

std::vector<RulePtr> RuleBook::of(const Value& metadata, const Value& spec) const {
  std::vector<RulePtr> out;
  if (size_ == 0) return out;
  const Subject subject(metadata, spec);
  const auto look = [&](const std::string& drawer) {
    const auto found = drawers_.find(drawer);
    if (found == drawers_.end()) return;
    for (const RulePtr& rule : found->second) {
      if (subject.is_chosen_by(rule->selector)) out.push_back(rule);
    }
  };
  look("*");
  look("n:" + std::string(subject.name_space));
  look("w:" + std::string(subject.name));
  if (!subject.used_template.empty()) look("t:" + std::string(subject.used_template));
  if (!subject.cron.empty() && subject.cron != subject.used_template) {
    look("t:" + std::string(subject.cron));
  }
  for (const auto& [key, v] : subject.labels) look(label_drawer(key, v));
  return out;
}

Watch::Watch(std::vector<RulePtr> rules) : rules_(std::move(rules)) {
  for (const RulePtr& rule : rules_) {
    for (std::size_t i = 0; i < kHappenings; ++i) {
      const auto what = static_cast<Happening>(i);
      Waiting waiting{.rule = rule, .triggers = {}};
      for (const Trigger& trigger : rule->triggers) {
        if (contains(trigger.on, what)) waiting.triggers.push_back(&trigger);
      }
      const bool counts = rule->counts_streaks() && contains(kEndings, what);
      if (waiting.triggers.empty() && !counts) continue;
      by_happening_[i].push_back(std::move(waiting));
      wanted_ |= set_of(what);
    }
  }
}

std::vector<Match> Watch::matches(Happening what, const Value& event, clock::Instant now,
                                  const Trouble& trouble) const {
  std::vector<Match> out;
  const EventScope scope(event, now);
  for (const Waiting& waiting : by_happening_[static_cast<std::size_t>(what)]) {
    const Rule& rule = *waiting.rule;
    const Trigger* found = nullptr;
    for (const Trigger* trigger : waiting.triggers) {
      if (is_in_scope(rule, *trigger, what, event) && holds(trigger->when, scope, rule, trouble)) {
        found = trigger;
        break;
      }
    }
    if (found != nullptr && !holds(rule.when, scope, rule, trouble)) found = nullptr;
    const bool counts = rule.counts_streaks() && contains(kEndings, what);
    if (found != nullptr || counts) out.push_back({waiting.rule, found});
  }
  return out;
}

}  // namespace tiphys::notify
