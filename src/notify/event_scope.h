// The event of a rule as variables: for its expressions (`workflow.duration > 60`) and for the tags
// of its messages (`{{workflow.name}}`).
//
// An event is a JSON object (notice.h); rules see all members of it, also those that are empty.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clock/instant.h"
#include "diag/error.h"
#include "expr/program.h"
#include "value/value.h"
#include "vars/scope.h"

namespace tiphys::notify {

/// Reads an event, which is borrowed. Tags get texts, expressions get values as they are.
class EventScope final : public vars::Scope {
 public:
  EventScope(const value::Value& event, clock::Instant now) : event_(event), now_(now) {}

  [[nodiscard]] std::optional<value::Value> find(std::string_view name) const override;
  [[nodiscard]] bool has_below(std::string_view name) const override;
  [[nodiscard]] const value::Value* find_leaf(std::string_view name,
                                              value::Value& scratch) const override;
  void each(std::string_view root, const Visit& visit) const override;

 private:
  const value::Value& event_;
  clock::Instant now_;
};

/// What is known of a variable of an event before there is one.
[[nodiscard]] expr::Known known_event_field(std::string_view path);
/// The field nearest to a path that is none, or "".
[[nodiscard]] std::string nearest_event_field(std::string_view path);

/// What is wrong with an expression over an event: it does not parse, its types do not fit, or it
/// names a field that there is not. Empty when nothing is; `suggestion` may be set.
[[nodiscard]] std::string expression_problem(const expr::Program& program, std::string& suggestion);

/// A message as it is sent.
struct Rendered {
  value::Value message;
  std::string trouble = {};  // of the first tag that gave nothing, and why
};
/// The texts inside of `message` with their tags replaced. In place of a tag that gives nothing
/// stands what whoever reads it can tell: `(workflow.labels.team: none)`.
[[nodiscard]] Rendered rendered(const value::Value& message, const value::Value& event,
                                clock::Instant now);
/// Whether a text has a tag about the digest as a whole.
[[nodiscard]] bool reads_digest(std::string_view text);

/// A tag or expression inside of a message that cannot work.
struct MessageProblem {
  std::string pointer;  // below the message: `/title`
  std::string message;
  std::string suggestion;
};
[[nodiscard]] std::vector<MessageProblem> message_problems(const value::Value& message);

}  // namespace tiphys::notify
