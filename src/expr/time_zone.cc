// Zones, civil time and arithmetic of Time.
#include <limits>
#include <vector>

#include <date/tz.h>
#include <fmt/core.h>

#include "clock/zone.h"
#include "expr/gotime.h"

namespace tiphys::expr {
namespace {

using Offset = clock::ZoneOffset;

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
constexpr std::int64_t kSecondsPerDay = 86400;

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

std::int64_t days_from_civil(std::int64_t year, int month, int day) {
  // Months out of range are carried into the year; date::year holds +-32767.
  const std::int64_t months = year * 12 + (month - 1);
  const std::int64_t whole_year = floor_divide(months, 12);
  const auto whole_month = static_cast<unsigned>(months - whole_year * 12 + 1);
  const date::sys_days first =
      date::year(static_cast<int>(whole_year)) / date::month(whole_month) / date::day(1);
  return first.time_since_epoch().count() + day - 1;
}

Offset offset_at(const Location& where, std::int64_t seconds) {
  if (where.zone == nullptr) {
    return {.seconds = where.offset_seconds,
            .abbreviation = where.name == "Local" ? "UTC" : where.name,
            .begin = std::numeric_limits<std::int64_t>::min(),
            .end = std::numeric_limits<std::int64_t>::max()};
  }
  return clock::offset_at(*where.zone, seconds);
}

}  // namespace

const std::shared_ptr<const Location>& utc() {
  static const auto instance =
      std::make_shared<const Location>(Location{.name = "UTC", .zone = nullptr});
  return instance;
}

std::shared_ptr<const Location> fixed_location(std::string name, int offset_seconds) {
  return std::make_shared<const Location>(
      Location{.name = std::move(name), .zone = nullptr, .offset_seconds = offset_seconds});
}

diag::Result<std::shared_ptr<const Location>> load_location(std::string_view name) {
  if (name.empty() || name == "UTC") return utc();
  if (name == "Local") return fixed_location("Local", 0);
  try {
    const date::time_zone* zone = date::locate_zone(std::string(name));
    return std::make_shared<const Location>(Location{.name = std::string(name), .zone = zone});
  } catch (const std::exception&) {
    return diag::fail(diag::Code::kBadExpression, fmt::format("unknown time zone {}", name));
  }
}

Civil civil(const Time& t) {
  const Offset offset = offset_at(*t.where, t.seconds);
  const std::int64_t local = t.seconds + offset.seconds;
  const std::int64_t days = floor_divide(local, kSecondsPerDay);
  const std::int64_t rest = local - days * kSecondsPerDay;
  const date::sys_days day{date::days(static_cast<int>(days))};
  const date::year_month_day ymd(day);
  Civil out;
  out.year = int{ymd.year()};
  out.month = static_cast<int>(unsigned{ymd.month()});
  out.day = static_cast<int>(unsigned{ymd.day()});
  out.hour = static_cast<int>(rest / 3600);
  out.minute = static_cast<int>(rest / 60 % 60);
  out.second = static_cast<int>(rest % 60);
  out.weekday = static_cast<int>(date::weekday(day).c_encoding());
  out.year_day = static_cast<int>(days - days_from_civil(out.year, 1, 1)) + 1;
  out.offset_seconds = static_cast<int>(offset.seconds);
  out.zone = offset.abbreviation;
  return out;
}

Time make_time(const Civil& local, std::int32_t nanos, std::shared_ptr<const Location> where) {
  const std::int64_t wall = days_from_civil(local.year, local.month, local.day) * kSecondsPerDay +
                            std::int64_t{local.hour} * 3600 + std::int64_t{local.minute} * 60 +
                            local.second;
  // Look the offset up as if the wall clock were UTC, then correct it near a change of offset.
  Offset offset = offset_at(*where, wall);
  if (const std::int64_t instant = wall - offset.seconds;
      offset.seconds != 0 && (instant < offset.begin || instant >= offset.end)) {
    offset = offset_at(*where, instant);
  }
  return {.seconds = wall - offset.seconds, .nanos = nanos, .where = std::move(where)};
}

bool find_offset(const Location& where, std::string_view zone, std::int64_t wall,
                 int& offset_seconds) {
  std::vector<Offset> named;
  constexpr std::int64_t kEnd = 2'145'916'800;  // 2038
  std::int64_t t = std::numeric_limits<std::int32_t>::min() * std::int64_t{4};
  while (t < kEnd) {
    const Offset found = offset_at(where, t);
    if (found.abbreviation == zone) named.push_back(found);
    if (found.end <= t || found.end >= kEnd) break;
    t = found.end;
  }
  if (named.empty()) return false;
  offset_seconds = static_cast<int>(named.front().seconds);
  for (const Offset& candidate : named) {
    if (offset_at(where, wall - candidate.seconds).abbreviation != zone) continue;
    offset_seconds = static_cast<int>(candidate.seconds);
    break;
  }
  return true;
}

Time add(const Time& t, std::int64_t nanoseconds) {
  std::int64_t seconds = t.seconds + nanoseconds / kNanosPerSecond;
  std::int64_t nanos = t.nanos + nanoseconds % kNanosPerSecond;
  if (nanos >= kNanosPerSecond) {
    nanos -= kNanosPerSecond;
    ++seconds;
  } else if (nanos < 0) {
    nanos += kNanosPerSecond;
    --seconds;
  }
  return {.seconds = seconds, .nanos = static_cast<std::int32_t>(nanos), .where = t.where};
}

std::int64_t subtract(const Time& a, const Time& b) {
  const __int128 difference =
      static_cast<__int128>(a.seconds - b.seconds) * kNanosPerSecond + (a.nanos - b.nanos);
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
  if (difference > kMax) return kMax;
  if (difference < kMin) return kMin;
  return static_cast<std::int64_t>(difference);
}

int compare(const Time& a, const Time& b) {
  if (a.seconds != b.seconds) return a.seconds < b.seconds ? -1 : 1;
  if (a.nanos != b.nanos) return a.nanos < b.nanos ? -1 : 1;
  return 0;
}

Time at(const Time& t, std::shared_ptr<const Location> where) {
  return {.seconds = t.seconds, .nanos = t.nanos, .where = std::move(where)};
}

}  // namespace tiphys::expr
