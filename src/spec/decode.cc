#include "spec/decode.h"

#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "clock/go_duration.h"
#include "clock/rfc3339.h"
#include "spec/embedded.h"
#include "spec/json_pointer.h"
#include "spec/scalar.h"
#include "spec/schema.h"
#include "value/json.h"

namespace tiphys::spec {
namespace {

using value::List;
using value::Map;
using value::Value;

/// Where the decoder is.
struct Place {
  std::string pointer;      // /spec/templates/0
  std::string path;         // spec.templates[0], for unknown fields
  std::string go_path;      // spec.templates, for wrong types
  std::string_view holder;  // struct that has the field: v1alpha1.WorkflowSpec
  bool in_step = false;     // below a step, where Argo's decoder isn't strict
};

const char* json_kind(const Value& v) {
  switch (v.kind()) {
    case Value::Kind::kString:
      return "string";
    case Value::Kind::kInt:
    case Value::Kind::kFloat:
      return "number";
    case Value::Kind::kBool:
      return "bool";
    case Value::Kind::kList:
      return "array";
    case Value::Kind::kMap:
    case Value::Kind::kNull:
      break;
  }
  return "object";
}

std::string_view without_package(std::string_view type) { return type.substr(type.find('.') + 1); }

bool is_quantity(std::string_view text) {
  std::size_t i = 0;
  if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
  bool has_digit = false;
  for (bool has_point = false; i < text.size(); ++i) {
    if (text[i] >= '0' && text[i] <= '9') {
      has_digit = true;
    } else if (text[i] == '.' && !has_point) {
      has_point = true;
    } else {
      break;
    }
  }
  if (!has_digit) return false;
  const std::string_view suffix = text.substr(i);
  for (const std::string_view known :
       {"", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"}) {
    if (suffix == known) return true;
  }
  if (suffix.size() < 2 || (suffix[0] | 0x20) != 'e') return false;
  const std::string_view exponent = suffix.substr(suffix[1] == '+' || suffix[1] == '-' ? 2 : 1);
  return !exponent.empty() && exponent.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Go's zero value of a type, or nothing where a null pointer is.
std::optional<Value> zero_of(TypeCode type) {
  if (type == "s" || type == "A") return Value("");
  if (type == "b") return Value(false);
  if (type == "i" || type == "n" || type == "X" || type == "f") return Value(0);
  return std::nullopt;
}

bool is_empty(const Value& v) {
  switch (v.kind()) {
    case Value::Kind::kNull:
      return true;
    case Value::Kind::kBool:
      return !v.as_bool();
    case Value::Kind::kInt:
      return v.as_int() == 0;
    case Value::Kind::kFloat:
      return v.as_float() == 0;
    case Value::Kind::kString:
      return v.as_string().empty();
    case Value::Kind::kList:
      return v.list().empty();
    case Value::Kind::kMap:
      return v.map().empty();
  }
  return false;
}

/// What a value of the wrong type should look like; empty when that cannot be told.
std::string what_to_write(const Value& v, TypeCode type) {
  const bool is_scalar = !v.is_list() && !v.is_map();
  if (type == "s" && !v.is_string() && is_scalar) return "put it in quotes to make it a string";
  if (type == "b" && v.is_string()) return "write true or false, without quotes";
  if ((type == "i" || type == "n") && v.is_string()) {
    const std::string& text = v.as_string();
    const bool is_number = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
    return is_number ? fmt::format("write {}, without quotes", text) : "";
  }
  if (type.starts_with("[]")) {
    if (v.is_map()) return "write a list: each element begins with \"- \"";
    return v.is_string() ? fmt::format("write a list: [\"{}\"]", v.as_string()) : "";
  }
  const bool is_map = type.starts_with("{}") || type == "E" || type.find('.') != type.npos;
  return is_map && !v.is_map() ? "write a map: NAME: VALUE" : "";
}

class Decoder {
 public:
  Decoder(const DecodeStyle& style, std::vector<Flaw>& flaws) : style_(style), flaws_(flaws) {}

  /// The value in Argo's form; nullopt when it is of the wrong type.
  std::optional<Value> decode(const Value& v, TypeCode type, const Place& at) {
    if (type.starts_with("*")) return decode(v, type.substr(1), at);
    if (type == "U") return v;
    if (type == "I") return v;
    if (type.starts_with("[]")) return decode_list(v, type, at);
    if (type.starts_with("{}")) return decode_map(v, type, at);
    if (type == "P") return decode_steps(v, at);
    if (type == "E" || type.find('.') != TypeCode::npos) return decode_struct(v, type, at);
    return decode_scalar(v, type, at);
  }

  std::optional<Value> decode_struct(const Value& v, TypeCode type, const Place& at) {
    if (v.is_null()) return go_form_of_empty(type);
    if (!v.is_map()) return wrong_type(v, type, at);
    static const Fields kNone;
    const Fields* known = type == "E" ? &kNone : fields_of(type);
    if (known == nullptr) return v;
    Map out;
    for (const auto& [key, member] : v.map()) {
      const Field* field = find_field(*known, key, style_.ignore_case);
      if (field == nullptr) {
        unknown_field(key, *known, at);
        continue;
      }
      decode_field(member, *field, type, at, out);
    }
    if (style_.go_form) out = in_go_form(*known, out);
    return Value(std::move(out));
  }

 private:
  void decode_field(const Value& member, const Field& field, TypeCode type, const Place& at,
                    Map& out) {
    Place place{
        pointer_to(at.pointer, field.name),
        at.path.empty() ? std::string(field.name) : fmt::format("{}.{}", at.path, field.name),
        go_path_to(at.go_path, type, field.name), type, at.in_step};
    if (member.is_null()) return;
    std::optional<Value> v = decode(member, field.type, place);
    if (!v && style_.go_form && field.type.starts_with("*")) v = zero_of(field.type.substr(1));
    if (v) out.set(std::string(field.name), std::move(*v));
  }

  static std::string go_path_to(const std::string& above, TypeCode type, std::string_view field) {
    std::string out = above;
    for (const std::string_view name : {embedded_in(type, field), field}) {
      if (name.empty()) continue;
      if (!out.empty()) out += '.';
      out += name;
    }
    return out;
  }

  /// Fields in Go's order, with what Go always writes and without what it leaves out.
  static Map in_go_form(const Fields& known, const Map& given) {
    Map out;
    for (const Field& field : known) {
      const Value* v = given.find(field.name);
      if (v == nullptr) {
        if (!field.always) continue;
        out.set(std::string(field.name), go_form_of_empty(field.type));
        continue;
      }
      const bool is_pointer = field.type.starts_with("*");
      const bool is_raw = field.type == "U" || field.type == "I";
      if (!field.always && !is_pointer && !is_raw && is_empty(*v)) continue;
      out.set(std::string(field.name), *v);
    }
    return out;
  }

  static Value go_form_of_empty(TypeCode type) {
    if (type.find('.') != TypeCode::npos && fields_of(type) != nullptr) {
      return Value(in_go_form(*fields_of(type), Map()));
    }
    const std::optional<Value> zero = zero_of(type);
    return zero ? *zero : Value();
  }

  /// What Go has in place of a null in a list; of objects only that they are there.
  static Value empty_of(TypeCode type) {
    const bool is_object = type.find('.') != TypeCode::npos && fields_of(type) != nullptr;
    return is_object ? Value(Map{}) : go_form_of_empty(type);
  }

  void unknown_field(const std::string& key, const Fields& known, const Place& at) {
    if (!style_.is_strict) return;
    std::vector<std::string_view> names;
    for (const Field& f : known) names.push_back(f.name);
    const std::string near = nearest_name(key, names);
    Flaw flaw{pointer_to(at.pointer, key),
              fmt::format("strict decoding error: unknown field \"{}{}{}\"", at.path,
                          at.path.empty() ? "" : ".", key),
              near.empty() ? "" : fmt::format("did you mean \"{}\"?", near), true, at.in_step};
    flaws_.push_back(std::move(flaw));
  }

  std::nullopt_t wrong_type(const Value& v, TypeCode type, const Place& at,
                            std::string_view detail = "") {
    std::string message;
    if (at.holder.empty()) {
      message = fmt::format("json: cannot unmarshal {}{} into Go value of type {}", json_kind(v),
                            detail, go_type_name(type));
    } else {
      message = fmt::format("json: cannot unmarshal {}{} into Go struct field {}.{} of type {}",
                            json_kind(v), detail, without_package(at.holder), at.go_path,
                            go_type_name(type));
    }
    return flaw(at, std::move(message), what_to_write(v, type));
  }

  std::nullopt_t flaw(const Place& at, std::string message, std::string suggestion = "") {
    flaws_.push_back({at.pointer, std::move(message), std::move(suggestion)});
    return std::nullopt;
  }

  std::optional<Value> decode_list(const Value& v, TypeCode type, const Place& at) {
    if (!v.is_list()) return wrong_type(v, type, at);
    const TypeCode element = type.substr(2);
    List out;
    std::size_t i = 0;
    for (const Value& item : v.list()) {
      Place place = at;
      place.pointer = pointer_to(at.pointer, i);
      place.path = fmt::format("{}[{}]", at.path, i);
      ++i;
      if (item.is_null() && element != "I" && element != "U") {
        if (!style_.go_form) wrong_null(place);
        out.push_back(style_.go_form ? go_form_of_empty(element) : empty_of(element));
        continue;
      }
      std::optional<Value> decoded = decode(item, element, place);
      if (!decoded && style_.go_form) decoded = go_form_of_empty(element);
      if (decoded) out.push_back(std::move(*decoded));
    }
    return Value(std::move(out));
  }

  /// Go takes null for an empty value here, which nobody means.
  void wrong_null(const Place& at) {
    flaws_.push_back({at.pointer, fmt::format("{} is null", at.path), "", false, true});
  }

  std::optional<Value> decode_map(const Value& v, TypeCode type, const Place& at) {
    if (!v.is_map()) return wrong_type(v, type, at);
    Map out;
    auto& entries = out.entries();  // no key comes twice: looking for each would take squared time
    for (const auto& [key, member] : v.map()) {
      Place place = at;
      place.pointer = pointer_to(at.pointer, key);
      place.path = fmt::format("{}.{}", at.path, key);
      if (member.is_null()) {
        entries.emplace_back(key, go_form_of_empty(type.substr(2)));
        continue;
      }
      std::optional<Value> decoded = decode(member, type.substr(2), place);
      if (!decoded && style_.go_form) decoded = go_form_of_empty(type.substr(2));
      if (decoded) entries.emplace_back(key, std::move(*decoded));
    }
    return Value(std::move(out));
  }

  /// One group of steps. Argo reads it with a decoder of its own.
  std::optional<Value> decode_steps(const Value& v, const Place& at) {
    if (!v.is_list()) {
      const Place named = at;
      wrong_steps(v, named, "[]map[string]interface {}");
      return style_.go_form ? std::optional<Value>(Value()) : std::nullopt;
    }
    List out;
    std::size_t i = 0;
    for (const Value& step : v.list()) {
      Place place = at;
      place.pointer = pointer_to(at.pointer, i);
      place.path = fmt::format("{}[{}]", at.path, i);
      ++i;
      if (!step.is_map()) {
        wrong_steps(step, place, "map[string]interface {}");
        continue;
      }
      if (auto decoded = decode_step(step, place)) out.push_back(std::move(*decoded));
    }
    return Value(std::move(out));
  }

  std::optional<Value> decode_step(const Value& step, Place at) {
    const Fields& known = *fields_of("v1alpha1.WorkflowStep");
    Map out;
    for (const auto& [key, member] : step.map()) {
      const Field* field = find_field(known, key, style_.ignore_case);
      if (field == nullptr) {
        unknown_field(key, known, at);
        continue;
      }
      Place inside = at;
      inside.in_step = true;
      decode_field(member, *field, "v1alpha1.WorkflowStep", inside, out);
    }
    if (style_.go_form) out = in_go_form(known, out);
    return Value(std::move(out));
  }

  void wrong_steps(const Value& v, const Place& at, std::string_view type) {
    flaws_.push_back(
        {at.pointer,
         fmt::format("json: cannot unmarshal {} into Go struct field {}.{} of type {}",
                     json_kind(v), without_package(at.holder), at.go_path, type),
         v.is_map() ? "steps is a list of groups, each a list: begin a group with \"- - \"" : ""});
  }

  std::optional<Value> decode_scalar(const Value& v, TypeCode type, const Place& at) {
    switch (type[0]) {
      case 's':
        if (v.is_string()) return v;
        if (style_.to_strings && !v.is_list() && !v.is_map()) return Value(*key_text(v));
        return wrong_type(v, type, at);
      case 'A':
        return Value(any_string_of(v));
      case 'b':
        return v.is_bool() ? std::optional<Value>(v) : wrong_type(v, type, at);
      case 'i':
      case 'n':
        return decode_int(v, type, at);
      case 'X':
        if (v.is_string()) return v;
        return decode_int(v, type, at);
      case 'f':
      case 'M':
        if (v.is_int() || v.is_float()) return v;
        if (type == "M") return v;  // Argo takes any text there
        return wrong_type(v, type, at);
      case 'Q':
        return decode_quantity(v, at);
      default:
        return decode_text(v, type, at);
    }
  }

  std::optional<Value> decode_int(const Value& v, TypeCode type, const Place& at) {
    if (v.is_float()) return wrong_type(v, type, at, " " + any_string_of(v));
    if (!v.is_int()) return wrong_type(v, type, at);
    const bool fits = type == "i" || (v.as_int() <= std::numeric_limits<std::int32_t>::max() &&
                                      v.as_int() >= std::numeric_limits<std::int32_t>::min());
    if (!fits) return wrong_type(v, type, at, fmt::format(" {}", v.as_int()));
    return v;
  }

  std::optional<Value> decode_quantity(const Value& v, const Place& at) {
    const bool is_number = v.is_int() || v.is_float();
    if (is_number) return Value(v.is_int() ? std::to_string(v.as_int()) : any_string_of(v));
    if (!v.is_string()) return wrong_type(v, "Q", at);
    if (is_quantity(v.as_string())) return v;
    return flaw(at,
                "quantities must match the regular expression "
                "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
  }

  /// Times, durations and base64: texts of which the form is checked.
  std::optional<Value> decode_text(const Value& v, TypeCode type, const Place& at) {
    if (!v.is_string()) return wrong_type(v, type, at);
    const std::string& text = v.as_string();
    if (type == "T" && !clock::parse_rfc3339(text)) {
      return flaw(at, fmt::format("parsing time {} as \"2006-01-02T15:04:05Z07:00\": cannot parse",
                                  value::to_json(v)));
    }
    if (type == "D") {
      if (const auto d = clock::parse_go_duration(text); !d) return flaw(at, d.error().message);
    }
    if (type == "B" && !resolve_tagged("!!binary", text)) {
      return flaw(at, "illegal base64 data");
    }
    return v;
  }

  const DecodeStyle& style_;
  std::vector<Flaw>& flaws_;
};

}  // namespace

Value decode_object(const Value& v, std::string_view type, const DecodeStyle& style,
                    std::vector<Flaw>& flaws) {
  std::optional<Value> decoded = Decoder(style, flaws).decode(v, type, Place{});
  return decoded ? std::move(*decoded) : Value();
}

}  // namespace tiphys::spec
