// Built-ins on lists.
#include <algorithm>
#include <array>
#include <set>

#include <fmt/core.h>

#include "expr/arithmetic.h"
#include "expr/builtin_table.h"

namespace tiphys::expr {
namespace {

using Value = diag::Result<RuntimeValue>;
constexpr int kMaxDepth = 1000;  // of nested lists

diag::Result<void> one_argument(std::span<const Type> arguments) {
  if (arguments.size() == 1) return {};
  return bad_expression(
      fmt::format("invalid number of arguments (expected 1, got {})", arguments.size()));
}

bool may_be_list(Type t) { return t == Type::kAny || is_list(t); }

diag::Result<Type> check_end(std::span<const Type> arguments, std::string_view which) {
  TRY_VOID(one_argument(arguments));
  if (!may_be_list(arguments[0])) {
    return bad_expression(
        fmt::format("cannot get {} element from {}", which, go_name(arguments[0])));
  }
  return element_type(arguments[0]);
}
diag::Result<Type> check_first(std::span<const Type> t) { return check_end(t, "first"); }
diag::Result<Type> check_last(std::span<const Type> t) { return check_end(t, "last"); }

diag::Result<Type> check_take(std::span<const Type> arguments) {
  if (arguments.size() != 2) {
    return bad_expression(
        fmt::format("invalid number of arguments (expected 2, got {})", arguments.size()));
  }
  if (!may_be_list(arguments[0])) {
    return bad_expression(fmt::format("cannot take from {}", go_name(arguments[0])));
  }
  const Type n = arguments[1];
  const bool integer = n == Type::kAny || n == Type::kInt || n == Type::kInt64 ||
                       n == Type::kDuration || n == Type::kMonth || n == Type::kWeekday;
  if (!integer) return bad_expression(fmt::format("cannot take {} elements", go_name(n)));
  return arguments[0];
}

diag::Result<Type> check_lists(std::span<const Type> arguments, std::string_view verb) {
  for (const Type t : arguments) {
    if (!may_be_list(t)) return bad_expression(fmt::format("cannot {} {}", verb, go_name(t)));
  }
  return Type::kListAny;
}
diag::Result<Type> check_reverse(std::span<const Type> arguments) {
  TRY_VOID(one_argument(arguments));
  return check_lists(arguments, "reverse");
}
diag::Result<Type> check_uniq(std::span<const Type> arguments) {
  TRY_VOID(one_argument(arguments));
  return check_lists(arguments, "uniq");
}
diag::Result<Type> check_flatten(std::span<const Type> arguments) {
  TRY_VOID(one_argument(arguments));
  return check_lists(arguments, "flatten");
}
diag::Result<Type> check_concat(std::span<const Type> arguments) {
  if (arguments.empty()) {
    return bad_expression("invalid number of arguments (expected at least 1, got 0)");
  }
  return check_lists(arguments, "concat");
}

// The items of any list, bytes included.
diag::Result<Items> list_items(const RuntimeValue& v, std::string_view verb) {
  if (!is_list(v.type())) {
    return bad_expression(fmt::format("cannot {} {}", verb, go_name(v.type())));
  }
  if (v.is_list()) return v.items();
  Items out;
  for (std::size_t i = 0; i < v.as_string().size(); ++i) out.push_back(element_at(v, i));
  return out;
}

// first() and last() give nil for whatever has no such element.
Value end_of(Arguments arguments, std::int64_t index) {
  TRY_VOID(expect_count(arguments, 1, 1));
  auto found = fetch(arguments[0], RuntimeValue(index));
  return found ? std::move(*found) : RuntimeValue();
}
Value first(Arguments arguments, CallContext&) { return end_of(arguments, 0); }
Value last(Arguments arguments, CallContext&) { return end_of(arguments, -1); }

Value take(Arguments arguments, CallContext&) {
  TRY_VOID(expect_count(arguments, 2, 2));
  const RuntimeValue& list = arguments[0];
  if (!is_list(list.type())) {
    return bad_expression(fmt::format("cannot take from {}", go_name(list.type())));
  }
  const Type t = arguments[1].type();
  if (!is_integer(t) && t != Type::kDuration && t != Type::kMonth && t != Type::kWeekday) {
    return bad_expression(fmt::format("cannot take {} elements", go_name(t)));
  }
  const std::int64_t count = arguments[1].as_integer();
  if (count < 0 || t == Type::kUint8) {
    return bad_expression("reflect.Value.Slice: slice index out of bounds");
  }
  return slice(list, 0, count);
}

Value reverse(Arguments arguments, CallContext& context) {
  TRY_VOID(expect_count(arguments, 1, 1));
  TRY(Items items, list_items(arguments[0], "reverse"));
  TRY_VOID(context.grow(items.size()));
  return RuntimeValue::list(Items(items.rbegin(), items.rend()));
}

Value uniq(Arguments arguments, CallContext& context) {
  TRY_VOID(expect_count(arguments, 1, 1));
  TRY(const Items items, list_items(arguments[0], "uniq"));
  Items out;
  std::set<std::string_view> texts;  // equal to nothing else, and the usual elements
  for (const RuntimeValue& item : items) {
    bool seen = false;
    if (item.is_string()) {
      seen = !texts.insert(item.as_string()).second;
    } else {
      context.steps += out.size();
      if (context.steps > CallContext::kMaxSteps) return bad_expression("step budget exceeded");
      seen = std::ranges::any_of(out, [&](const RuntimeValue& v) { return equal(item, v); });
    }
    if (!seen) out.push_back(item);
  }
  return RuntimeValue::list(std::move(out));
}

Value concat(Arguments arguments, CallContext& context) {
  if (arguments.empty()) {
    return bad_expression("invalid number of arguments (expected at least 1, got 0)");
  }
  Items out;
  for (const RuntimeValue& list : arguments) {
    TRY(const Items items, list_items(list, "concat"));
    TRY_VOID(context.grow(items.size()));
    out.insert(out.end(), items.begin(), items.end());
  }
  return out.empty() ? RuntimeValue::nil_list() : RuntimeValue::list(std::move(out));
}

diag::Result<void> flatten_into(const RuntimeValue& list, int depth, Items& out) {
  if (depth > kMaxDepth) return bad_expression("recursion depth exceeded");
  TRY(const Items items, list_items(list, "flatten"));
  for (const RuntimeValue& item : items) {
    if (is_list(item.type())) {
      TRY_VOID(flatten_into(item, depth + 1, out));
    } else {
      out.push_back(item);
    }
  }
  return {};
}

Value flatten(Arguments arguments, CallContext& context) {
  TRY_VOID(expect_count(arguments, 1, 1));
  Items out;
  TRY_VOID(flatten_into(arguments[0], 0, out));
  TRY_VOID(context.grow(out.size()));
  return RuntimeValue::list(std::move(out));
}

Value sort(Arguments arguments, CallContext& context) {
  TRY_VOID(expect_count(arguments, 1, 2));
  bool descending = false;
  if (arguments.size() == 2) {
    if (!arguments[1].is_string()) {
      return bad_expression(fmt::format("sort order argument must be a string (got {})",
                                        go_name(arguments[1].type())));
    }
    const std::string& order = arguments[1].as_string();
    if (order != "asc" && order != "desc") {
      return bad_expression(fmt::format("invalid order {}, expected asc or desc", order));
    }
    descending = order == "desc";
  }
  const Type t = arguments[0].type();
  if (t != Type::kListAny && t != Type::kListInt && t != Type::kListFloat &&
      t != Type::kListString) {
    return RuntimeValue::nil_list();
  }
  const Items& items = arguments[0].items();
  TRY(const std::vector<std::size_t> order, sorted_order(items, descending));
  TRY_VOID(context.grow(items.size()));
  Items out;
  out.reserve(items.size());
  for (const std::size_t i : order) out.push_back(items[i]);
  return RuntimeValue::list(std::move(out));
}

constexpr std::array kListOrder = {Type::kListAny, Type::kString};
constexpr std::array kIntsOrder = {Type::kListInt, Type::kString};
constexpr std::array kFloatsOrder = {Type::kListFloat, Type::kString};
constexpr std::array kStringsOrder = {Type::kListString, Type::kString};
constexpr std::array kList = {Type::kListAny};
constexpr std::array kFloats = {Type::kListFloat};
constexpr std::array kStrings = {Type::kListString};
constexpr std::array kInts = {Type::kListInt};
constexpr std::array kSort = {
    Signature{kListOrder, false, Type::kListAny},   Signature{kIntsOrder, false, Type::kListAny},
    Signature{kFloatsOrder, false, Type::kListAny}, Signature{kStringsOrder, false, Type::kListAny},
    Signature{kList, false, Type::kListAny},        Signature{kFloats, false, Type::kListAny},
    Signature{kStrings, false, Type::kListAny},     Signature{kInts, false, Type::kListAny}};

constexpr std::array kRows = std::to_array<Builtin>({
    {"first", {}, first, "the first element, or nil", check_first, true},
    {"last", {}, last, "the last element, or nil", check_last, true},
    {"take", {}, take, "the first n elements", check_take},
    {"reverse", {}, reverse, "in reverse order", check_reverse},
    {"uniq", {}, uniq, "without repeated elements", check_uniq},
    {"concat", {}, concat, "lists one after the other", check_concat},
    {"flatten", {}, flatten, "nested lists as one", check_flatten},
    {"sort", kSort, sort, "sorted, \"asc\" or \"desc\""},
});

}  // namespace

std::span<const Builtin> list_builtins() { return kRows; }

}  // namespace tiphys::expr
