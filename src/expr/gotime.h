// Go's time package as far as expressions reach it: Time, Location, Duration texts and layouts such
// as "2006-01-02".
//
// Seconds and nanoseconds apart, for the years 1 to 9999. Zone rules come from the system's tz
// database. Pure, except that a zone's rules are read from the tz database when it is first named.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "diag/error.h"

namespace date {
class time_zone;
}

namespace tiphys::expr {

/// Where a clock hangs: UTC, a zone of the tz database, or a fixed offset.
struct Location {
  std::string name;                       // "UTC", "Europe/Berlin", "" or "CET" for fixed offsets
  const date::time_zone* zone = nullptr;  // null: fixed offset
  int offset_seconds = 0;                 // of a fixed offset, east of Greenwich is positive
};

/// The shared UTC.
[[nodiscard]] const std::shared_ptr<const Location>& utc();
/// A zone by its name; "" and "UTC" are UTC, "Local" is UTC, too. Errors: kBadExpression `unknown
/// time zone X`.
[[nodiscard]] diag::Result<std::shared_ptr<const Location>> load_location(std::string_view name);
[[nodiscard]] std::shared_ptr<const Location> fixed_location(std::string name, int offset_seconds);

/// A point in time as Go's time.Time: seconds since 1970 plus nanoseconds 0..999999999, and where
/// it is shown.
struct Time {
  std::int64_t seconds = 0;
  std::int32_t nanos = 0;
  std::shared_ptr<const Location> where = utc();
};

/// Years, months ... of a Time at its place.
struct Civil {
  int year = 1;
  int month = 1;  // 1..12
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int weekday = 0;   // 0 = Sunday
  int year_day = 1;  // 1..366
  int offset_seconds = 0;
  std::string zone;  // abbreviation: "CET", "UTC", "+03"
};
[[nodiscard]] Civil civil(const Time& t);
/// Go's time.Date: values out of range are carried (month 13 is January of the next year). In a gap
/// or an overlap of local time the offset before it is used.
[[nodiscard]] Time make_time(const Civil& local, std::int32_t nanos,
                             std::shared_ptr<const Location> where);
/// The offset that the abbreviation `zone` ("CET") has at a place, best at the local time `wall`
/// (seconds since 1970 as if it were UTC). False if no such abbreviation was ever used there.
[[nodiscard]] bool find_offset(const Location& where, std::string_view zone, std::int64_t wall,
                               int& offset_seconds);
/// Go's Time.Add.
[[nodiscard]] Time add(const Time& t, std::int64_t nanoseconds);
/// Go's Time.Sub: a - b in nanoseconds, saturating.
[[nodiscard]] std::int64_t subtract(const Time& a, const Time& b);
/// <0, 0, >0: earlier, same instant, later.
[[nodiscard]] int compare(const Time& a, const Time& b);
/// Go's Time.Equal for the instant and the place.
[[nodiscard]] Time at(const Time& t, std::shared_ptr<const Location> where);

/// Go's Time.Format with a layout such as "2006-01-02T15:04:05Z07:00".
[[nodiscard]] std::string format_time(const Time& t, std::string_view layout);
/// Go's time.Parse (`where` null) or time.ParseInLocation. Errors: kBadExpression `parsing time "x"
/// as ...`.
[[nodiscard]] diag::Result<Time> parse_time(std::string_view layout, std::string_view text,
                                            const std::shared_ptr<const Location>& where = nullptr);
/// Go's Time.String(): "2006-01-02 15:04:05.999999999 -0700 MST".
[[nodiscard]] std::string time_to_text(const Time& t);

/// Go's time.ParseDuration ("1h30m", "-1.5s"): nanoseconds. Errors: kBadExpression `time: invalid
/// duration "x"`.
[[nodiscard]] diag::Result<std::int64_t> parse_duration(std::string_view text);
/// Go's Duration.String(): "1h30m0s", "1.5s", "0s".
[[nodiscard]] std::string duration_to_text(std::int64_t nanoseconds);
[[nodiscard]] std::string_view month_name(int month);      // 1..12
[[nodiscard]] std::string_view weekday_name(int weekday);  // 0..6

/// Go's time.RFC3339.
inline constexpr std::string_view kRfc3339 = "2006-01-02T15:04:05Z07:00";
inline constexpr std::string_view kRfc3339Nano = "2006-01-02T15:04:05.999999999Z07:00";

}  // namespace tiphys::expr
