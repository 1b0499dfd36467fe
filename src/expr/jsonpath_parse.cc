// Reads JSON paths.
#include <algorithm>

#include <fmt/core.h>

#include "expr/builtin_table.h"
#include "expr/jsonpath_token.h"
#include "expr/number_text.h"
#include "expr/unicode.h"

namespace tiphys::expr::path {
namespace {

std::unexpected<diag::Error> bad_token(std::string_view text) {
  return bad_expression(fmt::format("invalid token. '{}' does not match any token format", text));
}

std::string_view without_dot(std::string_view part) {
  if (part.starts_with('.')) part.remove_prefix(1);
  return part;
}

// Finds where the parts of a path end. Brackets and dots within quotes or () do not count.
class Cutter {
 public:
  void add(char c) {
    if (part_.empty()) quotes_ = depth_ = 0;
    quotes_ += c == '\'' ? 1 : 0;
    depth_ += c == '(' ? 1 : c == ')' ? -1 : 0;
    squares_ += c == '[' ? 1 : c == ']' ? -1 : 0;
    part_ += c;
    if (part_ == ".") return;
    if (part_ == "..") return finish(part_, "");
    if (c == '[') return open();
    if (quotes_ % 2 == 1 || depth_ != 0) return;
    if (part_.find('[') != std::string::npos) {
      if (c == ']' && squares_ == 0) finish(without_dot(part_), "");
    } else if (c == '.') {
      finish(before_last(), ".");
    }
  }

  std::vector<std::string> parts(std::string_view first) {
    if (!part_.empty()) finish(without_dot(part_), "");
    parts_.insert(parts_.begin(), std::string(first));
    return std::move(parts_);
  }

 private:
  [[nodiscard]] std::string_view before_last() const {
    return without_dot(std::string_view(part_).substr(0, part_.size() - 1));
  }

  void open() {
    if (part_ == "[" || part_ == ".[") return;
    if (std::ranges::count(part_, '[') == 1) finish(before_last(), "[");
  }

  void finish(std::string_view part, std::string_view next) {
    parts_.emplace_back(part);
    part_ = next;
  }

  std::vector<std::string> parts_;
  std::string part_;
  int quotes_ = 0;
  int depth_ = 0;
  int squares_ = 0;
};

bool is_script(std::string_view text) {
  return text.size() > 2 && text.starts_with('(') && text.ends_with(')');
}

bool is_key(std::string_view text) {
  return text.size() > 1 && ((text.starts_with('\'') && text.ends_with('\'')) ||
                             (text.starts_with('"') && text.ends_with('"')));
}

std::string_view inner(std::string_view text) { return text.substr(1, text.size() - 2); }

// The items within brackets, with their separators `:` and `,` as items of their own.
class Subscript {
 public:
  explicit Subscript(std::string_view text) : text_(text) {}

  diag::Result<std::vector<Argument>> items() {
    for (std::size_t i = 0; i < text_.size(); ++i) {
      buffer_ += text_[i];
      TRY_VOID(take(text_[i], i == 0));
    }
    if (!buffer_.empty()) add_plain(buffer_);
    return std::move(items_);
  }

 private:
  diag::Result<void> take(char c, bool is_first) {
    const bool quoted = quote_ != '\0';
    if (c == ' ' && !quoted && depth_ == 0) buffer_ = trim_space(buffer_);
    if (c == '(' && !quoted) ++depth_;
    if (c == ')') {
      if (--depth_ == 0) {
        if (!is_script(buffer_)) {
          return bad_expression(fmt::format("invalid expression. invalid format '{}'", buffer_));
        }
        add_text();
      }
      return {};
    }
    if (c == '\'' || c == '"') return take_quote(c);
    if ((c == ':' || c == ',') && !quoted && depth_ == 0) return separate(c, is_first);
    return {};
  }

  diag::Result<void> take_quote(char c) {
    if ((quote_ != '\0' && quote_ != c) || depth_ != 0) return {};
    if (buffer_.size() > 1 && buffer_[buffer_.size() - 2] == '\\') {
      buffer_.erase(buffer_.size() - 2, 1);
      return {};
    }
    if (quote_ == '\0') {
      if (buffer_.size() != 1) return bad_token(text_);
      quote_ = c;
      return {};
    }
    quote_ = '\0';
    if (!is_key(buffer_)) return bad_token(text_);
    add_text();
    return {};
  }

  diag::Result<void> separate(char c, bool is_first) {
    buffer_.pop_back();
    if (!buffer_.empty()) {
      if (c == ':' && !parse_decimal(buffer_)) return bad_token(text_);
      add_plain(buffer_);
    } else if (c == ':' && is_first) {
      items_.emplace_back();
    }
    items_.emplace_back(std::string(1, c));
    buffer_.clear();
    return {};
  }

  void add_plain(const std::string& text) {
    if (const auto number = parse_decimal(text)) {
      items_.emplace_back(*number);
    } else {
      items_.emplace_back(text);
    }
  }

  void add_text() {
    items_.emplace_back(buffer_);
    buffer_.clear();
  }

  std::string_view text_;
  std::vector<Argument> items_;
  std::string buffer_;
  char quote_ = '\0';
  int depth_ = 0;
};

diag::Result<Token> single(const Argument& item, std::string_view text, Budget& budget) {
  if (const auto* index = std::get_if<std::int64_t>(&item)) {
    return Token{.kind = TokenKind::kIndex, .index = *index};
  }
  const auto* word = std::get_if<std::string>(&item);
  if (word != nullptr && is_key(*word)) {
    return Token{.kind = TokenKind::kKey, .key = std::string(inner(*word))};
  }
  if (word == nullptr || !is_script(*word)) return bad_token(text);
  TRY(auto script, parse_script(inner(*word), budget));
  return Token{.kind = TokenKind::kScript, .script = std::move(script)};
}

// Turns texts into keys and scripts. A range has no keys, a union nothing left out.
diag::Result<void> resolve(std::vector<Argument>& items, bool is_union, std::string_view text,
                           Budget& budget) {
  for (Argument& item : items) {
    if (is_union && std::holds_alternative<std::monostate>(item)) return bad_token(text);
    const auto* word = std::get_if<std::string>(&item);
    if (word == nullptr) continue;
    if (is_script(*word)) {
      TRY(auto script, parse_script(inner(*word), budget));
      item = std::move(script);
    } else if (is_union && is_key(*word)) {
      item = std::string(inner(*word));
    } else {
      return bad_token(text);
    }
  }
  return {};
}

diag::Result<Token> several(const std::vector<Argument>& items, std::string_view text,
                            Budget& budget) {
  std::vector<Argument> kept;
  std::size_t colons = 0;
  std::size_t commas = 0;
  bool after_colon = false;
  for (const Argument& item : items) {
    const auto* word = std::get_if<std::string>(&item);
    const bool colon = word != nullptr && *word == ":";
    const bool comma = word != nullptr && *word == ",";
    colons += colon ? 1 : 0;
    commas += comma ? 1 : 0;
    if (colon && after_colon) kept.emplace_back();
    if (!colon && !comma) kept.push_back(item);
    after_colon = colon;
  }
  if ((colons > 0) == (commas > 0)) return bad_token(text);
  if (commas > 0) {
    if (commas >= kept.size()) return bad_token(text);
    TRY_VOID(resolve(kept, true, text, budget));
    return Token{.kind = TokenKind::kUnion, .arguments = std::move(kept)};
  }
  if (colons > 2 || kept.empty()) return bad_token(text);
  kept.resize(3);
  TRY_VOID(resolve(kept, false, text, budget));
  return Token{.kind = TokenKind::kRange, .arguments = std::move(kept)};
}

}  // namespace

diag::Result<void> Budget::take(std::size_t bytes) {
  constexpr std::int64_t kCall = 200;
  work -= static_cast<std::int64_t>(bytes) + kCall;
  if (work < 0 || depth < 0) return bad_expression("the JSON path is too complex");
  return {};
}

diag::Result<Token> parse_token(std::string_view text, Budget& budget) {
  text = trim_space(text);
  if (text.empty()) return bad_expression("invalid token. token string is empty");
  if (text == "$") return Token{.kind = TokenKind::kRoot};
  if (text == "@") return Token{.kind = TokenKind::kCurrent};
  if (text == "*") return Token{.kind = TokenKind::kWildcard};
  if (text == "..") return Token{.kind = TokenKind::kRecursive};
  if (text == "length") return Token{.kind = TokenKind::kLength};
  if (!text.starts_with('[')) return Token{.kind = TokenKind::kKey, .key = std::string(text)};
  if (text.size() < 2 || !text.ends_with(']')) return bad_token(text);
  const std::string_view subscript = trim_space(inner(text));
  if (subscript.empty()) return bad_token(text);
  if (subscript == "*") return Token{.kind = TokenKind::kWildcard};
  if (subscript.starts_with('?')) {
    if (!subscript.starts_with("?(") || !subscript.ends_with(')')) return bad_token(text);
    const std::string_view condition = trim_space(subscript.substr(2, subscript.size() - 3));
    TRY(auto script, parse_script(condition, budget));
    return Token{.kind = TokenKind::kFilter, .script = std::move(script)};
  }
  TRY(const auto items, Subscript(subscript).items());
  if (items.size() == 1) return single(items[0], text, budget);
  return several(items, text, budget);
}

diag::Result<std::vector<Token>> parse_path(std::string_view path, Budget& budget) {
  TRY_VOID(budget.take(path.size()));
  const auto unexpected = [](std::string_view text, std::size_t at) {
    return bad_expression(fmt::format("unexpected token '{}' at index {}", text, at));
  };
  if (path.empty()) return unexpected("", 0);
  if (path[0] != '$' && path[0] != '@') return unexpected(path.substr(0, 1), 0);
  if (path.size() > 1 && path[1] != '.' && path[1] != '[') return unexpected(path.substr(1, 1), 1);
  Cutter cutter;
  for (const char c : path.substr(1)) cutter.add(c);
  constexpr std::size_t kMostParts = 500;
  const auto parts = cutter.parts(path.substr(0, 1));
  if (parts.size() > kMostParts) return bad_expression("the JSON path is too complex");
  std::vector<Token> out;
  for (const std::string& part : parts) {
    TRY(Token token, parse_token(part, budget));
    out.push_back(std::move(token));
  }
  return out;
}

}  // namespace tiphys::expr::path
