// The offset of a time zone at a moment, also after the last year of the tz database.
//
// The files name each change up to 2037 and give a rule for later, which date::date-tz does not
// read: later years follow an earlier one with the same calendar. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace date {
class time_zone;
}

namespace tiphys::clock {

/// In seconds; [begin, end) is how long it holds, in seconds since 1970.
struct ZoneOffset {
  std::int64_t seconds = 0;
  std::string abbreviation;
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// The offset `since_1970` seconds after 1970, within date::year's +-32767 years.
[[nodiscard]] ZoneOffset offset_at(const date::time_zone& zone, std::int64_t since_1970);

}  // namespace tiphys::clock
