#include "tag/go_quote.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <cstdint>
#include <iterator>

#include "expr/unicode.h"

namespace tiphys::tag {

namespace {

/// Go's unicode.IsPrint for what is not ASCII.
bool is_printable(std::string_view rune) {
  static const re2::RE2 kPrintable(R"([\p{L}\p{M}\p{N}\p{P}\p{S}])");
  return re2::RE2::FullMatch(re2::StringPiece(rune.data(), rune.size()), kPrintable);
}

void append_ascii(std::string& out, char c) {
  constexpr std::string_view kControls = "\a\b\t\n\v\f\r";  // 7 to 13
  constexpr std::string_view kLetters = "abtnvfr";
  if (c == '"' || c == '\\') {
    out += '\\';
    out += c;
  } else if (const auto i = kControls.find(c); i != std::string_view::npos) {
    out += '\\';
    out += kLetters[i];
  } else if (c < ' ' || c == 0x7f) {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
  } else {
    out += c;
  }
}

}  // namespace

void append_go_quoted(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const expr::Rune rune = expr::decode_rune(text);
    const auto code = static_cast<std::uint32_t>(rune.code);
    const bool invalid = rune.code == expr::kReplacement && rune.length == 1;
    if (invalid) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(text[0]));
    } else if (code < 0x80) {
      append_ascii(out, text[0]);
    } else if (is_printable(text.substr(0, rune.length))) {
      out += text.substr(0, rune.length);
    } else if (code < 0x10000) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", code);
    } else {
      fmt::format_to(std::back_inserter(out), "\\U{:08x}", code);
    }
    text.remove_prefix(rune.length);
  }
}

}  // namespace tiphys::tag
