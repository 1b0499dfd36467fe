// Run-time values as text (Go's %v) and as JSON values.
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include <fmt/core.h>

#include "expr/base64.h"
#include "expr/runtime_value.h"

namespace tiphys::expr {
namespace {

void append(std::string& out, const RuntimeValue& v);

void append_items(std::string& out, const Items& items) {
  out += '[';
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += ' ';
    append(out, items[i]);
  }
  out += ']';
}

void append_table(std::string& out, const Table& table) {
  out += "map[";
  bool first = true;
  for (const auto& [key, item] : table) {
    if (!first) out += ' ';
    first = false;
    append(out, key);
    out += ':';
    append(out, item);
  }
  out += ']';
}

void append_bytes(std::string& out, const std::string& bytes) {
  out += '[';
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0) out += ' ';
    out += std::to_string(static_cast<unsigned char>(bytes[i]));
  }
  out += ']';
}

void append(std::string& out, const RuntimeValue& v) {
  if (v.is_list()) return append_items(out, v.items());
  if (v.is_map()) return append_table(out, v.table());
  switch (v.type()) {
    case Type::kBool:
      out += v.as_bool() ? "true" : "false";
      return;
    case Type::kFloat:
      out += float_to_text(v.as_float());
      return;
    case Type::kString:
      out += v.as_string();
      return;
    case Type::kBytes:
      return append_bytes(out, v.as_string());
    case Type::kTime:
      out += time_to_text(v.as_time());
      return;
    case Type::kDuration:
      out += duration_to_text(v.as_integer());
      return;
    case Type::kLocation:
      out += v.as_location()->name;
      return;
    case Type::kMonth:
      out += month_name(static_cast<int>(v.as_integer()));
      return;
    case Type::kWeekday:
      out += weekday_name(static_cast<int>(v.as_integer()));
      return;
    case Type::kInt:
    case Type::kInt64:
    case Type::kUint8:
      out += std::to_string(v.as_integer());
      return;
    case Type::kFunc:
      out += "func";
      return;
    default:
      out += "<nil>";
  }
}

std::unexpected<diag::Error> unsupported(std::string_view what, std::string_view name) {
  return diag::fail(diag::Code::kBadExpression,
                    fmt::format("json: unsupported {}: {}", what, name));
}

}  // namespace

std::string sprint(const RuntimeValue& v) {
  std::string out;
  append(out, v);
  return out;
}

diag::Result<value::Value> to_value(const RuntimeValue& v) {
  if (v.type() == Type::kBool) return v.as_bool();
  if (v.type() == Type::kInt) return v.as_integer();
  if (v.type() == Type::kString) return v.as_string();
  if (v.is_nil_like() && (!v.is_map() || key_type(v.type()) == Type::kString)) {
    return value::Value();
  }
  if (v.is_list()) {
    value::List list;
    list.reserve(v.items().size());
    for (const auto& item : v.items()) {
      TRY(auto converted, to_value(item));
      list.push_back(std::move(converted));
    }
    return list;
  }
  if (v.is_map()) {
    if (key_type(v.type()) != Type::kString) return unsupported("type", go_name(v.type()));
    value::Map map;
    for (const auto& [key, item] : v.table()) {
      TRY(auto converted, to_value(item));
      map.entries().emplace_back(key.as_string(), std::move(converted));
    }
    return map;
  }
  switch (v.type()) {
    case Type::kNil:
    case Type::kAny:
      return value::Value();
    case Type::kFloat:
      if (!std::isfinite(v.as_float())) return unsupported("value", float_to_text(v.as_float()));
      return v.as_float();
    case Type::kBytes:
      return base64_encode(v.as_string());
    case Type::kTime:
      return format_time(v.as_time(), kRfc3339Nano);
    case Type::kLocation:
      return value::Map();
    case Type::kFunc:
      return unsupported("type", "func");
    default:
      return v.as_integer();
  }
}

std::string float_to_text(double d) {
  if (std::isnan(d)) return "NaN";
  if (std::isinf(d)) return d > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> buffer{};
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), d, std::chars_format::scientific);
  std::string text(buffer.data(), error == std::errc() ? end : buffer.data());
  const std::size_t e = text.find('e');
  const int exponent = e == std::string::npos ? 0 : std::atoi(text.c_str() + e + 1);
  constexpr int kLargestPlain = 6;  // from here on %v prints an exponent
  if (d != 0 && (exponent < -4 || exponent >= kLargestPlain)) return text;
  std::string digits;
  for (const char c : text.substr(0, e)) {
    if (c >= '0' && c <= '9') digits += c;
  }
  const std::string sign = std::signbit(d) ? "-" : "";
  if (exponent < 0) {
    return sign + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  }
  const std::size_t whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) return sign + digits + std::string(whole - digits.size(), '0');
  return sign + digits.substr(0, whole) + "." + digits.substr(whole);
}

}  // namespace tiphys::expr
