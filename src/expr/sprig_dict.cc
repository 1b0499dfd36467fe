// sprig's functions on maps. They return a changed copy, where sprig changes its argument, too:
// values are immutable here, so that an expression cannot change what later ones read.
#include <fmt/core.h>

#include "expr/builtin_table.h"
#include "expr/sprig_table.h"

namespace tiphys::expr {
namespace {

namespace sig = sprig_signature;
using Value = SprigValue;

Value dict(Arguments a, CallContext& context) {
  Table out;
  for (std::size_t i = 0; i < a.size(); i += 2) {
    out.insert_or_assign(RuntimeValue(sprig_text(a[i])),
                         i + 1 < a.size() ? a[i + 1] : RuntimeValue(""));
  }
  TRY_VOID(context.grow(out.size()));
  return RuntimeValue::map(std::move(out));
}

Value get(Arguments a, CallContext&) {
  const RuntimeValue* found = a[0].find(a[1].as_string());
  return found == nullptr ? RuntimeValue("") : *found;
}

Value set(Arguments a, CallContext& context) {
  if (a[0].is_nil_like()) return bad_expression("assignment to entry in nil map");
  Table out = a[0].table();
  out.insert_or_assign(a[1], a[2]);
  TRY_VOID(context.grow(out.size()));
  return RuntimeValue::map(std::move(out));
}

Value unset(Arguments a, CallContext& context) {
  Table out = a[0].table();
  out.erase(a[1]);
  TRY_VOID(context.grow(out.size()));
  return RuntimeValue::map(std::move(out));
}

Value has_key(Arguments a, CallContext&) {
  return RuntimeValue(a[0].find(a[1].as_string()) != nullptr);
}

Value pluck(Arguments a, CallContext&) {
  Items out;
  for (const RuntimeValue& map : a.subspan(1)) {
    const RuntimeValue* found = map.find(a[0].as_string());
    if (found != nullptr) out.push_back(*found);
  }
  return RuntimeValue::list(std::move(out));
}

// Go gives the keys in random order, this one sorted.
Value keys(Arguments a, CallContext& context) {
  Items out;
  for (const RuntimeValue& map : a) {
    for (const auto& [key, item] : map.table()) out.push_back(key);
  }
  TRY_VOID(context.grow(out.size()));
  return RuntimeValue::list(std::move(out), Type::kListString);
}

Value values(Arguments a, CallContext& context) {
  Items out;
  for (const auto& [key, item] : a[0].table()) out.push_back(item);
  TRY_VOID(context.grow(out.size()));
  return RuntimeValue::list(std::move(out));
}

Value pick(Arguments a, CallContext&) {
  Table out;
  for (const RuntimeValue& key : a.subspan(1)) {
    const RuntimeValue* found = a[0].find(key.as_string());
    if (found != nullptr) out.insert_or_assign(key, *found);
  }
  return RuntimeValue::map(std::move(out));
}

Value omit(Arguments a, CallContext&) {
  Table out = a[0].table();
  for (const RuntimeValue& key : a.subspan(1)) out.erase(key);
  return RuntimeValue::map(std::move(out));
}

// The members of `from` that `to` lacks or has empty, or all if `overwrite`; maps within maps are
// merged. Lists are taken as a whole. (mergo v1.0)
RuntimeValue merged(const RuntimeValue& to, const RuntimeValue& from, bool overwrite) {
  if (from.is_nil_like()) return to;
  Table out = to.table();
  for (const auto& [key, item] : from.table()) {
    const auto found = out.find(key);
    if (found == out.end()) {
      if (!item.is_nil() || overwrite) out.emplace(key, item);
    } else if (item.is_map() && found->second.is_map() && !found->second.table().empty()) {
      found->second = merged(found->second, item, overwrite);
    } else if (overwrite || (!item.is_nil() && sprig_empty(found->second))) {
      found->second = item;
    }
  }
  return RuntimeValue::map(std::move(out), to.type());
}

Value merge_all(Arguments a, CallContext& context, bool overwrite) {
  RuntimeValue out = a[0];
  for (const RuntimeValue& from : a.subspan(1)) {
    out = merged(out, from, overwrite);
    TRY_VOID(context.grow(out.table().size()));
  }
  return out;
}

Value merge(Arguments a, CallContext& context) { return merge_all(a, context, false); }
Value merge_overwrite(Arguments a, CallContext& context) { return merge_all(a, context, true); }

Value dig(Arguments a, CallContext&) {
  if (a.size() < 3) return bad_expression("dig needs at least three arguments");
  const RuntimeValue* at = &a.back();
  for (const RuntimeValue& key : a.first(a.size() - 2)) {
    if (!key.is_string() || at->type() != Type::kMapStringAny) {
      const bool is_key = !key.is_string();
      const RuntimeValue& wrong = is_key ? key : *at;
      return bad_expression(fmt::format("interface conversion: interface {{}} is {}, not {}",
                                        wrong.is_nil() ? "nil" : go_name(wrong.type()),
                                        is_key ? "string" : "map[string]interface {}"));
    }
    at = at->find(key.as_string());
    if (at == nullptr) return a[a.size() - 2];
  }
  return *at;
}

Value deep_copy(Arguments a, CallContext&) { return a[0]; }

constexpr std::array kMapStringParameters = {Type::kMapStringAny, Type::kString};
constexpr std::array kMapStringAnyParameters = {Type::kMapStringAny, Type::kString, Type::kAny};
constexpr std::array kStringMapParameters = {Type::kString, Type::kMapStringAny};
constexpr std::array kMapAndKey = {Signature{kMapStringParameters, false, Type::kAny}};
constexpr std::array kMapAndKeys = {Signature{kMapStringParameters, true, Type::kAny}};
constexpr std::array kMapKeyValue = {Signature{kMapStringAnyParameters, false, Type::kAny}};
constexpr std::array kKeyAndMaps = {Signature{kStringMapParameters, true, Type::kAny}};

constexpr std::array kRows = std::to_array<Builtin>({
    {"deepCopy", sig::kOne, deep_copy, "the value"},
    {"dict", sig::kMany, dict, "a map of keys and values in turn"},
    {"dig", sig::kMany, dig, "the member at a path of keys, or a default"},
    {"get", kMapAndKey, get, "the member, or empty text"},
    {"hasKey", kMapAndKey, has_key, "does the map have this key"},
    {"keys", sig::kMaps, keys, "the keys, sorted"},
    {"merge", sig::kMapAndMaps, merge, "the maps in one; the first one wins"},
    {"mergeOverwrite", sig::kMapAndMaps, merge_overwrite, "the maps in one; the last one wins"},
    {"mustDeepCopy", sig::kOne, deep_copy, "as deepCopy"},
    {"mustMerge", sig::kMapAndMaps, merge, "as merge"},
    {"mustMergeOverwrite", sig::kMapAndMaps, merge_overwrite, "as mergeOverwrite"},
    {"omit", kMapAndKeys, omit, "a map without some keys"},
    {"pick", kMapAndKeys, pick, "a map with some keys only"},
    {"pluck", kKeyAndMaps, pluck, "the members of this key of all maps"},
    {"set", kMapKeyValue, set, "a map with one more member"},
    {"unset", kMapAndKey, unset, "a map without a key"},
    {"values", sig::kMap, values, "the members, in the order of their keys"},
});

}  // namespace

std::span<const Builtin> sprig_dict_rows() { return kRows; }

}  // namespace tiphys::expr
