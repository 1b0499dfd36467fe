#include "expr/number_text.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "expr/unicode.h"

namespace tiphys::expr {

std::optional<std::int64_t> parse_decimal(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  std::int64_t value = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (error != std::errc() || end != last) return std::nullopt;
  return value;
}

std::optional<double> parse_float(std::string_view text) {
  std::string digits = lower(text);
  std::string_view rest = digits;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  const double sign = negative ? -1.0 : 1.0;
  if (rest == "inf" || rest == "infinity") return sign * std::numeric_limits<double>::infinity();
  if (rest == "nan") {
    if (rest.size() != text.size()) return std::nullopt;  // no sign
    return std::numeric_limits<double>::quiet_NaN();
  }
  std::string plain;
  auto format = std::chars_format::general;
  if (rest.starts_with("0x")) {
    rest.remove_prefix(2);
    if (rest.find('p') == std::string_view::npos) return std::nullopt;
    for (const char c : rest) {
      if (c != '_') plain += c;
    }
    rest = plain;
    format = std::chars_format::hex;
  }
  // from_chars takes "inf" and signs of its own; a number starts with a digit or a dot here.
  if (rest.empty() ||
      !((rest[0] >= '0' && rest[0] <= '9') || rest[0] == '.' || format == std::chars_format::hex)) {
    return std::nullopt;
  }
  double value = 0;
  const char* last = rest.data() + rest.size();
  const auto [end, error] = std::from_chars(rest.data(), last, value, format);
  if (end != last || error == std::errc::invalid_argument) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    // Too small is 0, too large an error; the sign of the exponent tells which.
    const std::size_t e = rest.find_first_of(format == std::chars_format::hex ? "p" : "e");
    if (e == std::string_view::npos || e + 1 >= rest.size() || rest[e + 1] != '-') {
      return std::nullopt;
    }
    return sign * 0.0;
  }
  return sign * value;
}

}  // namespace tiphys::expr
