// The hours of the day in which nobody wants to hear of it.
//
// Pure, but for the tz database.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "clock/instant.h"

namespace tiphys::notify {

/// From one time of the day to another, in a time zone; over midnight if `to` is earlier.
struct QuietHours {
  int from_minute = 0;  // of the day
  int to_minute = 0;
  std::string zone = {};     // "" is UTC
  std::uint8_t days = 0x7f;  // on which it may begin: bit 1 << weekday, 0 is Sunday
  bool drops = false;        // what comes then is not told later either
};

/// The end of the quiet time that `now` is in; nullopt when it is in none.
[[nodiscard]] std::optional<clock::Instant> quiet_until(const QuietHours& quiet,
                                                        clock::Instant now);

/// `22:00` as minutes of the day; nullopt for anything else.
[[nodiscard]] std::optional<int> parse_time_of_day(std::string_view text);
/// `Mon` or `monday` as a number, 0 for Sunday; nullopt for anything else.
[[nodiscard]] std::optional<int> parse_weekday(std::string_view text);

}  // namespace tiphys::notify
