#include "expr/when_tokens.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <functional>
#include <optional>

#include "expr/gotime.h"
#include "expr/unicode.h"

namespace tiphys::expr {

namespace {

using Kinds = std::vector<WhenKind>;
using enum WhenKind;

bool is_quote(char32_t c) { return c == U'\'' || c == U'"'; }
bool is_numeric(char32_t c) { return is_decimal_digit(c) || c == U'.'; }
bool is_name(char32_t c) { return is_letter(c) || is_decimal_digit(c) || c == U'_' || c == U'.'; }
bool is_symbol(char32_t c) {
  return !is_decimal_digit(c) && !is_letter(c) && !is_quote(c) && c != U'(' && c != U')' &&
         c != U'[' && c != U']';
}
bool is_hex(char32_t c) {
  const char32_t l = to_lower(c);
  return is_decimal_digit(c) || (l >= U'a' && l <= U'f');
}

const Kinds& followers(WhenKind kind) {
  static const Kinds kValue = {kModifier,    kComparator, kLogical,
                               kClauseClose, kTernary,    kSeparator};
  static const Kinds kNoTernary = {kModifier, kComparator, kLogical, kClauseClose, kSeparator};
  static const Kinds kStartKinds = {kPrefix,   kNumber, kBool, kVariable, kPattern,
                                    kAccessor, kString, kTime, kClause};
  static const Kinds kInClause = {kPrefix,   kNumber, kBool, kVariable, kPattern,
                                  kAccessor, kString, kTime, kClause,   kClauseClose};
  static const Kinds kAfterClause = {kComparator, kModifier, kNumber,   kBool,   kVariable,
                                     kString,     kPattern,  kTime,     kClause, kClauseClose,
                                     kLogical,    kTernary,  kSeparator};
  static const Kinds kAfterModifier = {kPrefix, kNumber, kVariable, kAccessor,
                                       kString, kBool,   kClause,   kClauseClose};
  static const Kinds kAfterComparator = {kPrefix, kNumber, kBool,   kVariable,    kAccessor,
                                         kString, kTime,   kClause, kClauseClose, kPattern};
  static const Kinds kAfterLogical = {kPrefix, kNumber, kBool,   kVariable,   kAccessor,
                                      kString, kTime,   kClause, kClauseClose};
  static const Kinds kAfterPrefix = {kNumber, kBool, kVariable, kAccessor, kClause, kClauseClose};
  static const Kinds kAfterTernary = {kPrefix,   kNumber,   kBool,   kString,   kTime,
                                      kVariable, kAccessor, kClause, kSeparator};
  static const Kinds kAfterSeparator = {kPrefix, kNumber,   kBool,     kString,
                                        kTime,   kVariable, kAccessor, kClause};
  static const Kinds kAfterAccessor = {kClause,      kModifier, kComparator, kLogical,
                                       kClauseClose, kTernary,  kSeparator};
  switch (kind) {
    case kStart:
      return kStartKinds;
    case kClause:
      return kInClause;
    case kClauseClose:
      return kAfterClause;
    case kNumber:
    case kBool:
    case kString:
    case kVariable:
      return kValue;
    case kTime:
    case kPattern:
      return kNoTernary;
    case kModifier:
      return kAfterModifier;
    case kComparator:
      return kAfterComparator;
    case kLogical:
      return kAfterLogical;
    case kPrefix:
      return kAfterPrefix;
    case kTernary:
      return kAfterTernary;
    case kSeparator:
      return kAfterSeparator;
    case kAccessor:
      return kAfterAccessor;
  }
  return kValue;
}

bool may_follow(WhenKind before, WhenKind after) {
  return std::ranges::find(followers(before), after) != followers(before).end();
}

bool may_end(WhenKind kind) {
  constexpr std::array kEnds = {kClauseClose, kNumber,  kBool,     kString,
                                kTime,        kPattern, kVariable, kAccessor};
  return std::ranges::find(kEnds, kind) != kEnds.end();
}

const char* name_of(WhenKind kind) {
  constexpr std::array kNames = {"UNKNOWN",  "PREFIX",    "NUMERIC",      "BOOLEAN",
                                 "STRING",   "PATTERN",   "TIME",         "VARIABLE",
                                 "ACCESSOR", "SEPARATOR", "COMPARATOR",   "LOGICALOP",
                                 "MODIFIER", "CLAUSE",    "CLAUSE_CLOSE", "TERNARY"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::optional<WhenKind> symbol_kind(std::string_view text, WhenKind before) {
  constexpr std::array<std::string_view, 3> kPrefixes = {"-", "!", "~"};
  constexpr std::array<std::string_view, 11> kModifiers = {"+", "-", "*", "/",  "%", "**",
                                                           "&", "|", "^", ">>", "<<"};
  constexpr std::array<std::string_view, 8> kComparators = {
      "==", "!=", ">", ">=", "<", "<=", "=~", "!~"};
  auto has = [&](const auto& list) { return std::ranges::find(list, text) != list.end(); };
  if (may_follow(before, kPrefix) && has(kPrefixes)) return kPrefix;
  if (has(kModifiers)) return kModifier;
  if (text == "&&" || text == "||") return kLogical;
  if (has(kComparators)) return kComparator;
  if (text == "?" || text == ":" || text == "??") return kTernary;
  return std::nullopt;
}

// Strings that look like dates count as seconds since 1970.
std::optional<double> as_time(const std::string& text) {
  constexpr std::size_t kShortest = 6;  // 3:04PM
  if (text.size() < kShortest || text.find_first_of("0123456789") == std::string::npos) {
    return std::nullopt;
  }
  for (const char* layout :
       {"Mon Jan _2 15:04:05 2006", "Mon Jan _2 15:04:05 MST 2006",
        "Mon Jan 02 15:04:05 -0700 2006", "3:04PM", "2006-01-02T15:04:05Z07:00",
        "2006-01-02T15:04:05.999999999Z07:00", "2006-01-02", "2006-01-02 15:04",
        "2006-01-02 15:04:05", "2006-01-02 15:04:05-07:00", "2006-01-02T15Z0700",
        "2006-01-02T15:04Z0700", "2006-01-02T15:04:05Z0700",
        "2006-01-02T15:04:05.999999999Z0700"}) {
    if (auto t = parse_time(layout, text)) return static_cast<double>(t->seconds);
  }
  return std::nullopt;
}

class Reader {
 public:
  explicit Reader(std::string_view source) {
    while (!source.empty()) {
      const Rune r = decode_rune(source);
      runes_.push_back(r.code);
      source.remove_prefix(r.length);
    }
  }

  diag::Result<std::vector<WhenToken>> all() {
    std::vector<WhenToken> tokens;
    WhenKind before = kStart;
    for (;;) {
      while (can_read() && is_space(runes_[at_])) ++at_;
      if (!can_read()) break;
      TRY(WhenToken token, next(before));
      before = token.kind;
      tokens.push_back(std::move(token));
    }
    TRY_VOID(check_balance(tokens));
    return tokens;
  }

  static diag::Result<void> check_balance(const std::vector<WhenToken>& tokens) {
    std::ptrdiff_t open = 0;
    for (const WhenToken& t : tokens)
      open += t.kind == kClause ? 1 : t.kind == kClauseClose ? -1 : 0;
    if (open == 0) return {};
    return diag::fail(diag::Code::kBadExpression, "Unbalanced parenthesis");
  }

 private:
  struct Read {
    std::string text;
    bool has_ended = false;  // something other than the end of the condition ended it
  };

  [[nodiscard]] bool can_read() const { return at_ < runes_.size(); }

  Read read_while(const std::function<bool(char32_t)>& belongs, bool with_space) {
    Read read;
    while (can_read()) {
      char32_t c = runes_[at_++];
      if (c == U'\\') {
        if (can_read()) append_rune(read.text, runes_[at_++]);
        continue;
      }
      if (is_space(c)) {
        if (!with_space && !read.text.empty()) {
          read.has_ended = true;
          break;
        }
        if (!with_space) continue;
      }
      if (!belongs(c)) {
        read.has_ended = true;
        --at_;
        break;
      }
      append_rune(read.text, c);
    }
    return read;
  }

  diag::Result<WhenToken> next(WhenKind before) {
    const char32_t c = runes_[at_];
    if (is_numeric(c)) return number();
    if (c == U',') {
      ++at_;
      return WhenToken{kSeparator, ",", 0};
    }
    if (c == U'[') {
      ++at_;
      Read read = read_while([](char32_t r) { return r != U']'; }, true);
      if (!read.has_ended)
        return diag::fail(diag::Code::kBadExpression, "Unclosed parameter bracket");
      ++at_;
      return WhenToken{kVariable, std::move(read.text), 0};
    }
    if (is_letter(c)) return word();
    if (is_quote(c)) return quoted();
    if (c == U'(' || c == U')') {
      ++at_;
      return c == U'(' ? WhenToken{kClause, "40", 0} : WhenToken{kClauseClose, "41", 0};
    }
    const std::string text = read_while(is_symbol, false).text;
    if (auto kind = symbol_kind(text, before)) return WhenToken{*kind, text, 0};
    return diag::fail(diag::Code::kBadExpression, fmt::format("Invalid token: '{}'", text));
  }

  diag::Result<WhenToken> number() {
    if (runes_[at_] == U'0' && at_ + 1 < runes_.size() && runes_[at_ + 1] == U'x' &&
        at_ + 2 <= runes_.size()) {
      at_ += 2;
      const std::string text = read_while(is_hex, false).text;
      std::uint64_t n = 0;
      auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n, 16);
      if (error == std::errc() && end == text.data() + text.size()) {
        return WhenToken{kNumber, "", static_cast<double>(n)};
      }
      return diag::fail(diag::Code::kBadExpression,
                        fmt::format("Unable to parse hex value '{}' to uint64\n", text));
    }
    const std::string text = read_while(is_numeric, false).text;
    double n = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error == std::errc() && end == text.data() + text.size()) return WhenToken{kNumber, "", n};
    return diag::fail(diag::Code::kBadExpression,
                      fmt::format("Unable to parse numeric value '{}' to float64\n", text));
  }

  diag::Result<WhenToken> word() {
    std::string text = read_while(is_name, false).text;
    if (text == "true" || text == "false")
      return WhenToken{kBool, text, text == "true" ? 1.0 : 0.0};
    WhenToken token{kVariable, text, 0};
    if (text == "in" || text == "IN") token = {kComparator, "in", 0};
    const std::size_t dot = text.find('.');
    if (dot == std::string::npos || dot == 0) return token;
    if (text.back() == '.') {
      return diag::fail(diag::Code::kBadExpression,
                        fmt::format("Hanging accessor on token '{}'", text));
    }
    for (std::size_t at = dot; at != std::string::npos; at = text.find('.', at + 1)) {
      const std::string field = text.substr(at + 1, text.find('.', at + 1) - at - 1);
      const char32_t first = field.empty() ? U'\0' : decode_rune(field).code;
      if (to_upper(first) != first) {
        return diag::fail(
            diag::Code::kBadExpression,
            fmt::format("Unable to access unexported field '{}' in token '{}'", field, text));
      }
    }
    return WhenToken{kAccessor, text, 0};
  }

  diag::Result<WhenToken> quoted() {
    ++at_;
    Read read = read_while([](char32_t r) { return !is_quote(r); }, true);  // either quote ends it
    if (!read.has_ended) return diag::fail(diag::Code::kBadExpression, "Unclosed string literal");
    ++at_;
    if (auto seconds = as_time(read.text)) return WhenToken{kTime, read.text, *seconds};
    return WhenToken{kString, std::move(read.text), 0};
  }

  std::u32string runes_;
  std::size_t at_ = 0;
};

std::string shown(const WhenToken& t) {
  if (t.kind == kNumber) return fmt::format("{}", t.number);
  return t.kind == kStart ? "<nil>" : t.text;
}

}  // namespace

diag::Result<std::vector<WhenToken>> when_tokens(std::string_view condition) {
  return Reader(condition).all();
}

diag::Result<void> check_when_tokens(const std::vector<WhenToken>& tokens) {
  TRY_VOID(Reader::check_balance(tokens));
  WhenToken before;
  for (const WhenToken& t : tokens) {
    if (!may_follow(before.kind, t.kind)) {
      if (before.kind == kVariable && t.kind == kClause) {
        return diag::fail(diag::Code::kBadExpression, "Undefined function " + before.text);
      }
      return diag::fail(
          diag::Code::kBadExpression,
          fmt::format("Cannot transition token types from {} [{}] to {} [{}]", name_of(before.kind),
                      shown(before), name_of(t.kind), shown(t)));
    }
    const bool is_match =
        before.kind == kComparator && (before.text == "=~" || before.text == "!~");
    if (is_match && t.kind == kString) {
      const re2::RE2 pattern(t.text, re2::RE2::Quiet);
      if (!pattern.ok()) {
        return diag::fail(diag::Code::kBadExpression, "error parsing regexp: " + pattern.error());
      }
    }
    before = t;
  }
  if (may_end(before.kind)) return {};
  return diag::fail(diag::Code::kBadExpression, "Unexpected end of expression");
}

}  // namespace tiphys::expr
