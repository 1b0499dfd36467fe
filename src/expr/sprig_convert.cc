// The conversions that sprig's functions share, and its table as a whole.
#include <algorithm>
#include <charconv>

#include <fmt/core.h>
#include <re2/re2.h>

#include "expr/builtin_table.h"
#include "expr/number_text.h"
#include "expr/sprig.h"
#include "expr/sprig_table.h"
#include "expr/unicode.h"

namespace tiphys::expr {

std::span<const Builtin> sprig_functions() {
  static const std::vector<Builtin> rows = [] {
    std::vector<Builtin> out;
    for (const auto part :
         {sprig_text_rows(), sprig_case_rows(), sprig_list_rows(), sprig_dict_rows(),
          sprig_default_rows(), sprig_number_rows(), sprig_date_rows(), sprig_regex_rows(),
          sprig_encoding_rows(), sprig_path_rows(), sprig_url_rows(), sprig_semver_rows(),
          sprig_random_rows(), sprig_crypto_rows()}) {
      out.insert(out.end(), part.begin(), part.end());
    }
    std::ranges::sort(out, {}, &Builtin::name);
    return out;
  }();
  return rows;
}

std::string sprig_text(const RuntimeValue& v) {
  if (v.is_string() || v.type() == Type::kBytes) return v.as_string();
  return sprint(v);
}

std::vector<std::string> sprig_texts(const RuntimeValue& v) {
  std::vector<std::string> out;
  if (v.type() == Type::kBytes) {
    for (const char c : v.as_string()) {
      out.push_back(std::to_string(static_cast<unsigned char>(c)));
    }
  } else if (v.is_list()) {
    for (const RuntimeValue& item : v.items()) {
      if (!item.is_nil()) out.push_back(sprig_text(item));
    }
  } else if (!v.is_nil()) {
    out.push_back(sprig_text(v));
  }
  return out;
}

bool sprig_empty(const RuntimeValue& v) {
  switch (v.type()) {
    case Type::kNil:
      return true;
    case Type::kBool:
      return !v.as_bool();
    case Type::kInt:
    case Type::kInt64:
    case Type::kUint8:
    case Type::kDuration:
    case Type::kMonth:
    case Type::kWeekday:
      return v.as_integer() == 0;
    case Type::kFloat:
      return v.as_float() == 0;
    case Type::kString:
    case Type::kBytes:
      return v.as_string().empty();
    default:
      break;
  }
  if (v.is_list()) return v.items().empty();
  return v.is_map() && v.table().empty();
}

namespace {

// Go's strconv.ParseInt with base 0: 0x, 0o, 0b and 0 prefixes, underscores; 0 when it is none.
std::int64_t parse_prefixed(std::string_view text) {
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  int base = 10;
  const bool prefixed = text.size() > 1 && text[0] == '0';
  if (prefixed) {
    const char mark = static_cast<char>(text[1] | 0x20);
    base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
    text.remove_prefix(mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1);
  }
  std::string digits;
  for (const char c : text) {
    if (c != '_') {
      digits += c;
    } else if (!prefixed) {
      return 0;  // Go allows underscores after a prefix only
    }
  }
  if (digits.empty() || digits[0] == '-' || digits[0] == '+') return 0;
  std::int64_t out = 0;
  if (negative) digits.insert(0, "-");
  const auto end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, out, base);
  return error == std::errc() && stop == end ? out : 0;
}

std::int64_t text_to_int(const std::string& text) {
  static const RE2 decimal(R"(([-+]?\d*)(\.\d*)?)");
  std::string whole;
  if (!RE2::FullMatch(text, decimal, &whole)) return parse_prefixed(text);
  return parse_prefixed(whole.empty() || whole == "-" || whole == "+" ? "0" : whole);
}

}  // namespace

std::int64_t cast_to_int(const RuntimeValue& v) {
  switch (v.type()) {
    case Type::kBool:
      return v.as_bool() ? 1 : 0;
    case Type::kFloat:
      return float_to_int(v.as_float());
    case Type::kString:
      return text_to_int(v.as_string());
    case Type::kInt:
    case Type::kInt64:
    case Type::kUint8:
    case Type::kDuration:
    case Type::kMonth:
    case Type::kWeekday:
      return v.as_integer();
    default:
      return 0;
  }
}

double cast_to_float(const RuntimeValue& v) {
  if (v.type() == Type::kFloat) return v.as_float();
  if (v.is_string()) return parse_float(v.as_string()).value_or(0);
  return static_cast<double>(cast_to_int(v));
}

std::string_view kind_name(const RuntimeValue& v) {
  switch (v.type()) {
    case Type::kAny:
    case Type::kNil:
      return "invalid";
    case Type::kTime:
      return "struct";
    case Type::kLocation:
      return "ptr";
    case Type::kDuration:
      return "int64";
    case Type::kMonth:
    case Type::kWeekday:
      return "int";
    case Type::kPair:
      return "array";
    default:
      break;
  }
  if (is_list(v.type())) return "slice";
  return v.is_map() ? "map" : go_name(v.type());
}

diag::Result<Items> sprig_items(const RuntimeValue& v, std::string_view verb) {
  if (v.is_list()) return v.items();
  if (v.type() == Type::kBytes) {
    Items out;
    for (const char c : v.as_string()) {
      out.push_back(RuntimeValue::integer(Type::kUint8, static_cast<unsigned char>(c)));
    }
    return out;
  }
  if (v.is_nil()) {
    return bad_expression("runtime error: invalid memory address or nil pointer dereference");
  }
  return bad_expression(fmt::format("Cannot {} on type {}", verb, kind_name(v)));
}

std::vector<std::string> split_text(std::string_view text, std::string_view separator,
                                    std::int64_t most) {
  std::vector<std::string> out;
  if (most == 0) return out;
  if (separator.empty() && text.empty()) return out;
  const auto is_full = [&] {
    return most > 0 && static_cast<std::int64_t>(out.size()) == most - 1;
  };
  while (!is_full()) {
    std::size_t at = 0;
    if (separator.empty()) {
      at = decode_rune(text).length;
      if (at == text.size()) break;
    } else {
      at = text.find(separator);
      if (at == std::string_view::npos) break;
    }
    out.emplace_back(text.substr(0, at));
    text.remove_prefix(at + separator.size());
  }
  out.emplace_back(text);
  return out;
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  if (from.empty()) {  // Go: before each character and at the end
    while (!text.empty()) {
      if (out.size() > CallContext::kMaxText) break;
      const std::size_t length = decode_rune(text).length;
      out.append(to).append(text.substr(0, length));
      text.remove_prefix(length);
    }
    return out.append(to);
  }
  for (std::size_t at = text.find(from); at != std::string_view::npos; at = text.find(from)) {
    if (out.size() > CallContext::kMaxText) break;  // no budget allows as much
    out.append(text.substr(0, at)).append(to);
    text.remove_prefix(at + from.size());
  }
  return out.append(text);
}

}  // namespace tiphys::expr
