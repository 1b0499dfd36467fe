#include "tag/scan.h"

#include <array>

namespace tiphys::tag {

namespace {

// Unicode white space above ASCII, in UTF-8. The last two are escaped by Go's JSON writer.
constexpr std::array<std::string_view, 19> kWideSpaces = {
    "\u00a0", "\xc2\x85", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003",
    "\u2004", "\u2005",   "\u2006", "\u2007", "\u2008", "\u2009", "\u200a",
    "\u202f", "\u205f",   "\u3000", "\u2028", "\u2029"};
constexpr std::string_view kAsciiSpaces = " \t\n\v\f\r";

}  // namespace

std::optional<Piece> next_piece(std::string_view& rest) {
  const auto begin = rest.find("{{");
  if (begin == std::string_view::npos) return std::nullopt;
  Piece piece{rest.substr(0, begin), rest.substr(begin + 2)};
  const auto end = piece.inside.find("}}");
  if (end == std::string_view::npos) {
    piece.closed = false;
    rest = {};
    return piece;
  }
  rest = piece.inside.substr(end + 2);
  piece.inside = piece.inside.substr(0, end);
  return piece;
}

std::string_view trim(std::string_view text, bool document) {
  const std::string_view ascii = document ? kAsciiSpaces : kAsciiSpaces.substr(0, 1);
  const std::size_t wide = document ? kWideSpaces.size() : kWideSpaces.size() - 2;
  for (bool again = true; again && !text.empty();) {
    again = false;
    const auto first = text.find_first_not_of(ascii);
    text = first == std::string_view::npos ? std::string_view{} : text.substr(first);
    text = text.substr(0, text.find_last_not_of(ascii) + 1);
    if (text.empty()) break;
    const bool plain = static_cast<unsigned char>(text.front()) < 0x80 &&
                       static_cast<unsigned char>(text.back()) < 0x80;
    for (std::size_t i = 0; !plain && i < wide; ++i) {
      const std::string_view space = kWideSpaces[i];
      if (text.starts_with(space)) text.remove_prefix(space.size()), again = true;
      if (text.ends_with(space)) text.remove_suffix(space.size()), again = true;
    }
  }
  return text;
}

}  // namespace tiphys::tag
