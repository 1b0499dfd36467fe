// The binary operators on run-time values.
//
// Pure.
#pragma once

#include "diag/error.h"
#include "expr/ast.h"
#include "expr/runtime_value.h"

namespace tiphys::expr {

/// + - * / % ** on numbers, strings, times and durations, as expr-lang's runtime defines them;
/// integers wrap around. Errors: kBadExpression `invalid operation: int + string`, `integer divide
/// by zero`.
[[nodiscard]] diag::Result<RuntimeValue> arithmetic(Op op, const RuntimeValue& a,
                                                    const RuntimeValue& b);
/// < > <= >=. Errors: kBadExpression `invalid operation: int < string`.
[[nodiscard]] diag::Result<bool> ordered(Op op, const RuntimeValue& a, const RuntimeValue& b);
/// `needle in haystack`. Errors: kBadExpression for haystacks that are no list or map, and for keys
/// of a wrong type.
[[nodiscard]] diag::Result<bool> contains(const RuntimeValue& needle, const RuntimeValue& haystack);
/// base[key] and base.key: list items (negative: from the end), bytes of strings, map members
/// (missing: the zero value), methods. Errors: kBadExpression `index out of range: ...`, `cannot
/// fetch x from <nil>`.
[[nodiscard]] diag::Result<RuntimeValue> fetch(const RuntimeValue& base, const RuntimeValue& key);
/// base[from:to], bounds clamped; negative ones count from the end.
[[nodiscard]] diag::Result<RuntimeValue> slice(const RuntimeValue& base, std::int64_t from,
                                               std::int64_t to);
/// Number of elements or bytes, for slices and loops; -1 when the value has no length.
[[nodiscard]] std::int64_t raw_length(const RuntimeValue& v);
/// Element `i` (within range) of a list, string or bytes.
[[nodiscard]] RuntimeValue element_at(const RuntimeValue& v, std::size_t i);
/// True if the value may be a map key in Go: no list, map or function.
[[nodiscard]] bool is_hashable(const RuntimeValue& v);

}  // namespace tiphys::expr
