// The parts of a JSON path and how they find values: `$`, `.key`, `[1]`, `[1:3]`, `['a','b']`,
// `[?(@.x > 1)]`, `..`.
//
// As evilmonkeyinc/jsonpath v0.8.1 without options, its oddities included (a filter ignores errors,
// `in` is found within words ...). Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "diag/error.h"
#include "expr/runtime_value.h"

namespace tiphys::expr::path {

struct Operation;

/// A script such as `@.length-1`; without an operation the text is a constant.
struct Script {
  std::string text;
  std::shared_ptr<const Operation> operation;
};

/// Limits the work of parsing: its algorithm can go through a text again and again.
struct Budget {
  std::int64_t work = 4'000'000;  // bytes gone through, and some for each call
  int depth = 100;
  /// Takes a call that goes through so many bytes. Errors: kBadExpression when it is used up.
  [[nodiscard]] diag::Result<void> take(std::size_t bytes);

  /// One level of nesting, for as long as it lives.
  class Level {
   public:
    explicit Level(Budget& budget) : budget_(budget) { --budget_.depth; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    ~Level() { ++budget_.depth; }

   private:
    Budget& budget_;
  };
};

/// An argument in brackets: left out, a number, a key or a script.
using Argument =
    std::variant<std::monostate, std::int64_t, std::string, std::shared_ptr<const Script>>;

enum class TokenKind : std::uint8_t {
  kRoot,
  kCurrent,
  kWildcard,
  kRecursive,
  kLength,
  kKey,
  kIndex,
  kFilter,
  kScript,
  kUnion,
  kRange,
};

struct Token {
  TokenKind kind = TokenKind::kRoot;
  std::string key = {};
  std::int64_t index = 0;
  std::vector<Argument> arguments = {};  // of a union; of a range: from, to, step
  std::shared_ptr<const Script> script = {};
};
using Tokens = std::span<const Token>;

/// Cuts a path and reads each part. Errors: kBadExpression.
[[nodiscard]] diag::Result<std::vector<Token>> parse_path(std::string_view path, Budget& budget);
/// Reads one part, `[...]` or a key. Errors: kBadExpression.
[[nodiscard]] diag::Result<Token> parse_token(std::string_view text, Budget& budget);
/// The value that the tokens find, starting at `current`. Errors: kBadExpression for missing keys,
/// bad indices and values of a wrong type.
[[nodiscard]] diag::Result<RuntimeValue> apply(Tokens tokens, const RuntimeValue& root,
                                               const RuntimeValue& current);

/// Reads a script such as `@.length-1`. Errors: kBadExpression.
[[nodiscard]] diag::Result<std::shared_ptr<const Script>> parse_script(std::string_view text,
                                                                       Budget& budget);
/// The script's value, `@` being `current`. Errors: kBadExpression.
[[nodiscard]] diag::Result<RuntimeValue> evaluate(const Script& script, const RuntimeValue& root,
                                                  const RuntimeValue& current);

}  // namespace tiphys::expr::path
