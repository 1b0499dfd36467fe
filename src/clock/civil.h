// Calendar fields of an Instant in UTC, in a zone of the system's tz database, or the way back.
//
// date::date-tz does the calendar; only this file and zone.h know it.
// Pure, except that a zone's rules are read from the tz database when it is first named.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "clock/instant.h"

namespace tiphys::clock {

/// What a calendar and a clock on the wall show.
struct Civil {
  int year = 1970;
  int month = 1;  // 1..12
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int weekday = 0;              // 0 is Sunday
  std::int64_t nanosecond = 0;  // within the second
  int offset_seconds = 0;       // east of Greenwich is positive
  std::string zone = "UTC";     // abbreviation: "CET"
};

/// The fields of `t` in UTC.
[[nodiscard]] Civil civil_utc(Instant t);

/// The fields of `t` in the zone with this name ("Europe/Berlin"; "" is UTC); nullopt when there is
/// no such zone.
[[nodiscard]] std::optional<Civil> civil_in(Instant t, std::string_view zone);

/// The Instant of these fields, minus offset_seconds; nullopt when the date does not exist or is
/// out of 1678..2261.
[[nodiscard]] std::optional<Instant> instant_of(const Civil& c);

}  // namespace tiphys::clock
