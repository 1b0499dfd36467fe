// Methods of time.Time, time.Duration, time.Month, time.Weekday and *time.Location. The first
// argument is the receiver.
#include <array>
#include <cmath>

#include <fmt/core.h>

#include "expr/builtin_table.h"

namespace tiphys::expr {
namespace {

using Value = diag::Result<RuntimeValue>;

constexpr std::array kOneTime = {Type::kTime};
constexpr std::array kOneDuration = {Type::kDuration};
constexpr std::array kOneString = {Type::kString};
constexpr std::array kOneLocation = {Type::kLocation};
constexpr std::array kThreeInts = {Type::kInt, Type::kInt, Type::kInt};

constexpr std::array kToInt = {Signature{{}, false, Type::kInt}};
constexpr std::array kToInt64 = {Signature{{}, false, Type::kInt64}};
constexpr std::array kToFloat = {Signature{{}, false, Type::kFloat}};
constexpr std::array kToString = {Signature{{}, false, Type::kString}};
constexpr std::array kToBool = {Signature{{}, false, Type::kBool}};
constexpr std::array kToMonth = {Signature{{}, false, Type::kMonth}};
constexpr std::array kToWeekday = {Signature{{}, false, Type::kWeekday}};
constexpr std::array kToTime = {Signature{{}, false, Type::kTime}};
constexpr std::array kToDuration = {Signature{{}, false, Type::kDuration}};
constexpr std::array kToLocation = {Signature{{}, false, Type::kLocation}};
constexpr std::array kTimeToBool = {Signature{kOneTime, false, Type::kBool}};
constexpr std::array kTimeToInt = {Signature{kOneTime, false, Type::kInt}};
constexpr std::array kTimeToDuration = {Signature{kOneTime, false, Type::kDuration}};
constexpr std::array kDurationToTime = {Signature{kOneDuration, false, Type::kTime}};
constexpr std::array kDurationToDuration = {Signature{kOneDuration, false, Type::kDuration}};
constexpr std::array kStringToString = {Signature{kOneString, false, Type::kString}};
constexpr std::array kLocationToTime = {Signature{kOneLocation, false, Type::kTime}};
constexpr std::array kIntsToTime = {Signature{kThreeInts, false, Type::kTime}};

constexpr std::int64_t kSecond = 1'000'000'000;

RuntimeValue integer(std::int64_t i) { return RuntimeValue(i); }
RuntimeValue int64(std::int64_t i) { return RuntimeValue::integer(Type::kInt64, i); }
RuntimeValue length(std::int64_t ns) { return RuntimeValue::integer(Type::kDuration, ns); }

template <int Civil::* kField>
Value field(Arguments a, CallContext&) {
  return integer(civil(a[0].as_time()).*kField);
}

Value month(Arguments a, CallContext&) {
  return RuntimeValue::integer(Type::kMonth, civil(a[0].as_time()).month);
}
Value weekday(Arguments a, CallContext&) {
  return RuntimeValue::integer(Type::kWeekday, civil(a[0].as_time()).weekday);
}
Value nanosecond(Arguments a, CallContext&) { return integer(a[0].as_time().nanos); }

// Seconds since 1970 in units of 1/kScale second.
template <std::int64_t kScale>
Value unix_time(Arguments a, CallContext&) {
  const Time& t = a[0].as_time();
  return int64(t.seconds * kScale + t.nanos / (kSecond / kScale));
}

Value format(Arguments a, CallContext&) {
  return RuntimeValue(format_time(a[0].as_time(), a[1].as_string()));
}
Value time_string(Arguments a, CallContext&) { return RuntimeValue(time_to_text(a[0].as_time())); }
Value time_add(Arguments a, CallContext&) {
  return RuntimeValue(add(a[0].as_time(), a[1].as_integer()));
}
Value time_sub(Arguments a, CallContext&) {
  return length(subtract(a[0].as_time(), a[1].as_time()));
}
Value add_date(Arguments a, CallContext&) {
  for (std::size_t i = 1; i < 4; ++i) {
    constexpr std::int64_t kMost = 1'000'000;
    if (std::abs(a[i].as_integer()) > kMost) return bad_expression("date is out of range");
  }
  const Time& t = a[0].as_time();
  Civil c = civil(t);
  c.year += static_cast<int>(a[1].as_integer());
  c.month += static_cast<int>(a[2].as_integer());
  c.day += static_cast<int>(a[3].as_integer());
  return RuntimeValue(make_time(c, t.nanos, t.where));
}
Value before(Arguments a, CallContext&) {
  return RuntimeValue(compare(a[0].as_time(), a[1].as_time()) < 0);
}
Value after(Arguments a, CallContext&) {
  return RuntimeValue(compare(a[0].as_time(), a[1].as_time()) > 0);
}
Value same(Arguments a, CallContext&) {
  return RuntimeValue(compare(a[0].as_time(), a[1].as_time()) == 0);
}
Value compare_times(Arguments a, CallContext&) {
  return integer(compare(a[0].as_time(), a[1].as_time()));
}
Value is_zero(Arguments a, CallContext&) {
  const Time zero = RuntimeValue::zero(Type::kTime).as_time();
  return RuntimeValue(compare(a[0].as_time(), zero) == 0);
}
Value in_utc(Arguments a, CallContext&) { return RuntimeValue(at(a[0].as_time(), utc())); }
Value in_place(Arguments a, CallContext&) {
  if (a[1].is_nil()) return bad_expression("time: missing Location in call to Time.In");
  return RuntimeValue(at(a[0].as_time(), a[1].as_location()));
}
Value place(Arguments a, CallContext&) { return RuntimeValue::location(a[0].as_time().where); }
Value zone_name(Arguments a, CallContext&) { return RuntimeValue(civil(a[0].as_time()).zone); }

// Nanoseconds since the year 1 modulo `unit`; what Truncate and Round work with.
std::int64_t remainder_of(const Time& t, std::int64_t unit) {
  constexpr std::int64_t kYearOne = -62135596800;
  const __int128 total = static_cast<__int128>(t.seconds - kYearOne) * kSecond + t.nanos;
  return static_cast<std::int64_t>(total % unit);
}
Value time_truncate(Arguments a, CallContext&) {
  const std::int64_t unit = a[1].as_integer();
  if (unit <= 0) return a[0];
  return RuntimeValue(add(a[0].as_time(), -remainder_of(a[0].as_time(), unit)));
}
Value time_round(Arguments a, CallContext&) {
  const std::int64_t unit = a[1].as_integer();
  if (unit <= 0) return a[0];
  const std::int64_t rest = remainder_of(a[0].as_time(), unit);
  return RuntimeValue(add(a[0].as_time(), rest < unit - rest ? -rest : unit - rest));
}

template <std::int64_t kUnit>
Value in_units(Arguments a, CallContext&) {
  const std::int64_t ns = a[0].as_integer();
  // Whole units and the rest apart, as Go computes it: the last digits depend on it.
  return RuntimeValue(static_cast<double>(ns / kUnit) +
                      static_cast<double>(ns % kUnit) / static_cast<double>(kUnit));
}
template <std::int64_t kUnit>
Value whole_units(Arguments a, CallContext&) {
  return int64(a[0].as_integer() / kUnit);
}
Value duration_string(Arguments a, CallContext&) {
  return RuntimeValue(duration_to_text(a[0].as_integer()));
}
Value duration_abs(Arguments a, CallContext&) {
  const std::int64_t ns = a[0].as_integer();
  if (ns == INT64_MIN) return length(INT64_MAX);
  return length(ns < 0 ? -ns : ns);
}
Value duration_truncate(Arguments a, CallContext&) {
  const std::int64_t unit = a[1].as_integer();
  return length(unit <= 0 ? a[0].as_integer() : a[0].as_integer() - a[0].as_integer() % unit);
}
Value duration_round(Arguments a, CallContext&) {
  const std::int64_t ns = a[0].as_integer();
  const std::int64_t unit = a[1].as_integer();
  if (unit <= 0) return length(ns);
  const std::int64_t rest = ns % unit;
  const __int128 size = rest < 0 ? -static_cast<__int128>(rest) : rest;
  __int128 rounded = static_cast<__int128>(ns) - rest;
  if (size + size >= unit) rounded += ns < 0 ? -static_cast<__int128>(unit) : unit;
  if (rounded > INT64_MAX) return length(INT64_MAX);
  if (rounded < INT64_MIN) return length(INT64_MIN);
  return length(static_cast<std::int64_t>(rounded));
}
Value text_of(Arguments a, CallContext&) { return RuntimeValue(sprint(a[0])); }

constexpr std::array kTimeMethods = std::to_array<Builtin>({
    {"Add", kDurationToTime, time_add, "later by a duration"},
    {"AddDate", kIntsToTime, add_date, "later by years, months and days"},
    {"After", kTimeToBool, after, "is it later?"},
    {"Before", kTimeToBool, before, "is it earlier?"},
    {"Compare", kTimeToInt, compare_times, "-1, 0 or 1"},
    {"Day", kToInt, field<&Civil::day>, "day of the month"},
    {"Equal", kTimeToBool, same, "is it the same instant?"},
    {"Format", kStringToString, format, "by a layout such as 2006-01-02"},
    {"GoString", kToString, time_string, "as text"},
    {"Hour", kToInt, field<&Civil::hour>, "0 to 23"},
    {"In", kLocationToTime, in_place, "the same instant elsewhere"},
    {"IsZero", kToBool, is_zero, "is it January 1 of the year 1?"},
    {"Local", kToTime, in_utc, "in UTC, as no place is local here"},
    {"Location", kToLocation, place, "its time zone"},
    {"Minute", kToInt, field<&Civil::minute>, "0 to 59"},
    {"Month", kToMonth, month, "the month"},
    {"Nanosecond", kToInt, nanosecond, "0 to 999999999"},
    {"Round", kDurationToTime, time_round, "to a multiple of a duration"},
    {"Second", kToInt, field<&Civil::second>, "0 to 59"},
    {"String", kToString, time_string, "as text"},
    {"Sub", kTimeToDuration, time_sub, "the duration between"},
    {"Truncate", kDurationToTime, time_truncate, "down to a multiple of a duration"},
    {"UTC", kToTime, in_utc, "the same instant in UTC"},
    {"Unix", kToInt64, unix_time<1>, "seconds since 1970"},
    {"UnixMicro", kToInt64, unix_time<1'000'000>, "microseconds since 1970"},
    {"UnixMilli", kToInt64, unix_time<1'000>, "milliseconds since 1970"},
    {"UnixNano", kToInt64, unix_time<kSecond>, "nanoseconds since 1970"},
    {"Weekday", kToWeekday, weekday, "the day of the week"},
    {"Year", kToInt, field<&Civil::year>, "the year"},
    {"YearDay", kToInt, field<&Civil::year_day>, "1 to 366"},
    {"Zone", kToString, zone_name, "abbreviation of the time zone"},
});

constexpr std::array kDurationMethods = std::to_array<Builtin>({
    {"Abs", kToDuration, duration_abs, "without its sign"},
    {"Hours", kToFloat, in_units<3600 * kSecond>, "in hours"},
    {"Microseconds", kToInt64, whole_units<1000>, "in whole microseconds"},
    {"Milliseconds", kToInt64, whole_units<1'000'000>, "in whole milliseconds"},
    {"Minutes", kToFloat, in_units<60 * kSecond>, "in minutes"},
    {"Nanoseconds", kToInt64, whole_units<1>, "in nanoseconds"},
    {"Round", kDurationToDuration, duration_round, "to a multiple"},
    {"Seconds", kToFloat, in_units<kSecond>, "in seconds"},
    {"String", kToString, duration_string, "as text, such as 1h30m0s"},
    {"Truncate", kDurationToDuration, duration_truncate, "down to a multiple"},
});

constexpr std::array kNameMethods = std::to_array<Builtin>({
    {"String", kToString, text_of, "its name"},
});

}  // namespace

const Builtin* find_method(Type receiver, std::string_view name) {
  std::span<const Builtin> rows;
  if (receiver == Type::kTime) {
    rows = kTimeMethods;
  } else if (receiver == Type::kDuration) {
    rows = kDurationMethods;
  } else if (receiver == Type::kMonth || receiver == Type::kWeekday ||
             receiver == Type::kLocation) {
    rows = kNameMethods;
  }
  for (const Builtin& row : rows) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

}  // namespace tiphys::expr
