#include "clock/civil.h"

#include <date/tz.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <utility>

#include "clock/zone.h"

namespace tiphys::clock {

namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

Civil fields(date::local_time<nanoseconds> local) {
  const auto day = date::floor<date::days>(local);
  const date::year_month_day ymd(day);
  const date::hh_mm_ss time(local - day);
  Civil c;
  c.year = static_cast<int>(ymd.year());
  c.month = static_cast<int>(static_cast<unsigned>(ymd.month()));
  c.day = static_cast<int>(static_cast<unsigned>(ymd.day()));
  c.hour = static_cast<int>(time.hours().count());
  c.minute = static_cast<int>(time.minutes().count());
  c.second = static_cast<int>(time.seconds().count());
  c.nanosecond = time.subseconds().count();
  c.weekday = static_cast<int>(date::weekday(day).c_encoding());
  return c;
}

}  // namespace

// The first day cannot be counted from its midnight, which is too far back.
Civil civil_utc(Instant t) {
  constexpr std::int64_t kFirst = INT64_MIN + 86'400'000'000'000;
  return fields(date::local_time<nanoseconds>(nanoseconds(std::max(t.ns, kFirst))));
}

std::optional<Civil> civil_in(Instant t, std::string_view zone) {
  if (zone.empty() || zone == "UTC") return civil_utc(t);
  try {
    const date::sys_time<nanoseconds> at{nanoseconds(t.ns)};
    const std::int64_t whole = date::floor<seconds>(at).time_since_epoch().count();
    ZoneOffset offset = offset_at(*date::locate_zone(std::string(zone)), whole);
    Civil c =
        fields(date::local_time<nanoseconds>(at.time_since_epoch() + seconds(offset.seconds)));
    c.offset_seconds = static_cast<int>(offset.seconds);
    c.zone = std::move(offset.abbreviation);
    return c;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

std::optional<Instant> instant_of(const Civil& c) {
  const date::year_month_day ymd(date::year(c.year), date::month(static_cast<unsigned>(c.month)),
                                 date::day(static_cast<unsigned>(c.day)));
  if (!ymd.ok() || c.year < 1678 || c.year > 2261) return std::nullopt;
  const seconds in_day(c.hour * 3600 + c.minute * 60 + c.second - c.offset_seconds);
  const auto since = date::sys_days(ymd).time_since_epoch() + in_day;
  return Instant{since.count() * 1'000'000'000 + c.nanosecond};
}

}  // namespace tiphys::clock
