// Cuts the source of an expression into tokens.
//
// Locations are counted in characters, as expr-lang's messages do.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "diag/error.h"

namespace tiphys::expr {

enum class TokenKind : std::uint8_t {
  kIdentifier,
  kNumber,
  kString,
  kBytes,
  kOperator,
  kBracket,
  kEnd
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;  // unescaped, for strings and bytes
  int from = 0;      // index of the first character in the source
};

/// The tokens of `source`, ending with one of kind kEnd; a lexical error ends the list early.
struct Tokens {
  std::vector<Token> list;
  std::string error;  // empty: none
  int error_at = 0;
};
[[nodiscard]] Tokens tokenize(std::string_view source);

/// True for a name that may follow a dot: a letter, `_` or `$`, then also digits.
[[nodiscard]] bool is_identifier(std::string_view text);

/// Go's rendering of a token in messages: `Operator("+")`, `EOF`.
[[nodiscard]] std::string token_text(const Token& token);

/// The error at character `at` of `source` in expr-lang's form: "message (line:column)\n | source\n
/// | ...^".
[[nodiscard]] diag::Error error_at(std::string_view source, int at, std::string_view message);

/// Takes a literal with its quotes and resolves the escapes. Errors: text only.
[[nodiscard]] diag::Result<std::string> unescape(std::string_view literal);
/// The same for b'...': escapes stand for bytes.
[[nodiscard]] diag::Result<std::string> unescape_bytes(std::string_view literal);

}  // namespace tiphys::expr
