// sprig's functions on numbers. Integers are int64 unless the name says int.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "expr/builtin_table.h"
#include "expr/number_text.h"
#include "expr/sprig_decimal.h"
#include "expr/sprig_table.h"

namespace tiphys::expr {
namespace {

namespace sig = sprig_signature;
using Value = SprigValue;

RuntimeValue int64(std::int64_t i) { return RuntimeValue::integer(Type::kInt64, i); }

// Go's integers wrap around.
template <class Operation>
std::int64_t wrapping(std::int64_t a, std::int64_t b, Operation operation) {
  return static_cast<std::int64_t>(
      operation(static_cast<std::uint64_t>(a), static_cast<std::uint64_t>(b)));
}

Value to_int(Arguments a, CallContext&) { return RuntimeValue(cast_to_int(a[0])); }
Value to_int64(Arguments a, CallContext&) { return int64(cast_to_int(a[0])); }
Value to_float(Arguments a, CallContext&) { return RuntimeValue(cast_to_float(a[0])); }

Value atoi(Arguments a, CallContext&) {
  return RuntimeValue(parse_decimal(a[0].as_string()).value_or(0));
}

// The octal number that the value is written as.
Value to_decimal(Arguments a, CallContext&) {
  const std::string text = sprint(a[0]);
  const std::size_t sign = !text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0;
  std::int64_t out = 0;
  if (text.size() == sign || text.size() - sign > 21) return int64(0);
  for (const char c : text.substr(sign)) {
    if (c < '0' || c > '7' || out > (std::numeric_limits<std::int64_t>::max() >> 3)) {
      return int64(0);
    }
    out = out * 8 + (c - '0');
  }
  return int64(text[0] == '-' ? -out : out);
}

Value add1(Arguments a, CallContext&) {
  return int64(wrapping(cast_to_int(a[0]), 1, std::plus<>()));
}

Value add(Arguments a, CallContext&) {
  std::int64_t out = 0;
  for (const RuntimeValue& v : a) out = wrapping(out, cast_to_int(v), std::plus<>());
  return int64(out);
}

Value sub(Arguments a, CallContext&) {
  return int64(wrapping(cast_to_int(a[0]), cast_to_int(a[1]), std::minus<>()));
}

Value mul(Arguments a, CallContext&) {
  std::int64_t out = cast_to_int(a[0]);
  for (const RuntimeValue& v : a.subspan(1)) {
    out = wrapping(out, cast_to_int(v), std::multiplies<>());
  }
  return int64(out);
}

Value div(Arguments a, CallContext&) {
  const std::int64_t by = cast_to_int(a[1]);
  if (by == 0) return bad_expression("runtime error: integer divide by zero");
  if (by == -1) return int64(wrapping(0, cast_to_int(a[0]), std::minus<>()));
  return int64(cast_to_int(a[0]) / by);
}

Value mod(Arguments a, CallContext&) {
  const std::int64_t by = cast_to_int(a[1]);
  if (by == 0) return bad_expression("runtime error: integer divide by zero");
  return int64(by == -1 ? 0 : cast_to_int(a[0]) % by);
}

Value biggest(Arguments a, CallContext&) {
  std::int64_t out = cast_to_int(a[0]);
  for (const RuntimeValue& v : a) out = std::max(out, cast_to_int(v));
  return int64(out);
}

Value smallest(Arguments a, CallContext&) {
  std::int64_t out = cast_to_int(a[0]);
  for (const RuntimeValue& v : a) out = std::min(out, cast_to_int(v));
  return int64(out);
}

// Go's math.Max and Min: not-a-number wins.
Value maxf(Arguments a, CallContext&) {
  double out = cast_to_float(a[0]);
  for (const RuntimeValue& v : a) {
    const double d = cast_to_float(v);
    if (std::isnan(d) || d > out) out = d;
  }
  return RuntimeValue(out);
}

Value minf(Arguments a, CallContext&) {
  double out = cast_to_float(a[0]);
  for (const RuntimeValue& v : a) {
    const double d = cast_to_float(v);
    if (std::isnan(d) || d < out) out = d;
  }
  return RuntimeValue(out);
}

Value floor(Arguments a, CallContext&) { return RuntimeValue(std::floor(cast_to_float(a[0]))); }
Value ceil(Arguments a, CallContext&) { return RuntimeValue(std::ceil(cast_to_float(a[0]))); }

// Negative numbers always go down, as their fraction is below the limit.
Value round(Arguments a, CallContext&) {
  const double limit = a.size() > 2 ? a[2].as_float() : .5;
  const double scale = std::pow(10, a[1].number());
  const double digits = scale * cast_to_float(a[0]);
  double whole = 0;
  const double fraction = std::modf(digits, &whole);
  return RuntimeValue((fraction >= limit ? std::ceil(digits) : std::floor(digits)) / scale);
}

Value decimal_fold(Arguments rest, double start, DecimalOperation operation) {
  TRY(Decimal out, Decimal::from(start));
  for (const RuntimeValue& v : rest) {
    TRY(const Decimal d, Decimal::from(cast_to_float(v)));
    TRY(out, out.combined(operation, d));
  }
  return RuntimeValue(out.to_float());
}

Value addf(Arguments a, CallContext&) { return decimal_fold(a, 0, DecimalOperation::kAdd); }

Value add1f(Arguments a, CallContext&) {
  const std::array one = {RuntimeValue(1)};
  return decimal_fold(one, cast_to_float(a[0]), DecimalOperation::kAdd);
}

Value subf(Arguments a, CallContext&) {
  return decimal_fold(a.subspan(1), cast_to_float(a[0]), DecimalOperation::kSubtract);
}

Value mulf(Arguments a, CallContext&) {
  return decimal_fold(a.subspan(1), cast_to_float(a[0]), DecimalOperation::kMultiply);
}

Value divf(Arguments a, CallContext&) {
  return decimal_fold(a.subspan(1), cast_to_float(a[0]), DecimalOperation::kDivide);
}

// The numbers from `start` up (or down) to before `stop`; none when the step leads away.
diag::Result<std::vector<std::int64_t>> steps(std::int64_t start, std::int64_t stop,
                                              std::int64_t step, CallContext& context) {
  std::vector<std::int64_t> out;
  const bool down = stop < start;
  if (down ? step >= 0 : step <= 0) return out;
  const auto distance = down ? static_cast<std::uint64_t>(start) - static_cast<std::uint64_t>(stop)
                             : static_cast<std::uint64_t>(stop) - static_cast<std::uint64_t>(start);
  const std::uint64_t stride =
      down ? 0 - static_cast<std::uint64_t>(step) : static_cast<std::uint64_t>(step);
  if (distance == 0) return out;
  const std::uint64_t count = (distance - 1) / stride + 1;
  TRY_VOID(context.grow(count));
  std::int64_t at = start;
  for (std::uint64_t i = 0; i < count; ++i, at = wrapping(at, step, std::plus<>())) {
    out.push_back(at);
  }
  return out;
}

Value int_list(std::int64_t start, std::int64_t stop, std::int64_t step, CallContext& context) {
  TRY(const auto numbers, steps(start, stop, step, context));
  return RuntimeValue::list(Items(numbers.begin(), numbers.end()), Type::kListInt);
}

Value until(Arguments a, CallContext& context) {
  const std::int64_t count = a[0].as_integer();
  return int_list(0, count, count < 0 ? -1 : 1, context);
}

Value until_step(Arguments a, CallContext& context) {
  return int_list(a[0].as_integer(), a[1].as_integer(), a[2].as_integer(), context);
}

// As the seq command: the end belongs to it.
Value seq(Arguments a, CallContext& context) {
  if (a.empty() || a.size() > 3) return RuntimeValue("");
  const std::int64_t start = a.size() == 1 ? 1 : a[0].as_integer();
  const std::int64_t end = a.back().as_integer();
  const std::int64_t toward = end < start ? -1 : 1;
  const std::int64_t step = a.size() == 3 ? a[1].as_integer() : toward;
  if (toward < 0 && step > 0) return RuntimeValue("");
  TRY(const auto numbers, steps(start, wrapping(end, toward, std::plus<>()), step, context));
  return RuntimeValue(fmt::format("{}", fmt::join(numbers, " ")));
}

constexpr std::array kIntParameters = {Type::kInt, Type::kInt, Type::kInt};
constexpr std::array kIntParameter = {Type::kInt};
constexpr std::array kRoundParameters = {Type::kAny, Type::kInt, Type::kFloat};
constexpr std::array kInt = {Signature{kIntParameter, false, Type::kAny}};
constexpr std::array kInts = {Signature{kIntParameter, true, Type::kAny}};
constexpr std::array kThreeInts = {Signature{kIntParameters, false, Type::kAny}};
constexpr std::array kRound = {Signature{kRoundParameters, true, Type::kAny}};

constexpr std::array kRows = std::to_array<Builtin>({
    {"add", sig::kMany, add, "the sum, in whole numbers"},
    {"add1", sig::kOne, add1, "one more, in whole numbers"},
    {"add1f", sig::kOne, add1f, "one more"},
    {"addf", sig::kMany, addf, "the sum"},
    {"atoi", sig::kText, atoi, "a whole number from text, 0 if it is none"},
    {"biggest", sig::kOneAndMany, biggest, "as max"},
    {"ceil", sig::kOne, ceil, "the next whole number up"},
    {"div", sig::kTwo, div, "the quotient, in whole numbers"},
    {"divf", sig::kOneAndMany, divf, "the quotient, to 16 decimal places"},
    {"float64", sig::kOne, to_float, "a number with a fraction, 0 if impossible"},
    {"floor", sig::kOne, floor, "the next whole number down"},
    {"int", sig::kOne, to_int, "a whole number, 0 if impossible"},
    {"int64", sig::kOne, to_int64, "a whole number, 0 if impossible"},
    {"max", sig::kOneAndMany, biggest, "the largest, in whole numbers"},
    {"maxf", sig::kOneAndMany, maxf, "the largest"},
    {"min", sig::kOneAndMany, smallest, "the smallest, in whole numbers"},
    {"minf", sig::kOneAndMany, minf, "the smallest"},
    {"mod", sig::kTwo, mod, "the remainder, in whole numbers"},
    {"mul", sig::kOneAndMany, mul, "the product, in whole numbers"},
    {"mulf", sig::kOneAndMany, mulf, "the product"},
    {"round", kRound, round, "rounded to a number of decimal places"},
    {"seq", kInts, seq, "numbers as text, as the seq command prints"},
    {"sub", sig::kTwo, sub, "the difference, in whole numbers"},
    {"subf", sig::kOneAndMany, subf, "the difference"},
    {"toDecimal", sig::kOne, to_decimal, "the value of an octal number"},
    {"until", kInt, until, "the whole numbers from 0 to before this"},
    {"untilStep", kThreeInts, until_step, "the whole numbers from, to before, by steps"},
});

}  // namespace

std::span<const Builtin> sprig_number_rows() { return kRows; }

}  // namespace tiphys::expr
