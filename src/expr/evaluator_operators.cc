// The operators: unary, binary, and a look-up in a constant set.
#include <algorithm>

#include <re2/re2.h>

#include <fmt/core.h>

#include "expr/builtin_table.h"
#include "expr/evaluator_state.h"
#include "expr/operators.h"

namespace tiphys::expr {
namespace {
constexpr std::uint64_t kMaxText = CallContext::kMaxText;
constexpr std::uint64_t kRegexSteps = 500;  // what it takes to compile a small one
}  // namespace

bool Evaluator::unary(NodeId id, const Node& n, RuntimeValue& out) {
  if (n.op == Op::kNot) {
    bool value = false;
    if (!truth(n.a, value)) return false;
    out = !value;
    return true;
  }
  if (!eval(n.a, out) || n.op == Op::kPlus) return error_.empty();
  if (out.type() == Type::kFloat) {
    out = -out.as_float();
  } else if (is_integer(out.type())) {
    const auto negative =
        static_cast<std::int64_t>(0U - static_cast<std::uint64_t>(out.as_integer()));
    out =
        RuntimeValue::integer(out.type(), out.type() == Type::kUint8 ? negative & 0xFF : negative);
  } else {
    return fail(id, fmt::format("invalid operation: - {}", go_name(out.type())));
  }
  return true;
}

bool Evaluator::binary(NodeId id, const Node& n, RuntimeValue& out) {
  switch (n.op) {
    case Op::kOr:
    case Op::kAnd: {
      bool left = false;
      if (!eval(n.a, out) || !as_truth(n.a, out, left)) return false;
      // The right side is the result as it is, a bool or not.
      return left == (n.op == Op::kOr) || eval(n.b, out);
    }
    case Op::kCoalesce:
      if (!eval(n.a, out)) return false;
      return !out.is_nil_like() || eval(n.b, out);
    default:
      return operands(id, n, out);
  }
}

bool Evaluator::operands(NodeId id, const Node& n, RuntimeValue& out) {
  RuntimeValue left_scratch;
  RuntimeValue right_scratch;
  const RuntimeValue* a = view(n.a, left_scratch);
  if (a == nullptr) return false;
  const RuntimeValue* b = view(n.b, right_scratch);
  if (b == nullptr) return false;
  return number_operands(n.op, *a, *b, out) || operate(id, n, *a, *b, out);
}

bool Evaluator::operate(NodeId id, const Node& n, const RuntimeValue& a, const RuntimeValue& b,
                        RuntimeValue& out) {
  if (!a.is_word() && !b.is_word() && !spend(id, std::min(weight(a), weight(b)))) return false;
  switch (n.op) {
    case Op::kEqual:
      out = equal(a, b);
      return true;
    case Op::kNotEqual:
      out = !equal(a, b);
      return true;
    case Op::kLess:
    case Op::kMore:
    case Op::kMoreOrEqual:
    case Op::kLessOrEqual:
      return take(id, ordered(n.op, a, b), out);
    case Op::kIn:
      if (b.is_list() && !go_through(id, b)) return false;
      return take(id, contains(a, b), out);
    case Op::kMatches:
      return matches(id, n, a, b, out);
    case Op::kContains:
    case Op::kStartsWith:
    case Op::kEndsWith:
      return string_test(id, n, a, b, out);
    case Op::kRange:
      return range(id, a, b, out);
    default:
      if (a.is_string() && b.is_string() &&
          a.as_string().size() + b.as_string().size() > kMaxText - context_.text) {
        return fail(id, "memory budget exceeded");
      }
      return take(id, arithmetic(n.op, a, b), out);
  }
}

// The usual operations on ints, which wrap around; false for the others.
bool Evaluator::whole_operands(Op op, std::int64_t a, std::int64_t b, RuntimeValue& out) {
  const auto x = static_cast<std::uint64_t>(a);
  const auto y = static_cast<std::uint64_t>(b);
  switch (op) {
    case Op::kPlus:
      out = static_cast<std::int64_t>(x + y);
      return true;
    case Op::kMinus:
      out = static_cast<std::int64_t>(x - y);
      return true;
    case Op::kMultiply:
      out = static_cast<std::int64_t>(x * y);
      return true;
    case Op::kModulo:
      if (b == 0 || b == -1) return false;
      out = a % b;
      return true;
    case Op::kEqual:
      out = a == b;
      return true;
    case Op::kLess:
      out = a < b;
      return true;
    case Op::kMore:
      out = a > b;
      return true;
    default:
      return false;
  }
}

// The same where one is a float.
bool Evaluator::float_operands(Op op, double a, double b, RuntimeValue& out) {
  switch (op) {
    case Op::kPlus:
      out = a + b;
      return true;
    case Op::kMinus:
      out = a - b;
      return true;
    case Op::kMultiply:
      out = a * b;
      return true;
    case Op::kDivide:
      out = a / b;
      return true;
    case Op::kLess:
      out = a < b;
      return true;
    case Op::kMore:
      out = a > b;
      return true;
    default:
      return false;
  }
}

bool Evaluator::number_operands(Op op, const RuntimeValue& a, const RuntimeValue& b,
                                RuntimeValue& out) {
  if (a.type() == Type::kInt && b.type() == Type::kInt) {
    return whole_operands(op, a.as_integer(), b.as_integer(), out);
  }
  const bool is_float = a.type() == Type::kFloat || b.type() == Type::kFloat;
  return is_float && is_number(a.type()) && is_number(b.type()) &&
         float_operands(op, a.number(), b.number(), out);
}

bool Evaluator::in_set(NodeId id, const Node& n, RuntimeValue& out) {
  RuntimeValue scratch;
  const RuntimeValue* needle = view(n.a, scratch);
  if (needle == nullptr) return false;
  const Items& set = node(n.b).constant.items();
  const Type wanted = set.front().type();
  if (needle->is_nil()) needle = &(scratch = RuntimeValue::zero(wanted));
  if (needle->type() != wanted) {
    return fail(id, fmt::format("reflect.Value.MapIndex: value of type {} is not assignable to "
                                "type {}",
                                go_name(needle->type()), go_name(wanted)));
  }
  bool found = false;
  for (const RuntimeValue& member_of_set : set) found = found || equal(*needle, member_of_set);
  out = found;
  return true;
}

bool Evaluator::range(NodeId id, const RuntimeValue& from, const RuntimeValue& to,
                      RuntimeValue& out) {
  const auto low = int_argument(Arguments(&from, 1), 0);
  const auto high = int_argument(Arguments(&to, 1), 0);
  if (!low || !high) return fail(id, (low ? high : low).error().message);
  // Wraps around as Go's int does: a range from the smallest int is empty.
  const auto size = static_cast<std::int64_t>(static_cast<std::uint64_t>(*high) -
                                              static_cast<std::uint64_t>(*low) + 1U);
  if (size > 0) {
    if (const auto fits = context_.grow(static_cast<std::uint64_t>(size)); !fits) {
      return fail(id, fits.error().message);
    }
  }
  Items items;
  items.reserve(static_cast<std::size_t>(std::max<std::int64_t>(size, 0)));
  for (std::int64_t i = 0; i < size; ++i) items.emplace_back(*low + i);
  out = RuntimeValue::list(std::move(items), Type::kListInt);
  return true;
}

bool Evaluator::string_test(NodeId id, const Node& n, const RuntimeValue& a, const RuntimeValue& b,
                            RuntimeValue& out) {
  if (a.is_nil() || b.is_nil()) {
    out = false;
    return true;
  }
  if (!a.is_string() || !b.is_string()) {
    return fail(id, fmt::format("interface conversion: interface {{}} is {}, not string",
                                go_name((a.is_string() ? b : a).type())));
  }
  const std::string& text = a.as_string();
  if (n.op == Op::kContains) {
    if (!go_through(id, a)) return false;
    out = text.find(b.as_string()) != std::string::npos;
  } else {
    out = n.op == Op::kStartsWith ? text.starts_with(b.as_string()) : text.ends_with(b.as_string());
  }
  return true;
}

bool Evaluator::matches(NodeId id, const Node& n, const RuntimeValue& a, const RuntimeValue& b,
                        RuntimeValue& out) {
  if (a.is_nil() || b.is_nil()) {
    out = false;
    return true;
  }
  if (!b.is_string() || (!a.is_string() && a.type() != Type::kBytes)) {
    return fail(id, fmt::format("interface conversion: interface {{}} is {}, not string",
                                go_name((b.is_string() ? a : b).type())));
  }
  if (n.pattern != nullptr && n.pattern->ok()) {
    return match(id, *n.pattern, a.as_string(), out);
  }
  const RE2 pattern(b.as_string(), RE2::Quiet);
  if (!pattern.ok()) return fail(id, "error parsing regexp: " + pattern.error());
  const auto size = static_cast<std::uint64_t>(pattern.ProgramSize());
  return spend(id, kRegexSteps + size) && match(id, pattern, a.as_string(), out);
}

// RE2 takes at most as long as the text times the pattern.
bool Evaluator::match(NodeId id, const RE2& pattern, const std::string& text, RuntimeValue& out) {
  constexpr std::uint64_t kAtOnce = 64;  // usually much less
  const auto size = static_cast<std::uint64_t>(pattern.ProgramSize());
  if (!spend(id, text.size() * size / kAtOnce)) return false;
  out = RE2::PartialMatch(text, pattern);
  return true;
}

bool Evaluator::run_body(NodeId id, const Builtin& row, Arguments arguments, RuntimeValue& out) {
  for (const RuntimeValue& argument : arguments) {
    const bool is_free = row.only_looks && !argument.is_string();
    if (!is_free && !go_through(id, argument)) return false;
  }
  return take(id, row.body(arguments, context_), out) && (row.only_looks || go_through(id, out));
}

}  // namespace tiphys::expr
