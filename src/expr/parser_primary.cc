// Literals, names, calls, brackets and what follows them.
#include <charconv>
#include <limits>

#include <fmt/core.h>

#include "expr/builtin_table.h"
#include "expr/parser_state.h"

namespace tiphys::expr {

NodeId Parser::parse_primary() {
  const Token token = current_;
  if (is(TokenKind::kOperator)) {
    if (const OperatorRow* row = find_operator(kUnaryOperators, token.text)) {
      next();
      const NodeId operand = parse_expression(row->precedence);
      const NodeId out = add({.kind = NodeKind::kUnary, .op = row->op, .a = operand}, token.from);
      return parse_postfix(out);
    }
  }
  if (is_bracket("(")) {
    next();
    const NodeId inner = parse_sequence();
    expect(TokenKind::kBracket, ")");
    return parse_postfix(inner);
  }
  if (predicate_depth_ > 0 && (is_operator("#") || is_operator("."))) {
    std::string name;
    if (is_operator("#")) {
      next();
      if (is(TokenKind::kIdentifier)) {
        name = current_.text;
        next();
      }
    }
    return parse_postfix(add({.kind = NodeKind::kPointer, .text = name}, token.from));
  }
  if (is_operator("::")) {
    next();
    const Token name = current_;
    expect(TokenKind::kIdentifier);
    return parse_postfix(parse_call(name, {}, false));
  }
  return parse_secondary();
}

NodeId Parser::parse_secondary() {
  const Token token = current_;
  switch (token.kind) {
    case TokenKind::kIdentifier:
      return parse_identifier();
    case TokenKind::kNumber:
      return parse_number();
    case TokenKind::kString:
      next();
      return parse_postfix(
          add({.kind = NodeKind::kConstant, .constant = RuntimeValue(token.text)}, token.from));
    case TokenKind::kBytes:
      next();
      return parse_postfix(add(
          {.kind = NodeKind::kConstant, .constant = RuntimeValue::bytes(token.text)}, token.from));
    default:
      if (is_bracket("[")) return parse_postfix(parse_array());
      if (is_bracket("{")) return parse_postfix(parse_map());
      unexpected();
      return kNoNode;
  }
}

NodeId Parser::parse_identifier() {
  const Token token = current_;
  next();
  if (token.text == "true" || token.text == "false") {
    return add({.kind = NodeKind::kConstant, .constant = RuntimeValue(token.text == "true")},
               token.from);
  }
  if (token.text == "nil") return add({.kind = NodeKind::kNil}, token.from);
  if (is_bracket("(")) return parse_postfix(parse_call(token, {}, true));
  return parse_postfix(add({.kind = NodeKind::kIdentifier, .text = token.text}, token.from));
}

NodeId Parser::parse_number() {
  const Token token = current_;
  next();
  std::string digits;
  for (const char c : token.text) {
    if (c != '_') digits += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  int base = 10;
  std::string_view kind = "integer";
  if (digits.starts_with("0x")) {
    base = 16;
    kind = "hex";
  } else if (digits.find_first_of(".e") != std::string::npos) {
    double value = 0;
    const char* last = digits.data() + digits.size();
    const auto [end, error] = std::from_chars(digits.data(), last, value);
    if (error != std::errc() && value == 0 && error == std::errc::result_out_of_range) {
      // Too small numbers are 0 in Go, too large ones an error; from_chars does not say which.
      const std::size_t e = digits.find("e-");
      if (e == std::string::npos) fail("invalid float literal: " + token.text);
    } else if (error != std::errc() || end != last) {
      fail("invalid float literal: " + token.text);
    }
    return add({.kind = NodeKind::kConstant, .constant = RuntimeValue(value)}, token.from);
  } else if (digits.starts_with("0b")) {
    base = 2;
    kind = "binary";
  } else if (digits.starts_with("0o")) {
    base = 8;
    kind = "octal";
  }
  const char* first = digits.data() + (base == 10 ? 0 : 2);
  const char* last = digits.data() + digits.size();
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(first, last, value, base);
  if (error != std::errc() || end != last) {
    fail(fmt::format("invalid {} literal: {}", kind, token.text));
  }
  return add({.kind = NodeKind::kConstant, .constant = RuntimeValue(value)}, token.from);
}

NodeId Parser::parse_array() {
  const int at = current_.from;
  std::vector<NodeId> list;
  next();
  while (!failed() && !is_bracket("]")) {
    if (!list.empty()) expect(TokenKind::kOperator, ",");
    if (is_bracket("]")) break;
    list.push_back(parse_expression(0));
  }
  expect(TokenKind::kBracket, "]");
  return add({.kind = NodeKind::kArray, .list = std::move(list)}, at);
}

NodeId Parser::parse_map_key() {
  if (is(TokenKind::kNumber) || is(TokenKind::kString) || is(TokenKind::kIdentifier)) {
    const Token token = current_;
    next();
    return add({.kind = NodeKind::kConstant, .constant = RuntimeValue(token.text)}, token.from);
  }
  if (is_bracket("(")) return parse_expression(0);
  fail(
      "a map key must be a quoted string, a number, a identifier, or an expression enclosed in "
      "parentheses (unexpected token " +
      token_text(current_) + ")");
  return kNoNode;
}

NodeId Parser::parse_map() {
  const int at = current_.from;
  std::vector<NodeId> list;
  next();
  while (!failed() && !is_bracket("}")) {
    if (!list.empty()) expect(TokenKind::kOperator, ",");
    if (is_bracket("}")) break;
    list.push_back(parse_map_key());
    expect(TokenKind::kOperator, ":");
    list.push_back(failed() ? kNoNode : parse_expression(0));
    ++node_count_;  // expr-lang counts the pair, too
  }
  expect(TokenKind::kBracket, "}");
  return add({.kind = NodeKind::kMap, .list = std::move(list)}, at);
}

NodeId Parser::parse_call(const Token& name, std::vector<NodeId> arguments, bool may_override) {
  if (failed()) return kNoNode;
  const LoopRow* loop = find_loop(name.text);
  const Builtin* builtin = find_builtin(name.text);
  if (may_override && (loop != nullptr || builtin != nullptr)) {
    ast_.called.push_back(name.text);
    if (is_overridden_ && is_overridden_(name.text)) {
      loop = nullptr;
      builtin = nullptr;
    }
  }
  if (loop != nullptr) return parse_loop(name, *loop, std::move(arguments));
  if (builtin != nullptr) {
    arguments = parse_arguments(std::move(arguments));
    return add({.kind = NodeKind::kBuiltin,
                .list = std::move(arguments),
                .text = name.text,
                .builtin = builtin},
               name.from);
  }
  const NodeId callee = add({.kind = NodeKind::kIdentifier, .text = name.text}, name.from);
  arguments = parse_arguments(std::move(arguments));
  return add({.kind = NodeKind::kCall, .a = callee, .list = std::move(arguments)}, name.from);
}

NodeId Parser::parse_loop(const Token& name, const LoopRow& row, std::vector<NodeId> arguments) {
  expect(TokenKind::kBracket, "(");
  const std::size_t first = arguments.size();
  for (std::size_t i = first; i < static_cast<std::size_t>(row.arguments) && !failed(); ++i) {
    const bool is_optional = i >= static_cast<std::size_t>(row.arguments - row.optional);
    if (is_bracket(")")) {
      if (is_optional) break;
      fail(fmt::format("expected at least {} arguments", row.arguments - static_cast<int>(first)));
    }
    if (i > first) expect(TokenKind::kOperator, ",");
    arguments.push_back(i == 1 ? parse_predicate() : parse_expression(0));
  }
  if (is_operator(",")) next();
  expect(TokenKind::kBracket, ")");
  return add({.kind = NodeKind::kBuiltin,
              .loop = row.loop,
              .list = std::move(arguments),
              .text = name.text},
             name.from);
}

std::vector<NodeId> Parser::parse_arguments(std::vector<NodeId> arguments) {
  const std::size_t given = arguments.size();
  expect(TokenKind::kBracket, "(");
  while (!failed() && !is_bracket(")")) {
    if (arguments.size() > given) expect(TokenKind::kOperator, ",");
    if (is_bracket(")")) break;
    arguments.push_back(parse_expression(0));
  }
  expect(TokenKind::kBracket, ")");
  return arguments;
}

NodeId Parser::parse_predicate() {
  if (failed()) return kNoNode;
  const int at = current_.from;
  const bool braces = is_bracket("{");
  if (braces) next();
  ++predicate_depth_;
  const NodeId body = braces ? parse_sequence() : parse_expression(0);
  if (!braces && is_operator(";")) fail("wrap predicate with brackets { and }");
  --predicate_depth_;
  if (braces) expect(TokenKind::kBracket, "}");
  return add({.kind = NodeKind::kPredicate, .a = body}, at);
}

NodeId Parser::parse_postfix(NodeId base) {
  while (!failed()) {
    if (is_operator(".")) {
      next();
      base = parse_property(base, false);
    } else if (is_operator("?.")) {
      next();
      base = is_bracket("[") ? parse_index(base, true) : parse_property(base, true);
    } else if (is_bracket("[")) {
      base = parse_index(base, false);
    } else {
      break;
    }
  }
  return base;
}

NodeId Parser::parse_property(NodeId base, bool optional) {
  const Token name = current_;
  next();
  if (name.kind != TokenKind::kIdentifier &&
      (name.kind != TokenKind::kOperator || !is_identifier(name.text))) {
    fail("expected name");
  }
  const NodeId property =
      add({.kind = NodeKind::kConstant, .constant = RuntimeValue(name.text)}, name.from);
  if (failed()) return kNoNode;
  // a?.b.c is one chain: the access goes inside, and the chain around all of it.
  const bool is_chain = node(base).kind == NodeKind::kChain;
  if (is_chain) base = node(base).a;
  NodeId out =
      add({.kind = NodeKind::kMember, .flag = optional, .a = base, .b = property}, name.from);
  if (!failed() && is_bracket("(")) {
    node(out).called = true;
    std::vector<NodeId> arguments = parse_arguments({});
    out = add({.kind = NodeKind::kCall, .a = out, .list = std::move(arguments)}, name.from);
  }
  if (is_chain || optional) out = add({.kind = NodeKind::kChain, .a = out}, name.from);
  return out;
}

NodeId Parser::parse_index(NodeId base, bool optional) {
  const int at = current_.from;
  next();
  NodeId from = kNoNode;
  if (!is_operator(":")) from = parse_expression(0);
  if (is_operator(":")) {
    next();
    NodeId to = kNoNode;
    if (!is_bracket("]")) to = parse_expression(0);
    const NodeId out = add({.kind = NodeKind::kSlice, .a = base, .b = from, .c = to}, at);
    expect(TokenKind::kBracket, "]");
    return out;
  }
  NodeId out = add({.kind = NodeKind::kMember, .flag = optional, .a = base, .b = from}, at);
  if (optional) out = add({.kind = NodeKind::kChain, .a = out}, at);
  expect(TokenKind::kBracket, "]");
  return out;
}

}  // namespace tiphys::expr
