#include "clock/strftime.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>

#include "clock/civil.h"

namespace tiphys::clock {

namespace {

constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};

std::string_view month(const Civil& c) { return kMonths[static_cast<std::size_t>(c.month - 1)]; }
std::string_view day(const Civil& c) { return kDays[static_cast<std::size_t>(c.weekday)]; }

std::string offset(const Civil& c) {
  const int minutes = std::abs(c.offset_seconds) / 60;
  return fmt::format("{}{:02}{:02}", c.offset_seconds < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

std::string piece(char letter, const Civil& c) {
  switch (letter) {
    case 'B':
      return std::string(month(c));
    case 'b':
      return std::string(month(c).substr(0, 3));
    case 'm':
      return fmt::format("{:02}", c.month);
    case 'A':
      return std::string(day(c));
    case 'a':
      return std::string(day(c).substr(0, 3));
    case 'd':
      return fmt::format("{:02}", c.day);
    case 'H':
      return fmt::format("{:02}", c.hour);
    case 'I':
      return fmt::format("{:02}", c.hour % 12 == 0 ? 12 : c.hour % 12);
    case 'M':
      return fmt::format("{:02}", c.minute);
    case 'S':
      return fmt::format("{:02}", c.second);
    case 'Y':
      return fmt::format("{:04}", c.year);
    case 'y':
      return fmt::format("{:02}", c.year % 100);
    case 'p':
      return c.hour < 12 ? "AM" : "PM";
    case 'Z':
      return c.zone;
    case 'z':
      return offset(c);
    case 'L':
      return fmt::format(".{:03}", c.nanosecond / 1'000'000);
    case '%':
      return "%";
    default:
      return {'%', letter};
  }
}

}  // namespace

std::string strftime(std::string_view format, Instant t, std::string_view zone) {
  const Civil c = civil_in(t, zone).value_or(civil_utc(t));
  std::string out;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i];
      continue;
    }
    out += piece(format[++i], c);
  }
  return out;
}

}  // namespace tiphys::clock
