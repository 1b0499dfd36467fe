#include "expr/arithmetic.h"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include "expr/builtin_table.h"
#include "expr/operators.h"

namespace tiphys::expr {
namespace {

std::unexpected<diag::Error> mismatch(Op op, const RuntimeValue& a, const RuntimeValue& b) {
  return bad_expression(fmt::format("invalid operation: {} {} {}", go_name(a.type()),
                                    operator_text(op), go_name(b.type())));
}

std::int64_t wrap(std::uint64_t i) { return static_cast<std::int64_t>(i); }
std::uint64_t bits(const RuntimeValue& v) { return static_cast<std::uint64_t>(v.as_integer()); }

bool is_duration(const RuntimeValue& v) { return v.type() == Type::kDuration; }
bool is_time(const RuntimeValue& v) { return v.type() == Type::kTime; }

double float_result(Op op, double a, double b) {
  if (op == Op::kPlus) return a + b;
  if (op == Op::kMinus) return a - b;
  return a * b;
}

std::int64_t int_result(Op op, const RuntimeValue& a, const RuntimeValue& b) {
  if (op == Op::kPlus) return wrap(bits(a) + bits(b));
  if (op == Op::kMinus) return wrap(bits(a) - bits(b));
  return wrap(bits(a) * bits(b));
}

diag::Result<RuntimeValue> modulo(const RuntimeValue& a, const RuntimeValue& b) {
  if (!is_integer(a.type()) || !is_integer(b.type())) return mismatch(Op::kModulo, a, b);
  if (b.as_integer() == 0) return bad_expression("runtime error: integer divide by zero");
  if (b.as_integer() == -1) return RuntimeValue(0);
  return RuntimeValue(a.as_integer() % b.as_integer());
}

double as_double(const RuntimeValue& v) { return v.number(); }

// e to the power of x, for a small finite x, to the same last digit as Go's on amd64: a Taylor
// series of x/16, squared four times.
double exponential(double x) {
  constexpr double kLog2E = 1.4426950408889634073599246810018920;
  constexpr double kLn2High = 0.69314718055966295651160180568695068359375;
  constexpr double kLn2Low = 0.28235290563031577122588448175013436025525412068e-12;
  constexpr double kCoefficients[] = {1.9841269841269841270e-4,
                                      1.3888888888888888889e-3,
                                      8.3333333333333333333e-3,
                                      4.1666666666666666667e-2,
                                      1.6666666666666666667e-1,
                                      0.5,
                                      1.0};
  const double k = std::nearbyint(x * kLog2E);
  double r = std::fma(-k, kLn2Low, std::fma(-k, kLn2High, x)) / 16;
  double sum = 2.4801587301587301587e-5;
  for (const double coefficient : kCoefficients) sum = std::fma(sum, r, coefficient);
  r *= sum;
  for (int i = 0; i < 3; ++i) r *= r + 2;
  return std::ldexp(std::fma(r + 2, r, 1.0), static_cast<int>(k));
}

// x to the power of y as Go computes it: repeated squaring of the mantissa with the exponent apart.
// libm's result differs in the last digits, which users would see.
double power(double x, double y) {
  constexpr double kHuge = 9.0e18;
  const bool special = y == 0 || x == 0 || x == 1 || y == 1 || !std::isfinite(x) ||
                       !std::isfinite(y) || std::fabs(y) == 0.5 || std::fabs(y) > kHuge;
  if (special && std::fabs(y) == 0.5 && std::isfinite(x) && x != 0) {
    return y > 0 ? std::sqrt(x) : 1 / std::sqrt(x);
  }
  double whole = 0;
  double part = std::modf(std::fabs(y), &whole);
  if (special || (part != 0 && x < 0)) return std::pow(x, y);
  double mantissa = 1;
  std::int64_t exponent = 0;
  if (part != 0) {
    if (part > 0.5) {
      part -= 1;
      whole += 1;
    }
    mantissa = exponential(part * std::log(x));
  }
  int factor_exponent = 0;
  double factor = std::frexp(x, &factor_exponent);
  for (auto bits_left = static_cast<std::int64_t>(whole); bits_left != 0; bits_left >>= 1) {
    constexpr int kOverflow = 1 << 12;
    if (std::abs(factor_exponent) > kOverflow) {
      exponent += factor_exponent;  // certainly infinite or 0
      break;
    }
    if ((bits_left & 1) == 1) {
      mantissa *= factor;
      exponent += factor_exponent;
    }
    factor *= factor;
    factor_exponent *= 2;
    if (factor < 0.5) {
      factor += factor;
      --factor_exponent;
    }
  }
  if (y < 0) {
    mantissa = 1 / mantissa;
    exponent = -exponent;
  }
  constexpr std::int64_t kMost = 100'000;
  return std::ldexp(mantissa, static_cast<int>(std::clamp(exponent, -kMost, kMost)));
}

// + - * where a time or a duration takes part.
diag::Result<RuntimeValue> time_arithmetic(Op op, const RuntimeValue& a, const RuntimeValue& b) {
  if (is_duration(a) && is_duration(b)) {
    return RuntimeValue::integer(Type::kDuration, int_result(op, a, b));
  }
  if (op == Op::kMultiply && (is_duration(a) || is_duration(b))) {
    const RuntimeValue& other = is_duration(a) ? b : a;
    if (is_integer(other.type())) {
      return RuntimeValue::integer(Type::kDuration, int_result(op, a, b));
    }
    if (other.type() == Type::kFloat) {
      const RuntimeValue& length = is_duration(a) ? a : b;
      return RuntimeValue(static_cast<double>(length.as_integer()) * other.as_float());
    }
  }
  if (op == Op::kPlus && is_time(a) && is_duration(b)) {
    return RuntimeValue(add(a.as_time(), b.as_integer()));
  }
  if (op == Op::kPlus && is_duration(a) && is_time(b)) {
    return RuntimeValue(add(b.as_time(), a.as_integer()));
  }
  if (op == Op::kMinus && is_time(a) && is_duration(b)) {
    return RuntimeValue(add(a.as_time(), -b.as_integer()));
  }
  if (op == Op::kMinus && is_time(a) && is_time(b)) {
    return RuntimeValue::integer(Type::kDuration, subtract(a.as_time(), b.as_time()));
  }
  return mismatch(op, a, b);
}

template <typename T>
bool compare_as(Op op, const T& a, const T& b) {
  switch (op) {
    case Op::kLess:
      return a < b;
    case Op::kMore:
      return a > b;
    case Op::kLessOrEqual:
      return a <= b;
    default:
      return a >= b;
  }
}

std::string key_text(const RuntimeValue& key) { return sprint(key); }

// A map's key of the right type: nil is the zero value; others must have the key type and be
// hashable.
diag::Result<RuntimeValue> map_key(const RuntimeValue& key, Type map) {
  const Type wanted = key_type(map);
  if (key.is_nil()) return RuntimeValue::zero(wanted);
  if (wanted != Type::kAny && key.type() != wanted) {
    return bad_expression(
        fmt::format("reflect.Value.MapIndex: value of type {} is not assignable to type {}",
                    go_name(key.type()), go_name(wanted)));
  }
  if (!is_hashable(key)) {
    return bad_expression(
        fmt::format("runtime error: hash of unhashable type {}", go_name(key.type())));
  }
  return key;
}

}  // namespace

bool is_hashable(const RuntimeValue& v) {
  if (v.type() == Type::kPair) {
    for (const auto& item : v.items()) {
      if (!is_hashable(item)) return false;
    }
    return true;
  }
  return !v.is_list() && !v.is_map() && v.type() != Type::kBytes && v.type() != Type::kFunc;
}

diag::Result<RuntimeValue> arithmetic(Op op, const RuntimeValue& a, const RuntimeValue& b) {
  const bool numbers = is_number(a.type()) && is_number(b.type());
  switch (op) {
    case Op::kDivide:
      if (!numbers) return mismatch(op, a, b);
      return RuntimeValue(as_double(a) / as_double(b));
    case Op::kPower: {
      if (numbers) return RuntimeValue(power(as_double(a), as_double(b)));
      const RuntimeValue& wrong = is_number(a.type()) ? b : a;
      return bad_expression(fmt::format("invalid operation: float({})", go_name(wrong.type())));
    }
    case Op::kModulo:
      return modulo(a, b);
    default:
      break;
  }
  if (numbers) {
    if (a.type() == Type::kFloat || b.type() == Type::kFloat) {
      return RuntimeValue(float_result(op, as_double(a), as_double(b)));
    }
    return RuntimeValue(int_result(op, a, b));
  }
  if (op == Op::kPlus && a.is_string() && b.is_string()) {
    return RuntimeValue(a.as_string() + b.as_string());
  }
  return time_arithmetic(op, a, b);
}

diag::Result<bool> ordered(Op op, const RuntimeValue& a, const RuntimeValue& b) {
  if (is_number(a.type()) && is_number(b.type())) {
    if (a.type() == Type::kFloat || b.type() == Type::kFloat) {
      return compare_as(op, a.number(), b.number());
    }
    return compare_as(op, a.as_integer(), b.as_integer());
  }
  if (a.type() == b.type()) {
    if (a.is_string()) return compare_as(op, a.as_string(), b.as_string());
    if (is_time(a)) return compare_as(op, compare(a.as_time(), b.as_time()), 0);
    if (is_duration(a)) return compare_as(op, a.as_integer(), b.as_integer());
  }
  return mismatch(op, a, b);
}

diag::Result<bool> contains(const RuntimeValue& needle, const RuntimeValue& haystack) {
  if (haystack.is_nil()) return false;
  if (is_list(haystack.type())) {
    const auto size = static_cast<std::size_t>(raw_length(haystack));
    for (std::size_t i = 0; i < size; ++i) {
      if (equal(element_at(haystack, i), needle)) return true;
    }
    return false;
  }
  if (haystack.is_map()) {
    TRY(const RuntimeValue key, map_key(needle, haystack.type()));
    if (key.type() == Type::kLocation) {  // looked at without its pointer here
      return bad_expression("runtime error: hash of unhashable type time.Location");
    }
    return haystack.table().contains(key);
  }
  if (haystack.type() == Type::kTime || haystack.type() == Type::kLocation) {
    // Go structs: is it the name of an exported field? They have none.
    if (needle.is_string()) return false;
    return bad_expression(fmt::format("cannot use {} as field name of {}", go_name(needle.type()),
                                      go_name(haystack.type())));
  }
  return bad_expression(fmt::format("operator \"in\" not defined on {}", go_name(haystack.type())));
}

std::int64_t raw_length(const RuntimeValue& v) {
  if (v.is_list()) return static_cast<std::int64_t>(v.items().size());
  if (v.is_map()) return static_cast<std::int64_t>(v.table().size());
  if (v.type() == Type::kString || v.type() == Type::kBytes) {
    return static_cast<std::int64_t>(v.as_string().size());
  }
  return -1;
}

RuntimeValue element_at(const RuntimeValue& v, std::size_t i) {
  if (v.is_list()) return v.items()[i];
  return RuntimeValue::integer(Type::kUint8, static_cast<unsigned char>(v.as_string()[i]));
}

diag::Result<RuntimeValue> fetch(const RuntimeValue& base, const RuntimeValue& key) {
  if (key.is_string()) {
    if (const Builtin* method = find_method(base.type(), key.as_string())) {
      return RuntimeValue(
          FunctionValue{.row = method, .receiver = std::make_shared<const RuntimeValue>(base)});
    }
  }
  if (base.is_map()) {
    TRY(const RuntimeValue wanted, map_key(key, base.type()));
    const auto found = base.table().find(wanted);
    if (found != base.table().end()) return found->second;
    return RuntimeValue::zero(element_type(base.type()));
  }
  const std::int64_t length = raw_length(base);
  if (length < 0) {
    return bad_expression(
        fmt::format("cannot fetch {} from {}", key_text(key), go_name(base.type())));
  }
  const RuntimeValue arguments[] = {key};
  TRY(std::int64_t index, int_argument(arguments, 0));
  if (index < 0) index += length;
  if (index < 0 || index >= length) {
    return bad_expression(
        fmt::format("index out of range: {} (array length is {})", index, length));
  }
  return element_at(base, static_cast<std::size_t>(index));
}

diag::Result<RuntimeValue> slice(const RuntimeValue& base, std::int64_t from, std::int64_t to) {
  const std::int64_t length = raw_length(base);
  if (length < 0 || base.is_map()) return bad_expression(fmt::format("cannot slice {}", from));
  if (base.is_nil_like()) return base;
  if (from < 0) from = std::max<std::int64_t>(length + from, 0);
  if (to < 0) to = std::max<std::int64_t>(length + to, 0);
  to = std::min(to, length);
  from = std::min(from, to);
  if (!base.is_list()) {
    std::string part = base.as_string().substr(static_cast<std::size_t>(from),
                                               static_cast<std::size_t>(to - from));
    if (base.is_string()) return RuntimeValue(std::move(part));
    return RuntimeValue::bytes(std::move(part));
  }
  const Items& items = base.items();
  const Type type = base.type() == Type::kPair ? Type::kListAny : base.type();
  return RuntimeValue::list(Items(items.begin() + from, items.begin() + to), type);
}

}  // namespace tiphys::expr
