// Types of calls of built-in functions, with and without a predicate.
#include <fmt/core.h>

#include "expr/builtin_table.h"
#include "expr/checker_state.h"

namespace tiphys::expr {

Nature Checker::builtin(NodeId id) {
  const Builtin& row = *node(id).builtin;
  if (row.name == "get") return get(id);
  const std::vector<NodeId> arguments = node(id).list;
  if (row.validate != nullptr) {
    std::vector<Type> types;
    for (const NodeId argument : arguments) types.push_back(visit(argument).type);
    if (failed()) return {};
    const auto result = row.validate(types);
    if (!result) return fail(id, result.error().message);
    return of_type(*result);
  }
  std::string message;
  NodeId at = id;
  for (const Signature& signature : row.signatures) {
    if (arguments_fit(row.name, signature, arguments, message, at)) {
      return of_type(signature.result);
    }
    if (failed()) return {};
  }
  return fail(at, std::move(message));
}

Nature Checker::get(NodeId id) {
  const std::vector<NodeId> arguments = node(id).list;
  if (arguments.size() != 2) {
    return fail(id,
                fmt::format("invalid number of arguments (expected 2, got {})", arguments.size()));
  }
  const Nature base = visit(arguments[0]);
  const Nature key = visit(arguments[1]);
  const Node& from = node(arguments[0]);
  if (from.kind == NodeKind::kIdentifier && from.text == "$env") {
    const Node& name = node(arguments[1]);
    if (name.kind == NodeKind::kConstant && name.constant.is_string()) {
      return known_name(id, name.constant.as_string(), false, false);
    }
    return {};
  }
  if (base.is_unknown()) return {};
  if (base.is_list()) {
    if (!key.is_integer() && !key.is_unknown()) {
      return fail(arguments[1], fmt::format("non-integer slice index {}", key.name()));
    }
    return element(base);
  }
  if (base.is_map()) {
    if (!assignable(key, of_type(key_type(base.type))) && !key.is_unknown()) {
      return fail(arguments[1],
                  fmt::format("cannot use {} to get an element from {}", key.name(), base.name()));
    }
    return element(base);
  }
  return fail(arguments[0], fmt::format("type {} does not support indexing", base.name()));
}

Nature Checker::loop(NodeId id) {
  const std::vector<NodeId> arguments = node(id).list;
  const Loop kind = node(id).loop;
  const Nature collection = visit(arguments[0]);
  if (!collection.is_list() && !collection.is_unknown()) {
    return fail(arguments[0], fmt::format("builtin {} takes only array (got {})", node(id).text,
                                          collection.name()));
  }
  if (arguments.size() == 1) {
    if (kind == Loop::kCount) return of_type(Type::kInt);
    return collection.is_unknown() ? Nature{} : element(collection);
  }
  scopes_.push_back({.collection = collection,
                     .has_index = kind == Loop::kMap || kind == Loop::kReduce,
                     .has_accumulator = kind == Loop::kReduce});
  const Nature predicate = visit(arguments[1]);
  scopes_.pop_back();
  if (failed()) return {};
  if (arguments.size() == 3) {
    const Nature last = visit(arguments[2]);
    if (kind == Loop::kSortBy && last.type != Type::kString && !last.is_unknown()) {
      return fail(arguments[2],
                  fmt::format("sortBy order argument must be a string (got {})", last.name()));
    }
  }
  if (predicate.is_nil()) {
    return fail(arguments[1], "predicate should has one input and one output param");
  }
  return loop_result(id, collection, predicate);
}

Nature Checker::loop_result(NodeId id, const Nature& collection, const Nature& predicate) {
  const Loop kind = node(id).loop;
  const NodeId predicate_id = node(id).list[1];
  switch (kind) {
    case Loop::kMap:
      return list_of(predicate);
    case Loop::kSum:
      return of_type(predicate.type);
    case Loop::kGroupBy:
      return of_type(Type::kMapAnyList);
    case Loop::kSortBy:
      return collection;
    case Loop::kReduce:
      return predicate;
    default:
      break;
  }
  if (predicate.type != Type::kBool && !predicate.is_unknown()) {
    return fail(predicate_id,
                fmt::format("predicate should return boolean (got {})", predicate.name()));
  }
  switch (kind) {
    case Loop::kFilter:
      if (collection.is_unknown()) return of_type(Type::kListAny);
      return list_of(element(collection));
    case Loop::kFind:
    case Loop::kFindLast:
      return collection.is_unknown() ? Nature{} : element(collection);
    case Loop::kCount:
    case Loop::kFindIndex:
    case Loop::kFindLastIndex:
      return of_type(Type::kInt);
    default:
      return of_type(Type::kBool);
  }
}

}  // namespace tiphys::expr
