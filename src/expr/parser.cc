#include "expr/parser.h"

#include <re2/re2.h>

#include "expr/parser_state.h"

namespace tiphys::expr {
namespace {
constexpr int kMaxNodes = 10'000;           // expr-lang's own default
constexpr int kMaxNesting = 1'000;          // of brackets, calls and conditions
constexpr int kMaxWeight = 10 * kMaxNodes;  // a shared operand of 1 < x < 3 counts each time
constexpr int kMaxHeight = 5'000;           // of the tree: a long a + b + c ... is a high one
}  // namespace

diag::Result<Ast> parse(std::string_view source, const IsOverridden& is_overridden) {
  TRY(Ast ast, Parser(source, is_overridden).run());
  collect_names(ast);
  return ast;
}

diag::Result<Ast> Parser::run() {
  next();
  const NodeId root = parse_sequence();
  if (!failed() && !is(TokenKind::kEnd)) unexpected();
  if (failed()) return std::unexpected(error_at(source_, error_at_, error_));
  ast_.source = std::string(source_);
  ast_.root = root;
  return std::move(ast_);
}

void Parser::next() {
  if (next_token_ < tokens_.list.size()) {
    current_ = tokens_.list[next_token_++];
  } else if (!tokens_.error.empty()) {
    fail_at(tokens_.error_at, tokens_.error);
  } else {
    fail("unexpected end of expression");
  }
}

void Parser::expect(TokenKind kind, std::string_view text) {
  if (is(kind, text)) return next();
  unexpected();
}

void Parser::fail_at(int at, std::string message) {
  if (failed()) return;
  error_ = std::move(message);
  error_at_ = at;
}

NodeId Parser::add(Node node_to_add, int at) {
  if (++node_count_ > kMaxNodes) {
    fail("compilation failed: expression exceeds maximum allowed nodes");
  }
  if (failed()) return kNoNode;
  const auto consider = [&](NodeId id) {
    if (id == kNoNode) return;
    node_to_add.depth = std::max(node_to_add.depth, node(id).depth + 1);
    node_to_add.weight += node(id).weight;
  };
  consider(node_to_add.a);
  consider(node_to_add.b);
  consider(node_to_add.c);
  for (const NodeId id : node_to_add.list) consider(id);
  if (node_to_add.depth > kMaxHeight || node_to_add.weight > kMaxWeight) {
    fail("compilation failed: expression is nested too deeply");
    return kNoNode;
  }
  node_to_add.at = at;
  ast_.nodes.push_back(std::move(node_to_add));
  return static_cast<NodeId>(ast_.nodes.size() - 1);
}

NodeId Parser::parse_sequence() {
  std::vector<NodeId> list{parse_expression(0)};
  while (!failed() && is_operator(";")) {
    next();
    if (is(TokenKind::kEnd)) break;
    list.push_back(parse_expression(0));
  }
  if (list.size() == 1 || failed()) return list[0];
  const int at = node(list[0]).at;
  return add({.kind = NodeKind::kSequence, .list = std::move(list)}, at);
}

NodeId Parser::parse_expression(int precedence) {
  if (failed()) return kNoNode;
  if (nesting_ >= kMaxNesting) {
    fail("compilation failed: expression is nested too deeply");
    return kNoNode;
  }
  ++nesting_;
  NodeId out = kNoNode;
  if (precedence == 0 && is_operator("let")) {
    out = parse_let();
  } else if (precedence == 0 && is_operator("if")) {
    out = parse_if();
  } else {
    out = parse_operators(parse_primary(), precedence);
    if (precedence == 0) out = parse_ternary(out);
  }
  --nesting_;
  return out;
}

NodeId Parser::parse_operators(NodeId left, int precedence) {
  bool after_coalesce = false;
  while (!failed() && is(TokenKind::kOperator)) {
    Token token = current_;
    const bool negate = token.text == "not";
    if (negate) {
      const std::size_t back = next_token_;
      next();
      const OperatorRow* row = find_operator(kBinaryOperators, current_.text);
      if (row == nullptr || !may_follow_not(row->op)) {
        unexpected();
        break;
      }
      if (row->precedence < precedence) {
        next_token_ = back;
        current_ = token;
        break;
      }
      token = current_;
    }
    const OperatorRow* row = find_operator(kBinaryOperators, token.text);
    if (row == nullptr || row->precedence < precedence) break;
    next();
    if (row->op == Op::kPipe) {
      const Token name = current_;
      expect(TokenKind::kIdentifier);
      left = parse_call(name, {left}, true);
    } else if (after_coalesce && row->op != Op::kCoalesce) {
      fail_at(token.from, "Operator (" + token.text +
                              ") and coalesce expressions (?"
                              "?) cannot be mixed. Wrap either "
                              "by parentheses.");
    } else {
      left = parse_binary(left, *row, token, negate);
    }
    after_coalesce = row->op == Op::kCoalesce;
  }
  return left;
}

NodeId Parser::parse_binary(NodeId left, const OperatorRow& row, const Token& token, bool negate) {
  if (is_comparison(row.op)) return parse_comparison(left, &row, token.from);
  const NodeId right = parse_expression(row.right ? row.precedence : row.precedence + 1);
  NodeId out = add({.kind = NodeKind::kBinary, .op = row.op, .a = left, .b = right}, token.from);
  if (row.op == Op::kMatches && !failed() && node(right).constant.is_string()) {
    node(out).pattern = std::make_shared<const RE2>(node(right).constant.as_string(), RE2::Quiet);
  }
  if (negate && !failed()) {
    out = add({.kind = NodeKind::kUnary, .op = Op::kNot, .a = out}, token.from);
  }
  return out;
}

// 1 < x < 3 means 1 < x && x < 3; the middle operand is shared.
NodeId Parser::parse_comparison(NodeId left, const OperatorRow* row, int at) {
  NodeId all = kNoNode;
  while (true) {
    const NodeId right = parse_expression(row->precedence + 1);
    const NodeId one = add({.kind = NodeKind::kBinary, .op = row->op, .a = left, .b = right}, at);
    if (failed()) return kNoNode;
    all = all == kNoNode ? one
                         : add({.kind = NodeKind::kBinary, .op = Op::kAnd, .a = all, .b = one}, at);
    left = right;
    const OperatorRow* following =
        is(TokenKind::kOperator) ? find_operator(kBinaryOperators, current_.text) : nullptr;
    if (failed() || following == nullptr || !is_comparison(following->op)) return all;
    row = following;
    at = current_.from;
    next();
  }
}

NodeId Parser::parse_let() {
  next();
  const Token name = current_;
  expect(TokenKind::kIdentifier);
  expect(TokenKind::kOperator, "=");
  const NodeId value = parse_expression(0);
  expect(TokenKind::kOperator, ";");
  const NodeId body = parse_sequence();
  return add({.kind = NodeKind::kLet, .a = value, .b = body, .text = name.text}, name.from);
}

NodeId Parser::parse_if() {
  if (nesting_ >= kMaxNesting) fail("compilation failed: expression is nested too deeply");
  ++nesting_;
  next();
  const NodeId condition = failed() ? kNoNode : parse_expression(0);
  expect(TokenKind::kBracket, "{");
  const NodeId yes = parse_sequence();
  expect(TokenKind::kBracket, "}");
  expect(TokenKind::kOperator, "else");
  NodeId no = kNoNode;
  if (!failed() && is_operator("if")) {
    no = parse_if();
  } else {
    expect(TokenKind::kBracket, "{");
    no = parse_sequence();
    expect(TokenKind::kBracket, "}");
  }
  --nesting_;
  return add({.kind = NodeKind::kConditional, .a = condition, .b = yes, .c = no}, 0);
}

NodeId Parser::parse_ternary(NodeId condition) {
  while (!failed() && is_operator("?")) {
    next();
    NodeId yes = condition;  // a ?: b
    if (!is_operator(":")) yes = parse_expression(0);
    expect(TokenKind::kOperator, ":");
    const NodeId no = parse_expression(0);
    condition =
        add({.kind = NodeKind::kConditional, .a = condition, .b = yes, .c = no}, current_.from);
  }
  return condition;
}

}  // namespace tiphys::expr
