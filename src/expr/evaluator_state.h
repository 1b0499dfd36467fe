// The evaluator's state, private to evaluator*.cc.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "expr/arithmetic.h"
#include "expr/ast.h"
#include "expr/builtins.h"
#include "expr/environment.h"
#include "expr/program.h"

namespace tiphys::expr {

/// Functions return false after an error, which is kept in `error_`: cheaper than a Result for each
/// node.
class Evaluator {
 public:
  Evaluator(const Ast& ast, const Environment& environment, const Cost& used)
      : ast_(ast), environment_(environment) {
    context_.steps = used.steps;
    context_.text = used.text;
    context_.earlier_memory = used.memory;
    context_.now = environment.now();
    context_.random = static_cast<std::uint64_t>(context_.now.ns);
  }
  [[nodiscard]] diag::Result<RuntimeValue> run();
  [[nodiscard]] Cost cost() const {
    return {context_.steps, context_.text, context_.earlier_memory + context_.memory};
  }

 private:
  /// One running loop; `#` is an element of `collection`.
  struct Scope {
    RuntimeValue collection;
    std::int64_t size = 0;
    std::int64_t index = 0;
    RuntimeValue accumulator = {};
    Scope* outer = nullptr;
  };

  [[nodiscard]] const Node& node(NodeId id) const {
    return ast_.nodes[static_cast<std::size_t>(id)];
  }
  bool fail(NodeId at, std::string message);
  /// Holds what a node made to the limits.
  bool settle(NodeId id, const RuntimeValue& made) {
    return made.is_word() || settle_contents(id, made);
  }
  bool settle_contents(NodeId id, const RuntimeValue& made);
  /// Accounts for going through a value once.
  bool go_through(NodeId id, const RuntimeValue& v) { return v.is_word() || spend(id, weight(v)); }
  bool spend(NodeId id, std::uint64_t steps);
  [[nodiscard]] static std::uint64_t weight(const RuntimeValue& v);
  bool match(NodeId id, const re2::RE2& pattern, const std::string& text, RuntimeValue& out);
  bool run_body(NodeId id, const Builtin& row, Arguments arguments, RuntimeValue& out);
  template <typename T>
  bool take(NodeId at, diag::Result<T> result, RuntimeValue& out) {
    if (!result) return fail(at, std::move(result.error().message));
    out = RuntimeValue(std::move(*result));
    return true;
  }

  bool eval(NodeId id, RuntimeValue& out);
  /// The value of a node without copying it where it lives longer than the expression; null after
  /// an error. `scratch` holds it otherwise.
  const RuntimeValue* view(NodeId id, RuntimeValue& scratch) {
    const Node& n = node(id);
    if (n.kind == NodeKind::kConstant) return &n.constant;
    if (n.kind == NodeKind::kPointer) {
      if (const RuntimeValue* found = find_pointer(n)) return found;
    }
    if (const RuntimeValue* leaf = environment_.leaf(n.path)) return leaf;
    return view_other(id, n, scratch);
  }
  const RuntimeValue* view_other(NodeId id, const Node& n, RuntimeValue& scratch);
  [[nodiscard]] const RuntimeValue* find_path(NodeId id) const;
  [[nodiscard]] const RuntimeValue* find_pointer(const Node& n) const;
  bool truth(NodeId id, bool& out);
  bool as_truth(NodeId at, const RuntimeValue& v, bool& out);
  bool identifier(const Node& n, RuntimeValue& out);
  bool unary(NodeId id, const Node& n, RuntimeValue& out);
  bool binary(NodeId id, const Node& n, RuntimeValue& out);
  bool operands(NodeId id, const Node& n, RuntimeValue& out);
  bool operate(NodeId id, const Node& n, const RuntimeValue& a, const RuntimeValue& b,
               RuntimeValue& out);
  static bool whole_operands(Op op, std::int64_t a, std::int64_t b, RuntimeValue& out);
  static bool float_operands(Op op, double a, double b, RuntimeValue& out);
  /// The quick way for two numbers; false where there is none.
  static bool number_operands(Op op, const RuntimeValue& a, const RuntimeValue& b,
                              RuntimeValue& out);
  bool in_set(NodeId id, const Node& n, RuntimeValue& out);
  bool range(NodeId id, const RuntimeValue& from, const RuntimeValue& to, RuntimeValue& out);
  bool string_test(NodeId id, const Node& n, const RuntimeValue& a, const RuntimeValue& b,
                   RuntimeValue& out);
  bool matches(NodeId id, const Node& n, const RuntimeValue& a, const RuntimeValue& b,
               RuntimeValue& out);
  bool member(NodeId id, const Node& n, RuntimeValue& out);
  bool slice(NodeId id, const Node& n, RuntimeValue& out);
  bool call(NodeId id, const Node& n, RuntimeValue& out);
  bool builtin(NodeId id, const Node& n, RuntimeValue& out);
  bool pointer(NodeId id, const Node& n, RuntimeValue& out);
  bool let(const Node& n, RuntimeValue& out);
  bool array(NodeId id, const Node& n, RuntimeValue& out);
  bool map(NodeId id, const Node& n, RuntimeValue& out);
  bool all(const std::vector<NodeId>& list, std::span<RuntimeValue> out);

  bool loop(NodeId id, const Node& n, RuntimeValue& out);
  bool loop_body(NodeId id, const Node& n, Scope& scope, RuntimeValue& out);
  bool predicate(const Node& n, const Scope& scope, bool& out);
  bool item(NodeId at, const Scope& scope, RuntimeValue& out);
  bool loop_quantifier(const Node& n, Scope& scope, RuntimeValue& out);
  bool loop_filter(NodeId id, const Node& n, Scope& scope, RuntimeValue& out);
  bool loop_map(NodeId id, const Node& n, Scope& scope, RuntimeValue& out);
  bool loop_count(const Node& n, Scope& scope, RuntimeValue& out);
  bool loop_sum(NodeId id, const Node& n, Scope& scope, RuntimeValue& out);
  bool loop_find(NodeId id, const Node& n, Scope& scope, RuntimeValue& out);
  bool loop_group(NodeId id, const Node& n, Scope& scope, RuntimeValue& out);
  bool loop_sort(NodeId id, const Node& n, Scope& scope, RuntimeValue& out);
  bool loop_reduce(NodeId id, const Node& n, Scope& scope, RuntimeValue& out);

  const Ast& ast_;
  const Environment& environment_;
  CallContext context_;
  Scope* scope_ = nullptr;  // the innermost loop
  std::vector<std::pair<std::string_view, RuntimeValue>> variables_;
  std::string error_;
  std::int32_t error_at_ = -1;
  bool chain_ended_ =
      false;  // an optional member met nil: everything up to the chain's end is skipped
};

}  // namespace tiphys::expr
