// Layouts of time, formatting, names, and Duration as text.
#include <array>
#include <cstdlib>

#include <fmt/core.h>

#include "expr/gotime.h"
#include "expr/time_layout.h"

namespace tiphys::expr {
namespace {

struct ChunkRow {
  std::string_view text;
  Chunk chunk;
};

// Longer pieces first, where one is the start of another.
constexpr std::array kChunks = std::to_array<ChunkRow>({
    {"January", Chunk::kLongMonth},
    {"Jan", Chunk::kMonth},
    {"Monday", Chunk::kLongWeekDay},
    {"Mon", Chunk::kWeekDay},
    {"MST", Chunk::kZoneName},
    {"002", Chunk::kZeroYearDay},
    {"01", Chunk::kZeroMonth},
    {"02", Chunk::kZeroDay},
    {"03", Chunk::kZeroHour12},
    {"04", Chunk::kZeroMinute},
    {"05", Chunk::kZeroSecond},
    {"06", Chunk::kYear},
    {"15", Chunk::kHour},
    {"1", Chunk::kNumMonth},
    {"2006", Chunk::kLongYear},
    {"2", Chunk::kDay},
    {"__2", Chunk::kUnderYearDay},
    {"_2", Chunk::kUnderDay},
    {"3", Chunk::kHour12},
    {"4", Chunk::kMinute},
    {"5", Chunk::kSecond},
    {"PM", Chunk::kUpperPm},
    {"pm", Chunk::kLowerPm},
    {"-07:00:00", Chunk::kNumColonSecondsZone},
    {"-070000", Chunk::kNumSecondsZone},
    {"-07:00", Chunk::kNumColonZone},
    {"-0700", Chunk::kNumZone},
    {"-07", Chunk::kNumShortZone},
    {"Z07:00:00", Chunk::kIsoColonSecondsZone},
    {"Z070000", Chunk::kIsoSecondsZone},
    {"Z07:00", Chunk::kIsoColonZone},
    {"Z0700", Chunk::kIsoZone},
    {"Z07", Chunk::kIsoShortZone},
});

constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> kWeekdays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// ".000" or ",999": one kind of digit, and no other digit behind.
std::size_t fraction_length(std::string_view text) {
  if (text.size() < 2 || (text[0] != '.' && text[0] != ',') || (text[1] != '0' && text[1] != '9')) {
    return 0;
  }
  std::size_t end = 1;
  while (end < text.size() && text[end] == text[1]) ++end;
  return end < text.size() && is_digit(text[end]) ? 0 : end;
}

void append_zone(std::string& out, Chunk chunk, int offset) {
  const bool iso = chunk >= Chunk::kIsoZone && chunk <= Chunk::kIsoColonSecondsZone;
  if (iso && offset == 0) {
    out += 'Z';
    return;
  }
  const int seconds = std::abs(offset);
  out += offset < 0 ? '-' : '+';
  out += fmt::format("{:02}", seconds / 3600);
  const bool colon = chunk == Chunk::kIsoColonZone || chunk == Chunk::kNumColonZone ||
                     chunk == Chunk::kIsoColonSecondsZone || chunk == Chunk::kNumColonSecondsZone;
  if (chunk != Chunk::kIsoShortZone && chunk != Chunk::kNumShortZone) {
    out += fmt::format("{}{:02}", colon ? ":" : "", seconds / 60 % 60);
  }
  if (chunk == Chunk::kIsoSecondsZone || chunk == Chunk::kNumSecondsZone ||
      chunk == Chunk::kIsoColonSecondsZone || chunk == Chunk::kNumColonSecondsZone) {
    out += fmt::format("{}{:02}", colon ? ":" : "", seconds % 60);
  }
}

void append_fraction(std::string& out, const NextChunk& next, std::int32_t nanos) {
  std::string digits = fmt::format("{:09}", nanos);
  digits.resize(std::min<std::size_t>(next.text.size() - 1, 9));
  if (next.chunk == Chunk::kFraction9) {
    const std::size_t last = digits.find_last_not_of('0');
    digits.resize(last == std::string::npos ? 0 : last + 1);
    if (digits.empty()) return;
  }
  out += next.text[0];
  out += digits;
}

void append_zone_name(std::string& out, const Civil& c) {
  if (!c.zone.empty()) {
    out += c.zone;
    return;
  }
  const int minutes = c.offset_seconds / 60;
  out += fmt::format("{}{:02}{:02}", minutes < 0 ? '-' : '+', std::abs(minutes) / 60,
                     std::abs(minutes) % 60);
}

void append_date(std::string& out, Chunk chunk, const Civil& c) {
  switch (chunk) {
    case Chunk::kYear:
      out += fmt::format("{:02}", std::abs(c.year) % 100);
      return;
    case Chunk::kLongYear:
      out += fmt::format("{}{:04}", c.year < 0 ? "-" : "", std::abs(c.year));
      return;
    case Chunk::kMonth:
      out += month_name(c.month).substr(0, 3);
      return;
    case Chunk::kLongMonth:
      out += month_name(c.month);
      return;
    case Chunk::kNumMonth:
      out += std::to_string(c.month);
      return;
    case Chunk::kZeroMonth:
      out += fmt::format("{:02}", c.month);
      return;
    case Chunk::kWeekDay:
      out += weekday_name(c.weekday).substr(0, 3);
      return;
    case Chunk::kLongWeekDay:
      out += weekday_name(c.weekday);
      return;
    case Chunk::kDay:
      out += std::to_string(c.day);
      return;
    case Chunk::kUnderDay:
      out += fmt::format("{:2}", c.day);
      return;
    case Chunk::kZeroDay:
      out += fmt::format("{:02}", c.day);
      return;
    case Chunk::kUnderYearDay:
      out += fmt::format("{:3}", c.year_day);
      return;
    default:
      out += fmt::format("{:03}", c.year_day);
  }
}

void append_clock(std::string& out, Chunk chunk, const Civil& c) {
  const int hour12 = c.hour % 12 == 0 ? 12 : c.hour % 12;
  switch (chunk) {
    case Chunk::kHour:
      out += fmt::format("{:02}", c.hour);
      return;
    case Chunk::kHour12:
      out += std::to_string(hour12);
      return;
    case Chunk::kZeroHour12:
      out += fmt::format("{:02}", hour12);
      return;
    case Chunk::kMinute:
      out += std::to_string(c.minute);
      return;
    case Chunk::kZeroMinute:
      out += fmt::format("{:02}", c.minute);
      return;
    case Chunk::kSecond:
      out += std::to_string(c.second);
      return;
    case Chunk::kZeroSecond:
      out += fmt::format("{:02}", c.second);
      return;
    case Chunk::kUpperPm:
      out += c.hour >= 12 ? "PM" : "AM";
      return;
    default:
      out += c.hour >= 12 ? "pm" : "am";
  }
}

bool is_clock(Chunk chunk) {
  return (chunk >= Chunk::kHour && chunk <= Chunk::kZeroSecond) || chunk == Chunk::kUpperPm ||
         chunk == Chunk::kLowerPm;
}

}  // namespace

std::string_view month_name(int month) {
  return month < 1 || month > 12 ? "" : kMonths[static_cast<std::size_t>(month - 1)];
}

std::string_view weekday_name(int weekday) {
  return weekday < 0 || weekday > 6 ? "" : kWeekdays[static_cast<std::size_t>(weekday)];
}

NextChunk next_chunk(std::string_view layout) {
  const auto found = [&](std::size_t at, Chunk chunk, std::size_t length) -> NextChunk {
    return {layout.substr(0, at), chunk, layout.substr(at, length), layout.substr(at + length)};
  };
  for (std::size_t i = 0; i < layout.size(); ++i) {
    const std::string_view rest = layout.substr(i);
    if (rest.starts_with("_2006")) return found(i + 1, Chunk::kLongYear, 4);
    if (const std::size_t length = fraction_length(rest); length > 0) {
      return found(i, rest[1] == '0' ? Chunk::kFraction0 : Chunk::kFraction9, length);
    }
    for (const ChunkRow& row : kChunks) {
      if (!rest.starts_with(row.text)) continue;
      // "Jan" and "Mon" are no pieces inside a longer word.
      const bool word = row.chunk == Chunk::kMonth || row.chunk == Chunk::kWeekDay;
      if (word && rest.size() > 3 && rest[3] >= 'a' && rest[3] <= 'z') continue;
      return found(i, row.chunk, row.text.size());
    }
  }
  return {layout, Chunk::kNone, {}, {}};
}

std::string format_time(const Time& t, std::string_view layout) {
  const Civil c = civil(t);
  std::string out;
  while (!layout.empty()) {
    const NextChunk next = next_chunk(layout);
    out += next.before;
    if (next.chunk == Chunk::kNone) break;
    layout = next.after;
    if (next.chunk == Chunk::kFraction0 || next.chunk == Chunk::kFraction9) {
      append_fraction(out, next, t.nanos);
    } else if (next.chunk == Chunk::kZoneName) {
      append_zone_name(out, c);
    } else if (next.chunk >= Chunk::kIsoZone && next.chunk <= Chunk::kNumColonSecondsZone) {
      append_zone(out, next.chunk, c.offset_seconds);
    } else if (is_clock(next.chunk)) {
      append_clock(out, next.chunk, c);
    } else {
      append_date(out, next.chunk, c);
    }
  }
  return out;
}

std::string time_to_text(const Time& t) {
  return format_time(t, "2006-01-02 15:04:05.999999999 -0700 MST");
}

std::string duration_to_text(std::int64_t nanoseconds) {
  const bool negative = nanoseconds < 0;
  const std::uint64_t u = negative ? 0U - static_cast<std::uint64_t>(nanoseconds)
                                   : static_cast<std::uint64_t>(nanoseconds);
  const std::string sign = negative ? "-" : "";
  const auto fraction = [](std::uint64_t value, std::uint64_t unit, int digits) {
    std::string text = std::to_string(value / unit);
    if (value % unit != 0) {
      std::string rest = fmt::format("{:0{}}", value % unit, digits);
      rest.resize(rest.find_last_not_of('0') + 1);
      text += "." + rest;
    }
    return text;
  };
  if (u == 0) return "0s";
  if (u < 1000) return sign + std::to_string(u) + "ns";
  if (u < 1'000'000) return sign + fraction(u, 1000, 3) + "µs";
  if (u < 1'000'000'000) return sign + fraction(u, 1'000'000, 6) + "ms";
  constexpr std::uint64_t kMinute = 60'000'000'000U;
  const std::uint64_t minutes = u / kMinute;
  std::string out = fraction(u % kMinute, 1'000'000'000, 9) + "s";
  if (minutes > 0) out = std::to_string(minutes % 60) + "m" + out;
  if (minutes >= 60) out = std::to_string(minutes / 60) + "h" + out;
  return sign + out;
}

}  // namespace tiphys::expr
