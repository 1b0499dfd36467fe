// How a scalar may be written in YAML, as the Go library behind kubectl and argo decides it.
//
// The rules are YAML 1.1's for readers (`yes` is a boolean, `1:30` a number, a date a date), so
// that every reader gets the string back; what they are in detail was measured with
// sigs.k8s.io/yaml. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tiphys::view {

enum class ScalarStyle { kPlain, kSingleQuoted, kDoubleQuoted, kLiteral };

/// The style of a string; a key stands on one line.
[[nodiscard]] ScalarStyle style_of(std::string_view text, bool is_key);

/// True if YAML 1.1 reads the unquoted text as null, a boolean, a number or a time.
[[nodiscard]] bool reads_as_other_type(std::string_view text);

/// One code point of UTF-8 text and its number of bytes; a byte that begins none stands for itself.
struct CodePoint {
  std::uint32_t value = 0;
  std::size_t size = 1;
};
[[nodiscard]] CodePoint code_point_at(std::string_view text, std::size_t at);
/// Line feed, carriage return, U+0085, U+2028, U+2029.
[[nodiscard]] bool is_line_break(std::uint32_t c);
/// True if the code point may stand in a text unescaped.
[[nodiscard]] bool is_printable(std::uint32_t c);

/// True if key `a` comes before `b`: numbers inside of keys count as numbers ("a9" before "a10"),
/// letters come after all else.
[[nodiscard]] bool key_comes_before(std::string_view a, std::string_view b);

/// A float as Go's %g prints it: "1.5", "1e+06".
[[nodiscard]] std::string yaml_float(double d);

}  // namespace tiphys::view
