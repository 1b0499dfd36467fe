// Escapes of string and bytes literals.
#include <array>

#include "expr/lexer.h"
#include "expr/unicode.h"

namespace tiphys::expr {
namespace {

std::unexpected<diag::Error> bad(std::string message) {
  return diag::fail(diag::Code::kBadExpression, std::move(message));
}
constexpr const char* kBad = "unable to unescape string";
constexpr const char* kBadOctal = "unable to unescape octal sequence in string";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The character of \a, \n ... or -1.
int simple_escape(char c) {
  constexpr std::string_view kLetters = "abfnrtv\\'\"`?";
  constexpr std::string_view kMeaning = "\a\b\f\n\r\t\v\\'\"`?";
  const std::size_t at = kLetters.find(c);
  return at == std::string_view::npos ? -1 : kMeaning[at];
}

// Reads exactly `count` hex digits of `rest`; -1 when they are not there.
std::int64_t take_hex(std::string_view& rest, std::size_t count) {
  if (rest.size() < count) return -1;
  std::int64_t value = 0;
  for (const char c : rest.substr(0, count)) {
    if (hex_value(c) < 0) return -1;
    value = value * 16 + hex_value(c);
  }
  rest.remove_prefix(count);
  return value;
}

// Reads `{X...}` with one to six hex digits; -1 when it is not there.
std::int64_t take_braced_hex(std::string_view& rest) {
  const std::size_t close = rest.find('}');
  if (close == std::string_view::npos || close < 2 || close > 7) return -1;
  std::string_view digits = rest.substr(1, close - 1);
  const std::int64_t value = take_hex(digits, digits.size());
  if (value >= 0) rest.remove_prefix(close + 1);
  return value;
}

// Reads the two octal digits behind the first one, `c`; -1 when they are not there.
std::int64_t take_octal(std::string_view& rest, char c) {
  if (rest.size() < 2) return -1;
  std::int64_t value = c - '0';
  for (const char digit : rest.substr(0, 2)) {
    if (digit < '0' || digit > '7') return -1;
    value = value * 8 + (digit - '0');
  }
  rest.remove_prefix(2);
  return value;
}

std::string normalize_newlines(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') {
      out += text[i];
      continue;
    }
    out += '\n';
    if (i + 1 < text.size() && text[i + 1] == '\n') ++i;
  }
  return out;
}

diag::Result<std::string> resolve(std::string_view literal, bool bytes) {
  const std::string normalized = normalize_newlines(literal);
  if (normalized.size() < 2 || normalized.front() != normalized.back()) return bad(kBad);
  std::string_view rest = std::string_view(normalized).substr(1, normalized.size() - 2);
  std::string out;
  constexpr std::int64_t kMaxRune = 0x10FFFF;
  while (!rest.empty()) {
    if (rest[0] != '\\') {
      const Rune rune = decode_rune(rest);
      append_rune(out, rune.code);
      rest.remove_prefix(rune.length);
      continue;
    }
    if (rest.size() < 2) return bad("unable to unescape string, found '\\' as last character");
    const char c = rest[1];
    rest.remove_prefix(2);
    if (const int simple = simple_escape(c); simple >= 0) {
      out += static_cast<char>(simple);
      continue;
    }
    std::int64_t code = -1;
    if (c >= '0' && c <= '3') {
      code = take_octal(rest, c);
      if (code < 0) return bad(kBadOctal);
    } else if (c == 'x' || c == 'X') {
      code = take_hex(rest, 2);
    } else if (!bytes && c == 'u' && rest.starts_with('{')) {
      code = take_braced_hex(rest);
    } else if (!bytes && (c == 'u' || c == 'U')) {
      code = take_hex(rest, c == 'u' ? 4 : 8);
    }
    if (code < 0 || code > kMaxRune) return bad(kBad);
    if (bytes) {
      out += static_cast<char>(code);
    } else {
      append_rune(out, static_cast<char32_t>(code));
    }
  }
  return out;
}

}  // namespace

diag::Result<std::string> unescape(std::string_view literal) { return resolve(literal, false); }
diag::Result<std::string> unescape_bytes(std::string_view literal) {
  return resolve(literal, true);
}

}  // namespace tiphys::expr
