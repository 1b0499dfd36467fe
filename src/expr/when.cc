#include "expr/when.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <array>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "expr/runtime_value.h"
#include "expr/when_tokens.h"

namespace tiphys::expr {

namespace {

using enum WhenKind;

struct Nothing {
  friend bool operator==(const Nothing&, const Nothing&) = default;
};
struct Operand;
using Operands = std::vector<Operand>;
/// What a part of a condition gives.
struct Operand : std::variant<Nothing, bool, double, std::string, Operands> {
  using variant::variant;
};

std::string shown(const Operand& v) {
  if (const auto* b = std::get_if<bool>(&v)) return *b ? "true" : "false";
  if (const auto* d = std::get_if<double>(&v)) return float_to_text(*d);
  if (const auto* s = std::get_if<std::string>(&v)) return *s;
  if (std::holds_alternative<Nothing>(v)) return "<nil>";
  std::string out = "[";
  for (const Operand& item : std::get<Operands>(v)) {
    if (out.size() > 1) out += ' ';
    out += shown(item);
  }
  return out + "]";
}

// Levels of precedence, from the loosest; each is read from the left.
struct Level {
  WhenKind kind;
  std::vector<std::string_view> symbols;
  const char* complaint;
};

const std::array<Level, 9>& levels() {
  static const char* const kLogicalError =
      "Value '{}' cannot be used with the logical operator '{}', it is not a bool";
  static const char* const kComparatorError =
      "Value '{}' cannot be used with the comparator '{}', it is not a number";
  static const char* const kModifierError =
      "Value '{}' cannot be used with the modifier '{}', it is not a number";
  static const char* const kTernaryError =
      "Value '{}' cannot be used with the ternary operator '{}', it is not a bool";
  static const std::array<Level, 9> kLevels = {
      {{kSeparator, {","}, ""},
       {kTernary, {"?", ":", "??"}, kTernaryError},
       {kLogical, {"||"}, kLogicalError},
       {kLogical, {"&&"}, kLogicalError},
       {kComparator, {"==", "!=", ">", ">=", "<", "<=", "=~", "!~", "in"}, kComparatorError},
       {kModifier, {"^", "&", "|"}, kModifierError},
       {kModifier, {">>", "<<"}, kModifierError},
       {kModifier, {"+", "-"}, kModifierError},
       {kModifier, {"*", "/", "%"}, kModifierError}}};
  return kLevels;
}

/// Evaluates while it reads. `bare_words_are_strings` tells Argo's steps from its cron workflows.
class Evaluation {
 public:
  Evaluation(const std::vector<WhenToken>& tokens, bool bare_words_are_strings)
      : tokens_(tokens), bare_words_are_strings_(bare_words_are_strings) {}

  /// What follows a complete expression is not looked at, as in the library.
  diag::Result<Operand> whole() { return level(0, true); }

 private:
  [[nodiscard]] bool is_next(const Level& l) const {
    if (at_ >= tokens_.size() || tokens_[at_].kind != l.kind) return false;
    return std::ranges::find(l.symbols, tokens_[at_].text) != l.symbols.end();
  }

  diag::Result<Operand> level(std::size_t i, bool is_live) {
    if (++depth_ > kDepthMax)
      return diag::fail(diag::Code::kBadExpression, "the condition is nested too deep");
    auto result = i == levels().size() ? power(is_live) : left_to_right(i, is_live);
    --depth_;
    return result;
  }

  diag::Result<Operand> left_to_right(std::size_t i, bool is_live) {
    const Level& l = levels()[i];
    TRY(Operand left, level(i + 1, is_live));
    while (is_next(l)) {
      const std::string symbol = tokens_[at_++].text;
      const bool needs_right = is_live && !is_decided(symbol, left);
      TRY(const Operand right, level(i + 1, needs_right));
      if (is_live) {
        TRY(left, apply(l, symbol, std::move(left), right, needs_right));
      }
    }
    return left;
  }

  // && and || do not look at their right side when the left decides; the ternary operator likewise.
  static bool is_decided(const std::string& symbol, const Operand& left) {
    const auto* b = std::get_if<bool>(&left);
    if (symbol == "&&" || symbol == "?") return b != nullptr && !*b;
    if (symbol == "||") return b != nullptr && *b;
    return (symbol == ":" || symbol == "??") && !std::holds_alternative<Nothing>(left);
  }

  diag::Result<Operand> power(bool is_live) {
    static const Level kPower{kModifier, {"**"}, levels().back().complaint};
    TRY(Operand left, value(is_live));
    while (is_next(kPower)) {
      const std::string symbol = tokens_[at_++].text;
      TRY(const Operand right, value(is_live));
      if (is_live) {
        TRY(left, apply(kPower, symbol, std::move(left), right, true));
      }
    }
    return left;
  }

  diag::Result<Operand> value(bool is_live) {
    if (at_ >= tokens_.size()) return Operand(Nothing{});
    const WhenToken& t = tokens_[at_];
    switch (t.kind) {
      case kClauseClose:
        return Operand(Nothing{});
      case kClause: {
        ++at_;
        TRY(Operand inside, level(0, is_live));
        ++at_;
        return inside;
      }
      case kPrefix:
        ++at_;
        return prefixed(t.text, is_live);
      case kVariable:
        ++at_;
        if (bare_words_are_strings_) return Operand(t.text);
        if (!is_live) return Operand(Nothing{});
        return diag::fail(diag::Code::kBadExpression,
                          fmt::format("No parameter '{}' found.", t.text));
      case kAccessor:
        ++at_;
        if (!is_live) return Operand(Nothing{});
        return diag::fail(
            diag::Code::kBadExpression,
            fmt::format("No parameter '{}' found.", t.text.substr(0, t.text.find('.'))));
      case kString:
      case kPattern:
        ++at_;
        return Operand(t.text);
      case kBool:
        ++at_;
        return Operand(t.number != 0);
      case kNumber:
      case kTime:
        ++at_;
        return Operand(t.number);
      case kStart:
      case kSeparator:
      case kComparator:
      case kLogical:
      case kModifier:
      case kTernary:
        break;
    }
    return diag::fail(diag::Code::kBadExpression,
                      fmt::format("Unable to plan token value: '{}'", t.text));
  }

  diag::Result<Operand> prefixed(const std::string& symbol, bool is_live) {
    TRY(const Operand v, value(is_live));
    if (!is_live) return v;
    if (symbol == "!") {
      if (const auto* b = std::get_if<bool>(&v)) return Operand(!*b);
    } else if (const auto* d = std::get_if<double>(&v)) {
      return Operand(symbol == "-" ? -*d : static_cast<double>(~static_cast<std::int64_t>(*d)));
    }
    return diag::fail(
        diag::Code::kBadExpression,
        fmt::format("Value '{}' cannot be used with the prefix '{}'", shown(v), symbol));
  }

  static diag::Result<Operand> wrong(const Level& l, const std::string& symbol, const Operand& v) {
    return diag::fail(diag::Code::kBadExpression,
                      fmt::format(fmt::runtime(l.complaint), shown(v), symbol));
  }

  static diag::Result<Operand> apply(const Level& l, const std::string& symbol, Operand a,
                                     const Operand& b, bool has_right) {
    switch (l.kind) {
      case kSeparator: {
        Operands list;
        if (auto* have = std::get_if<Operands>(&a)) {
          list = std::move(*have);
        } else {
          list.push_back(std::move(a));
        }
        list.push_back(b);
        return Operand(std::move(list));
      }
      case kTernary:
        if (symbol != "?") return has_right ? b : a;
        if (!std::holds_alternative<bool>(a)) return wrong(l, symbol, a);
        return std::get<bool>(a) ? b : Operand(Nothing{});
      case kLogical: {
        if (!std::holds_alternative<bool>(a)) return wrong(l, symbol, a);
        if (!has_right) return a;
        if (!std::holds_alternative<bool>(b)) return wrong(l, symbol, b);
        return b;
      }
      case kComparator:
        return compare(l, symbol, a, b);
      default:
        return compute(l, symbol, std::move(a), b);
    }
  }

  static diag::Result<Operand> compare(const Level& l, const std::string& symbol, const Operand& a,
                                       const Operand& b) {
    if (symbol == "==") return Operand(a == b);
    if (symbol == "!=") return Operand(!(a == b));
    if (symbol == "in") {
      const auto* list = std::get_if<Operands>(&b);
      if (list == nullptr) return wrong(l, symbol, b);
      return Operand(std::ranges::any_of(*list, [&](const Operand& v) { return v == a; }));
    }
    const auto* s = std::get_if<std::string>(&a);
    const auto* t = std::get_if<std::string>(&b);
    if (symbol == "=~" || symbol == "!~") {
      if (s == nullptr) return wrong(l, symbol, a);
      if (t == nullptr) return wrong(l, symbol, b);
      const re2::RE2 pattern(*t, re2::RE2::Quiet);
      if (!pattern.ok()) {
        return diag::fail(
            diag::Code::kBadExpression,
            fmt::format("Unable to compile regexp pattern '{}': {}", *t, pattern.error()));
      }
      return Operand(re2::RE2::PartialMatch(*s, pattern) == (symbol == "=~"));
    }
    const auto* x = std::get_if<double>(&a);
    const auto* y = std::get_if<double>(&b);
    if ((s == nullptr || t == nullptr) && (x == nullptr || y == nullptr))
      return wrong(l, symbol, a);
    const std::partial_ordering order = s != nullptr ? std::partial_ordering(*s <=> *t) : *x <=> *y;
    if (symbol == ">") return Operand(order > 0);
    if (symbol == ">=") return Operand(order >= 0);
    return Operand(symbol == "<" ? order < 0 : order <= 0);
  }

  static diag::Result<Operand> compute(const Level& l, const std::string& symbol, Operand a,
                                       const Operand& b) {
    if (auto* text = std::get_if<std::string>(&a); text != nullptr && symbol == "+") {
      *text += shown(b);  // in place: there may be many
      return a;
    }
    const auto* x = std::get_if<double>(&a);
    const auto* y = std::get_if<double>(&b);
    if (symbol == "+" && std::holds_alternative<std::string>(b)) {
      return Operand(shown(a) + shown(b));
    }
    if (x == nullptr) return wrong(l, symbol, a);
    if (y == nullptr) return wrong(l, symbol, b);
    if (symbol == "+") return Operand(*x + *y);
    if (symbol == "-") return Operand(*x - *y);
    if (symbol == "*") return Operand(*x * *y);
    if (symbol == "/") return Operand(*x / *y);
    if (symbol == "%") return Operand(std::fmod(*x, *y));
    if (symbol == "**") return Operand(std::pow(*x, *y));
    const auto m = static_cast<std::int64_t>(*x);
    const auto n = static_cast<std::int64_t>(*y);
    if (symbol == "&") return Operand(static_cast<double>(m & n));
    if (symbol == "|") return Operand(static_cast<double>(m | n));
    if (symbol == "^") return Operand(static_cast<double>(m ^ n));
    const auto bits = static_cast<std::uint64_t>(m);
    if (n < 0 || n > 63) return Operand(0.0);
    return Operand(static_cast<double>(symbol == "<<" ? bits << n : bits >> n));
  }

  static constexpr int kDepthMax = 5000;
  const std::vector<WhenToken>& tokens_;
  bool bare_words_are_strings_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

diag::Error prefixed_error(std::string_view prefix, std::string_view condition,
                           const diag::Error& error) {
  const bool is_token = error.message.find("Invalid token") != std::string::npos;
  return {
      diag::Code::kBadExpression,
      fmt::format("{} '{}': {}{}", prefix, condition, error.message,
                  is_token ? " (hint: try wrapping the affected expression in quotes (\"))" : "")};
}

diag::Result<bool> as_bool(const Operand& v, std::string_view condition) {
  if (const auto* b = std::get_if<bool>(&v)) return *b;
  return diag::fail(
      diag::Code::kBadExpression,
      fmt::format("Expected boolean evaluation for '{}'. Got {}", condition, shown(v)));
}

}  // namespace

diag::Result<bool> evaluate_when(std::string_view condition) {
  if (condition.empty()) return true;
  auto tokens = when_tokens(condition);
  auto checked =
      tokens ? check_when_tokens(*tokens) : diag::Result<void>(std::unexpected(tokens.error()));
  if (!checked)
    return std::unexpected(prefixed_error("Invalid 'when' expression", condition, checked.error()));
  // Bare words become strings, and the order is checked again: `!abc` is right with a name and
  // wrong with a string.
  for (WhenToken& t : *tokens) {
    if (t.kind == kVariable) t.kind = kString;
  }
  if (auto again = check_when_tokens(*tokens); !again) {
    return diag::fail(diag::Code::kBadExpression,
                      fmt::format("Failed to parse 'when' expression '{}': {}", condition,
                                  again.error().message));
  }
  auto result = Evaluation(*tokens, true).whole();
  if (!result) {
    return diag::fail(diag::Code::kBadExpression,
                      fmt::format("Failed to evaluate 'when' expresion '{}': {}", condition,
                                  result.error().message));
  }
  return as_bool(*result, condition);
}

diag::Result<bool> evaluate_cron_when(std::string_view condition) {
  if (condition.empty()) return true;
  TRY(const std::vector<WhenToken> tokens, when_tokens(condition));
  TRY_VOID(check_when_tokens(tokens));
  TRY(const Operand result, Evaluation(tokens, false).whole());
  return as_bool(result, condition);
}

}  // namespace tiphys::expr
