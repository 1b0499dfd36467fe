#include "resource/patch.h"

#include <charconv>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace tiphys::resource {
namespace {

using value::List;
using value::Map;
using value::Value;

using Tokens = std::vector<std::string>;

std::unexpected<diag::Error> wrong(std::string message) {
  return diag::fail(diag::Code::kInvalidManifest, std::move(message));
}

diag::Result<Tokens> tokens_of(std::string_view pointer) {
  Tokens tokens;
  if (pointer.empty()) return tokens;
  if (pointer.front() != '/') return wrong(fmt::format("'{}' is no JSON pointer", pointer));
  std::string token;
  for (std::size_t i = 1; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      tokens.push_back(std::exchange(token, {}));
    } else if (pointer[i] == '~' && i + 1 < pointer.size()) {
      token += pointer[++i] == '1' ? '/' : '~';
    } else {
      token += pointer[i];
    }
  }
  tokens.push_back(std::move(token));
  return tokens;
}

std::optional<std::size_t> place_in(const List& list, const std::string& token, bool may_append) {
  if (token == "-" && may_append) return list.size();
  std::size_t i = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), i);
  if (error != std::errc() || end != token.data() + token.size()) return std::nullopt;
  return i < list.size() + (may_append ? 1 : 0) ? std::optional(i) : std::nullopt;
}

std::string pointer_of(const Tokens& tokens) {
  std::string pointer;
  for (const std::string& token : tokens) pointer += "/" + token;
  return pointer;
}

std::unexpected<diag::Error> missing(const Tokens& at) {
  return wrong(fmt::format("there is nothing at '{}'", pointer_of(at)));
}

diag::Result<Value> found_at(const Value& object, const Tokens& at) {
  Value here = object;
  for (const std::string& token : at) {
    if (here.is_list()) {
      const auto i = place_in(here.list(), token, false);
      if (!i) return missing(at);
      here = Value(here.list()[*i]);
    } else {
      const Value* const member = here.map().find(token);
      if (member == nullptr) return missing(at);
      here = Value(*member);
    }
  }
  return here;
}

/// Changes the list or map that holds the last token; `change` gives false when it cannot.
using Change = std::function<bool(Value& holder, const std::string& token)>;

diag::Result<Value> changed_at(const Value& object, const Tokens& at, std::size_t depth,
                               const Change& change) {
  Value copy = object;
  if (depth + 1 == at.size()) {
    if (!change(copy, at[depth])) return missing(at);
    return copy;
  }
  const std::string& token = at[depth];
  if (object.is_list()) {
    const auto i = place_in(object.list(), token, false);
    if (!i) return missing(at);
    List list = object.list();
    TRY(list[*i], changed_at(object.list()[*i], at, depth + 1, change));
    return Value(std::move(list));
  }
  const Value* const member = object.map().find(token);
  if (member == nullptr) return missing(at);
  Map map = object.map();
  TRY(Value inner, changed_at(*member, at, depth + 1, change));
  map.set(token, std::move(inner));
  return Value(std::move(map));
}

diag::Result<Value> added(const Value& object, const Tokens& at, const Value& what) {
  if (at.empty()) return what;
  return changed_at(object, at, 0, [&](Value& holder, const std::string& token) {
    if (holder.is_map()) {
      Map map = holder.map();
      map.set(token, what);
      holder = std::move(map);
      return true;
    }
    const auto i = holder.is_list() ? place_in(holder.list(), token, true) : std::nullopt;
    if (!i) return false;
    List list = holder.list();
    list.insert(list.begin() + static_cast<std::ptrdiff_t>(*i), what);
    holder = std::move(list);
    return true;
  });
}

diag::Result<Value> removed(const Value& object, const Tokens& at) {
  if (at.empty()) return Value();
  return changed_at(object, at, 0, [&](Value& holder, const std::string& token) {
    if (holder.is_map()) {
      Map map = holder.map();
      if (!map.erase(token)) return false;
      holder = std::move(map);
      return true;
    }
    const auto i = place_in(holder.list(), token, false);
    if (!i) return false;
    List list = holder.list();
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(*i));
    holder = std::move(list);
    return true;
  });
}

diag::Result<Value> with_operation(const Value& object, const Value& operation) {
  const std::string_view op = operation["op"].string_or("");
  TRY(const Tokens at, tokens_of(operation["path"].string_or("")));
  if (op == "add") return added(object, at, operation["value"]);
  if (op == "remove") return removed(object, at);
  if (op == "replace") {
    TRY(const Value without, removed(object, at));
    return added(without, at, operation["value"]);
  }
  if (op == "test") {
    TRY(const Value have, found_at(object, at));
    if (have == operation["value"]) return object;
    return wrong(fmt::format("testing value {} failed", pointer_of(at)));
  }
  if (op == "copy" || op == "move") {
    TRY(const Tokens from, tokens_of(operation["from"].string_or("")));
    TRY(const Value what, found_at(object, from));
    if (op == "copy") return added(object, at, what);
    TRY(const Value without, removed(object, from));
    return added(without, at, what);
  }
  return wrong(fmt::format("unknown operation '{}' of a JSON patch", op));
}

}  // namespace

diag::Result<Value> with_json_patch(Value object, const Value& patch) {
  if (!patch.is_list()) return wrong("a JSON patch is a list of operations");
  for (const Value& operation : patch.list()) {
    TRY(object, with_operation(object, operation));
  }
  return object;
}

Value with_merge_patch(const Value& object, const Value& patch) {
  if (!patch.is_map()) return patch;
  Map merged = object.map();
  for (const auto& [key, what] : patch.map()) {
    if (what.is_null()) {
      merged.erase(key);
    } else {
      const Value* const have = merged.find(key);
      merged.set(key, with_merge_patch(have == nullptr ? Value() : *have, what));
    }
  }
  return merged;
}

}  // namespace tiphys::resource
