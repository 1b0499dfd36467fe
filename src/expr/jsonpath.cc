// Finds the values that a JSON path names.
#include "expr/jsonpath.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/core.h>

#include "expr/builtin_table.h"
#include "expr/json_text.h"
#include "expr/jsonpath_token.h"
#include "expr/sprig_table.h"

namespace tiphys::expr {
namespace path {
namespace {

using Value = diag::Result<RuntimeValue>;

std::unexpected<diag::Error> bad_target(std::string_view token, const RuntimeValue& got) {
  return bad_expression(fmt::format("{}: invalid token target. got [{}]", token,
                                    got.is_nil() ? std::string_view("nil") : kind_name(got)));
}

// A whole number, also as a float.
std::optional<std::int64_t> whole(const RuntimeValue& v) {
  if (v.type() == Type::kInt || v.type() == Type::kInt64) return v.as_integer();
  if (v.type() == Type::kFloat && std::trunc(v.as_float()) == v.as_float()) {
    return float_to_int(v.as_float());
  }
  return std::nullopt;
}

// The members of a list, or of a map in the order of its keys.
diag::Result<Items> members(std::string_view token, const RuntimeValue& v) {
  if (v.is_list()) return v.items();
  if (!v.is_map()) return bad_target(token, v);
  Items out;
  for (const auto& [key, item] : v.table()) out.push_back(item);
  return out;
}

// What follows applied to each of them; failures and nil are left out.
RuntimeValue each(const Items& items, Tokens next, const RuntimeValue& root) {
  Items out;
  for (const RuntimeValue& item : items) {
    auto found = apply(next, root, item);
    if (found && !found->is_nil()) out.push_back(*std::move(found));
  }
  return RuntimeValue::list(std::move(out));
}

// An index after a range or union picks from the whole; everything else applies to each element.
Value continued(Items items, Tokens next, const RuntimeValue& root) {
  if (!next.empty() && next[0].kind != TokenKind::kIndex) return each(items, next, root);
  return apply(next, root, RuntimeValue::list(std::move(items)));
}

Value by_key(const std::string& key, Tokens next, const RuntimeValue& root,
             const RuntimeValue& current) {
  if (!current.is_map()) return bad_target("key", current);
  const RuntimeValue* found = current.find(key);
  if (found == nullptr) {
    return bad_expression(fmt::format("key: invalid token key '{}' not found", key));
  }
  return apply(next, root, *found);
}

Value by_index(std::int64_t index, Tokens next, const RuntimeValue& root,
               const RuntimeValue& current) {
  if (!current.is_list()) return bad_target("index", current);
  const auto length = static_cast<std::int64_t>(current.items().size());
  if (index < 0) index += length;
  if (index < 0 || index >= length) return bad_expression("index: invalid token out of range");
  return apply(next, root, current.items()[static_cast<std::size_t>(index)]);
}

Value length_of(Tokens next, const RuntimeValue& root, const RuntimeValue& current) {
  if (const RuntimeValue* own = current.find("length")) return apply(next, root, *own);
  std::size_t length = 0;
  if (current.is_map()) {
    length = current.table().size();
  } else if (current.is_list()) {
    length = current.items().size();
  } else if (current.is_string()) {
    length = current.as_string().size();
  } else {
    return bad_target("length", current);
  }
  return apply(next, root, RuntimeValue::integer(Type::kInt64, static_cast<std::int64_t>(length)));
}

// A filter keeps what its script gives no empty value for.
bool passes(const RuntimeValue& v) {
  if (!v.is_string()) return !sprig_empty(v);
  const std::string& text = v.as_string();
  return !text.empty() && text != "''" && text != "\"\"";
}

Value filtered(const Token& token, Tokens next, const RuntimeValue& root,
               const RuntimeValue& current) {
  if (token.script->text.empty()) return bad_expression("invalid expression. is empty");
  TRY(const Items all, members("filter", current));
  Items kept;
  for (const RuntimeValue& item : all) {
    const auto result = evaluate(*token.script, root, item);
    if (result && passes(*result)) kept.push_back(item);
  }
  if (next.empty()) return RuntimeValue::list(std::move(kept));
  if (next[0].kind == TokenKind::kIndex) {  // the filtered value becomes the root
    return apply(next, current, RuntimeValue::list(std::move(kept)));
  }
  return each(kept, next, root);
}

Value by_script(const Token& token, Tokens next, const RuntimeValue& root,
                const RuntimeValue& current) {
  TRY(const RuntimeValue result, evaluate(*token.script, root, current));
  if (result.is_string()) return by_key(result.as_string(), next, root, current);
  const auto index = whole(result);
  if (!index) return bad_expression("unexpected expression result. expected [int string]");
  return by_index(*index, next, root, current);
}

Value argument_value(const Argument& argument, const RuntimeValue& root,
                     const RuntimeValue& current) {
  if (const auto* number = std::get_if<std::int64_t>(&argument)) return RuntimeValue(*number);
  if (const auto* key = std::get_if<std::string>(&argument)) return RuntimeValue(*key);
  return evaluate(*std::get<std::shared_ptr<const Script>>(argument), root, current);
}

Value by_union(const Token& token, Tokens next, const RuntimeValue& root,
               const RuntimeValue& current) {
  std::vector<std::string> keys;
  std::vector<std::int64_t> indices;
  for (const Argument& argument : token.arguments) {
    TRY(const RuntimeValue v, argument_value(argument, root, current));
    const auto index = whole(v);
    if (v.is_string()) keys.push_back(v.as_string());
    if (index) indices.push_back(*index);
    if (!v.is_string() && !index) return bad_expression("union: invalid token argument");
    if (!keys.empty() && !indices.empty()) {
      return bad_expression("union: invalid token argument. expected one kind");
    }
  }
  Items out;
  if (!keys.empty()) {
    if (!current.is_map()) return bad_target("union", current);
    for (const std::string& key : keys) {
      if (const RuntimeValue* found = current.find(key)) out.push_back(*found);
    }
    return continued(std::move(out), next, root);
  }
  if (!current.is_list()) return bad_target("union", current);
  const auto length = static_cast<std::int64_t>(current.items().size());
  for (std::int64_t index : indices) {
    if (index < 0) index += length;
    if (index >= 0 && index < length) {
      out.push_back(current.items()[static_cast<std::size_t>(index)]);
    }
  }
  return continued(std::move(out), next, root);
}

diag::Result<std::int64_t> bound(const Argument& argument, std::int64_t otherwise,
                                 const RuntimeValue& root, const RuntimeValue& current) {
  if (std::holds_alternative<std::monostate>(argument)) return otherwise;
  TRY(const RuntimeValue v, argument_value(argument, root, current));
  const auto number = whole(v);
  if (!number) return bad_expression("range: invalid token argument. expected [int]");
  return *number;
}

Value by_range(const Token& token, Tokens next, const RuntimeValue& root,
               const RuntimeValue& current) {
  if (!current.is_list()) return bad_target("range", current);
  const Items& items = current.items();
  const auto length = static_cast<std::int64_t>(items.size());
  const auto clamped = [&](std::int64_t i) {
    return std::clamp<std::int64_t>(i < 0 ? i + length : i, 0, length);
  };
  TRY(const std::int64_t first, bound(token.arguments[0], 0, root, current));
  TRY(const std::int64_t last, bound(token.arguments[1], length, root, current));
  TRY(const std::int64_t step, bound(token.arguments[2], 1, root, current));
  if (step == 0) return bad_expression("range: invalid token out of range");
  const std::int64_t from = clamped(first);
  const std::int64_t to = clamped(last);
  const std::int64_t stride = std::clamp<std::int64_t>(step, -length - 1, length + 1);
  Items out;
  if (stride > 0) {
    for (std::int64_t i = from; i < to; i += stride) {
      out.push_back(items[static_cast<std::size_t>(i)]);
    }
  } else {
    for (std::int64_t i = to - 1; i >= from; i += stride) {
      out.push_back(items[static_cast<std::size_t>(i)]);
    }
  }
  return continued(std::move(out), next, root);
}

// What follows, at this value and at all below it; lists of results become one.
void recurse(Tokens next, const RuntimeValue& root, const RuntimeValue& current, Items& out) {
  if (current.is_nil()) return;
  const auto found = apply(next, root, current);
  if (next.empty()) {
    out.push_back(current);
  } else if (found && found->is_list()) {
    out.insert(out.end(), found->items().begin(), found->items().end());
  } else if (found && !found->is_nil()) {
    out.push_back(*found);
  }
  const auto below = members("recursive", current);
  if (!below) return;
  for (const RuntimeValue& item : *below) recurse(next, root, item, out);
}

}  // namespace

diag::Result<RuntimeValue> apply(Tokens tokens, const RuntimeValue& root,
                                 const RuntimeValue& current) {
  if (tokens.empty()) return current;
  const Token& token = tokens[0];
  const Tokens next = tokens.subspan(1);
  switch (token.kind) {
    case TokenKind::kRoot:
      return apply(next, root, root);
    case TokenKind::kCurrent:
      return apply(next, root, current);
    case TokenKind::kWildcard: {
      TRY(Items items, members("wildcard", current));
      return next.empty() ? RuntimeValue::list(std::move(items)) : each(items, next, root);
    }
    case TokenKind::kRecursive: {
      Items out;
      recurse(next, root, current, out);
      return RuntimeValue::list(std::move(out));
    }
    case TokenKind::kLength:
      return length_of(next, root, current);
    case TokenKind::kKey:
      return by_key(token.key, next, root, current);
    case TokenKind::kIndex:
      return by_index(token.index, next, root, current);
    case TokenKind::kFilter:
      return filtered(token, next, root, current);
    case TokenKind::kScript:
      return by_script(token, next, root, current);
    case TokenKind::kUnion:
      return by_union(token, next, root, current);
    case TokenKind::kRange:
      return by_range(token, next, root, current);
  }
  return current;
}

}  // namespace path

diag::Result<RuntimeValue> jsonpath(std::string_view json, std::string_view path_text) {
  TRY(const RuntimeValue root, read_json_text(json));
  path::Budget budget;
  const auto tokens = path::parse_path(path_text, budget);
  if (!tokens) {
    return bad_expression(
        fmt::format("invalid JSONPath selector '{}' {}", path_text, tokens.error().message));
  }
  return path::apply(*tokens, root, root);
}

}  // namespace tiphys::expr
