#include "view/yaml_scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

namespace tiphys::view {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Reads a text from the left.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  bool skip(std::string_view any) {
    if (rest_.empty() || any.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// The number of digits (or of `also`) skipped.
  std::size_t digits(std::string_view also = "") {
    std::size_t n = 0;
    while (n < rest_.size() &&
           (is_digit(rest_[n]) || also.find(rest_[n]) != std::string_view::npos)) {
      ++n;
    }
    rest_.remove_prefix(n);
    return n;
  }
  /// A number of one or two digits, if it is within the limits.
  std::optional<int> number(int min, int max) {
    std::size_t n = 0;
    int v = 0;
    while (n < 2 && n < rest_.size() && is_digit(rest_[n])) v = v * 10 + (rest_[n++] - '0');
    if (n == 0 || v < min || v > max) return std::nullopt;
    rest_.remove_prefix(n);
    return v;
  }

 private:
  std::string_view rest_;
};

int days_in(int year, int month) {
  if (month == 2) return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

// 2026-11-23, 2026-11-23 10:00:00, 2026-11-23T10:00:00.5Z, 2026-11-23t10:00:00+01:00
bool is_time(std::string_view s) {
  if (s.size() < 5 || !std::all_of(s.begin(), s.begin() + 4, is_digit) || s[4] != '-') return false;
  int year = 0;
  std::from_chars(s.data(), s.data() + 4, year);
  Cursor c(s.substr(5));
  const auto month = c.number(1, 12);
  if (!month || !c.skip("-") || !c.number(1, days_in(year, *month))) return false;
  if (c.at_end()) return true;
  const bool has_zone = c.skip("Tt");
  if (!has_zone && !c.skip(" ")) return false;
  if (!c.number(0, 23) || !c.skip(":") || !c.number(0, 59) || !c.skip(":") || !c.number(0, 59)) {
    return false;
  }
  if (c.skip(".,") && c.digits() == 0) return false;
  if (!has_zone || c.skip("Z")) return c.at_end();
  const bool is_two_digits = s.size() > 6 && is_digit(s[s.size() - 5]) && is_digit(s[s.size() - 2]);
  return is_two_digits && c.skip("+-") && c.number(0, 24) && c.skip(":") && c.number(0, 60) &&
         c.at_end();
}

// Digits of a base behind an optional sign, that fit into 64 bits.
bool is_integer(std::string_view s) {
  const bool is_negative = s.starts_with('-');
  if (is_negative || s.starts_with('+')) s.remove_prefix(1);
  int base = 10;
  if (s.size() > 1 && s[0] == '0') {
    const char kind = static_cast<char>(s[1] | 0x20);
    base = kind == 'x' ? 16 : kind == 'b' ? 2 : 8;
    s.remove_prefix(kind == 'x' || kind == 'b' || kind == 'o' ? 2 : 1);
  }
  std::uint64_t v = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), v, base);
  if (s.empty() || error != std::errc() || end != s.data() + s.size()) return false;
  return !is_negative || v <= std::uint64_t{1} << 63U;
}

// [+-] digits [. digits] [e [+-] digits] with a finite value.
bool is_float(std::string_view s) {
  Cursor c(s);
  c.skip("+-");
  const std::size_t whole = c.digits();
  const std::size_t part = c.skip(".") ? c.digits() : 0;
  if (whole + part == 0) return false;
  if (c.skip("eE")) {
    c.skip("+-");
    if (c.digits() == 0) return false;
  }
  if (!c.at_end()) return false;
  if (s.starts_with('+')) s.remove_prefix(1);
  double d = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), d);
  // Too small a number is zero for Go; too big a one is none.
  return error == std::errc() || s.find("e-") != s.npos || s.find("E-") != s.npos;
}

bool are_digits_around_underscores(std::string_view s) {
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] != '_') continue;
    if (i == 0 || i + 1 == s.size() || !is_digit(s[i - 1]) || !is_digit(s[i + 1])) return false;
  }
  return true;
}

// 190:20:30, 1:30.5
bool is_base60(std::string_view s) {
  Cursor c(s);
  c.skip("+-");
  const std::size_t begin = s.size() > 1 && !is_digit(s[0]) ? 1 : 0;
  if (begin >= s.size() || !is_digit(s[begin])) return false;
  c.digits("_");
  int groups = 0;
  while (c.skip(":")) {
    if (!c.number(0, 59)) return false;
    ++groups;
  }
  if (c.skip(".")) c.digits("_");
  return groups > 0 && c.at_end();
}

constexpr std::array<std::string_view, 40> kWords = {
    "",      "~",    "null", "Null",  "NULL",  "true",  "True",  "TRUE",  "false", "False",
    "FALSE", "y",    "Y",    "n",     "N",     "yes",   "Yes",   "YES",   "no",    "No",
    "NO",    "on",   "On",   "ON",    "off",   "Off",   "OFF",   ".nan",  ".NaN",  ".NAN",
    ".inf",  ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ""};

/// What stands in a text that decides on its style.
struct Traits {
  bool has_indicator = false;  // YAML would read more into the plain text
  bool has_break = false;
  bool has_special = false;  // must be escaped
  bool begins_with_space = false;
  bool ends_with_space = false;
  bool begins_or_ends_with_break = false;
  bool has_space_after_break = false;
  bool has_space_before_break = false;
};

bool is_indicator(std::string_view text, std::size_t at, bool is_after_blank) {
  const char c = text[at];
  const bool is_before_blank = at + 1 >= text.size() || text[at + 1] == ' ' || text[at + 1] == '\t';
  if (c == ':') return is_before_blank;
  if (c == '#') return is_after_blank;
  if (at > 0) return false;
  if (c == '-' || c == '?') return is_before_blank;
  return std::string_view(",[]{}&*!|>'\"%@`").find(c) != std::string_view::npos;
}

Traits traits_of(std::string_view text) {
  Traits t;
  t.has_indicator = text.starts_with("---") || text.starts_with("...");
  std::uint32_t previous = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto [c, size] = code_point_at(text, i);
    const bool is_first = i == 0;
    const bool is_last = i + size >= text.size();
    const bool is_after_blank =
        is_first || previous == ' ' || previous == '\t' || previous == 0 || is_line_break(previous);
    if (is_indicator(text, i, is_after_blank)) t.has_indicator = true;
    if (!is_printable(c)) t.has_special = true;
    if (c == ' ') {
      t.begins_with_space = t.begins_with_space || is_first;
      t.ends_with_space = is_last;
      if (!is_first && is_line_break(previous)) t.has_space_after_break = true;
    } else if (is_line_break(c)) {
      t.has_break = true;
      if (is_first || is_last) t.begins_or_ends_with_break = true;
      if (previous == ' ') t.has_space_before_break = true;
    }
    previous = c;
    i += size;
  }
  return t;
}

// Letters by their blocks: punctuation, symbols and pictures are none.
bool is_letter(std::uint32_t c) {
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  if (c < 0xC0) return c == 0xAA || c == 0xB5 || c == 0xBA;
  if (c == 0xD7 || c == 0xF7 || (c >= 0x2000 && c < 0x2C00)) return false;
  return !(c >= 0x3000 && c < 0x3021) && !(c >= 0x1F000 && c < 0x20000);
}
bool is_digit_point(std::uint32_t c) { return c >= '0' && c <= '9'; }

std::vector<std::uint32_t> code_points(std::string_view text) {
  std::vector<std::uint32_t> out;
  for (std::size_t i = 0; i < text.size();) {
    const auto [c, size] = code_point_at(text, i);
    out.push_back(c);
    i += size;
  }
  return out;
}

/// The number that begins at `at`, and where it ends.
std::pair<std::int64_t, std::size_t> number_at(const std::vector<std::uint32_t>& text,
                                               std::size_t at, std::int64_t start) {
  std::uint64_t n = static_cast<std::uint64_t>(start);
  for (; at < text.size() && is_digit_point(text[at]); ++at) n = n * 10 + (text[at] - '0');
  return {static_cast<std::int64_t>(n), at};
}

}  // namespace

CodePoint code_point_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint32_t first = byte(at);
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
  if (size == 1 || at + size > text.size()) return {first, 1};
  std::uint32_t value = first & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) value = (value << 6U) | (byte(at + i) & 0x3FU);
  return {value, size};
}

bool is_line_break(std::uint32_t c) {
  return c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029;
}

bool is_printable(std::uint32_t c) {
  return c == '\n' || (c >= 0x20 && c <= 0x7E) || (c >= 0xA0 && c <= 0xD7FF) ||
         (c >= 0xE000 && c <= 0xFFFD && c != 0xFEFF);
}

bool reads_as_other_type(std::string_view text) {
  if (std::ranges::find(kWords, text) != kWords.end()) return true;
  std::string plain(text);
  std::erase(plain, '_');
  if (text[0] == '.') return are_digits_around_underscores(text) && is_float(plain);
  if (!is_digit(text[0]) && text[0] != '+' && text[0] != '-') return false;
  if (is_time(text) || is_base60(text)) return true;
  return is_integer(plain) || is_float(plain);
}

ScalarStyle style_of(std::string_view text, bool is_key) {
  if (reads_as_other_type(text)) return ScalarStyle::kDoubleQuoted;
  const Traits t = traits_of(text);
  const bool must_escape = t.has_special || t.has_space_before_break;
  if (text.find('\n') != std::string_view::npos) {
    const bool is_block = !must_escape && !t.ends_with_space && !is_key;
    return is_block ? ScalarStyle::kLiteral : ScalarStyle::kDoubleQuoted;
  }
  if (must_escape || t.has_space_after_break || (is_key && t.has_break)) {
    return ScalarStyle::kDoubleQuoted;
  }
  const bool is_plain = !t.has_indicator && !t.has_break && !t.begins_with_space &&
                        !t.ends_with_space && !t.begins_or_ends_with_break;
  return is_plain ? ScalarStyle::kPlain : ScalarStyle::kSingleQuoted;
}

bool key_comes_before(std::string_view a, std::string_view b) {
  const std::vector<std::uint32_t> x = code_points(a);
  const std::vector<std::uint32_t> y = code_points(b);
  const std::size_t common = std::min(x.size(), y.size());
  std::size_t i = 0;
  while (i < common && x[i] == y[i]) ++i;
  if (i == common) return x.size() < y.size();
  const bool is_x_letter = is_letter(x[i]);
  const bool is_y_letter = is_letter(y[i]);
  if (is_x_letter && is_y_letter) return x[i] < y[i];
  if (is_x_letter || is_y_letter) return is_y_letter;
  // Zeros count as digits only inside of a number that began before.
  std::int64_t start = 0;
  if (x[i] == '0' || y[i] == '0') {
    for (std::size_t j = i; j > 0 && is_digit_point(x[j - 1]); --j) {
      if (x[j - 1] != '0') start = 1;
    }
  }
  const auto [m, m_end] = number_at(x, i, start);
  const auto [n, n_end] = number_at(y, i, start);
  if (m != n) return m < n;
  if (m_end != n_end) return m_end < n_end;
  return x[i] < y[i];
}

std::string yaml_float(double d) {
  if (std::isnan(d)) return ".nan";
  if (std::isinf(d)) return d < 0 ? "-.inf" : ".inf";
  std::array<char, 64> buffer{};
  auto text = [&](std::chars_format format) {
    const auto done = std::to_chars(buffer.data(), buffer.data() + buffer.size(), d, format);
    return std::string(buffer.data(), done.ptr);
  };
  std::string scientific = text(std::chars_format::scientific);
  int exponent = 0;
  const std::size_t e = scientific.find('e');
  const bool is_negative = scientific[e + 1] == '-';
  std::from_chars(scientific.data() + e + 2, scientific.data() + scientific.size(), exponent);
  const bool is_long = is_negative ? exponent > 4 : exponent >= 6;
  return is_long ? scientific : text(std::chars_format::fixed);
}

}  // namespace tiphys::view
