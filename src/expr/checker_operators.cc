// Types of unary and binary operators.
#include <re2/re2.h>

#include <fmt/core.h>

#include "expr/checker_state.h"
#include "expr/operators.h"

namespace tiphys::expr {
namespace {

bool is_one_of(const Nature& n, std::initializer_list<bool (*)(const Nature&)> checks) {
  for (const auto check : checks) {
    if (check(n)) return true;
  }
  return false;
}

// Both unknown, or one unknown and the other one of the types that the operator takes.
bool maybe(const Nature& l, const Nature& r,
           std::initializer_list<bool (*)(const Nature&)> checks) {
  return (l.is_unknown() && r.is_unknown()) || (l.is_unknown() && is_one_of(r, checks)) ||
         (r.is_unknown() && is_one_of(l, checks));
}

bool boolean(const Nature& n) { return n.type == Type::kBool; }
bool text(const Nature& n) { return n.type == Type::kString; }
bool number(const Nature& n) { return n.is_number(); }
bool integer(const Nature& n) { return n.is_integer(); }
bool time(const Nature& n) { return n.type == Type::kTime; }
bool duration(const Nature& n) { return n.type == Type::kDuration; }

bool both(const Nature& l, const Nature& r, bool (*check)(const Nature&)) {
  return check(l) && check(r);
}

Nature promoted(const Nature& l, const Nature& r) {
  return of_type(l.type == Type::kFloat || r.type == Type::kFloat ? Type::kFloat : Type::kInt);
}

}  // namespace

Nature Checker::unary(NodeId id) {
  const NodeId operand = node(id).a;
  const Op op = node(id).op;
  const Nature n = visit(operand);
  if (op == Op::kNot) {
    if (boolean(n) || n.is_unknown()) return of_type(Type::kBool);
    return fail(id, fmt::format("invalid operation: ! (mismatched type {})", n.name()));
  }
  if (n.is_number()) return n;
  if (n.is_unknown()) return {};
  return fail(id, fmt::format("invalid operation: {} (mismatched type {})",
                              op == Op::kMinus ? "-" : "+", n.name()));
}

Nature Checker::mismatch(NodeId id, const Nature& l, const Nature& r) {
  return fail(id, fmt::format("invalid operation: {} (mismatched types {} and {})",
                              operator_text(node(id).op), l.name(), r.name()));
}

Nature Checker::binary(NodeId id) {
  const NodeId left = node(id).a;
  const NodeId right = node(id).b;
  const Op op = node(id).op;
  const Nature l = visit(left);
  const Nature r = visit(right);
  if (failed()) return {};
  switch (op) {
    case Op::kEqual:
    case Op::kNotEqual:
      return comparable(l, r) ? of_type(Type::kBool) : mismatch(id, l, r);
    case Op::kOr:
    case Op::kAnd:
      if (both(l, r, boolean) || maybe(l, r, {boolean})) return of_type(Type::kBool);
      return mismatch(id, l, r);
    case Op::kLess:
    case Op::kMore:
    case Op::kMoreOrEqual:
    case Op::kLessOrEqual:
      if (both(l, r, number) || both(l, r, text) || both(l, r, time) || both(l, r, duration) ||
          maybe(l, r, {number, text, time, duration})) {
        return of_type(Type::kBool);
      }
      return mismatch(id, l, r);
    case Op::kIn:
      return in(id, l, r);
    case Op::kMatches:
      return matches(id, l, r);
    case Op::kContains:
    case Op::kStartsWith:
    case Op::kEndsWith:
      if (both(l, r, text) || maybe(l, r, {text})) return of_type(Type::kBool);
      return mismatch(id, l, r);
    case Op::kRange:
      if (both(l, r, integer) || maybe(l, r, {integer})) return list_of(of_type(Type::kInt));
      return mismatch(id, l, r);
    case Op::kCoalesce:
      return coalesce(l, r);
    default:
      return arithmetic(id, op, l, r);
  }
}

Nature Checker::arithmetic(NodeId id, Op op, const Nature& l, const Nature& r) {
  const bool numbers = both(l, r, number);
  switch (op) {
    case Op::kMinus:
      if (numbers) return promoted(l, r);
      if (both(l, r, time) || both(l, r, duration)) return of_type(Type::kDuration);
      if (time(l) && duration(r)) return of_type(Type::kTime);
      if (maybe(l, r, {number, time, duration})) return {};
      break;
    case Op::kMultiply:
      if (numbers) return promoted(l, r);
      if ((number(l) || duration(l)) && (number(r) || duration(r))) {
        return of_type(Type::kDuration);
      }
      if (maybe(l, r, {number, duration})) return {};
      break;
    case Op::kDivide:
    case Op::kPower:
      if (numbers || maybe(l, r, {number})) return of_type(Type::kFloat);
      break;
    case Op::kModulo:
      if (both(l, r, integer) || maybe(l, r, {integer})) return of_type(Type::kInt);
      break;
    case Op::kPlus:
      if (numbers) return promoted(l, r);
      if (both(l, r, text)) return of_type(Type::kString);
      if ((time(l) && duration(r)) || (duration(l) && time(r))) return of_type(Type::kTime);
      if (both(l, r, duration)) return of_type(Type::kDuration);
      if (maybe(l, r, {number, text, time, duration})) return {};
      break;
    default:
      break;
  }
  return mismatch(id, l, r);
}

Nature Checker::in(NodeId id, const Nature& l, const Nature& r) {
  if ((text(l) || l.is_unknown()) && (time(r) || r.type == Type::kLocation))
    return of_type(Type::kBool);
  if (r.is_map()) {
    const Nature key = of_type(key_type(r.type));
    if (!l.is_unknown() && !assignable(l, key)) {
      return fail(id, fmt::format("cannot use {} as type {} in map key", l.name(), key.name()));
    }
    return of_type(Type::kBool);
  }
  if (r.is_list()) {
    const Nature item = element(r);
    if (!comparable(l, item)) {
      return fail(id, fmt::format("cannot use {} as type {} in array", l.name(), item.name()));
    }
    return of_type(Type::kBool);
  }
  if ((l.is_unknown() && text(r)) || r.is_unknown()) return of_type(Type::kBool);
  return mismatch(id, l, r);
}

Nature Checker::matches(NodeId id, const Nature& l, const Nature& r) {
  const Node& pattern = node(node(id).b);
  if (pattern.kind == NodeKind::kConstant && pattern.constant.is_string() &&
      node(id).pattern != nullptr && !node(id).pattern->ok()) {
    return fail(id, "error parsing regexp: " + node(id).pattern->error());
  }
  const bool fits = (text(l) || l.type == Type::kBytes) && text(r);
  if (fits || maybe(l, r, {text})) return of_type(Type::kBool);
  return mismatch(id, l, r);
}

Nature Checker::coalesce(const Nature& l, const Nature& r) {
  if (l.is_nil()) return r;
  if (r.is_nil()) return l;
  return assignable(r, l) ? l : Nature{};
}

}  // namespace tiphys::expr
