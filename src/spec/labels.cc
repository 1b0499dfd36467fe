#include "spec/labels.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "spec/names.h"

namespace tiphys::spec {

namespace {

using diag::Code;
using diag::Result;
using Operator = Requirement::Operator;

enum class TokenKind { kWord, kSymbol, kEnd };
struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view text;

  [[nodiscard]] bool is(std::string_view symbol) const {
    return kind == TokenKind::kSymbol && text == symbol;
  }
};

constexpr std::string_view kSpaces = " \t\r\n";
constexpr std::string_view kSpecial = "=!(),><";

std::unexpected<diag::Error> fail(std::string message) {
  return diag::fail(Code::kInvalidManifest, std::move(message));
}

/// Takes tokens off the front of the selector.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : rest_(text) {}

  Token next() {
    const Token token = peek();
    if (token.kind != TokenKind::kEnd) {
      rest_.remove_prefix(static_cast<std::size_t>(token.text.data() - rest_.data()) +
                          token.text.size());
    }
    return token;
  }

  [[nodiscard]] Token peek() const {
    const auto begin = rest_.find_first_not_of(kSpaces);
    if (begin == std::string_view::npos) return {};
    const std::string_view text = rest_.substr(begin);
    if (kSpecial.find(text[0]) == std::string_view::npos) {
      const auto end = std::min(text.find_first_of(" \t\r\n=!(),><"), text.size());
      return {TokenKind::kWord, text.substr(0, end)};
    }
    const bool two = text.starts_with("==") || text.starts_with("!=");
    return {TokenKind::kSymbol, text.substr(0, two ? 2 : 1)};
  }

 private:
  std::string_view rest_;
};

std::string quoted(std::string_view text) { return fmt::format("\"{}\"", text); }

/// Go's strconv.ParseInt(text, 10, 64).
std::optional<std::int64_t> integer(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  std::int64_t v = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return v;
}

Result<Requirement> make(std::string_view key, Operator op, std::vector<std::string> values) {
  const auto invalid = [](std::string_view field, std::string_view v, std::string_view why) {
    return fail(fmt::format("{}: Invalid value: {}: {}", field, v, why));
  };
  if (const auto errors = check_qualified_name(key); !errors.empty()) {
    return invalid("key", quoted(key), fmt::format("{}", fmt::join(errors, "; ")));
  }
  const bool is_set = op == Operator::kIn || op == Operator::kNotIn;
  if (is_set && values.empty()) {
    return invalid("values", "null", "for 'in', 'notin' operators, values set can't be empty");
  }
  const bool has_none = op == Operator::kExists || op == Operator::kDoesNotExist;
  if (has_none && !values.empty()) {
    return invalid("values", fmt::format("[{}]", fmt::join(values, ",")),
                   "values set must be empty for exists and does not exist");
  }
  if (!is_set && !has_none && values.size() != 1) {
    return invalid("values", fmt::format("[{}]", fmt::join(values, ",")),
                   "exact-match compatibility requires one single value");
  }
  const bool is_order = op == Operator::kGreaterThan || op == Operator::kLessThan;
  if (is_order && !integer(values[0])) {
    return invalid("values[0]", quoted(values[0]),
                   "for 'Gt', 'Lt' operators, the value must be an integer");
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto errors = check_label_value(values[i]);
    if (errors.empty()) continue;
    return invalid(fmt::format("values[{}][{}]", i, key), quoted(values[i]),
                   fmt::format("{}", fmt::join(errors, "; ")));
  }
  std::ranges::sort(values);
  const auto same = std::ranges::unique(values);
  values.erase(same.begin(), same.end());
  return Requirement{std::string(key), op, std::move(values)};
}

/// `(b,c)`: an element may be empty.
Result<std::vector<std::string>> parse_set(Lexer& lexer) {
  const Token open = lexer.next();
  if (!open.is("(")) return fail(fmt::format("found '{}' expected: '('", open.text));
  std::vector<std::string> values;
  if (lexer.peek().is(")")) {
    lexer.next();
    return std::vector<std::string>{""};
  }
  while (true) {
    std::string v;
    if (lexer.peek().kind == TokenKind::kWord) {
      v = lexer.next().text;
    } else if (!lexer.peek().is(",") && !lexer.peek().is(")")) {
      return fail(fmt::format("found '{}', expected: ',', ')' or identifier", lexer.peek().text));
    }
    values.push_back(std::move(v));
    const Token token = lexer.next();
    if (token.is(")")) return values;
    if (!token.is(",")) {
      return fail(fmt::format("found '{}', expected: ',' or ')'", token.text));
    }
  }
}

std::optional<Operator> operator_of(const Token& token) {
  using Row = std::pair<std::string_view, Operator>;
  constexpr std::array<Row, 5> kSymbols = {{{"=", Operator::kEquals},
                                            {"==", Operator::kDoubleEquals},
                                            {"!=", Operator::kNotEquals},
                                            {">", Operator::kGreaterThan},
                                            {"<", Operator::kLessThan}}};
  if (token.kind == TokenKind::kWord && token.text == "in") return Operator::kIn;
  if (token.kind == TokenKind::kWord && token.text == "notin") return Operator::kNotIn;
  for (const auto& [text, op] : kSymbols) {
    if (token.is(text)) return op;
  }
  return std::nullopt;
}

Result<Requirement> parse_requirement(Lexer& lexer) {
  const bool negated = lexer.peek().is("!");
  if (negated) lexer.next();
  const Token key = lexer.next();
  if (key.kind != TokenKind::kWord) {
    return fail(fmt::format("found '{}', expected: identifier", key.text));
  }
  if (const auto errors = check_qualified_name(key.text); !errors.empty()) {
    return fail(
        fmt::format("<nil>: Invalid value: {}: {}", quoted(key.text), fmt::join(errors, "; ")));
  }
  const Token end = lexer.peek();
  if (negated) return make(key.text, Operator::kDoesNotExist, {});
  if (end.kind == TokenKind::kEnd || end.is(",")) return make(key.text, Operator::kExists, {});
  const Token token = lexer.next();
  const auto op = operator_of(token);
  if (!op) {
    return fail(fmt::format("found '{}', expected: in, notin, =, ==, !=, gt, lt", token.text));
  }
  if (*op == Operator::kIn || *op == Operator::kNotIn) {
    TRY(auto values, parse_set(lexer));
    return make(key.text, *op, std::move(values));
  }
  std::string v;
  if (lexer.peek().kind == TokenKind::kWord) {
    v = lexer.next().text;
  } else if (lexer.peek().kind == TokenKind::kSymbol && !lexer.peek().is(",")) {
    return fail(fmt::format("found '{}', expected: identifier", lexer.peek().text));
  }
  return make(key.text, *op, {std::move(v)});
}

Result<Requirement> expression_of(const value::Value& object) {
  using Row = std::pair<std::string_view, Operator>;
  constexpr std::array<Row, 4> kNames = {{{"In", Operator::kIn},
                                          {"NotIn", Operator::kNotIn},
                                          {"Exists", Operator::kExists},
                                          {"DoesNotExist", Operator::kDoesNotExist}}};
  const std::string_view name = object["operator"].string_or("");
  for (const auto& [text, op] : kNames) {
    if (text != name) continue;
    std::vector<std::string> values;
    for (const value::Value& v : object["values"].list()) values.emplace_back(v.string_or(""));
    return make(object["key"].string_or(""), op, std::move(values));
  }
  return fail(fmt::format("{} is not a valid label selector operator", quoted(name)));
}

void sort_by_key(std::vector<Requirement>& requirements) {
  std::ranges::stable_sort(requirements, {}, &Requirement::key);
}

}  // namespace

bool Requirement::matches(const Labels& labels) const {
  const auto label = labels.find(key);
  const bool exists = label != labels.end();
  const auto is_listed = [&] { return std::ranges::binary_search(values, label->second); };
  switch (op) {
    case Operator::kIn:
    case Operator::kEquals:
    case Operator::kDoubleEquals:
      return exists && is_listed();
    case Operator::kNotIn:
    case Operator::kNotEquals:
      return !exists || !is_listed();
    case Operator::kExists:
      return exists;
    case Operator::kDoesNotExist:
      return !exists;
    case Operator::kGreaterThan:
    case Operator::kLessThan:
      break;
  }
  const auto have = exists ? integer(label->second) : std::nullopt;
  const auto bound = integer(values[0]);
  if (!have || !bound) return false;
  return op == Operator::kGreaterThan ? *have > *bound : *have < *bound;
}

std::string Requirement::to_string() const {
  const auto set = [&](std::string_view word) {
    return fmt::format("{} {} ({})", key, word, fmt::join(values, ","));
  };
  switch (op) {
    case Operator::kIn:
      return set("in");
    case Operator::kNotIn:
      return set("notin");
    case Operator::kEquals:
      return key + "=" + values[0];
    case Operator::kDoubleEquals:
      return key + "==" + values[0];
    case Operator::kNotEquals:
      return key + "!=" + values[0];
    case Operator::kExists:
      return key;
    case Operator::kDoesNotExist:
      return "!" + key;
    case Operator::kGreaterThan:
      return key + ">" + values[0];
    case Operator::kLessThan:
      return key + "<" + values[0];
  }
  return key;
}

Result<Selector> Selector::parse(std::string_view text) {
  Lexer lexer(text);
  Selector selector;
  if (lexer.peek().kind == TokenKind::kEnd) return selector;
  while (true) {
    const Token token = lexer.peek();
    if (token.kind != TokenKind::kWord && !token.is("!")) {
      return fail(
          fmt::format("found '{}', expected: !, identifier, or 'end of string'", token.text));
    }
    auto requirement = parse_requirement(lexer);
    if (!requirement) {
      return fail("unable to parse requirement: " + requirement.error().message);
    }
    selector.requirements_.push_back(std::move(*requirement));
    const Token separator = lexer.next();
    if (separator.kind == TokenKind::kEnd) break;
    if (!separator.is(",")) {
      return fail(fmt::format("found '{}', expected: ',' or 'end of string'", separator.text));
    }
    const Token following = lexer.peek();
    if (following.kind != TokenKind::kWord && !following.is("!")) {
      return fail(fmt::format("found '{}', expected: identifier after ','", following.text));
    }
  }
  sort_by_key(selector.requirements_);
  return selector;
}

Result<Selector> Selector::from_object(const value::Value& object) {
  Selector selector;
  for (const auto& [key, v] : object["matchLabels"].map()) {
    TRY(auto requirement, make(key, Operator::kEquals, {std::string(v.string_or(""))}));
    selector.requirements_.push_back(std::move(requirement));
  }
  for (const value::Value& expression : object["matchExpressions"].list()) {
    TRY(auto requirement, expression_of(expression));
    selector.requirements_.push_back(std::move(requirement));
  }
  sort_by_key(selector.requirements_);
  return selector;
}

bool Selector::matches(const Labels& labels) const {
  return std::ranges::all_of(requirements_,
                             [&](const Requirement& r) { return r.matches(labels); });
}

std::string Selector::to_string() const {
  std::string out;
  for (const Requirement& r : requirements_) {
    if (!out.empty()) out += ',';
    out += r.to_string();
  }
  return out;
}

Labels labels_of(const value::Value& map) {
  Labels labels;
  for (const auto& [key, v] : map.map()) labels[key] = v.string_or("");
  return labels;
}

}  // namespace tiphys::spec
