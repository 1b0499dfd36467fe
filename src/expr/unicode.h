// Characters of UTF-8 text: decoding, classes, case. Go's unicode package as far as expressions
// need it.
//
// Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tiphys::expr {

inline constexpr char32_t kReplacement = 0xFFFD;

/// The first character of `text` (not empty) and its length in bytes. Invalid bytes are U+FFFD of
/// length 1.
struct Rune {
  char32_t code = 0;
  std::size_t length = 0;
};
[[nodiscard]] Rune decode_rune(std::string_view text);
/// Appends the character as UTF-8; surrogates and codes above U+10FFFF become U+FFFD.
void append_rune(std::string& out, char32_t code);
/// Number of characters, Go's utf8.RuneCountInString.
[[nodiscard]] std::size_t rune_count(std::string_view text);

[[nodiscard]] bool is_letter(char32_t c);
[[nodiscard]] bool is_decimal_digit(char32_t c);
[[nodiscard]] bool is_space(char32_t c);
[[nodiscard]] char32_t to_upper(char32_t c);
[[nodiscard]] char32_t to_lower(char32_t c);
/// Go's strings.ToUpper and ToLower.
[[nodiscard]] std::string upper(std::string_view text);
[[nodiscard]] std::string lower(std::string_view text);
/// Go's strings.TrimSpace.
[[nodiscard]] std::string_view trim_space(std::string_view text);

}  // namespace tiphys::expr
