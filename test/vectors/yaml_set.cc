// Runs one record of yaml.jsonl: YAML to JSON, to a Parameter, to an Item, to whole objects.
#include <algorithm>

#include <fmt/format.h>

#include "spec/decode.h"
#include "spec/scalar.h"
#include "spec/schema.h"
#include "spec/yaml_reader.h"
#include "value/json.h"
#include "vectors/set.h"

namespace tiphys::vectors {
namespace {

using value::List;
using value::Map;
using value::Value;

/// The record's result: a value, or an error's text.
struct Got {
  Value value;
  std::string error;
};

Got read_document(std::string_view text, bool is_strict) {
  auto document = spec::read_yaml(text, {.file = "", .is_strict = is_strict});
  if (!document) return {{}, document.error().message};
  return {document->value, ""};
}

Got run_parameter(std::string_view text, bool is_strict) {
  Got got = read_document(text, is_strict);
  if (!got.error.empty()) return got;
  std::vector<spec::Flaw> flaws;
  const spec::DecodeStyle style{
      .is_strict = is_strict, .ignore_case = true, .to_strings = true, .go_form = true};
  const Value v = spec::decode_object(got.value, "v1alpha1.Parameter", style, flaws);
  if (!flaws.empty()) return {{}, flaws.front().message};
  return {Value(value::to_json(v, {.key_order = value::KeyOrder::kAsGiven})), ""};
}

const char* item_type(const Value& v) {
  switch (v.kind()) {
    case Value::Kind::kInt:
    case Value::Kind::kFloat:
      return "Number";
    case Value::Kind::kBool:
      return "Bool";
    case Value::Kind::kList:
      return "List";
    case Value::Kind::kMap:
      return "Map";
    case Value::Kind::kString:
    case Value::Kind::kNull:
      break;
  }
  return "String";
}

/// Argo's Item as text: JSON, a string without its quotes, `<>&` unescaped.
Got run_item(std::string_view text) {
  Got got = read_document(text, false);
  if (!got.error.empty()) return got;
  std::string shown = value::to_json(got.value, {.escape_html = false});
  if (got.value.is_string()) shown = shown.substr(1, shown.size() - 2);
  return {Value(Map{{"string", shown}, {"sprintf_v", shown}, {"type", item_type(got.value)}}), ""};
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

/// Go ends at the first wrong value; unknown fields are told together, in the order of JSON keys.
std::string message_of(std::vector<spec::Flaw>& flaws) {
  const auto wrong = std::ranges::find(flaws, false, &spec::Flaw::is_unknown_field);
  if (wrong != flaws.end()) return wrong->message;
  std::ranges::sort(flaws, {}, &spec::Flaw::pointer);
  std::string out;
  for (const spec::Flaw& flaw : flaws) {
    constexpr std::string_view kPrefix = "strict decoding error: ";
    out += out.empty() ? flaw.message : ", " + flaw.message.substr(kPrefix.size());
  }
  return out;
}

Value run_object(const Value& v, bool is_strict) {
  const std::string kind(v["kind"].string_or(""));
  std::string_view type = spec::type_of_kind(kind);
  std::vector<spec::Flaw> flaws;
  Map out;
  Value object{Map()};
  if (type.starts_with("v1alpha1.")) {
    out.set("gotype", Value(type));
    object = spec::decode_object(v, type, {.is_strict = is_strict, .go_form = true}, flaws);
  } else {
    out.set("gotype", Value("ObjectMeta (not an Argo kind)"));
    const spec::DecodeStyle style{.is_strict = is_strict, .go_form = true};
    const Value decoded = spec::decode_object(v, "meta.ObjectMeta", style, flaws);
    if (decoded.is_map()) object = decoded;
  }
  if (!flaws.empty()) {
    out.set("error", Value(true));
    out.set("message", Value(message_of(flaws)));
  }
  out.set("name", Value(object["metadata"]["name"].string_or("")));
  out.set("object", std::move(object));
  return Value(std::move(out));
}

Got run_objects(std::string_view text, bool is_strict) {
  List out;
  bool is_last = false;
  while (!is_last) {
    const std::size_t end = text.find("\n---");
    is_last = end == std::string_view::npos;
    const std::string_view part = text.substr(0, end);
    if (!is_last) text.remove_prefix(end + 4);
    if (is_blank(part)) continue;
    const Got got = read_document(part, is_strict);
    const bool no_object = got.value.is_map() && got.value["kind"].is_null();
    if (!got.error.empty() || no_object) continue;
    out.push_back(run_object(got.value, is_strict));
  }
  if (out.empty()) return {};
  return {Value(std::move(out)), ""};
}

Got run_mode(std::string_view mode, std::string_view input) {
  const bool is_strict = mode.ends_with("_strict");
  if (mode.starts_with("parameter")) return run_parameter(input, is_strict);
  if (mode.starts_with("objects")) return run_objects(input, is_strict);
  if (mode == "item") return run_item(input);
  Got got = read_document(input, is_strict);
  if (got.error.empty()) got.value = Value(value::to_json(got.value));
  return got;
}

}  // namespace

Outcome run_yaml(const Value& record) {
  const Got got = run_mode(record["mode"].string_or(""), record["input"].string_or(""));
  const std::string shown = got.error.empty() ? value::to_json(got.value) : "error: " + got.error;
  if (record["error"].bool_or(false)) {
    return {!got.error.empty(), "error: " + std::string(record["message"].string_or("")), shown};
  }
  return {got.error.empty() && got.value == record["want"], value::to_json(record["want"]), shown};
}

}  // namespace tiphys::vectors
