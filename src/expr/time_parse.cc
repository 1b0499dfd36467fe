// Parsing of times by a layout, and of durations.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

#include <fmt/core.h>

#include "expr/gotime.h"
#include "expr/time_layout.h"

namespace tiphys::expr {
namespace {

bool is_digit(std::string_view text, std::size_t i) {
  return i < text.size() && text[i] >= '0' && text[i] <= '9';
}

// What has been read so far.
struct Fields {
  int year = 0;
  int month = -1;
  int day = -1;
  int year_day = -1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int nanos = 0;
  bool pm = false;
  bool am = false;
  std::optional<int> offset;
  bool is_utc = false;
  std::string zone_name;
};

// Reads the pieces of one text. Every read_* consumes from `text` and returns false when it does
// not fit; `out_of_range` then names the field whose number was too large.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  [[nodiscard]] bool skip(std::string_view prefix);
  [[nodiscard]] bool read(const NextChunk& next);
  [[nodiscard]] bool read_implied_fraction(std::string_view layout_after);

  std::string_view text_;
  Fields fields_;
  std::string_view out_of_range_;

 private:
  [[nodiscard]] bool number(int& out, std::size_t min_digits, std::size_t max_digits);
  [[nodiscard]] bool ranged(int& out, std::size_t min_digits, int low, int high,
                            std::string_view what);
  [[nodiscard]] bool name(int& out, int count, std::string_view (*name_of)(int), int first,
                          bool is_short);
  [[nodiscard]] bool read_date(Chunk chunk);
  [[nodiscard]] bool read_clock(Chunk chunk);
  [[nodiscard]] bool read_zone(Chunk chunk);
  [[nodiscard]] bool read_zone_name();
  [[nodiscard]] bool fraction(std::size_t length);
};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool Reader::skip(std::string_view prefix) {
  for (std::size_t i = 0; i < prefix.size(); ++i) {
    if (prefix[i] == ' ') {
      // A run of blanks in the layout stands for any run of blanks, also none at the end.
      if (!text_.empty() && text_[0] != ' ') return false;
      while (i + 1 < prefix.size() && prefix[i + 1] == ' ') ++i;
      while (!text_.empty() && text_[0] == ' ') text_.remove_prefix(1);
      continue;
    }
    if (text_.empty() || text_[0] != prefix[i]) return false;
    text_.remove_prefix(1);
  }
  return true;
}

bool Reader::number(int& out, std::size_t min_digits, std::size_t max_digits) {
  std::size_t length = 0;
  while (length < max_digits && is_digit(text_, length)) ++length;
  if (length < min_digits) return false;
  out = 0;
  for (const char c : text_.substr(0, length)) out = out * 10 + (c - '0');
  text_.remove_prefix(length);
  return true;
}

bool Reader::ranged(int& out, std::size_t min_digits, int low, int high, std::string_view what) {
  if (!number(out, min_digits, 2)) return false;
  if (out < low || out > high) out_of_range_ = what;
  return true;
}

bool Reader::name(int& out, int count, std::string_view (*name_of)(int), int first, bool is_short) {
  for (int i = 0; i < count; ++i) {
    std::string_view candidate = name_of(first + i);
    if (is_short) candidate = candidate.substr(0, 3);
    if (text_.size() < candidate.size()) continue;
    bool same = true;
    for (std::size_t k = 0; k < candidate.size(); ++k) {
      same = same && lower(text_[k]) == lower(candidate[k]);
    }
    if (!same) continue;
    out = first + i;
    text_.remove_prefix(candidate.size());
    return true;
  }
  return false;
}

bool Reader::read_date(Chunk chunk) {
  int ignored = 0;
  switch (chunk) {
    case Chunk::kYear:
      if (!number(fields_.year, 2, 2)) return false;
      fields_.year += fields_.year >= 69 ? 1900 : 2000;
      return true;
    case Chunk::kLongYear:
      return number(fields_.year, 4, 4);
    case Chunk::kMonth:
    case Chunk::kLongMonth:
      return name(fields_.month, 12, month_name, 1, chunk == Chunk::kMonth);
    case Chunk::kNumMonth:
    case Chunk::kZeroMonth:
      return ranged(fields_.month, chunk == Chunk::kZeroMonth ? 2 : 1, 1, 12, "month");
    case Chunk::kWeekDay:
    case Chunk::kLongWeekDay:
      return name(ignored, 7, weekday_name, 0, chunk == Chunk::kWeekDay);
    case Chunk::kDay:
    case Chunk::kUnderDay:
    case Chunk::kZeroDay:
      if (chunk == Chunk::kUnderDay && !text_.empty() && text_[0] == ' ') text_.remove_prefix(1);
      return number(fields_.day, chunk == Chunk::kZeroDay ? 2 : 1, 2);
    default:
      for (int i = 0; i < 2 && chunk == Chunk::kUnderYearDay; ++i) {
        if (!text_.empty() && text_[0] == ' ') text_.remove_prefix(1);
      }
      return number(fields_.year_day, chunk == Chunk::kZeroYearDay ? 3 : 1, 3);
  }
}

bool Reader::read_clock(Chunk chunk) {
  switch (chunk) {
    case Chunk::kHour:
      return ranged(fields_.hour, 1, 0, 23, "hour");
    case Chunk::kHour12:
    case Chunk::kZeroHour12:
      return ranged(fields_.hour, chunk == Chunk::kZeroHour12 ? 2 : 1, 0, 12, "hour");
    case Chunk::kMinute:
    case Chunk::kZeroMinute:
      return ranged(fields_.minute, chunk == Chunk::kZeroMinute ? 2 : 1, 0, 59, "minute");
    case Chunk::kSecond:
    case Chunk::kZeroSecond:
      return ranged(fields_.second, chunk == Chunk::kZeroSecond ? 2 : 1, 0, 59, "second");
    default: {
      const bool upper = chunk == Chunk::kUpperPm;
      const std::string_view mark = text_.substr(0, 2);
      fields_.pm = mark == (upper ? "PM" : "pm");
      fields_.am = mark == (upper ? "AM" : "am");
      if (!fields_.pm && !fields_.am) return false;
      text_.remove_prefix(2);
      return true;
    }
  }
}

bool Reader::read_zone(Chunk chunk) {
  const bool iso = chunk >= Chunk::kIsoZone && chunk <= Chunk::kIsoColonSecondsZone;
  if (iso && !text_.empty() && text_[0] == 'Z') {
    text_.remove_prefix(1);
    fields_.is_utc = true;
    return true;
  }
  if (text_.empty() || (text_[0] != '+' && text_[0] != '-')) return false;
  const int sign = text_[0] == '-' ? -1 : 1;
  text_.remove_prefix(1);
  const bool colon = chunk == Chunk::kIsoColonZone || chunk == Chunk::kNumColonZone ||
                     chunk == Chunk::kIsoColonSecondsZone || chunk == Chunk::kNumColonSecondsZone;
  const bool is_short = chunk == Chunk::kIsoShortZone || chunk == Chunk::kNumShortZone;
  const bool seconds = chunk == Chunk::kIsoSecondsZone || chunk == Chunk::kNumSecondsZone ||
                       chunk == Chunk::kIsoColonSecondsZone || chunk == Chunk::kNumColonSecondsZone;
  std::array<int, 3> parts{};
  const std::size_t count = is_short ? 1 : (seconds ? 3 : 2);
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0 && colon) {
      if (text_.empty() || text_[0] != ':') return false;
      text_.remove_prefix(1);
    }
    if (!number(parts[i], 2, 2)) return false;
  }
  if (parts[0] > 24) out_of_range_ = "time zone offset hour";
  if (parts[1] > 60) out_of_range_ = "time zone offset minute";
  if (parts[2] > 60) out_of_range_ = "time zone offset second";
  fields_.offset = sign * (parts[0] * 3600 + parts[1] * 60 + parts[2]);
  return true;
}

// Length of "+03" or "-3": a sign and hours up to 23, however many digits; 0 when there is none.
std::size_t signed_hours_length(std::string_view text) {
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return 0;
  std::size_t length = 1;
  int hours = 0;
  for (; is_digit(text, length); ++length) hours = std::min(hours * 10 + (text[length] - '0'), 99);
  return length == 1 || hours > 23 ? 0 : length;
}

// Length of the abbreviation of a time zone that the text starts with; 0 when there is none.
std::size_t zone_name_length(std::string_view text) {
  if (text.starts_with("ChST") || text.starts_with("MeST")) return 4;
  if (text.starts_with("GMT")) return 3 + signed_hours_length(text.substr(3));
  if (text.starts_with('+') || text.starts_with('-')) return signed_hours_length(text);
  std::size_t length = 0;
  while (length < 6 && length < text.size() && text[length] >= 'A' && text[length] <= 'Z') {
    ++length;
  }
  if (length == 3) return 3;
  if (length == 4) return text[3] == 'T' || text.starts_with("WITA") ? 4 : 0;
  return length == 5 && text[4] == 'T' ? 5 : 0;
}

bool Reader::read_zone_name() {
  if (text_.starts_with("UTC")) {
    text_.remove_prefix(3);
    fields_.is_utc = true;
    return true;
  }
  const std::size_t length = zone_name_length(text_);
  if (length == 0) return false;
  fields_.zone_name = std::string(text_.substr(0, length));
  text_.remove_prefix(length);
  return true;
}

bool Reader::fraction(std::size_t length) {
  if (text_.size() < length || (text_[0] != '.' && text_[0] != ',')) return false;
  int value = 0;
  for (std::size_t i = 1; i < 10; ++i) {
    value = value * 10 + (i < length && is_digit(text_, i) ? text_[i] - '0' : 0);
    if (i < length && !is_digit(text_, i)) return false;
  }
  fields_.nanos = value;
  text_.remove_prefix(length);
  return true;
}

bool Reader::read_implied_fraction(std::string_view layout_after) {
  // A fraction behind the seconds is read although the layout has none.
  if (text_.size() < 2 || (text_[0] != '.' && text_[0] != ',') || !is_digit(text_, 1)) return true;
  const NextChunk next = next_chunk(layout_after);
  if (next.chunk == Chunk::kFraction0 || next.chunk == Chunk::kFraction9) return true;
  std::size_t length = 2;
  while (is_digit(text_, length)) ++length;
  return fraction(length);
}

bool Reader::read(const NextChunk& next) {
  const Chunk chunk = next.chunk;
  if (chunk == Chunk::kFraction0) return fraction(next.text.size());
  if (chunk == Chunk::kFraction9) {
    if (text_.size() < 2 || (text_[0] != '.' && text_[0] != ',') || !is_digit(text_, 1)) {
      return true;
    }
    std::size_t length = 1;
    while (length < 10 && is_digit(text_, length)) ++length;
    return fraction(length);
  }
  if (chunk == Chunk::kZoneName) return read_zone_name();
  if (chunk >= Chunk::kIsoZone && chunk <= Chunk::kNumColonSecondsZone) return read_zone(chunk);
  if (chunk == Chunk::kSecond || chunk == Chunk::kZeroSecond) {
    return read_clock(chunk) && read_implied_fraction(next.after);
  }
  if ((chunk >= Chunk::kHour && chunk <= Chunk::kZeroSecond) || chunk == Chunk::kUpperPm ||
      chunk == Chunk::kLowerPm) {
    return read_clock(chunk);
  }
  return read_date(chunk);
}

int days_in(int month, int year) {
  constexpr std::array kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

// Completes and checks day, month and the 12-hour clock; returns the field that is out of range, or
// "".
std::string_view complete(Fields& f) {
  if (f.pm && f.hour < 12) f.hour += 12;
  if (f.am && f.hour == 12) f.hour = 0;
  if (f.year_day >= 0) {
    const int days = days_in(2, f.year) == 29 ? 366 : 365;
    if (f.year_day < 1 || f.year_day > days) return "day-of-year";
    int month = 1;
    int day = f.year_day;
    while (day > days_in(month, f.year)) day -= days_in(month++, f.year);
    if (f.month >= 0 && f.month != month) return "day-of-year does not match month";
    if (f.day >= 0 && f.day != day) return "day-of-year does not match day";
    f.month = month;
    f.day = day;
  }
  if (f.month < 0) f.month = 1;
  if (f.day < 0) f.day = 1;
  return f.day < 1 || f.day > days_in(f.month, f.year) ? "day" : "";
}

Time to_time(const Fields& f, const std::shared_ptr<const Location>& where) {
  const Civil local{.year = f.year,
                    .month = f.month,
                    .day = f.day,
                    .hour = f.hour,
                    .minute = f.minute,
                    .second = f.second,
                    .zone = ""};
  if (f.is_utc) return make_time(local, f.nanos, utc());
  const auto place = where != nullptr ? where : utc();
  if (f.offset) {
    Time t = make_time(local, f.nanos, utc());
    t.seconds -= *f.offset;
    // The given place is used if it has this offset (and abbreviation) at that time.
    const Civil there = civil(at(t, place));
    const bool same =
        there.offset_seconds == *f.offset && (f.zone_name.empty() || there.zone == f.zone_name);
    return at(t, same ? place : fixed_location(f.zone_name, *f.offset));
  }
  if (f.zone_name.empty()) return make_time(local, f.nanos, place);
  int offset = 0;
  if (find_offset(*place, f.zone_name, make_time(local, 0, utc()).seconds, offset)) {
    Time t = make_time(local, f.nanos, utc());
    t.seconds -= offset;
    return at(t, place);
  }
  if (f.zone_name.size() > 3 && f.zone_name.starts_with("GMT")) {
    offset = std::atoi(f.zone_name.c_str() + 3) * 3600;
  }
  return make_time(local, f.nanos, fixed_location(f.zone_name, offset));
}

}  // namespace

diag::Result<Time> parse_time(std::string_view layout, std::string_view text,
                              const std::shared_ptr<const Location>& where) {
  Reader reader(text);
  const auto bad = [&](std::string_view why) {
    return diag::fail(diag::Code::kBadExpression, fmt::format("parsing time \"{}\"{}", text, why));
  };
  std::string_view rest = layout;
  while (true) {
    const NextChunk next = next_chunk(rest);
    if (!reader.skip(next.before)) {
      return bad(fmt::format(" as \"{}\": cannot parse \"{}\" as \"{}\"", layout, reader.text_,
                             next.before));
    }
    if (next.chunk == Chunk::kNone) break;
    const std::string_view before = reader.text_;
    if (!reader.read(next)) {
      return bad(
          fmt::format(" as \"{}\": cannot parse \"{}\" as \"{}\"", layout, before, next.text));
    }
    if (!reader.out_of_range_.empty()) {
      return bad(fmt::format(": {} out of range", reader.out_of_range_));
    }
    rest = next.after;
  }
  if (!reader.text_.empty()) return bad(fmt::format(": extra text: \"{}\"", reader.text_));
  if (const auto what = complete(reader.fields_); !what.empty()) {
    return bad(fmt::format(": {} out of range", what));
  }
  return to_time(reader.fields_, where);
}

diag::Result<std::int64_t> parse_duration(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return diag::fail(diag::Code::kBadExpression, fmt::format("time: {} \"{}\"", why, text));
  };
  struct Unit {
    std::string_view name;
    double ns;
  };
  constexpr std::array kUnits = std::to_array<Unit>({{"ns", 1},
                                                     {"us", 1e3},
                                                     {"\u00b5s", 1e3},
                                                     {"\u03bcs", 1e3},
                                                     {"ms", 1e6},
                                                     {"s", 1e9},
                                                     {"m", 60e9},
                                                     {"h", 3600e9}});
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest == "0") return 0;
  if (rest.empty()) return bad("invalid duration");
  __int128 total = 0;
  while (!rest.empty()) {
    __int128 whole = 0;
    __int128 part = 0;
    __int128 scale = 1;
    std::size_t i = 0;
    for (; is_digit(rest, i); ++i) {
      whole = whole * 10 + (rest[i] - '0');
      if (whole > (__int128{1} << 63)) return bad("invalid duration");
    }
    std::size_t digits = i;
    if (i < rest.size() && rest[i] == '.') {
      for (++i; is_digit(rest, i); ++i, ++digits) {
        if (scale < 1'000'000'000'000'000'000) {
          part = part * 10 + (rest[i] - '0');
          scale *= 10;
        }
      }
    }
    if (digits == 0) return bad("invalid duration");
    rest.remove_prefix(i);
    std::size_t length = 0;
    while (length < rest.size() && rest[length] != '.' && !is_digit(rest, length)) ++length;
    const std::string_view name = rest.substr(0, length);
    if (name.empty()) return bad("missing unit in duration");
    double unit = 0;
    for (const Unit& row : kUnits) unit = row.name == name ? row.ns : unit;
    if (unit == 0) {
      return diag::fail(diag::Code::kBadExpression,
                        fmt::format("time: unknown unit \"{}\" in duration \"{}\"", name, text));
    }
    const auto ns = static_cast<__int128>(unit);
    total += whole * ns + part * ns / scale;
    if (total > (__int128{1} << 63)) return bad("invalid duration");
    rest.remove_prefix(length);
  }
  constexpr __int128 kLimit = __int128{1} << 63;
  if (total > kLimit || (total == kLimit && !negative)) return bad("invalid duration");
  return static_cast<std::int64_t>(negative ? -total : total);
}

}  // namespace tiphys::expr
