// An expression of the expr-lang dialect that Argo uses, parsed once and run against many
// environments.
//
// Pure: no clock (now() takes it from the scope's variable kClockVariable of environment.h, an int:
// nanoseconds since 1970; without it now() is an error), no I/O. A Program is immutable and may be
// shared.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "diag/error.h"
#include "value/value.h"
#include "vars/scope.h"

namespace tiphys::expr {

struct Ast;  // expr/ast.h

/// What evaluations have cost so far, to limit several of them together: a text may hold thousands
/// of expressions.
struct Cost {
  std::uint64_t steps = 0;
  std::uint64_t text = 0;    // bytes of the texts that they made
  std::uint64_t memory = 0;  // elements of the lists that they made

  /// True if nothing more can be evaluated.
  [[nodiscard]] bool is_exhausted() const;
};

/// What is known of a variable before a run.
enum class Known { kNothing, kAnything, kText, kMembers };  // kNothing: there is no such variable
/// Tells it of a name or of the dotted path below one.
using KnownVariables = std::function<Known(std::string_view path)>;

/// A parsed expression. Cheap to copy.
class Program {
 public:
  /// Parses `source`, of at most a MiB. Errors: kBadExpression with expr-lang's text and
  /// `(line:column)`.
  [[nodiscard]] static diag::Result<Program> parse(std::string_view source);

  /// Checks the types as far as the variables are known, for lint: stricter than a run, which
  /// compares a text with a number and finds them unequal. Errors: as parse().
  [[nodiscard]] diag::Result<void> check(const KnownVariables& known) const;

  /// Checks the types against what `scope` holds, as expr-lang does when it compiles, and
  /// evaluates.
  ///
  /// The dotted names of `scope` become nested maps; Argo's functions (asInt, asFloat, jsonpath,
  /// toJson, sprig.*) are added. Only variables whose first segment occurs in the expression are
  /// looked at. Errors: kBadExpression (unknown name, wrong type, run-time error, a result that
  /// JSON can't hold).
  [[nodiscard]] diag::Result<value::Value> run(const vars::Scope& scope) const;

  /// As run(), for hooks, `depends`, retryStrategy.expression: anything but a bool is an error
  /// `unable to cast expression result '%s' to bool`, and a run-time error begins with `unable to
  /// evaluate expression 'SOURCE': `, as in Argo's argoexpr.EvalBool.
  [[nodiscard]] diag::Result<bool> run_bool(const vars::Scope& scope) const;

  /// As run(), for a `{{=...}}` tag. Go's nil slices are null. Errors: kMissingVariable for nil,
  /// kInvalidManifest for a result that JSON can't hold, else kBadExpression.
  /// `used` counts on.
  [[nodiscard]] diag::Result<value::Value> run_for_tag(const vars::Scope& scope, Cost& used) const;

  /// The variables that the expression reads, dotted as far as it is constant: `workflow.status`,
  /// `steps.a.status` (also for steps["a"].status), or only a prefix (`steps`) where the member is
  /// computed. Sorted, unique.
  [[nodiscard]] const std::vector<std::string>& reads() const;
  /// What Argo wants to be known before it replaces a tag: names and paths without `?.` or `??`,
  /// each with all its beginnings, shortest first.
  [[nodiscard]] const std::vector<std::string>& identifiers() const;
  [[nodiscard]] const std::string& source() const;

 private:
  std::shared_ptr<const Ast> ast_;
};

}  // namespace tiphys::expr
