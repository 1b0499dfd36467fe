// A rule: which workflows, what has to happen, who hears of it and when.
//
// It is what a Notification manifest says, or an annotation on a workflow. Pure data, and how it is
// read.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clock/instant.h"
#include "expr/necessary.h"
#include "expr/program.h"
#include "notify/happening.h"
#include "notify/quiet_hours.h"
#include "spec/labels.h"
#include "value/value.h"

namespace tiphys::notify {

/// An expression that has to hold, and what has to be so for that, seen without evaluating it.
struct Condition {
  explicit Condition(expr::Program of)
      : program(std::move(of)), needs(expr::necessary_texts(program.source())) {}
  expr::Program program;
  std::vector<expr::NecessaryText> needs;
};

/// What has to happen: one of the rule's triggers.
struct Trigger {
  std::string name = {};  // as the manifest gives it; "" for an expression
  HappeningSet on = 0;
  NodeScope nodes = NodeScope::kAll;
  bool is_recovery = false;
  bool is_stop = false;
  std::optional<Condition> when = {};
};

/// Who hears of it.
struct Address {
  std::string channel = {};                  // a NotificationChannel in the rule's namespace
  std::vector<std::string> recipients = {};  // empty: those of the channel
  value::Value message = {};                 // null: the rule's, or the default
};

/// Each is true for no patterns at all. A `*` stands for any text.
struct WorkflowSelector {
  std::vector<std::string> namespaces = {};
  std::vector<std::string> names = {};
  std::vector<std::string> templates = {};  // of WorkflowTemplates and CronWorkflows
  spec::Selector labels = {};
};

struct Rule {
  std::string name_space = {};
  std::string name = {};
  bool is_annotation = false;
  WorkflowSelector selector = {};
  std::vector<Trigger> triggers = {};
  std::optional<Condition> when = {};
  std::vector<Address> send = {};
  std::optional<expr::Program> once_per = {};
  clock::Duration once_within = {};    // 0: for ever
  std::int64_t after_failures = 0;     // only the n-th failure in a row
  clock::Duration overdue_after = {};  // 0: never
  bool last_attempt_only = false;
  clock::Duration digest = {};  // 0: each by itself
  std::string digest_title = {};
  std::optional<QuietHours> quiet = {};
  bool is_muted = false;
  clock::Instant muted_until = {};

  /// What its memory is kept under.
  [[nodiscard]] std::string id() const { return name_space + "/" + name; }
  /// Whether it wants to know how workflows of a kind have ended one after the other.
  [[nodiscard]] bool counts_streaks() const;
  [[nodiscard]] bool is_mute(clock::Instant now) const { return is_muted || now < muted_until; }
};

/// What is wrong with a manifest, and where.
struct RuleProblem {
  std::string pointer;  // JSON pointer
  bool is_key = false;  // the name of the field is what is wrong
  std::string message;
  std::string suggestion = {};
};

/// Reads a Notification manifest; `problems` tells all that is wrong. `name_space` is for one that
/// names none.
[[nodiscard]] Rule parse_rule(const value::Value& object, std::string_view name_space,
                              std::vector<RuleProblem>& problems);

/// What begins the names of annotations that are for us.
inline constexpr std::string_view kAnnotations = "notifications.tiphys.dev/";
/// `notifications.tiphys.dev/subscribe.TRIGGER.CHANNEL: RECIPIENT; RECIPIENT` in the annotations of
/// a workflow: a rule for each. Pointers begin below the map of annotations.
[[nodiscard]] std::vector<Rule> parse_subscriptions(const value::Value& annotations,
                                                    std::string_view name_space,
                                                    std::vector<RuleProblem>& problems);
/// The same in the annotations of `templates[].metadata`: about the steps of that template, so with
/// the triggers of steps only. Pointers begin below the list.
[[nodiscard]] std::vector<Rule> parse_template_subscriptions(const value::Value& templates,
                                                             std::string_view name_space,
                                                             std::vector<RuleProblem>& problems);
/// `notifications.tiphys.dev/mute: "true"`.
[[nodiscard]] bool is_muted_by(const value::Value& annotations);

/// Whether `text` fits a pattern in which `*` stands for any text.
[[nodiscard]] bool fits(std::string_view pattern, std::string_view text);

/// The field of a message that names a channel's recipients; "" for a kind that has none.
[[nodiscard]] std::string_view recipients_field(std::string_view channel_kind);
/// An address's message for a channel of this kind: with its recipients.
[[nodiscard]] value::Value with_recipients(const Address& address, value::Value message,
                                           std::string_view channel_kind);

}  // namespace tiphys::notify
