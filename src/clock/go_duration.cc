#include "clock/go_duration.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <span>

namespace tiphys::clock {

namespace {

using diag::Code;
using diag::Result;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kWeek = 7 * kDay;
constexpr std::int64_t kMonth = 30 * kDay;
constexpr std::int64_t kYear = 12 * kMonth;
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t kLimit = std::uint64_t{1} << 63U;

/// The quoting of Go's time package: bytes outside of ASCII in hex.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) >= 0x80 || c < ' ') {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::unexpected<diag::Error> invalid(std::string_view text) {
  return diag::fail(Code::kInvalidManifest, fmt::format("time: invalid duration {}", quoted(text)));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct Unit {
  std::string_view name;
  std::uint64_t ns;
};
constexpr std::array<Unit, 8> kUnits = {{{"ns", 1},
                                         {"us", 1'000},
                                         {"\u00b5s", 1'000},
                                         {"\u03bcs", 1'000},
                                         {"ms", 1'000'000},
                                         {"s", kSecond},
                                         {"m", kMinute},
                                         {"h", kHour}}};

std::optional<std::uint64_t> unit_of(std::string_view name) {
  for (const Unit& unit : kUnits) {
    if (unit.name == name) return unit.ns;
  }
  return std::nullopt;
}

/// Takes digits off the front. nullopt: more than 2^63.
std::optional<std::uint64_t> take_integer(std::string_view& rest) {
  std::uint64_t v = 0;
  while (!rest.empty() && is_digit(rest[0])) {
    if (v > kLimit / 10) return std::nullopt;
    v = v * 10 + static_cast<std::uint64_t>(rest[0] - '0');
    if (v > kLimit) return std::nullopt;
    rest.remove_prefix(1);
  }
  return v;
}

struct Fraction {
  std::uint64_t digits = 0;
  double scale = 1;
};

/// Takes the digits behind the point; those that don't fit are dropped.
Fraction take_fraction(std::string_view& rest) {
  Fraction f;
  bool full = false;
  while (!rest.empty() && is_digit(rest[0])) {
    const auto digit = static_cast<std::uint64_t>(rest[0] - '0');
    rest.remove_prefix(1);
    if (full) continue;
    if (f.digits > (kLimit - 1) / 10 || f.digits * 10 + digit > kLimit) {
      full = true;
      continue;
    }
    f.digits = f.digits * 10 + digit;
    f.scale *= 10;
  }
  return f;
}

/// Takes one number with its unit ("1.5h") and gives its nanoseconds.
Result<std::uint64_t> take_part(std::string_view& rest, std::string_view whole) {
  if (rest[0] != '.' && !is_digit(rest[0])) return invalid(whole);
  const std::size_t before = rest.size();
  const auto integer = take_integer(rest);
  if (!integer) return invalid(whole);
  bool has_digits = rest.size() != before;
  Fraction fraction;
  if (!rest.empty() && rest[0] == '.') {
    rest.remove_prefix(1);
    const std::size_t at_point = rest.size();
    fraction = take_fraction(rest);
    has_digits = has_digits || rest.size() != at_point;
  }
  if (!has_digits) return invalid(whole);
  const std::string_view name = rest.substr(0, rest.find_first_of(".0123456789"));
  if (name.empty()) {
    return diag::fail(Code::kInvalidManifest,
                      fmt::format("time: missing unit in duration {}", quoted(whole)));
  }
  const auto unit = unit_of(name);
  if (!unit) {
    return diag::fail(Code::kInvalidManifest, fmt::format("time: unknown unit {} in duration {}",
                                                          quoted(name), quoted(whole)));
  }
  rest.remove_prefix(name.size());
  if (*integer > kLimit / *unit) return invalid(whole);
  std::uint64_t ns = *integer * *unit;
  if (fraction.digits > 0) {
    const double parts = static_cast<double>(*unit) / fraction.scale;
    ns += static_cast<std::uint64_t>(static_cast<double>(fraction.digits) * parts);
    if (ns > kLimit) return invalid(whole);
  }
  return ns;
}

/// One row of the table for people: up to `below`, `text` with the number of `unit`s for %.
struct Magnitude {
  std::int64_t below;
  std::string_view text;
  std::int64_t unit;
};
constexpr std::array<Magnitude, 17> kLong = {{{kSecond, "0 seconds", 1},
                                              {2 * kSecond, "1 second", 1},
                                              {kMinute, "{} seconds", kSecond},
                                              {2 * kMinute, "1 minute", 1},
                                              {kHour, "{} minutes", kMinute},
                                              {2 * kHour, "1 hour", 1},
                                              {kDay, "{} hours", kHour},
                                              {2 * kDay, "1 day", 1},
                                              {kWeek, "{} days", kDay},
                                              {2 * kWeek, "1 week", 1},
                                              {kMonth, "{} weeks", kWeek},
                                              {2 * kMonth, "1 month", 1},
                                              {kYear, "{} months", kMonth},
                                              {18 * kMonth, "1 year", 1},
                                              {2 * kYear, "2 years", 1},
                                              {37 * kYear, "{} years", kYear},
                                              {kMax, "a long while", 1}}};
constexpr std::array<Magnitude, 9> kShort = {{{kSecond, "0s", 1},
                                              {2 * kSecond, "1s", 1},
                                              {kMinute, "{}s", kSecond},
                                              {2 * kMinute, "1m", 1},
                                              {kHour, "{}m", kMinute},
                                              {2 * kHour, "1h", 1},
                                              {kDay, "{}h", kHour},
                                              {2 * kDay, "1d", 1},
                                              {kWeek, "{}d", kDay}}};

std::string by_magnitude(Duration d, std::span<const Magnitude> table) {
  const std::int64_t ns = d.ns >= 0 ? d.ns : d.ns == -kMax - 1 ? kMax : -d.ns;
  const Magnitude* row = &table.back();
  for (const Magnitude& m : table) {
    if (m.below <= ns) continue;
    row = &m;
    break;
  }
  return fmt::format(fmt::runtime(row->text), ns / row->unit);
}

/// Below one second: the number with up to `digits` decimals, without trailing zeros.
std::string with_decimals(std::uint64_t v, int digits) {
  std::uint64_t scale = 1;
  for (int i = 0; i < digits; ++i) scale *= 10;
  std::string out = fmt::format("{}", v / scale);
  if (v % scale == 0) return out;
  out += fmt::format(".{:0{}}", v % scale, digits);
  while (out.back() == '0') out.pop_back();
  return out;
}

}  // namespace

Result<Duration> parse_go_duration(std::string_view text) {
  std::string_view rest = text;
  bool negative = false;
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) {
    negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  if (rest == "0") return Duration{};
  if (rest.empty()) return invalid(text);
  std::uint64_t sum = 0;
  while (!rest.empty()) {
    TRY(const std::uint64_t part, take_part(rest, text));
    sum += part;
    if (sum > kLimit) return invalid(text);
  }
  if (negative) return Duration{static_cast<std::int64_t>(~sum + 1)};
  if (sum > kLimit - 1) return invalid(text);
  return Duration{static_cast<std::int64_t>(sum)};
}

Result<std::int64_t> parse_go_int(std::string_view text) {
  std::string_view digits = text;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  std::int64_t v = 0;
  const bool two_signs = digits.size() != text.size() && digits.starts_with('-');
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), v);
  const bool range = error == std::errc::result_out_of_range;
  if (two_signs || (error != std::errc() && !range) || end != digits.data() + digits.size()) {
    return diag::fail(Code::kInvalidManifest,
                      fmt::format("strconv.Atoi: parsing {}: invalid syntax", quoted(text)));
  }
  if (range) {
    return diag::fail(Code::kInvalidManifest,
                      fmt::format("strconv.Atoi: parsing {}: value out of range", quoted(text)));
  }
  return v;
}

Result<Duration> parse_duration(std::string_view text) {
  if (const auto seconds = parse_go_int(text)) {
    const std::uint64_t ns = static_cast<std::uint64_t>(*seconds) * std::uint64_t{kSecond};
    return Duration{static_cast<std::int64_t>(ns)};
  }
  auto d = parse_go_duration(text);
  if (!d) {
    return diag::fail(Code::kInvalidManifest,
                      fmt::format("unable to parse {} as a duration: {}", text, d.error().message));
  }
  return d;
}

std::string go_duration(Duration d) {
  const std::string_view sign = d.ns < 0 ? "-" : "";
  const auto raw = static_cast<std::uint64_t>(d.ns);
  const std::uint64_t ns = d.ns < 0 ? ~raw + 1 : raw;
  if (ns == 0) return "0s";
  if (ns < 1'000) return fmt::format("{}{}ns", sign, ns);
  if (ns < 1'000'000) return fmt::format("{}{}\u00b5s", sign, with_decimals(ns, 3));
  if (ns < std::uint64_t{kSecond}) return fmt::format("{}{}ms", sign, with_decimals(ns, 6));
  const std::uint64_t minutes = ns / std::uint64_t{kMinute};
  const std::string seconds = with_decimals(ns % std::uint64_t{kMinute}, 9);
  if (minutes == 0) return fmt::format("{}{}s", sign, seconds);
  if (minutes < 60) return fmt::format("{}{}m{}s", sign, minutes, seconds);
  return fmt::format("{}{}h{}m{}s", sign, minutes / 60, minutes % 60, seconds);
}

std::string humanize(Duration d) {
  const std::string first = by_magnitude(d, kLong);
  if (d.ns < kMinute) return first;
  if (d.ns < kHour) return fmt::format("{} {} seconds", first, d.ns / kSecond % 60);
  if (d.ns < kDay) return fmt::format("{} {} minutes", first, d.ns / kMinute % 60);
  return fmt::format("{} {} hours", first, d.ns / kHour % 24);
}

std::string humanize_short(Duration d) { return by_magnitude(d, kShort); }

}  // namespace tiphys::clock
