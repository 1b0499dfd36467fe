// Built-ins on numbers and bits, and type().
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/core.h>

#include "expr/builtin_table.h"
#include "expr/number_text.h"
#include "expr/unicode.h"

namespace tiphys::expr {
namespace {

using Value = diag::Result<RuntimeValue>;

constexpr std::array kAnything = {Type::kAny};
constexpr std::array kOneInt = {Type::kInt};
constexpr std::array kTwoInts = {Type::kInt, Type::kInt};
constexpr std::array kAnyToString = {Signature{kAnything, false, Type::kString}};
constexpr std::array kTwoIntsToInt = {Signature{kTwoInts, false, Type::kInt}};
constexpr std::array kIntToInt = {Signature{kOneInt, false, Type::kInt}};

diag::Result<void> one_argument(std::span<const Type> arguments) {
  if (arguments.size() == 1) return {};
  return bad_expression(
      fmt::format("invalid number of arguments (expected 1, got {})", arguments.size()));
}

std::unexpected<diag::Error> bad_type(std::string_view function, Type t) {
  return bad_expression(fmt::format("invalid argument for {} (type {})", function, go_name(t)));
}

diag::Result<Type> check_len(std::span<const Type> arguments) {
  TRY_VOID(one_argument(arguments));
  const Type t = arguments[0];
  if (t == Type::kAny || t == Type::kString || is_list(t) || is_map(t)) return Type::kInt;
  return bad_type("len", t);
}

// Duration, Month and Weekday count as numbers here: their Go kind is an integer.
bool has_number_kind(Type t) {
  return t == Type::kAny || is_number(t) || t == Type::kDuration || t == Type::kMonth ||
         t == Type::kWeekday;
}

diag::Result<Type> check_abs(std::span<const Type> arguments) {
  TRY_VOID(one_argument(arguments));
  if (has_number_kind(arguments[0])) return arguments[0];
  return bad_type("abs", arguments[0]);
}

diag::Result<Type> check_round(std::span<const Type> arguments) {
  TRY_VOID(one_argument(arguments));
  if (has_number_kind(arguments[0])) return Type::kFloat;
  return bad_type("round", arguments[0]);
}

diag::Result<Type> check_int(std::span<const Type> arguments) {
  TRY_VOID(one_argument(arguments));
  if (has_number_kind(arguments[0]) || arguments[0] == Type::kString) return Type::kInt;
  return bad_type("int", arguments[0]);
}

diag::Result<Type> check_float(std::span<const Type> arguments) {
  TRY_VOID(one_argument(arguments));
  if (has_number_kind(arguments[0]) || arguments[0] == Type::kString) return Type::kFloat;
  return bad_type("float", arguments[0]);
}

Value len(Arguments arguments, CallContext&) {
  TRY_VOID(expect_count(arguments, 1, 1));
  const RuntimeValue& v = arguments[0];
  if (v.is_string()) return RuntimeValue(static_cast<std::int64_t>(rune_count(v.as_string())));
  if (v.type() == Type::kBytes)
    return RuntimeValue(static_cast<std::int64_t>(v.as_string().size()));
  if (v.is_list()) return RuntimeValue(static_cast<std::int64_t>(v.items().size()));
  if (v.is_map()) return RuntimeValue(static_cast<std::int64_t>(v.table().size()));
  return bad_type("len", v.type());
}

Value type_name(Arguments arguments, CallContext&) {
  TRY_VOID(expect_count(arguments, 1, 1));
  const Type t = arguments[0].type();
  if (is_list(t)) return RuntimeValue("array");
  if (is_map(t)) return RuntimeValue("map");
  switch (t) {
    case Type::kNil:
      return RuntimeValue("nil");
    case Type::kInt64:
      return RuntimeValue("int");
    case Type::kUint8:
      return RuntimeValue("uint");
    case Type::kFloat:
      return RuntimeValue("float");
    case Type::kLocation:
      return RuntimeValue("time.Location");  // built-ins see what pointers point to
    default:
      return RuntimeValue(go_name(t));
  }
}

Value absolute(Arguments arguments, CallContext&) {
  TRY_VOID(expect_count(arguments, 1, 1));
  const RuntimeValue& v = arguments[0];
  if (v.type() == Type::kFloat)
    return RuntimeValue(v.as_float() < 0 ? -v.as_float() : v.as_float());
  if (!is_integer(v.type())) return bad_type("abs", v.type());
  const auto bits = static_cast<std::uint64_t>(v.as_integer());
  return RuntimeValue::integer(v.type(),
                               static_cast<std::int64_t>(v.as_integer() < 0 ? 0U - bits : bits));
}

Value rounded(Arguments arguments, std::string_view name, double (*round_by)(double)) {
  TRY_VOID(expect_count(arguments, 1, 1));
  if (!is_number(arguments[0].type())) return bad_type(name, arguments[0].type());
  return RuntimeValue(round_by(arguments[0].number()));
}

Value ceiling(Arguments arguments, CallContext&) {
  return rounded(arguments, "ceil", [](double d) { return std::ceil(d); });
}
Value floored(Arguments arguments, CallContext&) {
  return rounded(arguments, "floor", [](double d) { return std::floor(d); });
}
Value nearest(Arguments arguments, CallContext&) {
  return rounded(arguments, "round", [](double d) { return std::round(d); });
}

}  // namespace

Value to_int(Arguments arguments, CallContext&) {
  TRY_VOID(expect_count(arguments, 1, 1));
  const RuntimeValue& v = arguments[0];
  if (v.is_string()) {
    const auto parsed = parse_decimal(v.as_string());
    if (!parsed) return bad_expression(fmt::format("invalid operation: int({})", v.as_string()));
    return RuntimeValue(*parsed);
  }
  if (v.type() == Type::kFloat) return RuntimeValue(float_to_int(v.as_float()));
  if (has_number_kind(v.type())) return RuntimeValue(v.as_integer());
  return bad_expression(fmt::format("invalid operation: int({})", go_name(v.type())));
}

Value to_float(Arguments arguments, CallContext&) {
  TRY_VOID(expect_count(arguments, 1, 1));
  const RuntimeValue& v = arguments[0];
  if (v.is_string()) {
    const auto parsed = parse_float(v.as_string());
    if (!parsed) return bad_expression(fmt::format("invalid operation: float({})", v.as_string()));
    return RuntimeValue(*parsed);
  }
  if (is_number(v.type())) return RuntimeValue(v.number());
  return bad_expression(fmt::format("invalid operation: float({})", go_name(v.type())));
}

namespace {

// An argument of a bit function: integers only.
diag::Result<std::int64_t> bits_argument(Arguments arguments, std::size_t i) {
  if (i < arguments.size() && is_integer(arguments[i].type())) return arguments[i].as_integer();
  return bad_expression(
      fmt::format("cannot use {} as argument (type int)",
                  i < arguments.size() ? go_name(arguments[i].type()) : "nothing"));
}

enum class Bits { kAnd, kOr, kXor, kNand, kLeft, kRight, kUnsignedRight };

template <Bits kOperation>
Value bits(Arguments arguments, CallContext&) {
  TRY_VOID(expect_count(arguments, 2, 2));
  TRY(const std::int64_t x, bits_argument(arguments, 0));
  TRY(const std::int64_t y, bits_argument(arguments, 1));
  const auto ux = static_cast<std::uint64_t>(x);
  const auto uy = static_cast<std::uint64_t>(y);
  constexpr bool kShift = kOperation >= Bits::kLeft;
  if (kShift && y < 0) {
    return bad_expression(fmt::format("invalid operation: negative shift count {} (type int)", y));
  }
  const bool out = uy > 63;  // everything is shifted out
  switch (kOperation) {
    case Bits::kAnd:
      return RuntimeValue(x & y);
    case Bits::kOr:
      return RuntimeValue(x | y);
    case Bits::kXor:
      return RuntimeValue(x ^ y);
    case Bits::kNand:
      return RuntimeValue(x & ~y);
    case Bits::kLeft:
      return RuntimeValue(out ? std::int64_t{0} : static_cast<std::int64_t>(ux << uy));
    case Bits::kRight:
      return RuntimeValue(x >> (out ? 63 : y));
    case Bits::kUnsignedRight:
      return RuntimeValue(out ? std::int64_t{0} : static_cast<std::int64_t>(ux >> uy));
  }
  return RuntimeValue();
}

Value bit_not(Arguments arguments, CallContext&) {
  TRY_VOID(expect_count(arguments, 1, 1));
  TRY(const std::int64_t x, bits_argument(arguments, 0));
  return RuntimeValue(~x);
}

constexpr std::array kRows = std::to_array<Builtin>({
    {"len", {}, len, "number of characters or elements", check_len, true},
    {"type", kAnyToString, type_name, "name of the value's type", nullptr, true},
    {"abs", {}, absolute, "without its sign", check_abs},
    {"ceil", {}, ceiling, "rounded up", check_round},
    {"floor", {}, floored, "rounded down", check_round},
    {"round", {}, nearest, "rounded to the nearest", check_round},
    {"int", {}, to_int, "as a whole number", check_int},
    {"float", {}, to_float, "as a number with a fraction", check_float},
    {"bitand", kTwoIntsToInt, bits<Bits::kAnd>, "bitwise and"},
    {"bitor", kTwoIntsToInt, bits<Bits::kOr>, "bitwise or"},
    {"bitxor", kTwoIntsToInt, bits<Bits::kXor>, "bitwise exclusive or"},
    {"bitnand", kTwoIntsToInt, bits<Bits::kNand>, "bitwise and not"},
    {"bitshl", kTwoIntsToInt, bits<Bits::kLeft>, "shifted left"},
    {"bitshr", kTwoIntsToInt, bits<Bits::kRight>, "shifted right, keeping the sign"},
    {"bitushr", kTwoIntsToInt, bits<Bits::kUnsignedRight>, "shifted right, filling with 0"},
    {"bitnot", kIntToInt, bit_not, "bitwise not"},
});

}  // namespace

std::span<const Builtin> number_builtins() { return kRows; }

}  // namespace tiphys::expr
