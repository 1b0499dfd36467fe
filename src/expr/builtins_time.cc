// Built-ins of time: now, duration, date, timezone.
#include <array>

#include <fmt/core.h>

#include "expr/builtin_table.h"

namespace tiphys::expr {
namespace {

using Value = diag::Result<RuntimeValue>;

constexpr std::array kOneString = {Type::kString};
constexpr std::array kStringToDuration = {Signature{kOneString, false, Type::kDuration}};
constexpr std::array kStringToLocation = {Signature{kOneString, false, Type::kLocation}};

diag::Result<Type> check_now(std::span<const Type> arguments) {
  const bool fits = arguments.empty() || (arguments.size() == 1 && arguments[0] == Type::kLocation);
  if (fits) return Type::kTime;
  return bad_expression(
      fmt::format("invalid number of arguments (expected 0, got {})", arguments.size()));
}

diag::Result<Type> check_date(std::span<const Type> arguments) {
  if (arguments.empty()) {
    return bad_expression("invalid number of arguments (expected at least 1, got 0)");
  }
  if (arguments[0] == Type::kLocation) arguments = arguments.subspan(1);
  if (arguments.size() > 3) {
    return bad_expression(
        fmt::format("invalid number of arguments (expected at most 3, got {})", arguments.size()));
  }
  return Type::kTime;
}

Value now(Arguments arguments, CallContext& context) {
  TRY_VOID(expect_count(arguments, 0, 1));
  TRY(const Time t, context.time_now());
  if (arguments.empty()) return RuntimeValue(t);
  if (arguments[0].type() != Type::kLocation) {
    return bad_expression("invalid number of arguments (expected 0, got 1)");
  }
  return RuntimeValue(at(t, arguments[0].as_location()));
}

Value duration(Arguments arguments, CallContext&) {
  TRY(const std::string_view text, string_argument(arguments, 0));
  TRY(const std::int64_t ns, parse_duration(text));
  return RuntimeValue::integer(Type::kDuration, ns);
}

Value timezone(Arguments arguments, CallContext&) {
  TRY(const std::string_view name, string_argument(arguments, 0));
  TRY(std::shared_ptr<const Location> where, load_location(name));
  return RuntimeValue::location(std::move(where));
}

Value date(Arguments arguments, CallContext&) {
  std::shared_ptr<const Location> where;
  if (!arguments.empty() && arguments[0].type() == Type::kLocation) {
    where = arguments[0].as_location();
    arguments = arguments.subspan(1);
  }
  TRY(const std::string_view text, string_argument(arguments, 0));
  if (arguments.size() == 2 || arguments.size() == 3) {
    TRY(const std::string_view layout, string_argument(arguments, 1));
    if (arguments.size() == 3) {
      TRY(const std::string_view zone, string_argument(arguments, 2));
      TRY(where, load_location(zone));
    }
    TRY(Time t, parse_time(layout, text, where));
    return RuntimeValue(std::move(t));
  }
  constexpr std::array<std::string_view, 7> kLayouts = {"2006-01-02",
                                                        "15:04:05",
                                                        "2006-01-02 15:04:05",
                                                        kRfc3339,
                                                        "02 Jan 06 15:04 MST",
                                                        "Monday, 02-Jan-06 15:04:05 MST",
                                                        "Mon, 02 Jan 2006 15:04:05 MST"};
  for (const auto layout : kLayouts) {
    auto t = parse_time(layout, text, where);
    if (t) return RuntimeValue(std::move(*t));
  }
  return bad_expression(fmt::format("invalid date {}", text));
}

constexpr std::array kRows = std::to_array<Builtin>({
    {"now", {}, now, "the time of evaluation", check_now},
    {"duration", kStringToDuration, duration, "a length of time, such as 1h30m"},
    {"date", {}, date, "a point in time, by layout and time zone", check_date},
    {"timezone", kStringToLocation, timezone, "a time zone by its name"},
});

}  // namespace

std::span<const Builtin> time_builtins() { return kRows; }

}  // namespace tiphys::expr
