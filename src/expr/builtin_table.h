// The tables of functions that are not sprig's: built-ins, Argo's own, methods of times and
// durations.
//
// Pure.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "expr/builtins.h"

namespace tiphys::expr {

/// The built-in of this name (`upper`), or null. Built-ins with a predicate are in operators.h.
[[nodiscard]] const Builtin* find_builtin(std::string_view name);
/// asInt, asFloat, jsonpath or toJson, or null.
[[nodiscard]] const Builtin* find_argo_function(std::string_view name);
[[nodiscard]] std::span<const Builtin> argo_functions();
/// The sprig function of this name, or null.
[[nodiscard]] const Builtin* find_sprig(std::string_view name);
/// The method `name` of a type (time.Time, time.Duration ...), or null. Its first argument is the
/// receiver, which the signatures leave out.
[[nodiscard]] const Builtin* find_method(Type receiver, std::string_view name);

// The parts of the table of built-ins, by kind.
[[nodiscard]] std::span<const Builtin> string_builtins();
[[nodiscard]] std::span<const Builtin> number_builtins();
[[nodiscard]] std::span<const Builtin> aggregate_builtins();
[[nodiscard]] std::span<const Builtin> list_builtins();
[[nodiscard]] std::span<const Builtin> map_builtins();
[[nodiscard]] std::span<const Builtin> time_builtins();

/// int() and float(), which are Argo's asInt() and asFloat() as well.
[[nodiscard]] diag::Result<RuntimeValue> to_int(Arguments arguments, CallContext& context);
[[nodiscard]] diag::Result<RuntimeValue> to_float(Arguments arguments, CallContext& context);

/// The indices of `keys` in ascending (or descending) order; equal keys keep their order. Errors:
/// keys of types that have no order.
[[nodiscard]] diag::Result<std::vector<std::size_t>> sorted_order(const Items& keys,
                                                                  bool descending);
/// A run-time error of an expression.
[[nodiscard]] std::unexpected<diag::Error> bad_expression(std::string message);
/// Error unless there are `least` to `most` arguments.
[[nodiscard]] diag::Result<void> expect_count(Arguments arguments, std::size_t least,
                                              std::size_t most);
/// The string argument `i`, which it points into. Errors: as Go's failed type assertion.
[[nodiscard]] diag::Result<std::string_view> string_argument(Arguments arguments, std::size_t i);
/// The argument `i` as int, from any number. Errors: `invalid operation: int(string)`.
[[nodiscard]] diag::Result<std::int64_t> int_argument(Arguments arguments, std::size_t i);
/// Go's float64 to int conversion on amd64: out of range gives the smallest int.
[[nodiscard]] std::int64_t float_to_int(double d);

}  // namespace tiphys::expr
