// sprig's functions on dates. "Local" is UTC, as in Argo's containers.
#include <limits>

#include "expr/builtin_table.h"
#include "expr/number_text.h"
#include "expr/sprig_table.h"

namespace tiphys::expr {
namespace {

namespace sig = sprig_signature;
using Value = SprigValue;
constexpr std::int64_t kSecond = 1'000'000'000;

// A time, seconds since 1970, or for everything else now.
diag::Result<Time> time_of(const RuntimeValue& v, const CallContext& context) {
  if (v.type() == Type::kTime) return v.as_time();
  if (v.type() == Type::kInt || v.type() == Type::kInt64) return Time{.seconds = v.as_integer()};
  return context.time_now();
}

Value formatted(std::string_view layout, const RuntimeValue& v, std::string_view zone,
                const CallContext& context) {
  TRY(const Time t, time_of(v, context));
  const auto where = load_location(zone);
  return RuntimeValue(format_time(at(t, where ? *where : utc()), layout));
}

Value date(Arguments a, CallContext& context) {
  return formatted(a[0].as_string(), a[1], "UTC", context);
}

Value date_in_zone(Arguments a, CallContext& context) {
  return formatted(a[0].as_string(), a[1], a[2].as_string(), context);
}

Value html_date(Arguments a, CallContext& context) {
  return formatted("2006-01-02", a[0], "UTC", context);
}

Value html_date_in_zone(Arguments a, CallContext& context) {
  return formatted("2006-01-02", a[0], a[1].as_string(), context);
}

Value must_date_modify(Arguments a, CallContext&) {
  TRY(const std::int64_t d, parse_duration(a[0].as_string()));
  return RuntimeValue(add(a[1].as_time(), d));
}

Value date_modify(Arguments a, CallContext& context) {
  return must_date_modify(a, context).value_or(a[1]);
}

Value ago(Arguments a, CallContext& context) {
  TRY(const Time then, time_of(a[0], context));
  TRY(const Time now, context.time_now());
  const std::int64_t d = subtract(now, then);
  std::int64_t rest = d % kSecond;
  std::int64_t whole = d - rest;
  if (rest * 2 >= kSecond) whole += kSecond;
  if (rest * 2 <= -kSecond) whole -= kSecond;
  return RuntimeValue(duration_to_text(whole));
}

Value duration(Arguments a, CallContext&) {
  std::int64_t seconds = 0;
  if (a[0].is_string()) seconds = parse_decimal(a[0].as_string()).value_or(0);
  if (a[0].type() == Type::kInt64) seconds = a[0].as_integer();
  const std::uint64_t wrapped = static_cast<std::uint64_t>(seconds) * std::uint64_t{kSecond};
  return RuntimeValue(duration_to_text(static_cast<std::int64_t>(wrapped)));
}

// The largest unit that it exceeds, rounded down.
Value duration_round(Arguments a, CallContext& context) {
  struct Unit {
    std::uint64_t seconds;
    std::string_view name;
  };
  constexpr std::array kUnits = std::to_array<Unit>(
      {{31'536'000, "y"}, {2'592'000, "mo"}, {86'400, "d"}, {3'600, "h"}, {60, "m"}, {1, "s"}});
  std::int64_t d = 0;
  if (a[0].is_string()) d = parse_duration(a[0].as_string()).value_or(0);
  if (a[0].type() == Type::kInt64) d = a[0].as_integer();
  if (a[0].type() == Type::kTime) {
    TRY(const Time now, context.time_now());
    d = subtract(now, a[0].as_time());
  }
  const auto size = static_cast<std::uint64_t>(d);
  const std::uint64_t length = d < 0 ? 0 - size : size;
  for (const Unit& unit : kUnits) {
    const std::uint64_t nanos = unit.seconds * std::uint64_t{kSecond};
    if (length > nanos) return RuntimeValue(std::to_string(length / nanos).append(unit.name));
  }
  return RuntimeValue("0s");
}

Value must_to_date(Arguments a, CallContext&) {
  TRY(const Time t, parse_time(a[0].as_string(), a[1].as_string(), utc()));
  return RuntimeValue(t);
}

Value to_date(Arguments a, CallContext& context) {
  return must_to_date(a, context).value_or(RuntimeValue::zero(Type::kTime));
}

Value unix_epoch(Arguments a, CallContext&) {
  return RuntimeValue(std::to_string(a[0].as_time().seconds));
}

Value now(Arguments, CallContext& context) {
  TRY(const Time t, context.time_now());
  return RuntimeValue(t);
}

constexpr std::array kStringAnyStringTypes = {Type::kString, Type::kAny, Type::kString};
constexpr std::array kAnyStringTypes = {Type::kAny, Type::kString};
constexpr std::array kStringTimeTypes = {Type::kString, Type::kTime};
constexpr std::array kTimeType = {Type::kTime};
constexpr std::array kTextAnyText = {Signature{kStringAnyStringTypes, false, Type::kAny}};
constexpr std::array kAnyText = {Signature{kAnyStringTypes, false, Type::kAny}};
constexpr std::array kTextTime = {Signature{kStringTimeTypes, false, Type::kAny}};
constexpr std::array kTimeOnly = {Signature{kTimeType, false, Type::kAny}};

constexpr std::array kRows = std::to_array<Builtin>({
    {"ago", sig::kOne, ago, "how long ago a time was"},
    {"date", sig::kTextAndAny, date, "a time in a layout, in UTC"},
    {"dateInZone", kTextAnyText, date_in_zone, "a time in a layout and a zone"},
    {"dateModify", kTextTime, date_modify, "a time plus a duration"},
    {"date_in_zone", kTextAnyText, date_in_zone, "as dateInZone"},
    {"date_modify", kTextTime, date_modify, "as dateModify"},
    {"duration", sig::kOne, duration, "seconds as a duration text"},
    {"durationRound", sig::kOne, duration_round, "a duration in its largest unit"},
    {"htmlDate", sig::kOne, html_date, "a date as 2006-01-02"},
    {"htmlDateInZone", kAnyText, html_date_in_zone, "a date in a zone as 2006-01-02"},
    {"mustDateModify", kTextTime, must_date_modify, "a time plus a duration"},
    {"mustToDate", sig::kText2, must_to_date, "a time from a layout and a text"},
    {"must_date_modify", kTextTime, must_date_modify, "as mustDateModify"},
    {"now", sig::kNothing, now, "the time of the expression's clock"},
    {"toDate", sig::kText2, to_date, "a time from a layout and a text, year 1 if it does not fit"},
    {"unixEpoch", kTimeOnly, unix_epoch, "seconds since 1970 as text"},
});

}  // namespace

std::span<const Builtin> sprig_date_rows() { return kRows; }

}  // namespace tiphys::expr
