#include "expr/checker.h"

#include <fmt/core.h>

#include "expr/builtin_table.h"
#include "expr/checker_state.h"
#include "expr/lexer.h"
#include "expr/operators.h"

namespace tiphys::expr {

diag::Result<void> check(Ast& ast, const Environment& environment, const KnownVariables* known) {
  return Checker(ast, environment, known).run();
}

diag::Result<void> Checker::run() {
  visit(ast_.root);
  if (failed()) return std::unexpected(tiphys::expr::error_at(ast_.source, error_at_, error_));
  return {};
}

Nature Checker::fail(NodeId at, std::string message) {
  if (!failed()) {
    error_ = std::move(message);
    error_at_ = node(at).at;
  }
  return {};
}

Nature Checker::visit(NodeId id) {
  if (failed()) return {};
  const Nature found = dispatch(id);
  node(id).type = found.type;
  return found;
}

Nature Checker::dispatch(NodeId id) {
  const Node& n = node(id);
  switch (n.kind) {
    case NodeKind::kNil:
      return {.type = Type::kNil};
    case NodeKind::kIdentifier:
      return identifier(id);
    case NodeKind::kConstant:
      return of_type(n.constant.type());
    case NodeKind::kUnary:
      return unary(id);
    case NodeKind::kBinary:
    case NodeKind::kInSet:
      return binary(id);
    case NodeKind::kChain:
      return visit(n.a);
    case NodeKind::kMember:
      return member(id);
    case NodeKind::kSlice:
      return slice(id);
    case NodeKind::kCall:
      return call(id);
    case NodeKind::kBuiltin:
      return n.loop != Loop::kNone ? loop(id) : builtin(id);
    case NodeKind::kPredicate:
      return visit(n.a);
    case NodeKind::kPointer:
      return pointer(id);
    case NodeKind::kLet:
      return let(id);
    case NodeKind::kSequence: {
      Nature last;
      for (std::size_t i = 0; i < node(id).list.size(); ++i) last = visit(node(id).list[i]);
      return last;
    }
    case NodeKind::kConditional:
      return conditional(id);
    case NodeKind::kArray:
      return array(id);
    case NodeKind::kMap:
      for (const NodeId child : node(id).list) visit(child);
      return of_type(Type::kMapStringAny);
  }
  return {};
}

Nature Checker::element(const Nature& n) const {
  if (n.has_element && n.is_list()) return elements_[static_cast<std::size_t>(n.element)];
  if (n.is_list() || n.is_map()) return of_type(element_type(n.type));
  return {};
}

Nature Checker::list_of(const Nature& item) {
  elements_.push_back(item);
  Nature out = of_type(Type::kListAny);
  out.has_element = true;
  out.element = static_cast<std::int32_t>(elements_.size() - 1);
  return out;
}

bool Checker::assignable(const Nature& n, const Nature& to) {
  if (n.is_nil()) {
    return to.is_interface || to.type == Type::kFunc || to.type == Type::kLocation || to.is_map() ||
           (to.is_list() && to.type != Type::kPair);
  }
  const bool has_type = n.is_interface || n.type != Type::kAny;
  if (!has_type || to.is_nil()) return false;
  if (to.is_interface) return true;
  return n.type == to.type && n.type != Type::kAny && n.function == to.function;
}

bool Checker::comparable(const Nature& l, const Nature& r) {
  return l.is_unknown() || r.is_unknown() || l.is_nil() || r.is_nil() ||
         (l.is_number() && r.is_number()) || (l.is_list() && r.is_list()) || assignable(l, r);
}

Nature Checker::identifier(NodeId id) {
  const std::string& name = node(id).text;
  for (auto i = variables_.rbegin(); i != variables_.rend(); ++i) {
    if (i->first == name) return i->second;
  }
  if (name == "$env") return {};
  if (const auto known = known_variable(id)) return *known;
  return known_name(id, name, true, true);
}

std::optional<Nature> Checker::known_variable(NodeId id) {
  if (known_ == nullptr) return std::nullopt;
  std::string path;
  for (; node(id).kind == NodeKind::kMember; id = node(id).a) {
    const Node& key = node(node(id).b);
    if (key.kind != NodeKind::kConstant || !key.constant.is_string()) return std::nullopt;
    path = "." + key.constant.as_string() + path;
  }
  if (node(id).kind != NodeKind::kIdentifier) return std::nullopt;
  for (const auto& [name, nature] : variables_) {
    if (name == node(id).text) return std::nullopt;
  }
  switch ((*known_)(node(id).text + path)) {
    case Known::kNothing:
      return std::nullopt;
    case Known::kAnything:
      return Nature{};
    case Known::kText:
      return of_type(Type::kString);
    case Known::kMembers:
      return of_type(Type::kMapStringAny);
  }
  return std::nullopt;
}

Nature Checker::known_name(NodeId id, std::string_view name, bool strict, bool with_builtins) {
  if (const RuntimeValue* value = environment_.find(name)) {
    Nature out = of_type(value->type());
    if (value->type() == Type::kFunc) out.function = value->as_function().row;
    return out;
  }
  if (with_builtins) {
    // Built-ins are known here, although their value at run time is nil.
    if (const Builtin* row = find_builtin(name)) return {.type = Type::kFunc, .function = row};
    if (find_loop(name) != nullptr) return {.type = Type::kFunc};
  }
  if (strict) return fail(id, fmt::format("unknown name {}", name));
  return {};
}

Nature Checker::environment_member(NodeId id) {
  const Node& n = node(id);
  const Node& property = node(n.b);
  if (property.kind != NodeKind::kConstant || !property.constant.is_string()) return {};
  return known_name(id, property.constant.as_string(), !n.flag, false);
}

Nature Checker::member(NodeId id) {
  const NodeId base_id = node(id).a;
  const NodeId property_id = node(id).b;
  if (node(base_id).kind == NodeKind::kIdentifier && node(base_id).text == "$env") {
    return environment_member(id);
  }
  const Nature base = visit(base_id);
  const Nature property = visit(property_id);
  if (failed()) return {};
  if (const auto known = known_variable(id)) return *known;
  if (base.is_unknown()) return {};
  return member_of(id, base, property);
}

Nature Checker::member_of(NodeId id, const Nature& base, const Nature& property) {
  const Node& n = node(id);
  const Node& key = node(n.b);
  const bool by_name = key.kind == NodeKind::kConstant && key.constant.is_string();
  if (by_name) {
    const std::string& name = key.constant.as_string();
    if (base.is_nil()) return fail(id, fmt::format("type nil has no field {}", name));
    if (const Builtin* method = find_method(base.type, name)) {
      return {.type = Type::kFunc, .function = method};
    }
  }
  if (base.is_map()) {
    const Nature wanted = of_type(key_type(base.type));
    if (!assignable(property, wanted) && !property.is_unknown()) {
      return fail(n.b, fmt::format("cannot use {} to get an element from {}", property.name(),
                                   base.name()));
    }
    return element(base);
  }
  if (base.is_list()) {
    if (!property.is_integer() && !property.is_unknown()) {
      return fail(n.b, fmt::format("array elements can only be selected using an integer (got {})",
                                   property.name()));
    }
    return element(base);
  }
  if (by_name) {
    return fail(id, fmt::format("type {} has no {} {}", base.name(), n.called ? "method" : "field",
                                key.constant.as_string()));
  }
  return fail(id, fmt::format("type {}[{}] is undefined", base.name(), property.name()));
}

Nature Checker::slice(NodeId id) {
  const Node n = node(id);
  const Nature base = visit(n.a);
  if (base.is_unknown()) return {};
  if (!base.is_list() && base.type != Type::kString) {
    return fail(id, fmt::format("cannot slice {}", base.name()));
  }
  for (const NodeId bound : {n.b, n.c}) {
    if (bound == kNoNode) continue;
    const Nature index = visit(bound);
    if (!index.is_integer() && !index.is_unknown()) {
      return fail(bound, fmt::format("non-integer slice index {}", index.name()));
    }
  }
  return base;
}

Nature Checker::call(NodeId id) {
  const NodeId callee_id = node(id).a;
  const Node& callee = node(callee_id);
  if (callee.kind == NodeKind::kIdentifier && callee.text == "$env") {
    return fail(id, "map[string]interface {} is not callable");
  }
  const Nature function = visit(callee_id);
  // An unknown function's arguments are not looked at: `sprig.trim(typo)` compiles, `typo` is nil
  // then.
  if (failed() || function.is_unknown()) return {};
  std::string name = "function";
  const Node& named = node(callee_id);
  if (named.kind == NodeKind::kIdentifier) name = named.text;
  if (named.kind == NodeKind::kMember && node(named.b).constant.is_string()) {
    name = node(named.b).constant.as_string();
  }
  if (function.is_nil()) {
    return fail(id, fmt::format("{} is nil; cannot call nil as function", name));
  }
  if (function.type != Type::kFunc) {
    return fail(id, fmt::format("{} is not callable", function.name()));
  }
  if (function.function == nullptr || function.function->signatures.empty()) return {};
  const Signature& signature = function.function->signatures[0];
  std::string message;
  NodeId at = id;
  const std::vector<NodeId> arguments = node(id).list;
  if (!arguments_fit(name, signature, arguments, message, at)) {
    return fail(at, std::move(message));
  }
  return of_type(signature.result);
}

bool Checker::arguments_fit(std::string_view name, const Signature& signature,
                            const std::vector<NodeId>& arguments, std::string& message,
                            NodeId& at) {
  const std::size_t count = signature.parameters.size();
  const bool too_few = arguments.size() < count - (signature.variadic ? 1 : 0);
  const bool too_many = !signature.variadic && arguments.size() > count;
  if (too_few || too_many) {
    message = fmt::format("{} arguments to call {}", too_few ? "not enough" : "too many", name);
    for (const NodeId argument : arguments) visit(argument);
    return false;
  }
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const Nature given = visit(arguments[i]);
    if (failed()) return true;  // the error is reported already
    const Nature wanted = of_type(signature.parameters[std::min(i, count - 1)]);
    if (wanted.is_integer() && given.is_integer()) continue;
    if (given.is_nil()) {
      if (wanted.is_interface || wanted.type == Type::kLocation) continue;
      message = fmt::format("cannot use nil as argument (type {}) to call {}", wanted.name(), name);
      at = arguments[i];
      return false;
    }
    if (!assignable(given, wanted) && !given.is_unknown()) {
      message = fmt::format("cannot use {} as argument (type {}) to call {} ", given.name(),
                            wanted.name(), name);
      at = arguments[i];
      return false;
    }
  }
  return true;
}

Nature Checker::pointer(NodeId id) {
  const std::string& name = node(id).text;
  if (scopes_.empty()) return fail(id, "cannot use pointer accessor outside predicate");
  const PredicateScope& scope = scopes_.back();
  if (name.empty()) {
    if (scope.collection.is_unknown()) return {};
    return element(scope.collection);
  }
  if (name == "index" && scope.has_index) return of_type(Type::kInt);
  if (name == "acc" && scope.has_accumulator) return {};
  return fail(id, fmt::format("unknown pointer #{}", name));
}

Nature Checker::let(NodeId id) {
  const Node n = node(id);
  if (environment_.find(n.text) != nullptr) {
    return fail(id, fmt::format("cannot redeclare {}", n.text));
  }
  if (find_builtin(n.text) != nullptr || find_loop(n.text) != nullptr) {
    return fail(id, fmt::format("cannot redeclare builtin {}", n.text));
  }
  for (const auto& [name, nature] : variables_) {
    if (name == n.text) return fail(id, fmt::format("cannot redeclare variable {}", n.text));
  }
  const Nature value = visit(n.a);
  variables_.emplace_back(n.text, value);
  const Nature body = visit(n.b);
  variables_.pop_back();
  return body;
}

Nature Checker::conditional(NodeId id) {
  const Node n = node(id);
  const Nature condition = visit(n.a);
  if (condition.type != Type::kBool && !condition.is_unknown()) {
    return fail(n.a,
                fmt::format("non-bool expression (type {}) used as condition", condition.name()));
  }
  const Nature yes = visit(n.b);
  const Nature no = visit(n.c);
  if (yes.is_nil()) return no;
  if (no.is_nil()) return yes;
  if (!assignable(yes, no)) return {};
  if (yes.is_list() && no.is_list()) {
    const Nature a = element(yes);
    const Nature b = element(no);
    if (!assignable(a, b) || !assignable(b, a)) return of_type(Type::kListAny);
  }
  return yes;
}

namespace {

// Go's reflect.Kind, as far as arrays compare it: types of one kind share a number.
int kind_of(const Nature& n) {
  if (n.is_interface) return -1;
  if (n.is_unknown() || n.is_nil()) return -2;
  if (n.is_map()) return static_cast<int>(Type::kMapStringAny);
  if (n.type == Type::kPair) return static_cast<int>(Type::kPair);
  if (n.is_list()) return static_cast<int>(Type::kListAny);
  if (n.type == Type::kDuration) return static_cast<int>(Type::kInt64);
  if (n.type == Type::kMonth || n.type == Type::kWeekday) return static_cast<int>(Type::kInt);
  return static_cast<int>(n.type);
}

}  // namespace

Nature Checker::array(NodeId id) {
  const std::vector<NodeId> items = node(id).list;
  Nature previous;
  bool same = true;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Nature current = visit(items[i]);
    if (i > 0 && kind_of(current) != kind_of(previous)) same = false;
    previous = current;
  }
  return same ? list_of(previous) : of_type(Type::kListAny);
}

}  // namespace tiphys::expr
