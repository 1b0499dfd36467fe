// Built-ins on strings.
#include <algorithm>
#include <array>
#include <limits>

#include <fmt/core.h>

#include "expr/base64.h"
#include "expr/builtin_table.h"
#include "expr/json_text.h"
#include "expr/unicode.h"
#include "value/json.h"

namespace tiphys::expr {
namespace {

using Value = diag::Result<RuntimeValue>;

constexpr std::array kOneString = {Type::kString};
constexpr std::array kTwoStrings = {Type::kString, Type::kString};
constexpr std::array kThreeStrings = {Type::kString, Type::kString, Type::kString};
constexpr std::array kTwoStringsInt = {Type::kString, Type::kString, Type::kInt};
constexpr std::array kThreeStringsInt = {Type::kString, Type::kString, Type::kString, Type::kInt};
constexpr std::array kStringInt = {Type::kString, Type::kInt};
constexpr std::array kStringsString = {Type::kListString, Type::kString};
constexpr std::array kListString = {Type::kListAny, Type::kString};
constexpr std::array kStrings = {Type::kListString};
constexpr std::array kList = {Type::kListAny};
constexpr std::array kAnything = {Type::kAny};

constexpr std::array kStringToString = {Signature{kOneString, false, Type::kString}};
constexpr std::array kTrim = {Signature{kOneString, false, Type::kString},
                              Signature{kTwoStrings, false, Type::kString}};
constexpr std::array kTrimEnd = {Signature{kTwoStrings, false, Type::kString},
                                 Signature{kOneString, false, Type::kString}};
constexpr std::array kSplit = {Signature{kTwoStrings, false, Type::kListString},
                               Signature{kTwoStringsInt, false, Type::kListString}};
constexpr std::array kReplace = {Signature{kThreeStringsInt, false, Type::kString},
                                 Signature{kThreeStrings, false, Type::kString}};
constexpr std::array kRepeat = {Signature{kStringInt, false, Type::kString}};
constexpr std::array kJoin = {
    Signature{kStringsString, false, Type::kString}, Signature{kListString, false, Type::kString},
    Signature{kList, false, Type::kString}, Signature{kStrings, false, Type::kString}};
constexpr std::array kTwoStringsToInt = {Signature{kTwoStrings, false, Type::kInt}};
constexpr std::array kTwoStringsToBool = {Signature{kTwoStrings, false, Type::kBool}};
constexpr std::array kAnyToString = {Signature{kAnything, false, Type::kString}};
constexpr std::array kStringToAny = {Signature{kOneString, false, Type::kAny}};

// Removes the characters of `set` at both ends.
std::string trim_set(std::string_view text, std::string_view set) {
  const auto in_set = [&](char32_t c) {
    for (std::string_view rest = set; !rest.empty();) {
      const Rune rune = decode_rune(rest);
      if (rune.code == c) return true;
      rest.remove_prefix(rune.length);
    }
    return false;
  };
  while (!text.empty()) {
    const Rune rune = decode_rune(text);
    if (!in_set(rune.code)) break;
    text.remove_prefix(rune.length);
  }
  while (!text.empty()) {
    std::size_t start = text.size() - 1;
    while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xC0U) == 0x80U) --start;
    if (!in_set(decode_rune(text.substr(start)).code)) break;
    text.remove_suffix(text.size() - start);
  }
  return std::string(text);
}

Value trim(Arguments arguments, CallContext&) {
  TRY_VOID(expect_count(arguments, 1, 2));
  TRY(const std::string_view text, string_argument(arguments, 0));
  if (arguments.size() == 1) return RuntimeValue(trim_space(text));
  TRY(const std::string_view set, string_argument(arguments, 1));
  return RuntimeValue(trim_set(text, set));
}

Value trim_prefix(Arguments arguments, CallContext&) {
  TRY(const std::string_view text, string_argument(arguments, 0));
  std::string_view prefix = " ";
  if (arguments.size() == 2) {
    TRY(prefix, string_argument(arguments, 1));
  }
  return RuntimeValue(text.starts_with(prefix) ? text.substr(prefix.size()) : text);
}

Value trim_suffix(Arguments arguments, CallContext&) {
  TRY(const std::string_view text, string_argument(arguments, 0));
  std::string_view suffix = " ";
  if (arguments.size() == 2) {
    TRY(suffix, string_argument(arguments, 1));
  }
  const bool ends = text.ends_with(suffix);
  return RuntimeValue(ends ? text.substr(0, text.size() - suffix.size()) : text);
}

Value upper_case(Arguments arguments, CallContext&) {
  TRY(const std::string_view text, string_argument(arguments, 0));
  return RuntimeValue(upper(text));
}

Value lower_case(Arguments arguments, CallContext&) {
  TRY(const std::string_view text, string_argument(arguments, 0));
  return RuntimeValue(lower(text));
}

// Go's genSplit: at most `most` parts (0: a nil list); `keep` bytes of the separator
// stay with each part.
RuntimeValue split_parts(std::string_view text, std::string_view separator, std::int64_t most,
                         bool keep) {
  if (most == 0) return RuntimeValue::nil_list(Type::kListString);
  const auto limit = static_cast<std::size_t>(most);
  Items parts;
  parts.reserve(8);  // as usual lists have
  if (separator.empty()) {
    while (!text.empty() && parts.size() + 1 < limit) {
      const std::size_t length = decode_rune(text).length;
      parts.emplace_back(text.substr(0, length));
      text.remove_prefix(length);
    }
    if (!text.empty()) parts.emplace_back(text);
    return RuntimeValue::list(std::move(parts), Type::kListString);
  }
  while (parts.size() + 1 < limit) {
    const std::size_t at = text.find(separator);
    if (at == std::string_view::npos) break;
    parts.emplace_back(text.substr(0, at + (keep ? separator.size() : 0)));
    text.remove_prefix(at + separator.size());
  }
  parts.emplace_back(text);
  return RuntimeValue::list(std::move(parts), Type::kListString);
}

Value split_with(Arguments arguments, bool keep, CallContext& context) {
  TRY_VOID(expect_count(arguments, 2, 3));
  TRY(const std::string_view text, string_argument(arguments, 0));
  TRY(const std::string_view separator, string_argument(arguments, 1));
  std::int64_t most = -1;
  if (arguments.size() == 3) {
    TRY(most, int_argument(arguments, 2));
  }
  // At most a part for each byte, of which most texts of that size have fewer.
  constexpr auto kMost = static_cast<std::int64_t>(CallContext::kMaxMemory);
  const bool is_bounded = most >= 0 && most < kMost;
  const RuntimeValue parts = split_parts(text, separator, is_bounded ? most : kMost, keep);
  TRY_VOID(context.grow(parts.items().size()));
  return parts;
}

Value split(Arguments arguments, CallContext& context) {
  return split_with(arguments, false, context);
}
Value split_after(Arguments arguments, CallContext& context) {
  return split_with(arguments, true, context);
}

Value replace(Arguments arguments, CallContext&) {
  TRY_VOID(expect_count(arguments, 3, 4));
  TRY(const std::string_view text, string_argument(arguments, 0));
  TRY(const std::string_view from, string_argument(arguments, 1));
  TRY(const std::string_view to, string_argument(arguments, 2));
  std::int64_t most = -1;
  if (arguments.size() == 4) {
    TRY(most, int_argument(arguments, 3));
  }
  std::string out;
  std::string_view rest = text;
  bool first = true;
  for (; most != 0; --most) {
    std::size_t at = 0;
    if (from.empty()) {
      // An empty text is found before each character and at the end.
      if (!first && rest.empty()) break;
      at = first ? 0 : decode_rune(rest).length;
    } else {
      at = rest.find(from);
      if (at == std::string_view::npos) break;
    }
    first = false;
    out.append(rest.substr(0, at)).append(to);
    rest.remove_prefix(at + from.size());
    if (out.size() > CallContext::kMaxText) return bad_expression("memory budget exceeded");
  }
  return RuntimeValue(out.append(rest));
}

Value repeat(Arguments arguments, CallContext& context) {
  TRY(const std::string_view text, string_argument(arguments, 0));
  TRY(const std::int64_t count, int_argument(arguments, 1));
  if (count < 0) {
    return bad_expression(
        fmt::format("invalid argument for repeat (expected positive integer, got {})", count));
  }
  constexpr std::int64_t kMost = 1'000'000;
  if (count > kMost) return bad_expression("memory budget exceeded");
  TRY_VOID(context.grow(text.size() * static_cast<std::uint64_t>(count)));
  std::string out;
  for (std::int64_t i = 0; i < count; ++i) out += text;
  return RuntimeValue(std::move(out));
}

Value join(Arguments arguments, CallContext&) {
  if (arguments.empty()) return bad_expression("not enough arguments to call join");
  std::string_view glue;
  if (arguments.size() == 2) {
    TRY(glue, string_argument(arguments, 1));
  }
  const RuntimeValue& list = arguments[0];
  if (list.type() != Type::kListAny && list.type() != Type::kListString) {
    return bad_expression(fmt::format("invalid argument for join (type {})", go_name(list.type())));
  }
  std::string out;
  for (std::size_t i = 0; i < list.items().size(); ++i) {
    TRY(const std::string_view part, string_argument(list.items(), i));
    if (out.size() + part.size() + glue.size() > CallContext::kMaxText)
      return bad_expression("memory budget exceeded");
    if (i > 0) out += glue;
    out += part;
  }
  return RuntimeValue(std::move(out));
}

// strings.Index and LastIndex, -1 when it is not found.
Value index_with(Arguments arguments, bool last) {
  TRY(const std::string_view text, string_argument(arguments, 0));
  TRY(const std::string_view part, string_argument(arguments, 1));
  const std::size_t at = last ? text.rfind(part) : text.find(part);
  return RuntimeValue(at == std::string::npos ? std::int64_t{-1} : static_cast<std::int64_t>(at));
}

Value index_of(Arguments arguments, CallContext&) { return index_with(arguments, false); }
Value last_index_of(Arguments arguments, CallContext&) { return index_with(arguments, true); }

Value has_prefix(Arguments arguments, CallContext&) {
  TRY(const std::string_view text, string_argument(arguments, 0));
  TRY(const std::string_view part, string_argument(arguments, 1));
  return RuntimeValue(text.starts_with(part));
}

Value has_suffix(Arguments arguments, CallContext&) {
  TRY(const std::string_view text, string_argument(arguments, 0));
  TRY(const std::string_view part, string_argument(arguments, 1));
  return RuntimeValue(text.ends_with(part));
}

Value to_json_text(Arguments arguments, CallContext&) {
  TRY_VOID(expect_count(arguments, 1, 1));
  TRY(const value::Value v, to_value(arguments[0]));
  return RuntimeValue(value::to_json(v, {.indent = 2}));
}

Value from_json_text(Arguments arguments, CallContext& context) {
  TRY(const std::string_view text, string_argument(arguments, 0));
  // Each part costs a hundred bytes, and there is one at each of these.
  TRY_VOID(context.grow(static_cast<std::uint64_t>(
      std::ranges::count_if(text, [](char c) { return c == ',' || c == '[' || c == '{'; }))));
  return read_json_text(text);
}

Value to_base64(Arguments arguments, CallContext&) {
  TRY(const std::string_view text, string_argument(arguments, 0));
  return RuntimeValue(base64_encode(text));
}

Value from_base64(Arguments arguments, CallContext&) {
  TRY(const std::string_view text, string_argument(arguments, 0));
  TRY(std::string decoded, base64_decode(text));
  return RuntimeValue(std::move(decoded));
}

Value to_string(Arguments arguments, CallContext&) {
  TRY_VOID(expect_count(arguments, 1, 1));
  if (arguments[0].type() == Type::kLocation) {
    // Built-ins see what pointers point to: the struct, not its String().
    return RuntimeValue(fmt::format("{{{} [] []  0 0 <nil>}}", arguments[0].as_location()->name));
  }
  return RuntimeValue(sprint(arguments[0]));
}

constexpr std::array kRows = std::to_array<Builtin>({
    {"trim", kTrim, trim, "removes white space, or the characters given, at both ends"},
    {"trimPrefix", kTrimEnd, trim_prefix, "removes a prefix (default: one blank)"},
    {"trimSuffix", kTrimEnd, trim_suffix, "removes a suffix (default: one blank)"},
    {"upper", kStringToString, upper_case, "in capital letters"},
    {"lower", kStringToString, lower_case, "in small letters"},
    {"split", kSplit, split, "cuts at a separator, into at most n parts"},
    {"splitAfter", kSplit, split_after, "cuts behind each separator"},
    {"replace", kReplace, replace, "replaces all, or the first n, occurrences"},
    {"repeat", kRepeat, repeat, "the text n times"},
    {"join", kJoin, join, "the strings of a list with a separator between them"},
    {"indexOf", kTwoStringsToInt, index_of, "index of the first occurrence, or -1"},
    {"lastIndexOf", kTwoStringsToInt, last_index_of, "index of the last occurrence, or -1"},
    {"hasPrefix", kTwoStringsToBool, has_prefix, "does the text start with the other?"},
    {"hasSuffix", kTwoStringsToBool, has_suffix, "does the text end with the other?"},
    {"toJSON", kAnyToString, to_json_text, "as JSON, indented by two blanks"},
    {"fromJSON", kStringToAny, from_json_text, "the value of a JSON text"},
    {"toBase64", kStringToString, to_base64, "as base64"},
    {"fromBase64", kStringToString, from_base64, "decodes base64"},
    {"string", kAnyToString, to_string, "any value as text"},
});

}  // namespace

std::span<const Builtin> string_builtins() { return kRows; }

}  // namespace tiphys::expr
