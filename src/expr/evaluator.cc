#include "expr/evaluator.h"

#include <algorithm>

#include <fmt/core.h>

#include "expr/builtin_table.h"
#include "expr/evaluator_state.h"
#include "expr/few.h"
#include "expr/lexer.h"
#include "expr/operators.h"

namespace tiphys::expr {
namespace {
constexpr std::uint64_t kMaxSteps = CallContext::kMaxSteps;
constexpr std::uint64_t kMaxText = CallContext::kMaxText;
constexpr std::uint32_t kMaxDepth = 1000;      // writing and comparing are recursive
constexpr std::uint64_t kMaxSize = 2'000'000;  // elements of a value, shared ones counted again
}  // namespace

diag::Result<RuntimeValue> evaluate(const Ast& ast, const Environment& environment, Cost* used) {
  if (used == nullptr) return Evaluator(ast, environment, {}).run();
  Evaluator evaluator(ast, environment, *used);
  auto result = evaluator.run();
  *used = evaluator.cost();
  return result;
}

diag::Result<RuntimeValue> Evaluator::run() {
  RuntimeValue out;
  if (!eval(ast_.root, out))
    return std::unexpected(tiphys::expr::error_at(ast_.source, error_at_, error_));
  return out;
}

bool Evaluator::settle_contents(NodeId id, const RuntimeValue& made) {
  if (made.is_string() || made.type() == Type::kBytes) {
    context_.text += made.as_string().size();
    return context_.text <= kMaxText || fail(id, "memory budget exceeded");
  }
  if (!made.is_list() && !made.is_map()) return true;
  const Extent extent = made.extent();
  if (extent.depth > kMaxDepth) return fail(id, "the value is nested too deep");
  return extent.size <= kMaxSize || fail(id, "memory budget exceeded");
}

// In steps: a step takes as long as about so many bytes or elements.
std::uint64_t Evaluator::weight(const RuntimeValue& v) {
  constexpr std::uint64_t kBytes = 16;
  if (v.is_word()) return 0;
  if (v.is_string() || v.type() == Type::kBytes) return v.as_string().size() / kBytes;
  return v.extent().size;
}

bool Evaluator::spend(NodeId id, std::uint64_t steps) {
  context_.steps = std::min(context_.steps + steps, kMaxSteps + 1);
  return context_.steps <= kMaxSteps || fail(id, "step budget exceeded");
}

bool Evaluator::fail(NodeId at, std::string message) {
  if (error_.empty()) {
    error_ = std::move(message);
    error_at_ = node(at).at;
  }
  return false;
}

bool Evaluator::eval(NodeId id, RuntimeValue& out) {
  if (++context_.steps > kMaxSteps) return fail(id, "step budget exceeded");
  const Node& n = node(id);
  switch (n.kind) {
    case NodeKind::kNil:
      out = {};
      return true;
    case NodeKind::kIdentifier:
      if (const RuntimeValue* leaf = environment_.leaf(n.path)) {
        out = *leaf;
        return true;
      }
      return identifier(n, out);
    case NodeKind::kConstant:
      out = n.constant;
      return true;
    case NodeKind::kUnary:
      return unary(id, n, out);
    case NodeKind::kBinary:
      return binary(id, n, out) && settle(id, out);
    case NodeKind::kInSet:
      return in_set(id, n, out);
    case NodeKind::kChain: {
      const bool outer = std::exchange(chain_ended_, false);
      const bool fine = eval(n.a, out);
      chain_ended_ = outer;
      if (out.is_nil_like()) out = {};
      return fine;
    }
    case NodeKind::kMember:
      if (const RuntimeValue* leaf = environment_.leaf(n.path)) {
        out = *leaf;
        return true;
      }
      return member(id, n, out);
    case NodeKind::kSlice:
      return slice(id, n, out) && settle(id, out) && go_through(id, out);
    case NodeKind::kCall:
      return call(id, n, out) && settle(id, out);
    case NodeKind::kBuiltin:
      return (n.loop != Loop::kNone ? loop(id, n, out) : builtin(id, n, out)) && settle(id, out);
    case NodeKind::kPredicate:
      return eval(n.a, out);
    case NodeKind::kPointer:
      return pointer(id, n, out);
    case NodeKind::kLet:
      return let(n, out);
    case NodeKind::kSequence:
      for (const NodeId child : n.list) {
        if (!eval(child, out)) return false;
      }
      return true;
    case NodeKind::kConditional: {
      bool condition = false;
      if (!truth(n.a, condition)) return false;
      return eval(condition ? n.b : n.c, out);
    }
    case NodeKind::kArray:
      return array(id, n, out) && settle(id, out);
    case NodeKind::kMap:
      return map(id, n, out) && settle(id, out);
  }
  return true;
}

const RuntimeValue* Evaluator::view_other(NodeId id, const Node& n, RuntimeValue& scratch) {
  if (n.kind == NodeKind::kIdentifier || n.kind == NodeKind::kMember) {
    if (const RuntimeValue* found = find_path(id)) return found;
  }
  return eval(id, scratch) ? &scratch : nullptr;
}

// a.b.c of constant names that all exist: a pointer into the environment, else null. Evaluates
// nothing.
const RuntimeValue* Evaluator::find_path(NodeId id) const {
  const Node& n = node(id);
  if (n.kind == NodeKind::kIdentifier) {
    return variables_.empty() ? environment_.find(n.text) : nullptr;
  }
  if (n.kind != NodeKind::kMember || n.flag) return nullptr;
  const Node& key = node(n.b);
  if (key.kind != NodeKind::kConstant || !key.constant.is_string()) return nullptr;
  const RuntimeValue* base = find_path(n.a);
  return base == nullptr ? nullptr : base->find(key.constant.as_string());
}

bool Evaluator::as_truth(NodeId at, const RuntimeValue& v, bool& out) {
  if (v.type() != Type::kBool) {
    return fail(at, fmt::format("interface conversion: interface {{}} is {}, not bool",
                                v.is_nil() ? "nil" : go_name(v.type())));
  }
  out = v.as_bool();
  return true;
}

bool Evaluator::truth(NodeId id, bool& out) {
  RuntimeValue scratch;
  const RuntimeValue* v = view(id, scratch);
  return v != nullptr && as_truth(id, *v, out);
}

bool Evaluator::identifier(const Node& n, RuntimeValue& out) {
  for (auto i = variables_.rbegin(); i != variables_.rend(); ++i) {
    if (i->first == n.text) {
      out = i->second;
      return true;
    }
  }
  if (n.text == "$env") {
    out = environment_.whole();
    return true;
  }
  const RuntimeValue* known = environment_.find(n.text);
  out = known != nullptr ? *known : RuntimeValue();
  return true;
}

bool Evaluator::member(NodeId id, const Node& n, RuntimeValue& out) {
  RuntimeValue base_scratch;
  const RuntimeValue* base = view(n.a, base_scratch);
  if (base == nullptr) return false;
  if (chain_ended_) {
    out = {};
    return true;
  }
  if (n.flag && base->is_nil_like()) {
    chain_ended_ = true;
    out = {};
    return true;
  }
  RuntimeValue key_scratch;
  const RuntimeValue* key = view(n.b, key_scratch);
  if (key == nullptr) return false;
  if (key->is_string()) {
    if (const RuntimeValue* found = base->find(key->as_string())) {
      out = RuntimeValue(*found);  // `out` may be the owner of what is found
      return true;
    }
  }
  return take(id, fetch(*base, *key), out);
}

bool Evaluator::slice(NodeId id, const Node& n, RuntimeValue& out) {
  RuntimeValue base;
  if (!eval(n.a, base)) return false;
  RuntimeValue bounds[2] = {RuntimeValue(0), RuntimeValue(raw_length(base))};
  if (n.c == kNoNode && raw_length(base) < 0) {
    return fail(id, fmt::format("invalid argument for len (type {})", go_name(base.type())));
  }
  if (n.c != kNoNode && !eval(n.c, bounds[1])) return false;
  if (n.b != kNoNode && !eval(n.b, bounds[0])) return false;
  const auto from = int_argument(bounds, 0);
  const auto to = int_argument(bounds, 1);
  if (!from || !to) return fail(id, (from ? to : from).error().message);
  return take(id, tiphys::expr::slice(base, *from, *to), out);
}

bool Evaluator::all(const std::vector<NodeId>& list, std::span<RuntimeValue> out) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!eval(list[i], out[i])) return false;
  }
  return true;
}

bool Evaluator::call(NodeId id, const Node& n, RuntimeValue& out) {
  Few<RuntimeValue, 4> room(n.list.size() + 1);  // the first for a receiver
  const std::span<RuntimeValue> arguments = room.all().subspan(1);
  if (!all(n.list, arguments)) return false;
  if (n.builtin != nullptr) {
    if (const auto fits = fit_reflected(*n.builtin, arguments); !fits) {
      return fail(id, fits.error().message);
    }
    return run_body(id, *n.builtin, arguments, out);
  }
  RuntimeValue scratch;
  const RuntimeValue* callee = view(n.a, scratch);
  if (callee == nullptr) return false;
  if (chain_ended_) {
    out = {};
    return true;
  }
  if (callee->is_nil()) return fail(id, "invalid operation: cannot call nil");
  if (callee->type() != Type::kFunc) {
    return fail(id, fmt::format("invalid operation: cannot call non-function of type {}",
                                go_name(callee->type())));
  }
  const FunctionValue& function = callee->as_function();
  if (const auto fits = fit_reflected(*function.row, arguments); !fits) {
    return fail(id, fits.error().message);
  }
  if (function.receiver == nullptr) {
    return run_body(id, *function.row, arguments, out);
  }
  room.all()[0] = *function.receiver;  // the signature does not count it
  return run_body(id, *function.row, room.all(), out);
}

bool Evaluator::builtin(NodeId id, const Node& n, RuntimeValue& out) {
  if (n.list.size() == 1) {
    RuntimeValue scratch;
    const RuntimeValue* argument = view(n.list[0], scratch);
    if (argument == nullptr) return false;
    return run_body(id, *n.builtin, Arguments(argument, 1), out);
  }
  Few<RuntimeValue, 4> arguments(n.list.size());
  return all(n.list, arguments.all()) && run_body(id, *n.builtin, arguments.all(), out);
}

bool Evaluator::let(const Node& n, RuntimeValue& out) {
  RuntimeValue value;
  if (!eval(n.a, value)) return false;
  variables_.emplace_back(n.text, std::move(value));
  const bool fine = eval(n.b, out);
  variables_.pop_back();
  return fine;
}

bool Evaluator::array(NodeId id, const Node& n, RuntimeValue& out) {
  Items items(n.list.size());
  if (!all(n.list, items)) return false;
  if (const auto fits = context_.grow(items.size()); !fits) return fail(id, fits.error().message);
  out = RuntimeValue::list(std::move(items));
  return true;
}

bool Evaluator::map(NodeId id, const Node& n, RuntimeValue& out) {
  Items items(n.list.size());
  if (!all(n.list, items)) return false;
  if (const auto fits = context_.grow(items.size() / 2); !fits) {
    return fail(id, fits.error().message);
  }
  Table table;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    if (!items[i].is_string()) {
      return fail(id, fmt::format("interface conversion: interface {{}} is {}, not string",
                                  items[i].is_nil() ? "nil" : go_name(items[i].type())));
    }
    table.try_emplace(std::move(items[i]),
                      std::move(items[i + 1]));  // the first of equal keys wins
  }
  out = RuntimeValue::map(std::move(table));
  return true;
}

}  // namespace tiphys::expr
