#include "spec/scalar.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "value/json.h"

namespace tiphys::spec {
namespace {

using value::Value;

constexpr std::string_view kYamlTag = "tag:yaml.org,2002:";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const std::string_view w : words) {
    if (w == text) return true;
  }
  return false;
}

/// Whether `text` is `word` in one of the three forms that count: word, Word, WORD.
bool is_word(std::string_view text, std::string_view word) {
  if (text.size() != word.size()) return false;
  bool is_lower = true;
  bool is_upper = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 0x20) != (word[i] | 0x20)) return false;
    const bool is_small = text[i] >= 'a' && text[i] <= 'z';
    const bool is_big = text[i] >= 'A' && text[i] <= 'Z';
    is_lower = is_lower && (i == 0 || !is_big);
    is_upper = is_upper && !is_small;
  }
  return is_lower || is_upper;
}

std::optional<Value> resolve_dotted(std::string_view text) {
  if (one_of(text, {".nan", ".NaN", ".NAN"})) return Value(std::nan(""));
  const double infinity = std::numeric_limits<double>::infinity();
  if (one_of(text, {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"})) return Value(infinity);
  if (one_of(text, {"-.inf", "-.Inf", "-.INF"})) return Value(-infinity);
  return std::nullopt;
}

/// true, false, null and the like.
std::optional<Value> resolve_word(std::string_view text) {
  if (text.empty() || text == "~") return Value();
  if (text.size() > 5) return std::nullopt;
  switch (text[0] | 0x20) {
    case 'n':
      if (is_word(text, "null")) return Value();
      if (is_word(text, "n") || is_word(text, "no")) return Value(false);
      break;
    case 'f':
      if (is_word(text, "false")) return Value(false);
      break;
    case 'y':
      if (is_word(text, "y") || is_word(text, "yes")) return Value(true);
      break;
    case 't':
      if (is_word(text, "true")) return Value(true);
      break;
    case 'o':
      if (is_word(text, "on")) return Value(true);
      if (is_word(text, "off")) return Value(false);
      break;
    case '.' | 0x20:
    case '+' | 0x20:
    case '-' | 0x20:
      return resolve_dotted(text);
    default:
      break;
  }
  return std::nullopt;
}

/// The base that a prefix names, which is taken off; a leading 0 means octal, as in Go.
int take_base(std::string_view& digits) {
  if (digits.size() < 2 || digits[0] != '0') return 10;
  const char mark = static_cast<char>(digits[1] | 0x20);
  const int base = mark == 'x' ? 16 : mark == 'b' ? 2 : mark == 'o' ? 8 : 0;
  digits.remove_prefix(base == 0 ? 1 : 2);
  return base == 0 ? 8 : base;
}

std::optional<Value> parse_integer(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || !is_digit(text[0])) return std::nullopt;
  const int base = take_base(text);
  std::uint64_t magnitude = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), magnitude, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (negative) {
    if (magnitude > kMax + 1) return std::nullopt;
    return Value(static_cast<std::int64_t>(0 - magnitude));
  }
  return Value::whole(magnitude);
}

/// [-+]? ( . digits | digits ( . digits* )? ) ( [eE] [-+]? digits )?
bool looks_like_float(std::string_view text) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t from = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    return i - from;
  };
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
  std::size_t count = digits();
  if (i < text.size() && text[i] == '.') {
    ++i;
    count += digits();
  }
  if (count == 0) return false;
  if (i < text.size() && (text[i] | 0x20) == 'e') {
    ++i;
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

std::optional<Value> parse_float(std::string_view text) {
  if (!looks_like_float(text)) return std::nullopt;
  if (text.starts_with('+')) text.remove_prefix(1);
  double d = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), d);
  if (error == std::errc::result_out_of_range) {
    // Too small is zero for Go, too large is an error there, which leaves a string.
    const std::size_t exponent = text.find_first_of("eE");
    if (exponent == std::string_view::npos || text.substr(exponent + 1, 1) != "-") {
      return std::nullopt;
    }
    d = text.starts_with('-') ? -0.0 : 0.0;
  }
  const bool is_whole = d == std::floor(d) && std::fabs(d) < 9.2e18;
  if (is_whole && !(d == 0 && std::signbit(d))) return Value(static_cast<std::int64_t>(d));
  return Value(d);
}

std::string without_underscores(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != '_') out += c;
  }
  return out;
}

std::optional<Value> parse_number(std::string_view text) {
  const char first = text.empty() ? '\0' : text[0];
  if (first == '.') return parse_float(text);
  if (!is_digit(first) && first != '+' && first != '-') return std::nullopt;
  const std::string plain = without_underscores(text);
  if (auto integer = parse_integer(plain)) return integer;
  return parse_float(plain);
}

std::optional<std::string> decode_base64(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=' || c == '\n' || c == '\r') continue;
    const std::size_t digit =
        std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
            .find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>((bits >> count) & 0xFFU);
    }
  }
  return out;
}

/// All digits of a float without exponent; Go fills up with zeros what the shortest form lacks.
std::string without_exponent(double d) {
  if (std::isnan(d)) return "NaN";
  if (std::isinf(d)) return d > 0 ? "+Inf" : "-Inf";
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), d, std::chars_format::scientific);
  std::string_view text(buffer, static_cast<std::size_t>(end.ptr - buffer));
  std::string out;
  if (text.starts_with('-')) {
    out = "-";
    text.remove_prefix(1);
  }
  const std::size_t e = text.find('e');
  int exponent = 0;
  const std::string_view exponent_text = text.substr(e + (text[e + 1] == '+' ? 2 : 1));
  std::from_chars(exponent_text.data(), exponent_text.data() + exponent_text.size(), exponent);
  std::string digits(text.substr(0, 1));
  if (e > 2) digits += text.substr(2, e - 2);
  const int point = exponent + 1;  // digits before the decimal point
  if (point <= 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-point), '0');
    return out + (digits == "0" ? "" : digits);
  }
  const auto whole = static_cast<std::size_t>(point);
  if (digits.size() <= whole) return out + digits + std::string(whole - digits.size(), '0');
  return out + digits.substr(0, whole) + "." + digits.substr(whole);
}

}  // namespace

std::optional<Value> resolve_other(std::string_view text) {
  if (auto word = resolve_word(text)) return word;
  return parse_number(text);
}

Value resolve_plain(std::string_view text) {
  auto other = resolve_other(text);
  return other ? *std::move(other) : Value(text);
}

diag::Result<Value> resolve_tagged(std::string_view tag, std::string_view text) {
  if (tag.starts_with("!!"))
    return resolve_tagged(std::string(kYamlTag) + std::string(tag.substr(2)), text);
  if (!tag.starts_with(kYamlTag)) return Value(text);
  const std::string_view type = tag.substr(kYamlTag.size());
  if (type == "binary") {
    if (auto bytes = decode_base64(text)) return Value(std::move(*bytes));
    return diag::fail(diag::Code::kInvalidManifest,
                      "yaml: !!binary value contains invalid base64 data");
  }
  if (!one_of(type, {"int", "float", "bool", "null"})) return Value(text);
  Value v = resolve_plain(text);
  // A whole float is an int here, but not for the tag.
  const bool is_float =
      (v.is_float() && !v.is_large()) || (v.is_int() && !parse_integer(without_underscores(text)));
  const bool fits = (type == "int" && (v.is_int() || v.is_large()) && !is_float) ||
                    (type == "bool" && v.is_bool()) ||
                    (type == "float" && (v.is_int() || v.is_float())) ||
                    (type == "null" && v.is_null());
  if (fits) return v;
  static constexpr std::string_view kNames[] = {"null", "bool", "int", "float", "str"};
  const std::size_t kind =
      is_float ? 3 : std::min<std::size_t>(static_cast<std::size_t>(v.kind()), 4);
  return diag::fail(
      diag::Code::kInvalidManifest,
      fmt::format("yaml: cannot decode !!{} `{}` as a !!{}", kNames[kind], text, type));
}

std::string any_string_of(const Value& v) {
  switch (v.kind()) {
    case Value::Kind::kString:
      return v.as_string();
    case Value::Kind::kBool:
      return v.as_bool() ? "true" : "false";
    case Value::Kind::kInt:  // Argo reads every number as a float
      return without_exponent(static_cast<double>(v.as_int()));
    case Value::Kind::kFloat:
      return without_exponent(v.as_float());
    case Value::Kind::kNull:
    case Value::Kind::kList:
    case Value::Kind::kMap:
      break;
  }
  return {};
}

diag::Result<std::string> key_text(const Value& key) {
  switch (key.kind()) {
    case Value::Kind::kString:
      return key.as_string();
    case Value::Kind::kBool:
      return std::string(key.as_bool() ? "true" : "false");
    case Value::Kind::kInt:
      return std::to_string(key.as_int());
    case Value::Kind::kFloat:
      if (key.is_large()) break;
      if (std::isinf(key.as_float())) return std::string(key.as_float() > 0 ? ".inf" : "-.inf");
      if (std::isnan(key.as_float())) return std::string(".nan");
      return value::float_to_json(key.as_float());
    case Value::Kind::kNull:
    case Value::Kind::kList:
    case Value::Kind::kMap:
      break;
  }
  return diag::fail(diag::Code::kInvalidManifest, "yaml: invalid map key: " + value::to_json(key));
}

}  // namespace tiphys::spec
