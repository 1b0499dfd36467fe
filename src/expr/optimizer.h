// The rewritings of expr-lang's optimizer that can be seen: they move errors to compile time, or
// avoid evaluating what would be an error (`false && 1` is false, `first(filter(...))` stops at the
// first match).
//
// Pure.
#pragma once

#include "diag/error.h"
#include "expr/ast.h"

namespace tiphys::expr {

/// Rewrites the nodes of a checked tree. Errors: kBadExpression `integer divide by zero` of
/// constants.
[[nodiscard]] diag::Result<void> optimize(Ast& ast);

}  // namespace tiphys::expr
