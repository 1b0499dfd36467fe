#include "expr/optimizer.h"

#include <algorithm>
#include <array>
#include <optional>

#include "expr/arithmetic.h"
#include "expr/builtin_table.h"
#include "expr/lexer.h"
#include "expr/operators.h"

namespace tiphys::expr {
namespace {

class Optimizer {
 public:
  explicit Optimizer(Ast& ast) : ast_(ast) {}

  diag::Result<void> run() {
    // Children stand before their parents, so one sweep sees folded children; new nodes need no
    // visit.
    const auto count = static_cast<NodeId>(ast_.nodes.size());
    for (NodeId id = 0; id < count; ++id) rewrite_in_array(id);
    has_let_ =
        std::ranges::any_of(ast_.nodes, [](const Node& n) { return n.kind == NodeKind::kLet; });
    for (NodeId id = 0; id < count; ++id) resolve_call(id);
    for (NodeId id = 0; id < count; ++id) TRY_VOID(fold(id));
    for (NodeId id = 0; id < count; ++id) rewrite_range(id);
    for (NodeId id = 0; id < count; ++id) rewrite_filter_end(id);
    for (NodeId id = 0; id < count; ++id) rewrite_reduce(id);
    for (NodeId id = 0; id < count; ++id) rewrite_sum(id);
    for (NodeId id = 0; id < count; ++id) rewrite_count(id);
    return {};
  }

 private:
  Node& node(NodeId id) { return ast_.nodes[static_cast<std::size_t>(id)]; }

  bool is_constant(NodeId id, Type type) {
    return node(id).kind == NodeKind::kConstant && node(id).constant.type() == type;
  }
  bool is_literal(NodeId id) {
    return is_constant(id, Type::kInt) || is_constant(id, Type::kFloat) ||
           is_constant(id, Type::kString) || is_constant(id, Type::kBool);
  }
  bool is_number_literal(NodeId id) {
    return is_constant(id, Type::kInt) || is_constant(id, Type::kFloat);
  }
  bool is_bool(NodeId id, bool wanted) {
    return is_constant(id, Type::kBool) && node(id).constant.as_bool() == wanted;
  }

  void replace(NodeId id, RuntimeValue constant) {
    Node folded{.kind = NodeKind::kConstant, .at = node(id).at};
    folded.type = constant.type();
    folded.constant = std::move(constant);
    node(id) = std::move(folded);
  }
  void replace_by(NodeId id, NodeId other) {
    Node copy = node(other);
    copy.at = node(id).at;
    node(id) = std::move(copy);
  }

  // x in ["a", "b"] becomes a look-up, which fails for an x that is no string.
  void rewrite_in_array(NodeId id) {
    const Node n = node(id);
    if (n.kind != NodeKind::kBinary || n.op != Op::kIn) return;
    if (node(n.b).kind != NodeKind::kArray || node(n.b).list.empty()) return;
    const std::vector<NodeId> items = node(n.b).list;
    const auto all = [&](Type type) {
      for (const NodeId item : items) {
        if (!is_constant(item, type)) return false;
      }
      return true;
    };
    if (all(Type::kString) || (all(Type::kInt) && node(n.a).type == Type::kInt)) {
      node(id).kind = NodeKind::kInSet;
    }
  }

  // Argo's functions hide variables of their names; only `let` may hide them.
  void resolve_call(NodeId id) {
    const NodeId callee = node(id).a;
    if (node(id).kind != NodeKind::kCall || node(callee).kind != NodeKind::kIdentifier) return;
    const std::string& name = node(callee).text;
    const Builtin* function = has_let_ ? nullptr : find_argo_function(name);
    node(id).builtin = function;
    // What takes anything needs no check of its argument.
    if (function != nullptr && node(id).list.size() == 1 &&
        std::ranges::equal(function->signatures[0].parameters, std::array{Type::kAny})) {
      node(id).kind = NodeKind::kBuiltin;
    }
  }

  diag::Result<void> fold(NodeId id) {
    const Node& n = node(id);
    if (n.kind == NodeKind::kUnary) {
      fold_unary(id);
    } else if (n.kind == NodeKind::kBinary) {
      return fold_binary(id);
    } else if (n.kind == NodeKind::kArray) {
      fold_array(id);
    }
    return {};
  }

  void fold_unary(NodeId id) {
    const NodeId operand = node(id).a;
    const Op op = node(id).op;
    if (op == Op::kNot && is_constant(operand, Type::kBool)) {
      replace(id, !node(operand).constant.as_bool());
    } else if (op != Op::kNot && is_number_literal(operand)) {
      const RuntimeValue value = node(operand).constant;
      if (op == Op::kPlus) return replace(id, value);
      if (value.type() == Type::kFloat) return replace(id, -value.as_float());
      replace(id, static_cast<std::int64_t>(0U - static_cast<std::uint64_t>(value.as_integer())));
    }
  }

  diag::Result<void> fold_binary(NodeId id) {
    const NodeId l = node(id).a;
    const NodeId r = node(id).b;
    const Op op = node(id).op;
    switch (op) {
      case Op::kPlus:
        if (is_constant(l, Type::kString) && is_constant(r, Type::kString)) break;
        [[fallthrough]];
      case Op::kMinus:
      case Op::kMultiply:
      case Op::kDivide:
      case Op::kPower:
        if (!is_number_literal(l) || !is_number_literal(r)) return {};
        break;
      case Op::kModulo:
        if (!is_constant(l, Type::kInt) || !is_constant(r, Type::kInt)) return {};
        if (node(r).constant.as_integer() == 0) {
          return std::unexpected(error_at(ast_.source, node(id).at, "integer divide by zero"));
        }
        break;
      case Op::kAnd:
      case Op::kOr:
        fold_logic(id, l, r, op == Op::kOr);
        return {};
      case Op::kEqual:
        if (is_literal(l) && !is_constant(l, Type::kFloat) &&
            is_constant(r, node(l).constant.type())) {
          replace(id, equal(node(l).constant, node(r).constant));
        }
        return {};
      default:
        return {};
    }
    auto result = arithmetic(op, node(l).constant, node(r).constant);
    if (result) replace(id, std::move(*result));
    return {};
  }

  // `neutral or x` is x, `absorbing or x` is absorbing, whatever x is.
  void fold_logic(NodeId id, NodeId l, NodeId r, bool absorbing) {
    if (is_bool(l, !absorbing)) {
      replace_by(id, r);
    } else if (is_bool(r, !absorbing)) {
      replace_by(id, l);
    } else if (is_bool(l, absorbing) || is_bool(r, absorbing)) {
      replace(id, absorbing);
    }
  }

  void fold_array(NodeId id) {
    const std::vector<NodeId> list = node(id).list;
    if (list.empty()) return;
    Items items;
    for (const NodeId item : list) {
      if (!is_literal(item)) return;
      items.push_back(node(item).constant);
    }
    replace(id, RuntimeValue::list(std::move(items)));
  }

  // A constant range m..n with n >= m.
  bool constant_range(NodeId id, std::int64_t& m, std::int64_t& n) {
    const Node& range = node(id);
    if (range.kind != NodeKind::kBinary || range.op != Op::kRange) return false;
    if (!is_constant(range.a, Type::kInt) || !is_constant(range.b, Type::kInt)) return false;
    m = node(range.a).constant.as_integer();
    n = node(range.b).constant.as_integer();
    return true;
  }

  // x in 1..3 for an int x needs no list.
  void rewrite_range(NodeId id) {
    const Node n = node(id);
    std::int64_t from = 0;
    std::int64_t to = 0;
    if (n.kind != NodeKind::kBinary || n.op != Op::kIn || node(n.a).type != Type::kInt) return;
    if (!constant_range(n.b, from, to)) return;
    const NodeId low = node(n.b).a;
    const NodeId high = node(n.b).b;
    const NodeId least =
        append({.kind = NodeKind::kBinary, .op = Op::kMoreOrEqual, .a = n.a, .b = low});
    const NodeId most =
        append({.kind = NodeKind::kBinary, .op = Op::kLessOrEqual, .a = n.a, .b = high});
    node(id) = {.kind = NodeKind::kBinary, .op = Op::kAnd, .at = n.at, .a = least, .b = most};
  }

  NodeId append(Node n) {
    ast_.nodes.push_back(std::move(n));
    return static_cast<NodeId>(ast_.nodes.size() - 1);
  }

  bool is_filter(NodeId id) {
    return node(id).kind == NodeKind::kBuiltin && node(id).loop == Loop::kFilter &&
           node(id).list.size() == 2;
  }

  // first(filter(..)) and filter(..)[0] become find, last and [-1] findLast, len count.
  void rewrite_filter_end(NodeId id) {
    const Node n = node(id);
    if (n.kind == NodeKind::kMember && !n.flag && is_constant(n.b, Type::kInt) && is_filter(n.a)) {
      const std::int64_t index = node(n.b).constant.as_integer();
      if (index != 0 && index != -1) return;
      node(id) = {.kind = NodeKind::kBuiltin,
                  .loop = index == 0 ? Loop::kFind : Loop::kFindLast,
                  .flag = true,
                  .at = n.at,
                  .list = node(n.a).list,
                  .text = "find"};
      return;
    }
    if (n.kind != NodeKind::kBuiltin || n.list.size() != 1 || !is_filter(n.list[0])) return;
    if (n.text != "first" && n.text != "last" && n.text != "len") return;
    const Loop loop =
        n.text == "first" ? Loop::kFind : (n.text == "last" ? Loop::kFindLast : Loop::kCount);
    node(id) = {.kind = NodeKind::kBuiltin,
                .loop = loop,
                .at = n.at,
                .list = node(n.list[0]).list,
                .text = "find"};
  }

  // True for a predicate that is `# op n` or `n op #`.
  bool is_with_constant(const Node& predicate, NodeId& constant, bool& constant_first) {
    const Node& body = node(predicate.a);
    if (predicate.kind != NodeKind::kPredicate || body.kind != NodeKind::kBinary) return false;
    constant_first = is_constant(body.a, Type::kInt);
    constant = constant_first ? body.a : body.b;
    return is_constant(constant, Type::kInt) && is_pointer(constant_first ? body.b : body.a, "");
  }
  bool is_pointer(NodeId id, std::string_view text) {
    return node(id).kind == NodeKind::kPointer && node(id).text == text;
  }

  // What sum(from..to, predicate) gives, if that is known: a series. Wraps around as Go's int does.
  std::optional<std::int64_t> sum_of(std::int64_t from, std::int64_t to, NodeId predicate) {
    const std::uint64_t count = bits(to) - bits(from) + 1;
    const auto sum = bits(whole(count * (bits(from) + bits(to))) / 2);
    if (predicate == kNoNode || is_pointer(node(predicate).a, "")) return whole(sum);
    NodeId constant = kNoNode;
    bool constant_first = false;
    if (!is_with_constant(node(predicate), constant, constant_first)) return std::nullopt;
    const std::uint64_t n = bits(node(constant).constant.as_integer());
    switch (node(node(predicate).a).op) {
      case Op::kMultiply:
        return whole(n * sum);
      case Op::kPlus:
        return whole(sum + count * n);
      case Op::kMinus:
        return whole(constant_first ? count * n - sum : sum - count * n);
      default:
        return std::nullopt;
    }
  }
  static std::uint64_t bits(std::int64_t i) { return static_cast<std::uint64_t>(i); }
  static std::int64_t whole(std::uint64_t i) { return static_cast<std::int64_t>(i); }

  // reduce(from..to, # + #acc), also with a constant to begin with, is a sum.
  void rewrite_reduce(NodeId id) {
    const Node n = node(id);
    std::int64_t from = 0;
    std::int64_t to = 0;
    if (n.kind != NodeKind::kBuiltin || n.loop != Loop::kReduce || n.list.size() < 2) return;
    if (!constant_range(n.list[0], from, to) || to < from) return;
    if (n.list.size() == 3 && !is_constant(n.list[2], Type::kInt)) return;
    if (node(n.list[1]).kind != NodeKind::kPredicate) return;
    const Node& body = node(node(n.list[1]).a);
    if (body.kind != NodeKind::kBinary || body.op != Op::kPlus) return;
    const bool is_sum = (is_pointer(body.a, "") && is_pointer(body.b, "acc")) ||
                        (is_pointer(body.a, "acc") && is_pointer(body.b, ""));
    if (!is_sum) return;
    const std::int64_t start = n.list.size() == 3 ? node(n.list[2]).constant.as_integer() : 0;
    replace(id, whole(bits(start) + bits(*sum_of(from, to, kNoNode))));
  }

  // sum(1..n) is computed; sum([a, b]) is a + b, which also joins strings.
  void rewrite_sum(NodeId id) {
    const Node n = node(id);
    if (n.kind != NodeKind::kBuiltin || n.loop != Loop::kSum) return;
    std::int64_t from = 0;
    std::int64_t to = 0;
    if (constant_range(n.list[0], from, to) && to >= from) {
      const auto sum = sum_of(from, to, n.list.size() > 1 ? n.list[1] : kNoNode);
      if (sum) return replace(id, *sum);
    }
    if (n.list.size() != 1) return;
    if (const Node& mapped = node(n.list[0]);
        mapped.kind == NodeKind::kBuiltin && mapped.loop == Loop::kMap) {
      node(id).list = std::vector<NodeId>(mapped.list);  // sum(map(x, f)) is sum(x, f)
      return;
    }
    if (node(n.list[0]).kind != NodeKind::kArray || node(n.list[0]).list.size() < 2) return;
    const std::vector<NodeId> items = node(n.list[0]).list;
    NodeId tail = items.back();
    for (std::size_t i = items.size() - 1; i-- > 1;) {
      tail = append(
          {.kind = NodeKind::kBinary, .op = Op::kPlus, .at = n.at, .a = items[i], .b = tail});
    }
    node(id) = {.kind = NodeKind::kBinary, .op = Op::kPlus, .at = n.at, .a = items[0], .b = tail};
  }

  // count(..) > 0 stops at the first match; count(..) > 3 at the fourth.
  void rewrite_count(NodeId id) {
    const Node n = node(id);
    if (n.kind != NodeKind::kBinary || !is_comparison(n.op)) return;
    Node& count = node(n.a);
    if (count.kind != NodeKind::kBuiltin || count.loop != Loop::kCount || count.list.size() != 2 ||
        !is_constant(n.b, Type::kInt)) {
      return;
    }
    const std::int64_t bound = node(n.b).constant.as_integer();
    if (bound < 0) return;
    const bool exclusive = n.op == Op::kMore || n.op == Op::kLessOrEqual;
    const std::int64_t threshold = exclusive ? bound + 1 : bound;
    if (threshold == 1 && (n.op == Op::kMore || n.op == Op::kMoreOrEqual)) {
      node(id) = {.kind = NodeKind::kBuiltin,
                  .loop = Loop::kAny,
                  .at = n.at,
                  .list = count.list,
                  .text = "any"};
    } else if (threshold > 1) {
      count.constant = RuntimeValue(threshold);
    }
  }

  Ast& ast_;
  bool has_let_ = false;
};

}  // namespace

diag::Result<void> optimize(Ast& ast) { return Optimizer(ast).run(); }

}  // namespace tiphys::expr
