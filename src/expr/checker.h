// expr-lang's compile-time type check: what is known of the environment's types decides which
// expressions are errors.
//
// Only the types of the environment's top-level names count; below them everything is unknown until
// run time. Pure.
#pragma once

#include "diag/error.h"
#include "expr/ast.h"
#include "expr/environment.h"
#include "expr/program.h"

namespace tiphys::expr {

/// Checks `ast` and notes in its nodes the types that were found. Errors: kBadExpression in
/// expr-lang's form. `known`, if not null, tells of the variables instead of the environment.
[[nodiscard]] diag::Result<void> check(Ast& ast, const Environment& environment,
                                       const KnownVariables* known = nullptr);

}  // namespace tiphys::expr
