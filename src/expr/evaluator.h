// Runs a checked expression.
//
// A walk over the tree: measured cheap enough (about a microsecond for `a.b == "c"`), and nothing
// to compile. Pure. Steps and memory are limited, so that every evaluation ends.
#pragma once

#include "diag/error.h"
#include "expr/ast.h"
#include "expr/environment.h"
#include "expr/program.h"

namespace tiphys::expr {

/// The value of the expression. Errors: kBadExpression in expr-lang's form, see error_at().
/// `used`, if there is one, is what earlier evaluations have cost, and counts on.
[[nodiscard]] diag::Result<RuntimeValue> evaluate(const Ast& ast, const Environment& environment,
                                                  Cost* used = nullptr);

}  // namespace tiphys::expr
