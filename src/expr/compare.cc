// Equality and order of run-time values, as expr-lang's runtime defines them.
#include <fmt/core.h>

#include "expr/runtime_value.h"

namespace tiphys::expr {
namespace {

template <typename Compare>
bool same_items(const Items& a, const Items& b, Compare compare_items) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!compare_items(a[i], b[i])) return false;
  }
  return true;
}

bool same_table(const Table& a, const Table& b) {
  if (a.size() != b.size()) return false;
  for (auto i = a.begin(), j = b.begin(); i != a.end(); ++i, ++j) {
    if (!deep_equal(i->first, j->first) || !deep_equal(i->second, j->second)) return false;
  }
  return true;
}

bool bytes_equal_list(const std::string& bytes, const Items& items) {
  if (bytes.size() != items.size()) return false;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = RuntimeValue::integer(Type::kUint8, static_cast<unsigned char>(bytes[i]));
    if (!equal(byte, items[i])) return false;
  }
  return true;
}

// The list types that expr-lang compares with []any element by element.
bool is_plain_list(Type t) {
  return t == Type::kListAny || t == Type::kListString || t == Type::kListInt ||
         t == Type::kListFloat;
}

template <typename T>
int sign(const T& a, const T& b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

}  // namespace

bool equal(const RuntimeValue& a, const RuntimeValue& b) {
  if (is_number(a.type()) && is_number(b.type())) {
    if (a.type() == Type::kFloat || b.type() == Type::kFloat) return a.number() == b.number();
    return a.as_integer() == b.as_integer();
  }
  if (a.type() == b.type() && a.type() == Type::kString) return a.as_string() == b.as_string();
  if (a.type() == Type::kListAny && b.type() == Type::kBytes) {
    return bytes_equal_list(b.as_string(), a.items());
  }
  if (b.type() == Type::kListAny && a.type() == Type::kBytes) {
    return bytes_equal_list(a.as_string(), b.items());
  }
  if (is_plain_list(a.type()) && is_plain_list(b.type()) &&
      (a.type() == b.type() || a.type() == Type::kListAny || b.type() == Type::kListAny)) {
    return same_items(a.items(), b.items(), equal);
  }
  if (a.type() == Type::kTime && b.type() == Type::kTime) {
    return compare(a.as_time(), b.as_time()) == 0;
  }
  return (a.is_nil_like() && b.is_nil_like()) || deep_equal(a, b);
}

bool deep_equal(const RuntimeValue& a, const RuntimeValue& b) {
  if (a.type() != b.type()) return false;
  if (a.is_list()) return same_items(a.items(), b.items(), deep_equal);
  if (a.is_map()) return same_table(a.table(), b.table());
  switch (a.type()) {
    case Type::kNil:
      return true;
    case Type::kBool:
      return a.as_bool() == b.as_bool();
    case Type::kFloat:
      return a.as_float() == b.as_float();
    case Type::kString:
    case Type::kBytes:
      return a.as_string() == b.as_string();
    case Type::kTime:
      return compare(a.as_time(), b.as_time()) == 0 &&
             a.as_time().where->name == b.as_time().where->name;
    case Type::kLocation:
      return a.as_location()->name == b.as_location()->name;
    case Type::kFunc:
      return false;
    default:
      return a.as_integer() == b.as_integer();
  }
}

diag::Result<bool> less(const RuntimeValue& a, const RuntimeValue& b) {
  if (is_number(a.type()) && is_number(b.type())) {
    if (a.type() == Type::kFloat || b.type() == Type::kFloat) return a.number() < b.number();
    return a.as_integer() < b.as_integer();
  }
  if (a.type() == b.type()) {
    if (a.type() == Type::kString) return a.as_string() < b.as_string();
    if (a.type() == Type::kTime) return compare(a.as_time(), b.as_time()) < 0;
    if (a.type() == Type::kDuration) return a.as_integer() < b.as_integer();
  }
  return diag::fail(diag::Code::kBadExpression, fmt::format("invalid operation: {} < {}",
                                                            go_name(a.type()), go_name(b.type())));
}

bool KeyLess::operator()(const RuntimeValue& a, const RuntimeValue& b) const {
  if (a.type() != b.type()) return a.type() < b.type();
  switch (a.type()) {
    case Type::kString:
      return a.as_string() < b.as_string();
    case Type::kBool:
      return !a.as_bool() && b.as_bool();
    case Type::kFloat:
      return a.as_float() < b.as_float();
    case Type::kPair:
      for (std::size_t i = 0; i < a.items().size() && i < b.items().size(); ++i) {
        if ((*this)(a.items()[i], b.items()[i])) return true;
        if ((*this)(b.items()[i], a.items()[i])) return false;
      }
      return false;
    case Type::kTime:
      return compare(a.as_time(), b.as_time()) < 0;
    case Type::kLocation:
      return a.as_location()->name < b.as_location()->name;
    case Type::kInt:
    case Type::kInt64:
    case Type::kUint8:
    case Type::kDuration:
    case Type::kMonth:
    case Type::kWeekday:
      return sign(a.as_integer(), b.as_integer()) < 0;
    default:
      return false;
  }
}

bool KeyLess::operator()(const RuntimeValue& a, std::string_view b) const {
  return a.type() != Type::kString ? a.type() < Type::kString : a.as_string() < b;
}

bool KeyLess::operator()(std::string_view a, const RuntimeValue& b) const {
  return b.type() != Type::kString ? Type::kString < b.type() : a < b.as_string();
}

}  // namespace tiphys::expr
