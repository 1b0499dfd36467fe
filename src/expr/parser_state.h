// The parser's state, private to parser*.cc.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "expr/ast.h"
#include "expr/lexer.h"
#include "expr/operators.h"
#include "expr/parser.h"

namespace tiphys::expr {

/// A recursive-descent parser with precedence climbing. After an error every function returns
/// kNoNode quickly.
class Parser {
 public:
  Parser(std::string_view source, const IsOverridden& is_overridden)
      : source_(source), is_overridden_(is_overridden), tokens_(tokenize(source)) {}

  [[nodiscard]] diag::Result<Ast> run();

 private:
  [[nodiscard]] bool failed() const { return !error_.empty(); }
  [[nodiscard]] bool is(TokenKind kind, std::string_view text = {}) const {
    return current_.kind == kind && (text.empty() || current_.text == text);
  }
  [[nodiscard]] bool is_operator(std::string_view text) const {
    return is(TokenKind::kOperator, text);
  }
  [[nodiscard]] bool is_bracket(std::string_view text) const {
    return is(TokenKind::kBracket, text);
  }
  void next();
  void expect(TokenKind kind, std::string_view text = {});
  void fail(std::string message) { fail_at(current_.from, std::move(message)); }
  void fail_at(int at, std::string message);
  void unexpected() { fail("unexpected token " + token_text(current_)); }
  NodeId add(Node node, int at);
  [[nodiscard]] Node& node(NodeId id) { return ast_.nodes[static_cast<std::size_t>(id)]; }

  NodeId parse_sequence();
  NodeId parse_expression(int precedence);
  NodeId parse_operators(NodeId left, int precedence);
  NodeId parse_binary(NodeId left, const OperatorRow& row, const Token& token, bool negate);
  NodeId parse_comparison(NodeId left, const OperatorRow* row, int at);
  NodeId parse_let();
  NodeId parse_if();
  NodeId parse_ternary(NodeId condition);
  NodeId parse_primary();
  NodeId parse_secondary();
  NodeId parse_identifier();
  NodeId parse_number();
  NodeId parse_array();
  NodeId parse_map();
  NodeId parse_map_key();
  NodeId parse_call(const Token& name, std::vector<NodeId> arguments, bool may_override);
  NodeId parse_loop(const Token& name, const LoopRow& row, std::vector<NodeId> arguments);
  std::vector<NodeId> parse_arguments(std::vector<NodeId> arguments);
  NodeId parse_predicate();
  NodeId parse_postfix(NodeId base);
  NodeId parse_property(NodeId base, bool optional);
  NodeId parse_index(NodeId base, bool optional);

  std::string_view source_;
  const IsOverridden& is_overridden_;
  Tokens tokens_;
  std::size_t next_token_ = 0;
  Token current_;
  std::string error_;
  int error_at_ = 0;
  int predicate_depth_ = 0;
  int nesting_ = 0;
  int node_count_ = 0;
  Ast ast_;
};

}  // namespace tiphys::expr
