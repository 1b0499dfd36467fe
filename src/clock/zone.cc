#include "clock/zone.h"

#include <date/tz.h>

namespace tiphys::clock {
namespace {

constexpr std::int64_t kSecondsPerDay = 86400;
constexpr std::int64_t kLastKnownYear = 2036;

std::int64_t first_day(std::int64_t year) {
  const date::sys_days first = date::year(static_cast<int>(year)) / date::January / 1;
  return first.time_since_epoch().count();
}

/// By how many seconds the year with the same calendar is earlier; 0 for a year that is known.
std::int64_t shift_to_known_year(std::int64_t since_1970) {
  const auto day = date::floor<date::days>(date::sys_seconds(std::chrono::seconds(since_1970)));
  const std::int64_t year = int{date::year_month_day(day).year()};
  if (year <= kLastKnownYear) return 0;
  const auto length = first_day(year + 1) - first_day(year);
  for (std::int64_t known = kLastKnownYear;; --known) {
    const std::int64_t days = first_day(year) - first_day(known);
    if (days % 7 == 0 && first_day(known + 1) - first_day(known) == length) {
      return days * kSecondsPerDay;
    }
  }
}

date::sys_info info_at(const date::time_zone& zone, std::int64_t since_1970) {
  return zone.get_info(date::sys_seconds(std::chrono::seconds(since_1970)));
}

std::int64_t count(date::sys_seconds t) { return t.time_since_epoch().count(); }

}  // namespace

ZoneOffset offset_at(const date::time_zone& zone, std::int64_t since_1970) {
  constexpr std::int64_t kFarAway = 100'000'000'000;  // the year 5138: no change is named
  std::int64_t shift = 0;
  date::sys_info info = info_at(zone, since_1970);
  if (count(info.end) > kFarAway) {
    shift = shift_to_known_year(since_1970);
    if (shift > 0) {
      // A zone without changes in its last known year keeps that offset.
      constexpr std::int64_t kLastSummer = 2'097'000'000;  // in 2036
      constexpr std::int64_t kNearlyAYear = 300 * kSecondsPerDay;
      const date::sys_info last = info_at(zone, kLastSummer);
      if (count(last.end) > kLastSummer + kNearlyAYear) shift = since_1970 - kLastSummer;
      info = info_at(zone, since_1970 - shift);
    }
  }
  return {info.offset.count(), info.abbrev, count(info.begin) + shift, count(info.end) + shift};
}

}  // namespace tiphys::clock
