// The functions that Argo adds to the language.
#include <array>

#include "expr/builtin_table.h"
#include "expr/jsonpath.h"
#include "value/json.h"

namespace tiphys::expr {
namespace {

using Value = diag::Result<RuntimeValue>;

constexpr std::array kAnything = {Type::kAny};
constexpr std::array kTwoStrings = {Type::kString, Type::kString};
constexpr std::array kAnyToAny = {Signature{kAnything, false, Type::kAny}};
constexpr std::array kAnyToString = {Signature{kAnything, false, Type::kString}};
constexpr std::array kTwoStringsToAny = {Signature{kTwoStrings, false, Type::kAny}};

Value query(Arguments arguments, CallContext&) {
  TRY(const std::string_view json, string_argument(arguments, 0));
  TRY(const std::string_view path, string_argument(arguments, 1));
  return jsonpath(json, path);
}

Value to_json_text(Arguments arguments, CallContext&) {
  TRY_VOID(expect_count(arguments, 1, 1));
  TRY(const value::Value v, to_value(arguments[0]));
  return RuntimeValue(value::to_json(v));
}

constexpr std::array kRows = std::to_array<Builtin>({
    {"asInt", kAnyToAny, to_int, "a whole number, also from text"},
    {"asFloat", kAnyToAny, to_float, "a number with a fraction, also from text"},
    {"jsonpath", kTwoStringsToAny, query, "a JSONPath query on a JSON text"},
    {"toJson", kAnyToString, to_json_text, "as JSON on one line"},
});

}  // namespace

std::span<const Builtin> argo_functions() { return kRows; }

}  // namespace tiphys::expr
