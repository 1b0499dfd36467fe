#include "expr/lexer.h"

#include <array>

#include <fmt/core.h>

#include "expr/unicode.h"

namespace tiphys::expr {
namespace {

constexpr std::array<std::string_view, 10> kWordOperators = {
    "in", "or", "and", "matches", "contains", "startsWith", "endsWith", "let", "if", "else"};
constexpr std::array<std::string_view, 5> kAfterNot = {"in", "matches", "contains", "startsWith",
                                                       "endsWith"};

bool is_alphabetic(char32_t c) { return c == '_' || c == '$' || is_letter(c); }
bool is_alphanumeric(char32_t c) { return is_alphabetic(c) || is_decimal_digit(c); }

constexpr char32_t kEof = 0xFFFFFFFF;

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}
  Tokens run();

 private:
  struct Place {
    std::size_t byte = 0;
    int rune = 0;
  };

  [[nodiscard]] char32_t peek() const {
    return end_.byte < source_.size() ? decode_rune(source_.substr(end_.byte)).code : kEof;
  }
  char32_t next() {
    if (end_.byte >= source_.size()) {
      at_eof_ = true;
      return kEof;
    }
    const Rune rune = decode_rune(source_.substr(end_.byte));
    end_.byte += rune.length;
    ++end_.rune;
    return rune.code;
  }
  bool accept(std::string_view characters) {
    const char32_t c = peek();
    if (c >= 0x80 || characters.find(static_cast<char>(c)) == std::string_view::npos) return false;
    next();
    return true;
  }
  void accept_run(std::string_view characters) {
    while (accept(characters)) {
    }
  }
  void accept_word() {
    while (peek() != kEof && is_alphanumeric(peek())) next();
  }
  [[nodiscard]] std::string_view word() const {
    return source_.substr(start_.byte, end_.byte - start_.byte);
  }
  void emit(TokenKind kind, std::string text) {
    tokens_.list.push_back({.kind = kind, .text = std::move(text), .from = start_.rune});
    start_ = end_;
  }
  void emit(TokenKind kind) { emit(kind, std::string(word())); }
  void fail(std::string message) {
    if (!tokens_.error.empty()) return;
    tokens_.error = std::move(message);
    tokens_.error_at = end_.rune + (at_eof_ ? 1 : 0) - 1;
  }

  void lex_one();
  void lex_symbol(char32_t c);
  void lex_number();
  void lex_word();
  void lex_comment();
  void lex_string(char32_t quote, bool bytes);
  void lex_raw_string();
  [[nodiscard]] bool scan_escape(char32_t quote);
  void scan_hex(int most);

  std::string_view source_;
  Place start_;
  Place end_;
  bool at_eof_ = false;
  Tokens tokens_;
};

Tokens Lexer::run() {
  while (tokens_.error.empty() && end_.byte < source_.size()) lex_one();
  if (tokens_.error.empty()) {
    tokens_.list.push_back(
        {.kind = TokenKind::kEnd, .text = "", .from = std::max(end_.rune - 1, 0)});
  }
  return std::move(tokens_);
}

void Lexer::lex_one() {
  const Place before = end_;
  const char32_t c = next();
  if (is_space(c)) {
    start_ = end_;
  } else if (c == '\'' || c == '"') {
    lex_string(c, false);
  } else if (c == '`') {
    lex_raw_string();
  } else if ((c == 'b' || c == 'B') && (peek() == '\'' || peek() == '"')) {
    lex_string(next(), true);
  } else if (c >= '0' && c <= '9') {
    end_ = before;
    lex_number();
  } else if (is_alphanumeric(c)) {
    lex_word();
  } else {
    lex_symbol(c);
  }
}

void Lexer::lex_symbol(char32_t c) {
  const auto one_of = [&](std::string_view set) {
    return c < 0x80 && set.find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (c == '/' && (peek() == '/' || peek() == '*')) return lex_comment();
  if (c == '#') {
    accept("#");
    emit(TokenKind::kOperator);
    accept_word();
    if (!word().empty()) emit(TokenKind::kIdentifier);
    return;
  }
  if (c == '.') {
    if (peek() >= '0' && peek() <= '9') return lex_number();
    accept(".");
  } else if (c == '?') {
    accept(".?");
  } else if (c == '|') {
    accept("|");
  } else if (c == ':') {
    accept(":");
  } else if (one_of("([{)]}")) {
    return emit(TokenKind::kBracket);
  } else if (one_of("&!=*<>")) {
    accept("&=*");
  } else if (!one_of(",;%+-^/")) {
    std::string shown;
    append_rune(shown, c);
    return fail(
        fmt::format("unrecognized character: U+{:04X} '{}'", static_cast<std::uint32_t>(c), shown));
  }
  emit(TokenKind::kOperator);
}

void Lexer::lex_number() {
  std::string_view digits = "0123456789_";
  if (accept("0")) {
    if (accept("xX")) {
      digits = "0123456789abcdefABCDEF_";
    } else if (accept("oO")) {
      digits = "01234567_";
    } else if (accept("bB")) {
      digits = "01_";
    }
  }
  accept_run(digits);
  const Place end = end_;
  if (accept(".")) {
    if (peek() == '.') {  // a range such as 1..2
      end_ = end;
      return emit(TokenKind::kNumber);
    }
    accept_run(digits);
  }
  if (accept("eE")) {
    accept("+-");
    accept_run(digits);
  }
  if (peek() != kEof && is_alphanumeric(peek())) {
    next();
    return fail(fmt::format("bad number syntax: \"{}\"", word()));
  }
  emit(TokenKind::kNumber);
}

void Lexer::lex_word() {
  accept_word();
  if (word() == "not") {
    emit(TokenKind::kOperator);
    accept_run(" ");
    start_ = end_;
    const Place end = end_;
    accept_word();
    for (const auto suffix : kAfterNot) {
      if (word() == suffix) return emit(TokenKind::kOperator);
    }
    end_ = end;
    return;
  }
  for (const auto name : kWordOperators) {
    if (word() == name) return emit(TokenKind::kOperator);
  }
  emit(TokenKind::kIdentifier);
}

void Lexer::lex_comment() {
  if (next() == '/') {
    for (char32_t c = next(); c != kEof && c != '\n';) c = next();
    at_eof_ = false;
  } else {
    while (true) {
      const char32_t c = next();
      if (c == kEof) return fail("unclosed comment");
      if (c == '*' && accept("/")) break;
    }
  }
  start_ = end_;
}

void Lexer::scan_hex(int most) {
  int digits = 0;
  while (digits < most && accept("0123456789abcdefABCDEF")) ++digits;
  if (digits < most) fail("invalid char escape");
}

bool Lexer::scan_escape(char32_t quote) {
  const char32_t c = next();
  if (c == quote || (c < 0x80 && std::string_view("abfnrtv\\").find(static_cast<char>(c)) !=
                                     std::string_view::npos)) {
    return true;
  }
  if (c >= '0' && c <= '7') {
    int digits = 1;
    while (digits < 3 && accept("01234567")) ++digits;
    if (digits < 3) fail("invalid char escape");
  } else if (c == 'x') {
    scan_hex(2);
  } else if (c == 'u' && accept("{")) {
    int digits = 0;
    while (digits < 6 && accept("0123456789abcdefABCDEF")) ++digits;
    if (digits == 0 || !accept("}")) fail("invalid char escape");
  } else if (c == 'u') {
    scan_hex(4);
  } else if (c == 'U') {
    scan_hex(8);
  } else {
    fail("invalid char escape");
  }
  return tokens_.error.empty();
}

void Lexer::lex_string(char32_t quote, bool bytes) {
  for (char32_t c = next(); c != quote; c = next()) {
    if (c == '\n' || c == kEof) return fail("literal not terminated");
    if (c == '\\' && !scan_escape(quote)) return;
  }
  auto text = bytes ? unescape_bytes(word().substr(1)) : unescape(word());
  if (!text) return fail(text.error().message);
  emit(bytes ? TokenKind::kBytes : TokenKind::kString, std::move(*text));
}

void Lexer::lex_raw_string() {
  std::string text;
  while (true) {
    const std::size_t at = end_.byte;
    const char32_t c = next();
    if (c == kEof) return fail("literal not terminated");
    if (c == '`') {
      if (peek() != '`') break;
      next();  // a doubled back-quote stands for one
      text += '`';
      continue;
    }
    text += source_.substr(at, end_.byte - at);
  }
  emit(TokenKind::kString, std::move(text));
}

std::string_view kind_name(TokenKind kind) {
  constexpr std::array<std::string_view, 7> kNames = {"Identifier", "Number",  "String", "Bytes",
                                                      "Operator",   "Bracket", "EOF"};
  return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace

Tokens tokenize(std::string_view source) { return Lexer(source).run(); }

bool is_identifier(std::string_view text) {
  bool first = true;
  while (!text.empty()) {
    const Rune rune = decode_rune(text);
    if (first ? !is_alphabetic(rune.code) : !is_alphanumeric(rune.code)) return false;
    first = false;
    text.remove_prefix(rune.length);
  }
  return !first;
}

std::string token_text(const Token& token) {
  if (token.text.empty()) return std::string(kind_name(token.kind));
  return fmt::format("{}(\"{}\")", kind_name(token.kind), token.text);
}

diag::Error error_at(std::string_view source, int at, std::string_view message) {
  int line = 1;
  int column = 0;
  std::size_t line_start = 0;
  std::size_t i = 0;
  for (int count = 0; i < source.size() && count < at; ++count) {
    const Rune rune = decode_rune(source.substr(i));
    i += rune.length;
    ++column;
    if (rune.code == '\n') {
      line_start = i;
      ++line;
      column = 0;
    }
  }
  const std::size_t line_end = std::min(source.find('\n', line_start), source.size());
  std::string text(source.substr(line_start, line_end - line_start));
  std::string out(message);
  if (!text.empty()) {
    for (char& c : text) c = c == '\t' ? ' ' : c;
    out += fmt::format(" ({}:{})\n | {}\n | {}^", line, column + 1, text,
                       std::string(static_cast<std::size_t>(column), '.'));
  }
  return {.code = diag::Code::kBadExpression, .message = std::move(out)};
}

}  // namespace tiphys::expr
