// sprig's functions on text. Lengths and indices are bytes, as in Go.
#include <algorithm>

#include <fmt/core.h>

#include "expr/builtin_table.h"
#include "expr/sprig_table.h"
#include "expr/unicode.h"

namespace tiphys::expr {
namespace {

namespace sig = sprig_signature;
using Value = SprigValue;

Value made_text(std::string text, CallContext& context) {
  TRY_VOID(context.grow(text.size()));
  return RuntimeValue(std::move(text));
}

std::unexpected<diag::Error> out_of_range() {
  return bad_expression("runtime error: slice bounds out of range");
}

Value trim(Arguments a, CallContext&) { return RuntimeValue(trim_space(a[0].as_string())); }

Value trim_all(Arguments a, CallContext& context) {
  const std::array swapped = {a[1], a[0]};
  return find_builtin("trim")->body(swapped, context);
}

Value trim_suffix(Arguments a, CallContext&) {
  std::string_view text = a[1].as_string();
  if (text.ends_with(a[0].as_string())) text.remove_suffix(a[0].as_string().size());
  return RuntimeValue(text);
}

Value trim_prefix(Arguments a, CallContext&) {
  std::string_view text = a[1].as_string();
  if (text.starts_with(a[0].as_string())) text.remove_prefix(a[0].as_string().size());
  return RuntimeValue(text);
}

Value contains(Arguments a, CallContext&) {
  return RuntimeValue(a[1].as_string().find(a[0].as_string()) != std::string::npos);
}

Value has_prefix(Arguments a, CallContext&) {
  return RuntimeValue(a[1].as_string().starts_with(a[0].as_string()));
}

Value has_suffix(Arguments a, CallContext&) {
  return RuntimeValue(a[1].as_string().ends_with(a[0].as_string()));
}

Value replace(Arguments a, CallContext& context) {
  return made_text(replace_all(a[2].as_string(), a[0].as_string(), a[1].as_string()), context);
}

Value repeat(Arguments a, CallContext& context) {
  const std::int64_t count = a[0].as_integer();
  const std::string& text = a[1].as_string();
  if (count < 0) return bad_expression("strings: negative Repeat count");
  if (text.empty()) return RuntimeValue("");
  constexpr std::int64_t kMost = 1'000'000;
  TRY_VOID(context.grow(static_cast<std::uint64_t>(std::min(count, kMost)) * text.size()));
  std::string out;
  for (std::int64_t i = 0; i < count; ++i) out += text;
  return RuntimeValue(std::move(out));
}

Value substr(Arguments a, CallContext&) {
  const std::int64_t start = a[0].as_integer();
  const std::int64_t end = a[1].as_integer();
  const std::string_view text = a[2].as_string();
  const auto length = static_cast<std::int64_t>(text.size());
  const auto part = [&](std::int64_t from, std::int64_t to) -> Value {
    if (from < 0 || to < from || to > length) return out_of_range();
    return RuntimeValue(
        text.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from)));
  };
  if (start < 0) return part(0, end);
  return part(start, end < 0 || end > length ? length : end);
}

Value trunc(Arguments a, CallContext&) {
  const std::int64_t count = a[0].as_integer();
  const std::string_view text = a[1].as_string();
  const auto length = static_cast<std::int64_t>(text.size());
  if (count < 0 && length + count > 0) {
    return RuntimeValue(text.substr(static_cast<std::size_t>(length + count)));
  }
  if (count >= 0 && length > count) {
    return RuntimeValue(text.substr(0, static_cast<std::size_t>(count)));
  }
  return RuntimeValue(text);
}

// Text from `offset` on in at most `width` bytes, with dots where something is left out.
// Impossible widths give "". (goutils v1.1)
std::string abbreviated(std::string_view text, std::int64_t offset, std::int64_t width) {
  constexpr std::string_view kDots = "...";
  const auto length = static_cast<std::int64_t>(text.size());
  if (text.empty() || width < 4) return "";
  if (length <= width) return std::string(text);
  offset = std::min(offset, length);
  if (length - offset < width - 3) offset = length - (width - 3);
  if (offset <= 4) {
    return std::string(text.substr(0, static_cast<std::size_t>(width - 3))).append(kDots);
  }
  if (width < 7) return "";
  if (offset + width - 3 < length) {
    return std::string(kDots) +
           abbreviated(text.substr(static_cast<std::size_t>(offset)), 0, width - 3);
  }
  return std::string(kDots).append(text.substr(static_cast<std::size_t>(length - (width - 3))));
}

Value abbrev(Arguments a, CallContext&) {
  if (a[0].as_integer() < 4) return a[1];
  return RuntimeValue(abbreviated(a[1].as_string(), 0, a[0].as_integer()));
}

Value abbrevboth(Arguments a, CallContext&) {
  const std::int64_t left = a[0].as_integer();
  const std::int64_t right = a[1].as_integer();
  if (right < 4 || (left > 0 && right < 7)) return a[2];
  return RuntimeValue(abbreviated(a[2].as_string(), left, right));
}

// Lines of at most `width` bytes, broken at blanks; long words are broken only if `break_words`.
std::string wrapped(std::string_view text, std::int64_t width, std::string_view line_end,
                    bool break_words) {
  const auto step = static_cast<std::size_t>(std::max<std::int64_t>(width, 1));
  std::string out;
  while (text.size() > step) {
    if (text[0] == ' ') {
      text.remove_prefix(1);
      continue;
    }
    std::size_t length = text.substr(0, step + 1).rfind(' ');
    std::size_t skipped = 1;
    if (length == std::string_view::npos && break_words) {
      length = step;
      skipped = 0;
    } else if (length == std::string_view::npos) {
      length = text.find(' ', step);
      if (length == std::string_view::npos) break;
    }
    out.append(text.substr(0, length)).append(line_end);
    text.remove_prefix(length + skipped);
  }
  return out.append(text);
}

Value wrap(Arguments a, CallContext& context) {
  return made_text(wrapped(a[1].as_string(), a[0].as_integer(), "\n", false), context);
}

Value wrap_with(Arguments a, CallContext& context) {
  const std::string& given = a[1].as_string();
  const std::string_view line_end = given.empty() ? std::string_view("\n") : given;
  TRY_VOID(context.grow(a[2].as_string().size() * (line_end.size() + 1)));
  return RuntimeValue(wrapped(a[2].as_string(), a[0].as_integer(), line_end, true));
}

// A Go string literal, as %q prints it.
std::string quoted(std::string_view text) {
  constexpr std::string_view kNamed = "\a\b\f\n\r\t\v\\\"";
  constexpr std::string_view kLetters = "abfnrtv\\\"";
  std::string out = "\"";
  while (!text.empty()) {
    const Rune rune = decode_rune(text);
    const auto byte = static_cast<unsigned char>(text[0]);
    if (const std::size_t at = kNamed.find(text[0]); at != std::string_view::npos) {
      out.append("\\").append(1, kLetters[at]);
    } else if ((rune.code == kReplacement && rune.length == 1) || byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else if ((rune.code >= 0x80 && rune.code < 0xA1) || rune.code == 0xAD ||
               rune.code == 0xFEFF || (rune.code >= 0x2000 && rune.code <= 0x200F) ||
               (rune.code >= 0x2028 && rune.code <= 0x202F) || rune.code == 0x3000) {
      out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(rune.code));
    } else {
      out += text.substr(0, rune.length);
    }
    text.remove_prefix(rune.length);
  }
  return out += '"';
}

template <class Print>
Value printed(Arguments a, CallContext& context, Print print) {
  std::string out;
  bool is_first = true;
  for (const RuntimeValue& v : a) {
    if (v.is_nil()) continue;
    if (!is_first) out += ' ';
    out += print(v);
    is_first = false;
  }
  return made_text(std::move(out), context);
}

Value quote(Arguments a, CallContext& context) {
  return printed(a, context, [](const RuntimeValue& v) { return quoted(sprig_text(v)); });
}

Value squote(Arguments a, CallContext& context) {
  return printed(a, context, [](const RuntimeValue& v) { return "'" + sprint(v) + "'"; });
}

Value cat(Arguments a, CallContext& context) { return printed(a, context, sprint); }

Value indented(std::int64_t spaces, const std::string& text, std::string start,
               CallContext& context) {
  if (spaces < 0) return bad_expression("strings: negative Repeat count");
  TRY_VOID(context.grow(static_cast<std::uint64_t>(std::min<std::int64_t>(spaces, 1'000'000))));
  const std::string pad(static_cast<std::size_t>(spaces), ' ');
  return made_text(start.append(pad).append(replace_all(text, "\n", "\n" + pad)), context);
}

Value indent(Arguments a, CallContext& context) {
  return indented(a[0].as_integer(), a[1].as_string(), "", context);
}

Value nindent(Arguments a, CallContext& context) {
  return indented(a[0].as_integer(), a[1].as_string(), "\n", context);
}

Value plural(Arguments a, CallContext&) { return a[2].as_integer() == 1 ? a[0] : a[1]; }
Value to_string(Arguments a, CallContext&) { return RuntimeValue(sprig_text(a[0])); }

RuntimeValue numbered(const std::vector<std::string>& parts) {
  Table out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    out.emplace(RuntimeValue("_" + std::to_string(i)), RuntimeValue(parts[i]));
  }
  return RuntimeValue::map(std::move(out), Type::kMapStringString);
}

Value split(Arguments a, CallContext& context) {
  TRY_VOID(context.grow(a[1].as_string().size()));
  return numbered(split_text(a[1].as_string(), a[0].as_string(), -1));
}

Value splitn(Arguments a, CallContext& context) {
  TRY_VOID(context.grow(a[2].as_string().size()));
  return numbered(split_text(a[2].as_string(), a[0].as_string(), a[1].as_integer()));
}

Value split_list(Arguments a, CallContext& context) {
  TRY_VOID(context.grow(a[1].as_string().size()));
  return RuntimeValue::strings(split_text(a[1].as_string(), a[0].as_string(), -1));
}

constexpr std::array kIntIntStringTypes = {Type::kInt, Type::kInt, Type::kString};
constexpr std::array kIntStringStringTypes = {Type::kInt, Type::kString, Type::kString};
constexpr std::array kStringIntStringTypes = {Type::kString, Type::kInt, Type::kString};
constexpr std::array kStringStringIntTypes = {Type::kString, Type::kString, Type::kInt};
constexpr std::array kIntIntText = {Signature{kIntIntStringTypes, false, Type::kAny}};
constexpr std::array kIntTextText = {Signature{kIntStringStringTypes, false, Type::kAny}};
constexpr std::array kTextIntText = {Signature{kStringIntStringTypes, false, Type::kAny}};
constexpr std::array kTextTextInt = {Signature{kStringStringIntTypes, false, Type::kAny}};

constexpr std::array kRows = std::to_array<Builtin>({
    {"abbrev", sig::kIntAndText, abbrev, "text in a number of bytes, its end as dots"},
    {"abbrevboth", kIntIntText, abbrevboth, "text in a number of bytes, both ends as dots"},
    {"cat", sig::kMany, cat, "the arguments with blanks between them"},
    {"contains", sig::kText2, contains, "is the first text in the second"},
    {"hasPrefix", sig::kText2, has_prefix, "does the second text start with the first"},
    {"hasSuffix", sig::kText2, has_suffix, "does the second text end with the first"},
    {"indent", sig::kIntAndText, indent, "each line after a number of blanks"},
    {"nindent", sig::kIntAndText, nindent, "a new line, then as indent"},
    {"plural", kTextTextInt, plural, "the first text for 1, else the second"},
    {"quote", sig::kMany, quote, "the arguments in double quotes"},
    {"repeat", sig::kIntAndText, repeat, "text a number of times"},
    {"replace", sig::kText3, replace, "the third text, with the first replaced by the second"},
    {"split", sig::kText2, split, "the parts of a text as a map of _0, _1 ..."},
    {"splitList", sig::kText2, split_list, "the parts of a text"},
    {"splitn", kTextIntText, splitn, "at most so many parts of a text as a map"},
    {"squote", sig::kMany, squote, "the arguments in single quotes"},
    {"substr", kIntIntText, substr, "the bytes from one index to before another"},
    {"toString", sig::kOne, to_string, "as text"},
    {"trim", sig::kText, trim, "without white space at the ends"},
    {"trimAll", sig::kText2, trim_all,
     "the second text without characters of the first at its ends"},
    {"trimPrefix", sig::kText2, trim_prefix, "the second text without the first at its start"},
    {"trimSuffix", sig::kText2, trim_suffix, "the second text without the first at its end"},
    {"trimall", sig::kText2, trim_all, "as trimAll"},
    {"trunc", sig::kIntAndText, trunc, "the first bytes, or the last ones if negative"},
    {"wrap", sig::kIntAndText, wrap, "lines of at most so many bytes"},
    {"wrapWith", kIntTextText, wrap_with, "as wrap, with another line end, breaking long words"},
});

}  // namespace

std::span<const Builtin> sprig_text_rows() { return kRows; }

}  // namespace tiphys::expr
