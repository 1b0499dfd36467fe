#include "value/json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include <simdjson.h>

#include "value/open_map.h"

namespace tiphys::value {
namespace {

constexpr std::size_t kSmallText = std::size_t{32} << 10U;
constexpr std::string_view kHexDigits = "0123456789abcdef";

// The length of the valid UTF-8 sequence that `text` starts with; 0 when it starts with none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto follows = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xC0U) == 0x80U; };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (!follows(1) || !follows(2)) return 0;
    if (first == 0xE0 && byte(1) < 0xA0) return 0;
    if (first == 0xED && byte(1) > 0x9F) return 0;  // surrogates
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!follows(1) || !follows(2) || !follows(3)) return 0;
    if (first == 0xF0 && byte(1) < 0x90) return 0;
    if (first == 0xF4 && byte(1) > 0x8F) return 0;
    return 4;
  }
  return 0;
}

void append_escaped_control(std::string& out, unsigned char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += kHexDigits[c >> 4U];
      out += kHexDigits[c & 0xFU];
  }
}

// How many bytes at the beginning stand for themselves: most texts have no others.
std::size_t plain_length(std::string_view text, bool escape_html) {
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\') break;
    if (escape_html && (c == '<' || c == '>' || c == '&')) break;
  }
  return i;
}

void append_break(std::string& out, int indent, int depth) {
  if (indent == 0) return;
  out += '\n';
  out.append(static_cast<std::size_t>(indent) * static_cast<std::size_t>(depth), ' ');
}

void append_value(std::string& out, const Value& v, const JsonStyle& style, int depth);

void append_list(std::string& out, const List& list, const JsonStyle& style, int depth) {
  out += '[';
  bool first = true;
  for (const Value& item : list) {
    if (!first) out += ',';
    first = false;
    append_break(out, style.indent, depth + 1);
    append_value(out, item, style, depth + 1);
  }
  if (!first) append_break(out, style.indent, depth);
  out += ']';
}

void append_map(std::string& out, const Map& map, const JsonStyle& style, int depth) {
  out += '{';
  bool first = true;
  for (const auto& [key, item] : map) {
    if (!first) out += ',';
    first = false;
    append_break(out, style.indent, depth + 1);
    append_json_string(out, key, style.escape_html);
    out += style.indent == 0 ? ":" : ": ";
    append_value(out, item, style, depth + 1);
  }
  if (!first) append_break(out, style.indent, depth);
  out += '}';
}

void append_value(std::string& out, const Value& v, const JsonStyle& style, int depth) {
  switch (v.kind()) {
    case Value::Kind::kNull:
      out += "null";
      return;
    case Value::Kind::kBool:
      out += v.as_bool() ? "true" : "false";
      return;
    case Value::Kind::kInt:
      out += std::to_string(v.as_int());
      return;
    case Value::Kind::kFloat:
      if (v.is_large()) {
        out += std::to_string(v.as_large());
      } else {
        out += std::isfinite(v.as_float()) ? float_to_json(v.as_float()) : "null";
      }
      return;
    case Value::Kind::kString:
      append_json_string(out, v.as_string(), style.escape_html);
      return;
    case Value::Kind::kList:
      append_list(out, v.list(), style, depth);
      return;
    case Value::Kind::kMap:
      if (style.key_order == KeyOrder::kSorted) {
        append_map(out, v.map().sorted(), style, depth);
      } else {
        append_map(out, v.map(), style, depth);
      }
      return;
  }
}

using Names = std::span<const std::string_view>;

Value from_dom(const simdjson::dom::element& element, Names left_out) {
  using Type = simdjson::dom::element_type;
  switch (element.type()) {
    case Type::BOOL:
      return Value(bool{element});
    case Type::INT64:
      return Value(std::int64_t{element});
    case Type::UINT64:
      return Value::whole(std::uint64_t{element});
    case Type::DOUBLE:
      return Value(double{element});
    case Type::STRING:
      return Value(std::string_view{element});
    case Type::ARRAY: {
      List list;
      for (const auto item : simdjson::dom::array(element))
        list.push_back(from_dom(item, left_out));
      return Value(std::move(list));
    }
    case Type::OBJECT: {
      OpenMap map;
      for (const auto field : simdjson::dom::object(element)) {
        if (std::ranges::find(left_out, field.key) != left_out.end()) continue;
        std::string key(field.key);
        map.set(key, from_dom(field.value, left_out));
      }
      return Value(map.take());
    }
    case Type::NULL_VALUE:
      break;
  }
  return {};
}

int hex4(std::string_view text) {
  int code = 0;
  if (text.size() < 4) return -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + 4, code, 16);
  return error == std::errc() && end == text.data() + 4 ? code : -1;
}

// Copies the string that starts at text[i] (a quote), with what Go forgives replaced: bytes that
// are no UTF-8 and escapes of lone surrogates. Returns the index behind it.
std::size_t copy_forgiving_string(std::string& out, std::string_view text, std::size_t i) {
  out += text[i++];
  while (i < text.size() && text[i] != '"') {
    if (text[i] == '\\' && i + 1 < text.size()) {
      const int code = text[i + 1] == 'u' ? hex4(text.substr(i + 2)) : -1;
      if (code >= 0xD800 && code <= 0xDFFF) {
        const bool pair = code < 0xDC00 && text.substr(i + 6, 2) == "\\u" &&
                          hex4(text.substr(i + 8)) >= 0xDC00 && hex4(text.substr(i + 8)) <= 0xDFFF;
        out += pair ? text.substr(i, 12) : "\\ufffd";
        i += pair ? 12 : 6;
      } else {
        out += text.substr(i, 2);
        i += 2;
      }
      continue;
    }
    const std::size_t length = utf8_length(text.substr(i));
    out += length == 0 ? "\\ufffd" : text.substr(i, length);
    i += length == 0 ? 1 : length;
  }
  if (i < text.size()) out += text[i++];
  return i;
}

// The text with what Go accepts and simdjson does not replaced by equivalents (also integers beyond
// 64 bits).
std::string forgiving(std::string_view text) {
  constexpr std::size_t kSafeDigits = 18;
  std::string out;
  std::size_t i = 0;
  while (i < text.size()) {
    const char c = text[i];
    if (c == '"') {
      i = copy_forgiving_string(out, text, i);
    } else if (c >= '0' && c <= '9') {
      std::size_t end = text.find_first_not_of("0123456789", i);
      if (end == std::string_view::npos) end = text.size();
      const std::size_t digits = end - i;
      const char next = end < text.size() ? text[end] : ' ';
      out += text.substr(i, digits);
      const bool whole = next != '.' && next != 'e' && next != 'E' && c != '0';
      if (whole && digits > kSafeDigits) out += "e0";
      i = end;
      // The digits of a fraction or an exponent are not integers of their own.
      while (i < text.size() &&
             std::string_view("0123456789.eE+-").find(text[i]) != std::string_view::npos) {
        out += text[i++];
      }
    } else {
      out += c;
      ++i;
    }
  }
  return out;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text, bool escape_html) {
  out += '"';
  std::size_t i = 0;
  while (i < text.size()) {
    const std::size_t plain = plain_length(text.substr(i), escape_html);
    out.append(text, i, plain);
    i += plain;
    if (i == text.size()) break;
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == '"' || c == '\\' || (escape_html && (c == '<' || c == '>' || c == '&'))) {
      append_escaped_control(out, c);
      ++i;
      continue;
    }
    const std::size_t length = c < 0x80 ? 1 : utf8_length(text.substr(i));
    if (length == 0) {
      out += "\\ufffd";
      ++i;
      continue;
    }
    const std::string_view rune = text.substr(i, length);
    if (rune == "\u2028") {
      out += "\\u2028";
    } else if (rune == "\u2029") {
      out += "\\u2029";
    } else {
      out += rune;
    }
    i += length;
  }
  out += '"';
}

std::string float_to_json(double d) {
  std::array<char, 32> buffer{};
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), d, std::chars_format::scientific);
  std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  const double magnitude = std::fabs(d);
  const std::size_t e = text.find('e');
  if (e == std::string_view::npos || error != std::errc()) return "null";
  std::string sign = text.front() == '-' ? "-" : "";
  std::string digits;
  for (const char c : text.substr(0, e)) {
    if (c != '.' && c != '-') digits += c;
  }
  const int exponent = std::atoi(std::string(text.substr(e + 1)).c_str());
  if (magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21)) {
    std::string out = sign + digits.substr(0, 1);
    if (digits.size() > 1) out += "." + digits.substr(1);
    out += exponent < 0 ? "e-" : "e+";
    out += std::to_string(std::abs(exponent));
    return out;
  }
  if (exponent < 0) {
    return sign + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  }
  const std::size_t whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) return sign + digits + std::string(whole - digits.size(), '0');
  return sign + digits.substr(0, whole) + "." + digits.substr(whole);
}

void append_json(std::string& out, const Value& v, JsonStyle style) {
  append_value(out, v, style, 0);
}

std::string to_json(const Value& v, JsonStyle style) {
  std::string out;
  append_value(out, v, style, 0);
  return out;
}

diag::Result<Value> parse_json(std::string_view text, Names left_out) {
  // A parser's memory is several times the text, and kept: many small texts then need none.
  thread_local simdjson::dom::parser small;
  simdjson::dom::parser large;
  simdjson::dom::parser& parser = text.size() <= kSmallText ? small : large;
  simdjson::dom::element root;
  simdjson::error_code error = parser.parse(text.data(), text.size()).get(root);
  if (error == simdjson::UTF8_ERROR || error == simdjson::STRING_ERROR ||
      error == simdjson::NUMBER_ERROR || error == simdjson::TAPE_ERROR) {
    error = parser.parse(simdjson::padded_string(forgiving(text))).get(root);
  }
  if (error != simdjson::SUCCESS) {
    return diag::fail(diag::Code::kInvalidManifest,
                      std::string("invalid JSON: ") + simdjson::error_message(error));
  }
  return from_dom(root, left_out);
}

}  // namespace tiphys::value
