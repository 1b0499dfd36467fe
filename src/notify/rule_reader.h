// Reads the parts of a Notification manifest and says what is wrong with them.
//
// For rule.cc and rule_parts.cc.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "notify/rule.h"
#include "value/value.h"

namespace tiphys::notify {

class RuleReader {
 public:
  explicit RuleReader(std::vector<RuleProblem>& problems) : problems_(problems) {}

  void wrong(std::string pointer, std::string message, std::string suggestion = "") {
    problems_.push_back({std::move(pointer), false, std::move(message), std::move(suggestion)});
  }
  /// Only these fields may be there.
  void allow(const value::Value& v, const std::string& pointer,
             const std::vector<std::string_view>& fields);
  [[nodiscard]] std::string text(const value::Value& v, const std::string& pointer);
  /// A list of texts, or one text.
  [[nodiscard]] std::vector<std::string> texts(const value::Value& v, const std::string& pointer);
  [[nodiscard]] bool flag(const value::Value& v, const std::string& pointer);
  [[nodiscard]] clock::Duration duration(const value::Value& v, const std::string& pointer);
  [[nodiscard]] std::optional<Condition> condition(const value::Value& v,
                                                   const std::string& pointer);
  [[nodiscard]] std::optional<expr::Program> expression(const value::Value& v,
                                                        const std::string& pointer);
  [[nodiscard]] WorkflowSelector selector(const value::Value& v, const std::string& pointer);
  [[nodiscard]] std::vector<Trigger> triggers(const value::Value& v, const std::string& pointer);
  [[nodiscard]] std::vector<Address> addresses(const value::Value& v, const std::string& pointer);
  [[nodiscard]] std::optional<QuietHours> quiet_hours(const value::Value& v,
                                                      const std::string& pointer);
  void message(const value::Value& v, const std::string& pointer);

 private:
  [[nodiscard]] Trigger trigger(const value::Value& v, const std::string& pointer);
  [[nodiscard]] HappeningSet happenings(const value::Value& v, const std::string& pointer);

  std::vector<RuleProblem>& problems_;
};

/// The parts of `a; b, c`.
[[nodiscard]] std::vector<std::string> split_recipients(std::string_view text);
[[nodiscard]] Trigger trigger_of(const ReadyTrigger& ready);

}  // namespace tiphys::notify
