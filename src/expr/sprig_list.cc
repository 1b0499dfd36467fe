// sprig's functions on lists.
#include <algorithm>

#include <fmt/core.h>

#include "expr/builtin_table.h"
#include "expr/sprig_table.h"

namespace tiphys::expr {
namespace {

namespace sig = sprig_signature;
using Value = SprigValue;

bool in_list(const Items& haystack, const RuntimeValue& needle) {
  return std::ranges::any_of(haystack,
                             [&](const RuntimeValue& item) { return deep_equal(needle, item); });
}

Value made_list(Items items, CallContext& context) {
  TRY_VOID(context.grow(items.size()));
  return RuntimeValue::list(std::move(items));
}

Value list(Arguments a, CallContext& context) {
  // Go hands over the variadic slice itself: without arguments it is an empty one.
  return made_list(Items(a.begin(), a.end()), context);
}

Value push(Arguments a, CallContext& context) {
  TRY(Items items, sprig_items(a[0], "push"));
  items.push_back(a[1]);
  return made_list(std::move(items), context);
}

Value prepend(Arguments a, CallContext& context) {
  TRY(Items items, sprig_items(a[0], "prepend"));
  items.insert(items.begin(), a[1]);
  return made_list(std::move(items), context);
}

Value first(Arguments a, CallContext&) {
  TRY(const Items items, sprig_items(a[0], "find first"));
  return items.empty() ? RuntimeValue() : items.front();
}

Value last(Arguments a, CallContext&) {
  TRY(const Items items, sprig_items(a[0], "find last"));
  return items.empty() ? RuntimeValue() : items.back();
}

Value rest(Arguments a, CallContext& context) {
  TRY(Items items, sprig_items(a[0], "find rest"));
  if (items.empty()) return RuntimeValue::nil_list();
  items.erase(items.begin());
  return made_list(std::move(items), context);
}

Value initial(Arguments a, CallContext& context) {
  TRY(Items items, sprig_items(a[0], "find initial"));
  if (items.empty()) return RuntimeValue::nil_list();
  items.pop_back();
  return made_list(std::move(items), context);
}

Value reverse(Arguments a, CallContext& context) {
  TRY(Items items, sprig_items(a[0], "find reverse"));
  std::ranges::reverse(items);
  return made_list(std::move(items), context);
}

Value compact(Arguments a, CallContext& context) {
  TRY(Items items, sprig_items(a[0], "compact"));
  std::erase_if(items, sprig_empty);
  return made_list(std::move(items), context);
}

Value uniq(Arguments a, CallContext& context) {
  TRY(const Items items, sprig_items(a[0], "find uniq"));
  Items out;
  for (const RuntimeValue& item : items) {
    if (!in_list(out, item)) out.push_back(item);
  }
  return made_list(std::move(out), context);
}

Value without(Arguments a, CallContext& context) {
  TRY(Items items, sprig_items(a[0], "find without"));
  const Items omitted(a.begin() + 1, a.end());
  std::erase_if(items, [&](const RuntimeValue& item) { return in_list(omitted, item); });
  return made_list(std::move(items), context);
}

Value has(Arguments a, CallContext&) {
  if (a[1].is_nil()) return RuntimeValue(false);
  TRY(const Items items, sprig_items(a[1], "find has"));
  return RuntimeValue(in_list(items, a[0]));
}

Value slice(Arguments a, CallContext& context) {
  TRY(const Items items, sprig_items(a[0], "slice"));
  const auto length = static_cast<std::int64_t>(items.size());
  if (length == 0) return RuntimeValue();
  const std::int64_t from = a.size() > 1 ? cast_to_int(a[1]) : 0;
  const std::int64_t to = a.size() > 2 ? cast_to_int(a[2]) : length;
  if (from < 0 || to < from || to > length) {
    return bad_expression("reflect.Value.Slice: slice index out of bounds");
  }
  TRY_VOID(context.grow(static_cast<std::uint64_t>(to - from)));
  if (a[0].type() == Type::kBytes) {
    return RuntimeValue::bytes(a[0].as_string().substr(static_cast<std::size_t>(from),
                                                       static_cast<std::size_t>(to - from)));
  }
  if (a[0].type() == Type::kPair) {
    return bad_expression("reflect.Value.Slice: slice of unaddressable array");
  }
  return RuntimeValue::list(Items(items.begin() + from, items.begin() + to), a[0].type());
}

Value concat(Arguments a, CallContext& context) {
  Items out;
  for (const RuntimeValue& v : a) {
    TRY(const Items items, sprig_items(v, "concat"));
    out.insert(out.end(), items.begin(), items.end());
  }
  if (out.empty()) return RuntimeValue::nil_list();
  return made_list(std::move(out), context);
}

Value chunk(Arguments a, CallContext& context) {
  const std::int64_t size = a[0].as_integer();
  TRY(const Items items, sprig_items(a[1], "chunk"));
  // Go's formula for the number of parts gives 0 for some negative sizes.
  const auto length = static_cast<std::int64_t>(items.size());
  if (size < 0 && length > 1 && length - 1 <= -size) return RuntimeValue::list({}, Type::kListList);
  if (size <= 0) return bad_expression("runtime error: makeslice: len out of range");
  Items out;
  const auto step = static_cast<std::size_t>(size);
  for (std::size_t i = 0; i < items.size(); i += std::min(step, items.size() - i)) {
    const std::size_t end = i + std::min(step, items.size() - i);
    out.push_back(RuntimeValue::list(Items(items.begin() + static_cast<std::ptrdiff_t>(i),
                                           items.begin() + static_cast<std::ptrdiff_t>(end))));
  }
  TRY_VOID(context.grow(items.size()));
  return RuntimeValue::list(std::move(out), Type::kListList);
}

Value sort_alpha(Arguments a, CallContext&) {
  std::vector<std::string> texts =
      is_list(a[0].type()) ? sprig_texts(a[0]) : std::vector{sprig_text(a[0])};
  std::ranges::sort(texts);
  return RuntimeValue::strings(texts);
}

Value join(Arguments a, CallContext& context) {
  std::string out;
  bool is_first = true;
  for (const std::string& text : sprig_texts(a[1])) {
    if (out.size() > CallContext::kMaxText) break;  // no budget allows as much
    if (!is_first) out += a[0].as_string();
    out += text;
    is_first = false;
  }
  TRY_VOID(context.grow(out.size()));
  return RuntimeValue(std::move(out));
}

Value to_strings(Arguments a, CallContext&) { return RuntimeValue::strings(sprig_texts(a[0])); }

constexpr std::array kIntAnyParameters = {Type::kInt, Type::kAny};
constexpr std::array kIntAndAny = {Signature{kIntAnyParameters, false, Type::kAny}};

constexpr std::array kRows = std::to_array<Builtin>({
    {"append", sig::kTwo, push, "a list with one more element at its end"},
    {"chunk", kIntAndAny, chunk, "a list in lists of a given size"},
    {"compact", sig::kOne, compact, "a list without its empty elements"},
    {"concat", sig::kMany, concat, "lists one after the other"},
    {"first", sig::kOne, first, "the first element"},
    {"has", sig::kTwo, has, "is the value in the list"},
    {"initial", sig::kOne, initial, "all but the last element"},
    {"join", sig::kTextAndAny, join, "the elements as one text"},
    {"last", sig::kOne, last, "the last element"},
    {"list", sig::kMany, list, "the arguments as a list"},
    {"mustAppend", sig::kTwo, push, "as append"},
    {"mustChunk", kIntAndAny, chunk, "as chunk"},
    {"mustCompact", sig::kOne, compact, "as compact"},
    {"mustFirst", sig::kOne, first, "as first"},
    {"mustHas", sig::kTwo, has, "as has"},
    {"mustInitial", sig::kOne, initial, "as initial"},
    {"mustLast", sig::kOne, last, "as last"},
    {"mustPrepend", sig::kTwo, prepend, "as prepend"},
    {"mustPush", sig::kTwo, push, "as append"},
    {"mustRest", sig::kOne, rest, "as rest"},
    {"mustReverse", sig::kOne, reverse, "as reverse"},
    {"mustSlice", sig::kOneAndMany, slice, "as slice"},
    {"mustUniq", sig::kOne, uniq, "as uniq"},
    {"mustWithout", sig::kOneAndMany, without, "as without"},
    {"prepend", sig::kTwo, prepend, "a list with one more element at its front"},
    {"push", sig::kTwo, push, "as append"},
    {"rest", sig::kOne, rest, "all but the first element"},
    {"reverse", sig::kOne, reverse, "the elements from the last to the first"},
    {"slice", sig::kOneAndMany, slice, "the elements from one index up to another"},
    {"sortAlpha", sig::kOne, sort_alpha, "the elements as texts, sorted"},
    {"toStrings", sig::kOne, to_strings, "the elements as texts"},
    {"tuple", sig::kMany, list, "as list"},
    {"uniq", sig::kOne, uniq, "each different element once"},
    {"without", sig::kOneAndMany, without, "a list without the given elements"},
});

}  // namespace

std::span<const Builtin> sprig_list_rows() { return kRows; }

}  // namespace tiphys::expr
