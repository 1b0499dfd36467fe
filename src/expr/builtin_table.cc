#include "expr/builtin_table.h"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>

#include <fmt/core.h>

#include "expr/sprig.h"

namespace tiphys::expr {
namespace {

using Index = std::map<std::string_view, const Builtin*>;

void add_rows(Index& index, std::span<const Builtin> rows) {
  for (const Builtin& row : rows) index.emplace(row.name, &row);
}

const Builtin* find_in(const Index& index, std::string_view name) {
  const auto found = index.find(name);
  return found == index.end() ? nullptr : found->second;
}

}  // namespace

const Builtin* find_builtin(std::string_view name) {
  static const Index index = [] {
    Index out;
    for (const auto rows : {string_builtins(), number_builtins(), aggregate_builtins(),
                            list_builtins(), map_builtins(), time_builtins()}) {
      add_rows(out, rows);
    }
    return out;
  }();
  return find_in(index, name);
}

const Builtin* find_argo_function(std::string_view name) {
  for (const Builtin& row : argo_functions()) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

const Builtin* find_sprig(std::string_view name) {
  static const Index index = [] {
    Index out;
    add_rows(out, sprig_functions());
    return out;
  }();
  return find_in(index, name);
}

std::unexpected<diag::Error> bad_expression(std::string message) {
  return diag::fail(diag::Code::kBadExpression, std::move(message));
}

diag::Result<void> expect_count(Arguments arguments, std::size_t least, std::size_t most) {
  if (arguments.size() >= least && arguments.size() <= most) return {};
  return bad_expression(
      fmt::format("invalid number of arguments (expected {}, got {})", least, arguments.size()));
}

diag::Result<std::string_view> string_argument(Arguments arguments, std::size_t i) {
  if (i >= arguments.size()) return bad_expression("runtime error: index out of range");
  if (!arguments[i].is_string()) {
    return bad_expression(
        fmt::format("interface conversion: interface {{}} is {}, not string",
                    arguments[i].is_nil() ? "nil" : go_name(arguments[i].type())));
  }
  return arguments[i].as_string();
}

std::int64_t float_to_int(double d) {
  constexpr double kLimit = 9223372036854775808.0;
  if (!(d >= -kLimit && d < kLimit)) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(d);
}

diag::Result<std::int64_t> int_argument(Arguments arguments, std::size_t i) {
  if (i >= arguments.size()) return bad_expression("runtime error: index out of range");
  const RuntimeValue& v = arguments[i];
  if (v.type() == Type::kFloat) return float_to_int(v.as_float());
  if (is_integer(v.type())) return v.as_integer();
  return bad_expression(fmt::format("invalid operation: int({})", go_name(v.type())));
}

diag::Result<std::vector<std::size_t>> sorted_order(const Items& keys, bool descending) {
  std::vector<std::size_t> order(keys.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (std::ranges::all_of(keys, &RuntimeValue::is_string)) {
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return keys[descending ? b : a].as_string() < keys[descending ? a : b].as_string();
    });
    return order;
  }
  std::string error;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    if (!error.empty()) return false;
    const auto before = descending ? less(keys[b], keys[a]) : less(keys[a], keys[b]);
    if (!before) error = before.error().message;
    return before.value_or(false);
  });
  if (!error.empty()) return bad_expression(std::move(error));
  return order;
}

diag::Result<void> fit_reflected(const Builtin& row, std::span<RuntimeValue> arguments) {
  if (row.signatures.empty()) return {};
  const Signature& signature = row.signatures[0];
  const std::size_t count = signature.parameters.size();
  const bool fits = signature.variadic ? arguments.size() + 1 >= count : arguments.size() == count;
  if (!fits) {
    return bad_expression(fmt::format("invalid number of arguments: expected {}{}, got {}",
                                      signature.variadic ? "at least " : "",
                                      signature.variadic ? count - 1 : count, arguments.size()));
  }
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const Type wanted = signature.parameters[std::min(i, count - 1)];
    RuntimeValue& given = arguments[i];
    if (given.is_nil()) {
      given = RuntimeValue::zero(wanted);
    } else if (wanted != Type::kAny && wanted != given.type()) {
      return bad_expression(
          fmt::format("reflect: Call using {} as type {}", go_name(given.type()), go_name(wanted)));
    }
  }
  return {};
}

}  // namespace tiphys::expr
