// min, max, mean and median, of arguments and of lists at any depth.
#include <algorithm>
#include <array>
#include <limits>

#include <fmt/core.h>

#include "expr/arithmetic.h"
#include "expr/builtin_table.h"

namespace tiphys::expr {
namespace {

using Value = diag::Result<RuntimeValue>;
constexpr int kMaxDepth = 1000;  // of nested lists

diag::Result<Type> check(std::string_view name, std::span<const Type> arguments) {
  if (arguments.empty()) {
    return bad_expression(fmt::format("not enough arguments to call {}", name));
  }
  for (const Type t : arguments) {
    if (t == Type::kAny || is_list(t)) return Type::kAny;
    if (!is_number(t) && t != Type::kDuration && t != Type::kMonth && t != Type::kWeekday) {
      return bad_expression(fmt::format("invalid argument for {} (type {})", name, go_name(t)));
    }
  }
  return arguments[0];
}

diag::Result<Type> check_max(std::span<const Type> t) { return check("max", t); }
diag::Result<Type> check_min(std::span<const Type> t) { return check("min", t); }
diag::Result<Type> check_mean(std::span<const Type> t) { return check("mean", t); }
diag::Result<Type> check_median(std::span<const Type> t) { return check("median", t); }

bool has_number_kind(Type t) {
  return is_number(t) || t == Type::kDuration || t == Type::kMonth || t == Type::kWeekday;
}

std::unexpected<diag::Error> bad_type(std::string_view name, const RuntimeValue& v) {
  return bad_expression(fmt::format("invalid argument for {} (type {})", name, go_name(v.type())));
}

// Takes `candidate` if it is better than `best`, or the first one.
diag::Result<void> consider(Op better, const RuntimeValue& candidate, RuntimeValue& best) {
  if (!best.is_nil()) {
    TRY(const bool replaces, ordered(better, best, candidate));
    if (!replaces) return {};
  }
  best = candidate;
  return {};
}

Value extreme(std::string_view name, Op better, Arguments arguments, int depth) {
  if (depth > kMaxDepth) return bad_expression("recursion depth exceeded");
  RuntimeValue best;
  for (const RuntimeValue& v : arguments) {
    if (v.type() == Type::kBytes) {
      for (std::size_t i = 0; i < v.as_string().size(); ++i) {
        TRY_VOID(consider(better, element_at(v, i), best));
      }
    } else if (v.is_list()) {
      for (const RuntimeValue& item : v.items()) {
        if (is_list(item.type())) {
          TRY(const RuntimeValue nested, extreme(name, better, Arguments(&item, 1), depth + 1));
          if (!nested.is_nil()) TRY_VOID(consider(better, nested, best));
        } else if (is_number(item.type())) {
          TRY_VOID(consider(better, item, best));
        } else {
          return bad_type(name, item);
        }
      }
    } else if (has_number_kind(v.type())) {
      TRY_VOID(consider(better, v, best));
    } else if (arguments.size() == 1) {
      return v;  // a lone argument of any type is its own extreme
    } else {
      return bad_type(name, v);
    }
  }
  return best;
}

Value maximum(Arguments arguments, CallContext&) { return extreme("max", Op::kLess, arguments, 0); }
Value minimum(Arguments arguments, CallContext&) { return extreme("min", Op::kMore, arguments, 0); }

diag::Result<void> collect(std::string_view name, Arguments arguments, int depth,
                           std::vector<double>& out) {
  if (depth > kMaxDepth) return bad_expression("recursion depth exceeded");
  for (const RuntimeValue& v : arguments) {
    if (v.is_list()) {
      TRY_VOID(collect(name, v.items(), depth + 1, out));
    } else if (v.type() == Type::kBytes) {
      for (const char c : v.as_string()) out.push_back(static_cast<unsigned char>(c));
    } else if (is_number(v.type())) {
      out.push_back(v.number());
    } else if (has_number_kind(v.type())) {
      out.push_back(static_cast<double>(v.as_integer()));
    } else {
      return bad_type(name, v);
    }
  }
  return {};
}

Value mean(Arguments arguments, CallContext&) {
  std::vector<double> numbers;
  TRY_VOID(collect("mean", arguments, 0, numbers));
  if (numbers.empty()) return RuntimeValue(0.0);
  double total = 0;
  for (const double d : numbers) total += d;
  return RuntimeValue(total / static_cast<double>(numbers.size()));
}

Value median(Arguments arguments, CallContext&) {
  std::vector<double> numbers;
  TRY_VOID(collect("median", arguments, 0, numbers));
  if (numbers.empty()) return RuntimeValue(0.0);
  std::sort(numbers.begin(), numbers.end(), [](double a, double b) {
    return a < b || (a != a && b == b);  // NaN first, as Go's sort.Float64s
  });
  const std::size_t middle = numbers.size() / 2;
  if (numbers.size() % 2 == 1) return RuntimeValue(numbers[middle]);
  return RuntimeValue((numbers[middle - 1] + numbers[middle]) / 2);
}

constexpr std::array kRows = std::to_array<Builtin>({
    {"max", {}, maximum, "the largest number", check_max},
    {"min", {}, minimum, "the smallest number", check_min},
    {"mean", {}, mean, "the average", check_mean},
    {"median", {}, median, "the number in the middle", check_median},
});

}  // namespace

std::span<const Builtin> aggregate_builtins() { return kRows; }

}  // namespace tiphys::expr
