#include "notify/quiet_hours.h"

#include <array>
#include <string_view>

#include "clock/civil.h"
#include "expr/unicode.h"

namespace tiphys::notify {

namespace {

constexpr int kDay = 24 * 60;

// The moment at which a clock of the zone shows `minute` of the day that is `days` after that of
// `at`. Where the clock jumps over it, the moment after the jump.
clock::Instant moment_of(const clock::Civil& at, int days, int minute, const std::string& zone) {
  clock::Civil wanted = at;
  wanted.hour = minute / 60;
  wanted.minute = minute % 60;
  wanted.second = 0;
  wanted.nanosecond = 0;
  clock::Instant t = clock::instant_of(wanted).value_or(clock::Instant{}) +
                     clock::Duration::seconds(std::int64_t{days} * 24 * 3600);
  const auto there = clock::civil_in(t, zone);
  if (!there) return t;
  return t - clock::Duration::seconds(there->offset_seconds - at.offset_seconds);
}

}  // namespace

std::optional<clock::Instant> quiet_until(const QuietHours& quiet, clock::Instant now) {
  const auto civil = clock::civil_in(now, quiet.zone);
  if (!civil || quiet.from_minute == quiet.to_minute) return std::nullopt;
  const int minute = civil->hour * 60 + civil->minute;
  const auto begins_on = [&](int weekday) {
    return (quiet.days >> static_cast<unsigned>((weekday + 7) % 7) & 1U) != 0;
  };
  const bool is_over_midnight = quiet.to_minute < quiet.from_minute;
  if (minute >= quiet.from_minute && minute < (is_over_midnight ? kDay : quiet.to_minute) &&
      begins_on(civil->weekday)) {
    return moment_of(*civil, is_over_midnight ? 1 : 0, quiet.to_minute, quiet.zone);
  }
  if (is_over_midnight && minute < quiet.to_minute && begins_on(civil->weekday - 1)) {
    return moment_of(*civil, 0, quiet.to_minute, quiet.zone);
  }
  return std::nullopt;
}

std::optional<int> parse_time_of_day(std::string_view text) {
  const auto digit = [&](std::size_t i) {
    return text[i] >= '0' && text[i] <= '9' ? text[i] - '0' : 100;
  };
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const int hour = digit(0) * 10 + digit(1);
  const int minute = digit(3) * 10 + digit(4);
  if (hour > 24 || minute > 59 || (hour == 24 && minute > 0)) return std::nullopt;
  return hour * 60 + minute;
}

std::optional<int> parse_weekday(std::string_view text) {
  constexpr std::array<std::string_view, 7> kDays = {"sunday",   "monday", "tuesday", "wednesday",
                                                     "thursday", "friday", "saturday"};
  const std::string word = expr::lower(text);
  for (std::size_t i = 0; i < kDays.size(); ++i) {
    if (word == kDays[i] || word == kDays[i].substr(0, 3)) return static_cast<int>(i);
  }
  return std::nullopt;
}

}  // namespace tiphys::notify
