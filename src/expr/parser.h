// Source text to syntax tree.
//
// Pure. Nesting is limited, so that no source can exhaust the stack.
#pragma once

#include <functional>
#include <string_view>

#include "diag/error.h"
#include "expr/ast.h"

namespace tiphys::expr {

/// True for a name that the environment defines; such a name hides a built-in function.
using IsOverridden = std::function<bool(std::string_view name)>;

/// Parses one expression. Errors: kBadExpression in expr-lang's form, see error_at().
[[nodiscard]] diag::Result<Ast> parse(std::string_view source, const IsOverridden& is_overridden);

/// Fills the name lists of the tree (reads, roots, identifiers, called ...); parse() does it.
void collect_names(Ast& ast);

}  // namespace tiphys::expr
