// Built-ins on maps, and get().
#include <array>

#include <fmt/core.h>

#include "expr/arithmetic.h"
#include "expr/builtin_table.h"

namespace tiphys::expr {
namespace {

using Value = diag::Result<RuntimeValue>;

diag::Result<void> check_one(std::span<const Type> arguments) {
  if (arguments.size() == 1) return {};
  return bad_expression(
      fmt::format("invalid number of arguments (expected 1, got {})", arguments.size()));
}

diag::Result<Type> check_map(std::span<const Type> arguments, std::string_view action) {
  TRY_VOID(check_one(arguments));
  if (arguments[0] == Type::kAny || is_map(arguments[0])) return Type::kListAny;
  return bad_expression(
      fmt::format("cannot {}", fmt::format(fmt::runtime(action), go_name(arguments[0]))));
}
diag::Result<Type> check_keys(std::span<const Type> t) { return check_map(t, "get keys from {}"); }
diag::Result<Type> check_values(std::span<const Type> t) {
  return check_map(t, "get values from {}");
}
diag::Result<Type> check_to_pairs(std::span<const Type> t) {
  return check_map(t, "transform {} to pairs");
}
diag::Result<Type> check_from_pairs(std::span<const Type> arguments) {
  TRY_VOID(check_one(arguments));
  if (arguments[0] == Type::kAny || is_list(arguments[0])) return Type::kMapAnyAny;
  return bad_expression(fmt::format("cannot transform {} from pairs", go_name(arguments[0])));
}

diag::Result<const Table*> table_of(Arguments arguments, std::string_view action) {
  TRY_VOID(expect_count(arguments, 1, 1));
  if (!arguments[0].is_map()) {
    return bad_expression(fmt::format("cannot {} {}", action, go_name(arguments[0].type())));
  }
  return &arguments[0].table();
}

Value keys(Arguments arguments, CallContext&) {
  TRY(const Table* table, table_of(arguments, "get keys from"));
  Items out;
  for (const auto& [key, v] : *table) out.push_back(key);
  return RuntimeValue::list(std::move(out));
}

Value values(Arguments arguments, CallContext&) {
  TRY(const Table* table, table_of(arguments, "get values from"));
  Items out;
  for (const auto& [key, v] : *table) out.push_back(v);
  return RuntimeValue::list(std::move(out));
}

Value to_pairs(Arguments arguments, CallContext&) {
  TRY(const Table* table, table_of(arguments, "transform to pairs"));
  Items out;
  for (const auto& [key, v] : *table) out.push_back(RuntimeValue::list({key, v}, Type::kPair));
  return RuntimeValue::list(std::move(out), Type::kListPair);
}

Value from_pairs(Arguments arguments, CallContext&) {
  TRY_VOID(expect_count(arguments, 1, 1));
  if (!arguments[0].is_list()) {
    if (arguments[0].type() == Type::kBytes && arguments[0].as_string().empty()) {
      return RuntimeValue::map({}, Type::kMapAnyAny);
    }
    return bad_expression(
        fmt::format("cannot transform {} from pairs", go_name(arguments[0].type())));
  }
  Table table;
  for (const RuntimeValue& pair : arguments[0].items()) {
    if (!is_list(pair.type())) {
      return bad_expression(fmt::format("invalid pair {}", sprint(pair)));
    }
    if (raw_length(pair) != 2) {
      return bad_expression(fmt::format("invalid pair length {}", sprint(pair)));
    }
    RuntimeValue key = element_at(pair, 0);
    if (!is_hashable(key)) {
      return bad_expression(
          fmt::format("runtime error: hash of unhashable type {}", go_name(key.type())));
    }
    table.insert_or_assign(std::move(key), element_at(pair, 1));
  }
  return RuntimeValue::map(std::move(table), Type::kMapAnyAny);
}

// As base[key], but nil where there is nothing; a key of a wrong type is still an error.
Value get(Arguments arguments, CallContext&) {
  TRY_VOID(expect_count(arguments, 2, 2));
  const RuntimeValue& base = arguments[0];
  const RuntimeValue& key = arguments[1];
  if (base.is_nil()) return RuntimeValue();
  const bool method = key.is_string() && find_method(base.type(), key.as_string()) != nullptr;
  if (method) return fetch(base, key);
  if (base.is_map()) {
    TRY(const bool there, contains(key, base));
    return there ? fetch(base, key) : RuntimeValue();
  }
  const std::int64_t length = raw_length(base);
  if (length < 0) {
    if (base.type() == Type::kTime && !key.is_string()) {
      return bad_expression("interface conversion: interface {} is not string");
    }
    return RuntimeValue();
  }
  TRY(std::int64_t index, int_argument(arguments, 1));
  if (index < 0) index += length;
  if (index < 0 || index >= length) return RuntimeValue();
  return element_at(base, static_cast<std::size_t>(index));
}

constexpr std::array kRows = std::to_array<Builtin>({
    {"keys", {}, keys, "the keys of a map", check_keys},
    {"values", {}, values, "the values of a map", check_values},
    {"toPairs", {}, to_pairs, "a map as a list of [key, value]", check_to_pairs},
    {"fromPairs", {}, from_pairs, "a map of a list of [key, value]", check_from_pairs},
    {"get", {}, get, "an element or member, or nil", nullptr, true},
});

}  // namespace

std::span<const Builtin> map_builtins() { return kRows; }

}  // namespace tiphys::expr
