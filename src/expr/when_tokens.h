// The words of a `when` condition, and which may follow which.
//
// The language is that of the govaluate library as Argo pins it, with its oddities, measured
// against its vectors. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "diag/error.h"

namespace tiphys::expr {

enum class WhenKind {
  kStart,  // before the first word
  kPrefix,
  kNumber,
  kBool,
  kString,
  kPattern,
  kTime,
  kVariable,
  kAccessor,
  kSeparator,
  kComparator,
  kLogical,
  kModifier,
  kClause,
  kClauseClose,
  kTernary,
};

/// One word. `text` is the operator, name or string; `number` the value of numbers, times (seconds)
/// and bools.
struct WhenToken {
  WhenKind kind = WhenKind::kStart;
  std::string text;
  double number = 0;
};

/// Splits a condition. Errors: kBadExpression with the library's text.
[[nodiscard]] diag::Result<std::vector<WhenToken>> when_tokens(std::string_view condition);

/// Checks the order of the words, brackets, and the patterns after =~ and !~. Errors as above.
[[nodiscard]] diag::Result<void> check_when_tokens(const std::vector<WhenToken>& tokens);

}  // namespace tiphys::expr
