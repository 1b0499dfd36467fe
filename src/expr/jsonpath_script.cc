// The scripts within JSON paths: `@.v > 1 && @.name == 'x'`. Operators are looked for in a fixed
// order, the first one found outside of quotes and brackets parts the text.
#include <array>
#include <cmath>
#include <optional>

#include <fmt/core.h>
#include <re2/re2.h>

#include "expr/builtin_table.h"
#include "expr/jsonpath_token.h"
#include "expr/number_text.h"
#include "expr/unicode.h"
#include "value/json.h"

namespace tiphys::expr::path {

// nil, a text as it is written, a JSON value, or an operation.
struct Operand {
  RuntimeValue value = {};
  std::shared_ptr<const Operation> operation = {};
  [[nodiscard]] bool is_nil() const { return operation == nullptr && value.is_nil(); }
};

struct Operation {
  std::string_view symbol;  // "@" for a path
  Operand left = {};
  Operand right = {};
  std::vector<Token> path = {};
};

namespace {

using Value = diag::Result<RuntimeValue>;
using Built = diag::Result<std::shared_ptr<const Operation>>;
using Symbols = std::vector<std::string_view>;

const Symbols& all_symbols() {
  static const Symbols symbols = {"||", "&&", "==", "!=", "<=", ">=", "<",      ">",  "=~", "!",
                                  "+",  "-",  "**", "*",  "/",  "%",  "not in", "in", "@",  "$"};
  return symbols;
}

// Where the symbol is, outside of quotes and brackets.
std::optional<std::size_t> find_symbol(std::string_view text, std::string_view symbol) {
  char quote = '\0';
  int squares = 0;
  int rounds = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c == '(' || c == ')') && (quote != '\0' || squares > 0)) continue;
    if ((c == '[' || c == ']') && (quote != '\0' || rounds > 0)) continue;
    if (c == '(' || c == ')') rounds += c == '(' ? 1 : -1;
    if (c == '[' || c == ']') squares += c == '[' ? 1 : -1;
    if (c == '\'' || c == '"') {
      if ((quote != '\0' && quote != c) || squares > 0 || rounds > 0) continue;
      quote = quote == '\0' ? c : '\0';
    }
    if (quote != '\0' || squares > 0 || rounds > 0) continue;
    if (symbol.size() > i + 1) continue;
    const std::size_t start = i + 1 - symbol.size();
    if (text.substr(start, symbol.size()) == symbol) return start;
  }
  return std::nullopt;
}

Built build(std::string_view text, Symbols symbols, Budget& budget);

diag::Result<Operand> operand(std::string_view text, const Symbols& symbols, Budget& budget) {
  TRY(auto operation, build(text, symbols, budget));
  if (operation != nullptr) return Operand{.operation = std::move(operation)};
  text = trim_space(text);
  if (text.empty()) return Operand{};
  const bool is_json = (text.starts_with('[') && text.ends_with(']')) ||
                       (text.starts_with('{') && text.ends_with('}'));
  if (is_json) {
    if (const auto parsed = value::parse_json(text)) {
      return Operand{.value = RuntimeValue::from_json(*parsed)};
    }
  }
  return Operand{.value = RuntimeValue(text)};
}

// One round: whether this symbol parts the text, and into what.
struct Round {
  bool found = false;
  std::shared_ptr<const Operation> operation = {};
};

diag::Result<Round> try_symbol(std::string_view text, std::string_view symbol,
                               const Symbols& symbols, Budget& budget) {
  const auto at = find_symbol(text, symbol);
  if (!at) return Round{};
  const bool is_path = symbol == "@" || symbol == "$";
  const std::string_view right_text = trim_space(text.substr(*at + symbol.size()));
  const std::string_view left_text = trim_space(text.substr(0, *at));
  if (right_text.empty() && !is_path) return Round{};
  TRY(Operand right, operand(right_text, symbols, budget));
  if (left_text.empty() && !is_path && symbol != "!") return Round{};
  TRY(Operand left, operand(left_text, symbols, budget));
  if ((is_path || symbol == "!") && !left.is_nil()) return Round{};
  if (symbol.empty()) return bad_expression("unsupported operator");
  Operation out{.symbol = is_path ? "@" : symbol};
  if (is_path) {
    TRY(out.path, parse_path(text, budget));
  } else {
    out.left = std::move(left);
    out.right = std::move(right);
  }
  return Round{.found = true, .operation = std::make_shared<const Operation>(std::move(out))};
}

// The operation that the text is, looking for these symbols; null if it is none.
Built build(std::string_view text, Symbols symbols, Budget& budget) {
  const Budget::Level level(budget);
  while (!symbols.empty()) {
    TRY_VOID(budget.take(text.size()));
    const std::string_view symbol = symbols[0];
    text = trim_space(text);
    if (text.empty()) return nullptr;
    if (text.size() > 1 && text.starts_with('(') && text.ends_with(')')) {
      text = trim_space(text.substr(1, text.size() - 2));
      symbols = all_symbols();
      symbols.insert(symbols.begin(), "");  // the next round starts with the first real one
    }
    TRY(Round round, try_symbol(text, symbol, symbols, budget));
    if (round.found) return std::move(round.operation);
    symbols.erase(symbols.begin());
  }
  return nullptr;
}

bool is_quoted(std::string_view text, char quote) {
  return text.size() > 1 && text.starts_with(quote) && text.ends_with(quote);
}

class Evaluation {
 public:
  Evaluation(const RuntimeValue& root, const RuntimeValue& current)
      : root_(root), current_(current) {}

  Value run(const Script& script) const {
    if (script.text.empty()) return bad_expression("invalid expression. is empty");
    if (script.operation != nullptr) return run(*script.operation);
    const Operand constant{.value = RuntimeValue(script.text)};
    if (const RuntimeValue* named = parameter(constant.value)) return *named;
    if (const auto number = to_number(constant)) return RuntimeValue(*number);
    if (const auto boolean = to_bool(constant)) return RuntimeValue(*boolean);
    return constant.value;
  }

 private:
  // The value that a text names: $, @, nil or null.
  [[nodiscard]] const RuntimeValue* parameter(const RuntimeValue& v) const {
    static const RuntimeValue nil;
    if (!v.is_string()) return nullptr;
    if (v.as_string() == "$") return &root_;
    if (v.as_string() == "@") return &current_;
    return v.as_string() == "nil" || v.as_string() == "null" ? &nil : nullptr;
  }

  [[nodiscard]] Value plain(const Operand& o) const {
    if (o.operation != nullptr) return run(*o.operation);
    return o.value;
  }

  [[nodiscard]] Value resolved(const Operand& o) const {
    TRY(RuntimeValue v, plain(o));
    const RuntimeValue* named = parameter(v);
    return named == nullptr ? v : *named;
  }

  [[nodiscard]] diag::Result<double> to_number(const Operand& o) const {
    if (o.is_nil()) return bad_expression("invalid argument. is nil");
    TRY(const RuntimeValue v, resolved(o));
    const auto number = parse_float(sprint(v));
    if (!number) return bad_expression("invalid argument. expected number");
    return *number;
  }

  [[nodiscard]] diag::Result<std::int64_t> to_integer(const Operand& o) const {
    if (o.is_nil()) return bad_expression("invalid argument. is nil");
    TRY(const RuntimeValue v, resolved(o));
    const auto number = parse_decimal(sprint(v));
    if (!number) return bad_expression("invalid argument. expected integer");
    return *number;
  }

  [[nodiscard]] diag::Result<bool> to_bool(const Operand& o) const {
    TRY(const RuntimeValue v, resolved(o));
    if (v.is_nil()) return false;
    const std::string text = sprint(v);
    for (const std::string_view name : {"1", "t", "T", "true", "TRUE", "True"}) {
      if (text == name) return true;
    }
    for (const std::string_view name : {"0", "f", "F", "false", "FALSE", "False"}) {
      if (text == name) return false;
    }
    return bad_expression("invalid argument. expected boolean");
  }

  // Texts from paths are in single quotes, so that they compare with 'x'.
  [[nodiscard]] diag::Result<std::string> to_text(const Operand& o) const {
    if (o.is_nil()) return bad_expression("invalid argument. is nil");
    TRY(const RuntimeValue v, plain(o));
    const RuntimeValue* named = parameter(v);
    const RuntimeValue& used = named == nullptr ? v : *named;
    if (!used.is_string()) return sprint(used);
    const std::string& text = used.as_string();
    if (is_quoted(text, '\'')) return text;
    if (is_quoted(text, '"')) return "'" + text.substr(1, text.size() - 2) + "'";
    return named == nullptr ? text : "'" + text + "'";
  }

  [[nodiscard]] diag::Result<Items> to_elements(const Operand& o) const {
    TRY(RuntimeValue v, resolved(o));
    if (v.is_string()) {
      const std::string& text = v.as_string();
      if (text.starts_with('{') || text.starts_with('[')) {
        const auto parsed = value::parse_json(text);
        if (!parsed) return bad_expression("invalid argument");
        v = RuntimeValue::from_json(*parsed);
      }
    }
    if (v.is_list()) return v.items();
    if (!v.is_map()) return bad_expression("invalid argument. expected array, map, or slice");
    Items out;
    for (const auto& [key, item] : v.table()) out.push_back(item);
    return out;
  }

  [[nodiscard]] diag::Result<bool> is_in(const Operation& op) const {
    RuntimeValue item = op.left.value;
    if (const auto number = to_number(op.left)) {
      item = RuntimeValue(*number);
    } else if (const auto text = to_text(op.left)) {
      item = RuntimeValue(*text);
    }
    TRY(const Items elements, to_elements(op.right));
    for (const RuntimeValue& element : elements) {
      if (deep_equal(element, item)) return true;
    }
    return false;
  }

  [[nodiscard]] diag::Result<bool> equals(const Operation& op) const {
    const auto x = to_number(op.left);
    const auto y = to_number(op.right);
    if (x && y) return *x == *y;
    TRY(const std::string left, to_text(op.left));
    TRY(const std::string right, to_text(op.right));
    return left == right;
  }

  [[nodiscard]] Value matches(const Operation& op) const {
    TRY(std::string text, to_text(op.left));
    TRY(std::string pattern, to_text(op.right));
    for (std::string* t : {&text, &pattern}) {
      if (is_quoted(*t, '\'')) *t = t->substr(1, t->size() - 2);
    }
    const RE2 re(pattern, RE2::Quiet);
    if (!re.ok()) return bad_expression("invalid argument. expected a valid regexp");
    return RuntimeValue(RE2::PartialMatch(text, re));
  }

  [[nodiscard]] Value remainder(const Operation& op) const {
    TRY(const std::int64_t a, to_integer(op.left));
    TRY(const std::int64_t b, to_integer(op.right));
    if (b == 0) return bad_expression("runtime error: integer divide by zero");
    return RuntimeValue::integer(Type::kInt64, b == -1 ? 0 : a % b);
  }

  [[nodiscard]] Value numeric(const Operation& op) const {
    TRY(const double a, to_number(op.left));
    TRY(const double b, to_number(op.right));
    if (op.symbol == "<") return RuntimeValue(a < b);
    if (op.symbol == "<=") return RuntimeValue(a <= b);
    if (op.symbol == ">") return RuntimeValue(a > b);
    if (op.symbol == ">=") return RuntimeValue(a >= b);
    if (op.symbol == "+") return RuntimeValue(a + b);
    if (op.symbol == "-") return RuntimeValue(a - b);
    if (op.symbol == "*") return RuntimeValue(a * b);
    if (op.symbol == "/") return RuntimeValue(a / b);
    return RuntimeValue(std::pow(a, b));
  }

  [[nodiscard]] Value by_path(const Operation& op) const {
    TRY(RuntimeValue found, apply(op.path, root_, current_));
    if (!found.is_string() || is_quoted(found.as_string(), '\'')) return found;
    return RuntimeValue("'" + found.as_string() + "'");
  }

  [[nodiscard]] Value logical(const Operation& op) const {
    TRY(const bool a, to_bool(op.left));
    TRY(const bool b, to_bool(op.right));
    return RuntimeValue(op.symbol == "&&" ? a && b : a || b);
  }

  [[nodiscard]] Value run(const Operation& op) const {
    if (op.symbol == "@") return by_path(op);
    if (op.symbol == "&&" || op.symbol == "||") return logical(op);
    if (op.symbol == "%") return remainder(op);
    if (op.symbol == "=~") return matches(op);
    if (op.symbol == "!") {
      TRY(const bool b, to_bool(op.right));
      return RuntimeValue(!b);
    }
    if (op.symbol == "==" || op.symbol == "!=") {
      TRY(const bool same, equals(op));
      return RuntimeValue(same == (op.symbol == "=="));
    }
    if (op.symbol == "in" || op.symbol == "not in") {
      TRY(const bool found, is_in(op));
      return RuntimeValue(found == (op.symbol == "in"));
    }
    return numeric(op);
  }

  const RuntimeValue& root_;
  const RuntimeValue& current_;
};

}  // namespace

diag::Result<std::shared_ptr<const Script>> parse_script(std::string_view text, Budget& budget) {
  TRY(auto operation, build(text, all_symbols(), budget));
  return std::make_shared<const Script>(
      Script{.text = std::string(text), .operation = std::move(operation)});
}

diag::Result<RuntimeValue> evaluate(const Script& script, const RuntimeValue& root,
                                    const RuntimeValue& current) {
  return Evaluation(root, current).run(script);
}

}  // namespace tiphys::expr::path
