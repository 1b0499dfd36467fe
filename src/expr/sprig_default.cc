// sprig's functions on defaults and conditions, JSON and types.
#include <fmt/core.h>

#include "expr/builtin_table.h"
#include "expr/json_text.h"
#include "expr/sprig_table.h"
#include "value/json.h"

namespace tiphys::expr {
namespace {

namespace sig = sprig_signature;
using Value = SprigValue;

Value default_value(Arguments a, CallContext&) {
  return a.size() > 1 && !sprig_empty(a[1]) ? a[1] : a[0];
}

Value empty(Arguments a, CallContext&) { return RuntimeValue(sprig_empty(a[0])); }

Value coalesce(Arguments a, CallContext&) {
  for (const RuntimeValue& v : a) {
    if (!sprig_empty(v)) return v;
  }
  return RuntimeValue();
}

Value all(Arguments a, CallContext&) {
  for (const RuntimeValue& v : a) {
    if (sprig_empty(v)) return RuntimeValue(false);
  }
  return RuntimeValue(true);
}

Value any(Arguments a, CallContext&) {
  for (const RuntimeValue& v : a) {
    if (!sprig_empty(v)) return RuntimeValue(true);
  }
  return RuntimeValue(false);
}

Value ternary(Arguments a, CallContext&) { return a[2].as_bool() ? a[0] : a[1]; }

Value must_from_json(Arguments a, CallContext&) { return read_json_text(a[0].as_string()); }

Value from_json(Arguments a, CallContext& context) {
  return must_from_json(a, context).value_or(RuntimeValue());
}

Value json_text(const RuntimeValue& v, value::JsonStyle style, CallContext& context) {
  TRY(const value::Value plain, to_value(v));
  std::string text = value::to_json(plain, style);
  TRY_VOID(context.grow(text.size()));
  return RuntimeValue(std::move(text));
}

Value must_to_json(Arguments a, CallContext& context) { return json_text(a[0], {}, context); }

Value must_to_pretty(Arguments a, CallContext& context) {
  return json_text(a[0], {.indent = 2}, context);
}

Value must_to_raw(Arguments a, CallContext& context) {
  return json_text(a[0], {.escape_html = false}, context);
}

// toJson and toPrettyJson give empty text where the others fail.
Value to_json_or_empty(Arguments a, CallContext& context) {
  return must_to_json(a, context).value_or(RuntimeValue(""));
}

Value to_pretty_or_empty(Arguments a, CallContext& context) {
  return must_to_pretty(a, context).value_or(RuntimeValue(""));
}

Value type_of(Arguments a, CallContext&) { return RuntimeValue(go_name(a[0].type())); }

Value type_is(Arguments a, CallContext&) {
  return RuntimeValue(a[0].as_string() == go_name(a[1].type()));
}

Value type_is_like(Arguments a, CallContext&) {
  const std::string_view name = go_name(a[1].type());
  return RuntimeValue(a[0].as_string() == name || "*" + a[0].as_string() == name);
}

Value kind_of(Arguments a, CallContext&) { return RuntimeValue(kind_name(a[0])); }

Value kind_is(Arguments a, CallContext&) {
  return RuntimeValue(a[0].as_string() == kind_name(a[1]));
}

Value deep_equal_values(Arguments a, CallContext&) { return RuntimeValue(deep_equal(a[0], a[1])); }

Value fail(Arguments a, CallContext&) { return bad_expression(a[0].as_string()); }
Value hello(Arguments, CallContext&) { return RuntimeValue("Hello!"); }

constexpr std::array kTernaryParameters = {Type::kAny, Type::kAny, Type::kBool};
constexpr std::array kTernary = {Signature{kTernaryParameters, false, Type::kAny}};

constexpr std::array kRows = std::to_array<Builtin>({
    {"all", sig::kMany, all, "is no argument empty"},
    {"any", sig::kMany, any, "is any argument not empty"},
    {"coalesce", sig::kMany, coalesce, "the first argument that is not empty"},
    {"deepEqual", sig::kTwo, deep_equal_values, "have two values the same type and contents"},
    {"default", sig::kOneAndMany, default_value, "the second argument, or if empty the first"},
    {"empty", sig::kOne, empty, "is the value nil, false, 0 or of length 0"},
    {"fail", sig::kText, fail, "an error with this message"},
    {"fromJson", sig::kText, from_json, "the value of a JSON text, nil if it is none"},
    {"hello", sig::kNothing, hello, "Hello!"},
    {"kindIs", sig::kTextAndAny, kind_is, "is the value of this Go kind"},
    {"kindOf", sig::kOne, kind_of, "the Go kind of a value"},
    {"mustFromJson", sig::kText, must_from_json, "the value of a JSON text"},
    {"mustToJson", sig::kOne, must_to_json, "as JSON on one line"},
    {"mustToPrettyJson", sig::kOne, must_to_pretty, "as indented JSON"},
    {"mustToRawJson", sig::kOne, must_to_raw, "as JSON without escapes of < > &"},
    {"ternary", kTernary, ternary, "the first argument if the third is true, else the second"},
    {"toJson", sig::kOne, to_json_or_empty, "as JSON on one line, empty if impossible"},
    {"toPrettyJson", sig::kOne, to_pretty_or_empty, "as indented JSON, empty if impossible"},
    {"toRawJson", sig::kOne, must_to_raw, "as JSON without escapes of < > &"},
    {"typeIs", sig::kTextAndAny, type_is, "is the value of this Go type"},
    {"typeIsLike", sig::kTextAndAny, type_is_like, "is the value of this Go type or a pointer"},
    {"typeOf", sig::kOne, type_of, "the Go type of a value"},
});

}  // namespace

std::span<const Builtin> sprig_default_rows() { return kRows; }

}  // namespace tiphys::expr
