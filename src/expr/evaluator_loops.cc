// The built-ins with a predicate: one loop for each.
#include <algorithm>

#include <fmt/core.h>

#include "expr/builtin_table.h"
#include "expr/evaluator_state.h"

namespace tiphys::expr {

namespace {
constexpr std::uint64_t kGroupSize = 4;  // elements that a list in a map takes as much room as
}  // namespace

bool Evaluator::loop(NodeId id, const Node& n, RuntimeValue& out) {
  Scope scope;
  if (!eval(n.list[0], scope.collection)) return false;
  scope.size = raw_length(scope.collection);
  if (scope.size < 0) {
    return fail(id,
                fmt::format("reflect: call of reflect.Value.Len on {} Value",
                            scope.collection.is_nil() ? "zero" : go_name(scope.collection.type())));
  }
  scope.outer = std::exchange(scope_, &scope);
  const bool fine = loop_body(id, n, scope, out);
  scope_ = scope.outer;
  return fine;
}

bool Evaluator::loop_body(NodeId id, const Node& n, Scope& scope, RuntimeValue& out) {
  switch (n.loop) {
    case Loop::kFilter:
      return loop_filter(id, n, scope, out);
    case Loop::kMap:
      return loop_map(id, n, scope, out);
    case Loop::kCount:
      return loop_count(n, scope, out);
    case Loop::kSum:
      return loop_sum(id, n, scope, out);
    case Loop::kFind:
    case Loop::kFindIndex:
    case Loop::kFindLast:
    case Loop::kFindLastIndex:
      return loop_find(id, n, scope, out);
    case Loop::kGroupBy:
      return loop_group(id, n, scope, out);
    case Loop::kSortBy:
      return loop_sort(id, n, scope, out);
    case Loop::kReduce:
      return loop_reduce(id, n, scope, out);
    default:
      return loop_quantifier(n, scope, out);
  }
}

bool Evaluator::item(NodeId at, const Scope& scope, RuntimeValue& out) {
  if (scope.collection.is_map()) {
    return fail(at, "reflect: call of reflect.Value.Index on map Value");
  }
  if (scope.index < 0 || scope.index >= scope.size) {
    return fail(at, "reflect: slice index out of range");
  }
  out = element_at(scope.collection, static_cast<std::size_t>(scope.index));
  return true;
}

bool Evaluator::pointer(NodeId id, const Node& n, RuntimeValue& out) {
  if (scope_ == nullptr) return fail(id, "cannot use pointer accessor outside predicate");
  const Scope& scope = *scope_;
  if (n.text.empty()) return item(id, scope, out);
  if (n.text == "index") {
    out = RuntimeValue(scope.index);
  } else if (n.text == "acc") {
    out = scope.accumulator;
  } else {
    return fail(id, fmt::format("unknown pointer {}", n.text));
  }
  return true;
}

// The element or the accumulator of the innermost loop, which nothing moves while it runs.
const RuntimeValue* Evaluator::find_pointer(const Node& n) const {
  if (scope_ == nullptr) return nullptr;
  const Scope& scope = *scope_;
  if (!n.text.empty()) return n.text == "acc" ? &scope.accumulator : nullptr;
  if (!scope.collection.is_list()) return nullptr;
  const Items& items = scope.collection.items();
  const auto i = static_cast<std::size_t>(scope.index);
  return i < items.size() ? &items[i] : nullptr;
}

// The predicate for the current element; without one, the element itself.
bool Evaluator::predicate(const Node& n, const Scope& scope, bool& out) {
  if (n.list.size() > 1) return truth(n.list[1], out);
  RuntimeValue v;
  return item(n.list[0], scope, v) && as_truth(n.list[0], v, out);
}

bool Evaluator::loop_quantifier(const Node& n, Scope& scope, RuntimeValue& out) {
  std::int64_t count = 0;
  for (; scope.index < scope.size; ++scope.index) {
    bool holds = false;
    if (!predicate(n, scope, holds)) return false;
    count += holds ? 1 : 0;
    const bool decided = n.loop == Loop::kAll ? !holds : (n.loop != Loop::kOne && holds);
    if (decided) {
      out = n.loop == Loop::kAny;
      return true;
    }
  }
  out = n.loop == Loop::kOne ? count == 1 : n.loop != Loop::kAny;
  return true;
}

bool Evaluator::loop_filter(NodeId id, const Node& n, Scope& scope, RuntimeValue& out) {
  Items items;
  for (; scope.index < scope.size; ++scope.index) {
    bool holds = false;
    if (!predicate(n, scope, holds)) return false;
    if (!holds) continue;
    RuntimeValue v;
    if (!item(id, scope, v)) return false;
    items.push_back(std::move(v));
  }
  if (const auto fits = context_.grow(items.size()); !fits) return fail(id, fits.error().message);
  out = RuntimeValue::list(std::move(items));
  return true;
}

bool Evaluator::loop_map(NodeId id, const Node& n, Scope& scope, RuntimeValue& out) {
  Items items;
  items.reserve(static_cast<std::size_t>(scope.size));
  for (; scope.index < scope.size; ++scope.index) {
    if (!eval(n.list[1], items.emplace_back())) return false;
  }
  if (const auto fits = context_.grow(items.size()); !fits) return fail(id, fits.error().message);
  out = RuntimeValue::list(std::move(items));
  return true;
}

bool Evaluator::loop_count(const Node& n, Scope& scope, RuntimeValue& out) {
  // A comparison with a constant lets the count stop early.
  const std::int64_t enough = n.constant.type() == Type::kInt ? n.constant.as_integer() : -1;
  std::int64_t count = 0;
  for (; scope.index < scope.size && count != enough; ++scope.index) {
    bool holds = false;
    if (!predicate(n, scope, holds)) return false;
    count += holds ? 1 : 0;
  }
  out = RuntimeValue(count);
  return true;
}

bool Evaluator::loop_sum(NodeId id, const Node& n, Scope& scope, RuntimeValue& out) {
  RuntimeValue sum(0);
  for (; scope.index < scope.size; ++scope.index) {
    RuntimeValue v;
    const bool fine = n.list.size() > 1 ? eval(n.list[1], v) : item(id, scope, v);
    if (!fine) return false;
    if (!number_operands(Op::kPlus, v, sum, sum) && !take(id, arithmetic(Op::kPlus, v, sum), sum)) {
      return false;
    }
  }
  out = std::move(sum);
  return true;
}

bool Evaluator::loop_find(NodeId id, const Node& n, Scope& scope, RuntimeValue& out) {
  const bool backwards = n.loop == Loop::kFindLast || n.loop == Loop::kFindLastIndex;
  const bool wants_index = n.loop == Loop::kFindIndex || n.loop == Loop::kFindLastIndex;
  const std::int64_t size = scope.size;
  for (std::int64_t i = 0; i < size; ++i) {
    scope.index = backwards ? size - 1 - i : i;
    bool holds = false;
    if (!predicate(n, scope, holds)) return false;
    if (!holds) continue;
    if (!wants_index) return item(id, scope, out);
    out = RuntimeValue(scope.index);
    return true;
  }
  if (n.flag) return fail(id, "reflect: slice index out of range");
  out = {};
  return true;
}

bool Evaluator::loop_group(NodeId id, const Node& n, Scope& scope, RuntimeValue& out) {
  std::map<RuntimeValue, Items, KeyLess> groups;
  for (; scope.index < scope.size; ++scope.index) {
    RuntimeValue key;
    RuntimeValue v;
    if (!eval(n.list[1], key) || !item(id, scope, v)) return false;
    if (!is_hashable(key)) {
      return fail(id,
                  fmt::format("runtime error: hash of unhashable type {}", go_name(key.type())));
    }
    Items& group = groups[std::move(key)];
    if (group.empty() && !context_.grow(kGroupSize)) return fail(id, "memory budget exceeded");
    group.push_back(std::move(v));
  }
  Table table;
  for (auto& [key, items] : groups) table.emplace(key, RuntimeValue::list(std::move(items)));
  out = RuntimeValue::map(std::move(table), Type::kMapAnyList);
  return true;
}

bool Evaluator::loop_sort(NodeId id, const Node& n, Scope& scope, RuntimeValue& out) {
  bool descending = false;
  if (n.list.size() == 3) {
    RuntimeValue order;
    if (!eval(n.list[2], order)) return false;
    if (!order.is_string()) return fail(id, "sortBy order argument must be a string");
    if (order.as_string() != "asc" && order.as_string() != "desc") {
      return fail(id, "unknown order, use asc or desc");
    }
    descending = order.as_string() == "desc";
  }
  Items items;
  Items keys;
  for (; scope.index < scope.size; ++scope.index) {
    RuntimeValue key;
    RuntimeValue v;
    if (!eval(n.list[1], key) || !item(id, scope, v)) return false;
    keys.push_back(std::move(key));
    items.push_back(std::move(v));
  }
  const auto order = sorted_order(keys, descending);
  if (!order) return fail(id, order.error().message);
  if (const auto fits = context_.grow(items.size()); !fits) return fail(id, fits.error().message);
  Items sorted;
  for (const std::size_t i : *order) sorted.push_back(items[i]);
  out = RuntimeValue::list(std::move(sorted));
  return true;
}

bool Evaluator::loop_reduce(NodeId id, const Node& n, Scope& scope, RuntimeValue& out) {
  RuntimeValue accumulator;
  if (n.list.size() == 3) {
    if (!eval(n.list[2], accumulator)) return false;
  } else {
    if (scope.size == 0) return fail(id, "reduce of empty array with no initial value");
    if (!item(id, scope, accumulator)) return false;
    ++scope.index;
  }
  scope.accumulator = std::move(accumulator);
  for (; scope.index < scope.size; ++scope.index) {
    RuntimeValue v;
    if (!eval(n.list[1], v)) return false;
    scope.accumulator = std::move(v);
  }
  out = scope.accumulator;
  return true;
}

}  // namespace tiphys::expr
