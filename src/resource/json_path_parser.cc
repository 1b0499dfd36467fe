#include <array>
#include <charconv>
#include <cstdlib>

#include <fmt/format.h>

#include "resource/json_path_tree.h"

namespace tiphys::resource {
namespace {

using value::Value;

std::unexpected<diag::Error> wrong(std::string message) {
  return diag::fail(diag::Code::kBadExpression, std::move(message));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_word(char c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool ends_word(char c) {
  return std::string_view(" \t\r\n.,[]$@{}").find(c) != std::string_view::npos;
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// The text between the quotes, its escapes resolved.
std::string unquoted(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      plain += text[i];
      continue;
    }
    const char c = text[++i];
    plain += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
  }
  return plain;
}

/// Reads what is inside one pair of braces.
class ExpressionReader {
 public:
  explicit ExpressionReader(std::string_view text) : text_(text) {}

  diag::Result<Path> read() {
    while (at_ < text_.size()) TRY_VOID(read_step());
    return std::move(path_);
  }

 private:
  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }

  void add(auto step) { path_.push_back({std::move(step)}); }

  diag::Result<void> read_step() {
    if (rest().starts_with("[?(")) return read_filter();
    if (rest().starts_with("..")) return read_descent();
    const char c = text_[at_];
    if (c == ' ' || c == '@' || c == '$') {
      ++at_;
      return {};
    }
    if (c == '[') return read_brackets();
    if (c == '"' || c == '\'') return read_quoted(c);
    if (c == '.') {
      ++at_;
      read_field();
      return {};
    }
    if (c == '+' || c == '-' || is_digit(c)) return read_number();
    if (is_word(c)) return read_word();
    if (c == '\n' || c == '\r') return wrong("unclosed action");
    return wrong(fmt::format("unrecognized character in action: U+{:04X} '{}'",
                             static_cast<unsigned>(static_cast<unsigned char>(c)), c));
  }

  void read_field() {
    std::string name;
    while (at_ < text_.size() && !ends_word(text_[at_])) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      name += text_[at_++];
    }
    if (name == "*") return add(WildcardStep{});
    add(FieldStep{std::move(name)});
  }

  diag::Result<void> read_descent() {
    if (!path_.empty() && std::holds_alternative<DescentStep>(path_.back().what)) {
      return wrong("invalid multiple recursive descent");
    }
    at_ += 2;
    add(DescentStep{});
    if (at_ < text_.size() && is_word(text_[at_])) read_field();
    return {};
  }

  diag::Result<void> read_number() {
    const std::size_t begin = at_++;
    while (at_ < text_.size() && (text_[at_] == '.' || is_digit(text_[at_]))) ++at_;
    const std::string number(text_.substr(begin, at_ - begin));
    if (const auto n = whole_number(number)) {
      add(ConstantStep{Value(*n)});
      return {};
    }
    char* end = nullptr;
    const double d = std::strtod(number.c_str(), &end);
    if (*end != '\0') return wrong("cannot parse number " + number);
    add(ConstantStep{Value(d)});
    return {};
  }

  diag::Result<void> read_word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && !ends_word(text_[at_])) ++at_;
    const std::string_view word = text_.substr(begin, at_ - begin);
    if (word != "true" && word != "false") {
      return wrong(fmt::format("unrecognized identifier {}", word));
    }
    add(ConstantStep{Value(word == "true")});
    return {};
  }

  diag::Result<void> read_quoted(char quote) {
    const std::size_t begin = ++at_;
    while (at_ < text_.size() && text_[at_] != quote) at_ += text_[at_] == '\\' ? 2U : 1U;
    if (at_ >= text_.size()) return wrong("unterminated quoted string");
    add(ConstantStep{Value(unquoted(text_.substr(begin, at_ - begin)))});
    ++at_;
    return {};
  }

  diag::Result<void> read_brackets() {
    const std::size_t end = rest().find(']');
    if (end == std::string_view::npos) return wrong("unterminated array");
    const std::string_view inside = rest().substr(1, end - 1);
    at_ += end + 1;
    if (inside.find(',') == std::string_view::npos) return read_subscript(inside);
    UnionStep all;
    std::size_t begin = 0;
    while (begin <= inside.size()) {
      const std::size_t comma = std::min(inside.find(',', begin), inside.size());
      const std::string one = fmt::format("[{}]", trimmed(inside.substr(begin, comma - begin)));
      TRY(Path path, ExpressionReader(one).read());
      all.paths.push_back(std::move(path));
      begin = comma + 1;
    }
    add(std::move(all));
    return {};
  }

  diag::Result<void> read_subscript(std::string_view inside) {
    const bool is_quoted = inside.size() >= 3 && inside.front() == '\'' && inside.back() == '\'';
    if (is_quoted) {
      add(FieldStep{unquoted(inside.substr(1, inside.size() - 2))});
      return {};
    }
    if (inside == "*") inside = ":";
    SliceStep slice;
    const std::array<std::optional<std::int64_t>*, 3> bounds = {&slice.from, &slice.to, &slice.by};
    std::size_t which = 0;
    std::size_t begin = 0;
    while (begin <= inside.size()) {
      const std::size_t colon = std::min(inside.find(':', begin), inside.size());
      const std::string_view bound = inside.substr(begin, colon - begin);
      if (which == bounds.size()) return wrong(fmt::format("invalid array index {}", inside));
      if (!bound.empty()) {
        *bounds[which] = whole_number(bound);
        if (!*bounds[which]) return wrong(fmt::format("invalid array index {}", inside));
      }
      ++which;
      begin = colon + 1;
    }
    slice.is_index = which == 1;
    if (slice.is_index && !slice.from) return wrong(fmt::format("invalid array index {}", inside));
    add(slice);
    return {};
  }

  // The end of a filter is the first `)` that stands outside of quotes.
  [[nodiscard]] std::size_t end_of_filter(std::size_t begin) const {
    char quote = '\0';
    for (std::size_t i = begin; i < text_.size(); ++i) {
      const char c = text_[i];
      if (quote != '\0') {
        if (c == quote && text_[i - 1] != '\\') quote = '\0';
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == ')') {
        return i;
      }
    }
    return std::string_view::npos;
  }

  diag::Result<void> read_filter() {
    const std::size_t begin = at_ + 3;
    const std::size_t end = end_of_filter(begin);
    if (end == std::string_view::npos) return wrong("unterminated filter");
    if (text_.substr(end + 1, 1) != "]") return wrong("unclosed array expect ]");
    const std::string_view inside = text_.substr(begin, end - begin);
    at_ = end + 2;
    FilterStep filter;
    const std::size_t sign = inside.find_first_of("!<>=");
    const std::size_t after =
        sign == std::string_view::npos ? sign : inside.find_first_not_of("!<>=", sign);
    if (sign == 0 || after == std::string_view::npos) {
      TRY(filter.left, ExpressionReader(inside).read());
    } else {
      filter.comparison = inside.substr(sign, after - sign);
      TRY(filter.left, ExpressionReader(inside.substr(0, sign)).read());
      TRY(filter.right, ExpressionReader(inside.substr(after)).read());
    }
    add(std::move(filter));
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Path path_;
};

/// Reads a template: text, and expressions in braces.
class TemplateReader {
 public:
  explicit TemplateReader(std::string_view text) : text_(text) {}

  diag::Result<Parts> read() {
    while (at_ < text_.size()) TRY_VOID(read_part());
    return std::move(open_.front()->repeated);
  }

 private:
  void add(Path path) {
    auto part = std::make_unique<JsonPath::Part>();
    part->path = std::move(path);
    open_.back()->repeated.push_back(std::move(part));
  }

  // The brace that ends an expression is not one inside of quotes.
  [[nodiscard]] std::size_t end_of_expression() const {
    char quote = '\0';
    for (std::size_t i = at_; i < text_.size(); ++i) {
      const char c = text_[i];
      if (quote != '\0') {
        if (c == '\\') {
          ++i;
        } else if (c == quote) {
          quote = '\0';
        }
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == '}') {
        return i;
      }
    }
    return std::string_view::npos;
  }

  diag::Result<void> read_part() {
    const std::size_t brace = std::min(text_.find('{', at_), text_.size());
    if (brace > at_) {
      Path text;
      text.push_back({ConstantStep{Value(text_.substr(at_, brace - at_))}});
      add(std::move(text));
      at_ = brace;
      return {};
    }
    ++at_;
    const std::size_t end = end_of_expression();
    if (end == std::string_view::npos) return wrong("unclosed action");
    const std::string_view inside = trimmed(text_.substr(at_, end - at_));
    at_ = end + 1;
    if (inside == "end") return end_range();
    const bool is_range = inside == "range" || inside.starts_with("range ");
    TRY(Path path, ExpressionReader(is_range ? inside.substr(5) : inside).read());
    add(std::move(path));
    if (!is_range) return {};
    JsonPath::Part* const range = open_.back()->repeated.back().get();
    range->is_range = true;
    open_.push_back(range);
    return {};
  }

  diag::Result<void> end_range() {
    if (open_.size() == 1) return wrong("not in range, nothing to end");
    open_.pop_back();
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  JsonPath::Part top_;
  std::vector<JsonPath::Part*> open_ = {&top_};
};

}  // namespace

diag::Result<Parts> parse_json_path(std::string_view text) { return TemplateReader(text).read(); }

}  // namespace tiphys::resource
