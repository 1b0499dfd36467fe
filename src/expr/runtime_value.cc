#include "expr/runtime_value.h"

#include <algorithm>
#include <array>
#include <limits>

#include "expr/builtins.h"

namespace tiphys::expr {
namespace {

struct TypeRow {
  Type type;
  std::string_view name;
  Type element = Type::kAny;
};

// In the order of the enum.
constexpr std::array kTypes = std::to_array<TypeRow>({
    {Type::kAny, "interface {}"},
    {Type::kNil, "<nil>"},
    {Type::kBool, "bool"},
    {Type::kInt, "int"},
    {Type::kInt64, "int64"},
    {Type::kUint8, "uint8"},
    {Type::kFloat, "float64"},
    {Type::kString, "string"},
    {Type::kBytes, "[]uint8", Type::kUint8},
    {Type::kListAny, "[]interface {}"},
    {Type::kListString, "[]string", Type::kString},
    {Type::kListInt, "[]int", Type::kInt},
    {Type::kListFloat, "[]float64", Type::kFloat},
    {Type::kListList, "[][]interface {}", Type::kListAny},
    {Type::kListPair, "[][2]interface {}", Type::kPair},
    {Type::kPair, "[2]interface {}"},
    {Type::kMapStringAny, "map[string]interface {}"},
    {Type::kMapStringString, "map[string]string", Type::kString},
    {Type::kMapAnyAny, "map[interface {}]interface {}"},
    {Type::kMapAnyList, "map[interface {}][]interface {}", Type::kListAny},
    {Type::kTime, "time.Time"},
    {Type::kDuration, "time.Duration"},
    {Type::kLocation, "*time.Location"},
    {Type::kMonth, "time.Month"},
    {Type::kWeekday, "time.Weekday"},
    {Type::kFunc, "func"},
});

constexpr bool rows_are_in_order() {
  for (std::size_t i = 0; i < kTypes.size(); ++i) {
    if (static_cast<std::size_t>(kTypes[i].type) != i) return false;
  }
  return true;
}
static_assert(rows_are_in_order());

const TypeRow& row(Type t) { return kTypes[static_cast<std::size_t>(t)]; }

// The one object that stands for every nil slice, and for every nil map.
const std::shared_ptr<const ListContents>& nil_items() {
  static const auto instance = std::make_shared<const ListContents>();
  return instance;
}
const std::shared_ptr<const MapContents>& nil_table() {
  static const auto instance = std::make_shared<const MapContents>();
  return instance;
}

void add(Extent& whole, const RuntimeValue& part) {
  const Extent extent = part.extent();
  whole.depth = std::max(whole.depth, extent.depth + 1);
  // Doubling for ever must not come back to 0.
  if (__builtin_add_overflow(whole.size, extent.size, &whole.size)) {
    whole.size = std::numeric_limits<std::uint64_t>::max();
  }
}

RuntimeValue convert(const value::Value& v, bool ints_are_floats) {
  using Kind = value::Value::Kind;
  switch (v.kind()) {
    case Kind::kNull:
      return {};
    case Kind::kBool:
      return v.as_bool();
    case Kind::kInt:
      if (ints_are_floats) return static_cast<double>(v.as_int());
      return v.as_int();
    case Kind::kFloat:
      return v.as_float();
    case Kind::kString:
      return v.as_string();
    case Kind::kList: {
      Items items;
      items.reserve(v.list().size());
      for (const auto& item : v.list()) items.push_back(convert(item, ints_are_floats));
      return RuntimeValue::list(std::move(items));
    }
    case Kind::kMap: {
      Table table;
      for (const auto& [key, item] : v.map()) {
        table.insert_or_assign(RuntimeValue(key), convert(item, ints_are_floats));
      }
      return RuntimeValue::map(std::move(table));
    }
  }
  return {};
}

}  // namespace

std::string_view go_name(Type t) { return row(t).name; }

Type element_type(Type t) { return row(t).element; }
Type key_type(Type t) {
  return t == Type::kMapStringAny || t == Type::kMapStringString ? Type::kString : Type::kAny;
}

RuntimeValue::RuntimeValue(std::string s) : type_(Type::kString), is_long_(s.size() > kShort) {
  if (is_long_) {
    new (&shared_) Shared(std::make_shared<const std::string>(std::move(s)));
  } else {
    new (&text_) std::string(std::move(s));
  }
}

RuntimeValue::RuntimeValue(Time t)
    : RuntimeValue(Type::kTime, std::make_shared<const Time>(std::move(t))) {}

RuntimeValue::RuntimeValue(FunctionValue f)
    : RuntimeValue(Type::kFunc, std::make_shared<const FunctionValue>(std::move(f))) {}

void RuntimeValue::copy(const RuntimeValue& other) {
  if (other.is_short_text()) {
    new (&text_) std::string(other.text_);
  } else {
    new (&shared_) Shared(other.shared_);
  }
  type_ = other.type_;
  is_long_ = other.is_long_;
}

void RuntimeValue::take_contents(RuntimeValue& other) noexcept {
  if (other.is_short_text()) {
    new (&text_) std::string(std::move(other.text_));
  } else {
    new (&shared_) Shared(std::move(other.shared_));
  }
  is_long_ = other.is_long_;
  other.release();
}

void RuntimeValue::release() noexcept {
  if (is_short_text()) {
    text_.~basic_string();
  } else {
    shared_.~shared_ptr();
  }
  type_ = Type::kNil;
  is_long_ = false;
  word_ = 0;
}

RuntimeValue RuntimeValue::integer(Type t, std::int64_t i) {
  RuntimeValue out(i);
  out.type_ = t;
  return out;
}

RuntimeValue RuntimeValue::list(Items items, Type t) {
  Extent extent{.depth = 1};
  for (const RuntimeValue& item : items) add(extent, item);
  return {t, std::make_shared<const ListContents>(std::move(items), extent)};
}

RuntimeValue RuntimeValue::nil_list(Type t) { return {t, nil_items()}; }

bool RuntimeValue::is_nil_like() const {
  if (is_list()) return shared_ == nil_items();
  if (is_map()) return shared_ == nil_table();
  return is_nil();
}

RuntimeValue RuntimeValue::strings(const std::vector<std::string>& items) {
  return list(Items(items.begin(), items.end()), Type::kListString);
}

RuntimeValue RuntimeValue::map(Table table, Type t) {
  Extent extent{.depth = 1};
  for (const auto& [key, item] : table) {
    add(extent, key);
    add(extent, item);
  }
  return {t, std::make_shared<const MapContents>(std::move(table), extent)};
}

RuntimeValue RuntimeValue::bytes(std::string bytes) {
  RuntimeValue out(std::move(bytes));
  out.type_ = Type::kBytes;
  return out;
}

RuntimeValue RuntimeValue::location(std::shared_ptr<const Location> where) {
  return {Type::kLocation, std::move(where)};
}

RuntimeValue RuntimeValue::zero(Type t) {
  if (t == Type::kBytes) return bytes("");
  if (expr::is_list(t)) return nil_list(t);
  if (expr::is_map(t)) return {t, nil_table()};
  constexpr std::int64_t kYearOne = -62135596800;
  switch (t) {
    case Type::kBool:
      return false;
    case Type::kInt:
    case Type::kInt64:
    case Type::kUint8:
    case Type::kDuration:
    case Type::kMonth:
    case Type::kWeekday:
      return integer(t, 0);
    case Type::kFloat:
      return 0.0;
    case Type::kString:
      return "";
    case Type::kTime:
      return Time{.seconds = kYearOne};
    default:
      return {};
  }
}

RuntimeValue RuntimeValue::from(const value::Value& v) { return convert(v, false); }
RuntimeValue RuntimeValue::from_json(const value::Value& v) { return convert(v, true); }

Extent RuntimeValue::extent() const {
  constexpr std::uint64_t kBytes = 32;  // of text weigh as much as an element
  if (is_word()) return {};
  if (is_list()) return contents<ListContents>().extent;
  if (is_map()) return contents<MapContents>().extent;
  if (type_ == Type::kString || type_ == Type::kBytes)
    return {.size = 1 + as_string().size() / kBytes};
  return {};
}

const RuntimeValue* RuntimeValue::find(std::string_view key) const {
  if (!is_map()) return nullptr;
  const auto found = table().find(key);
  return found == table().end() ? nullptr : &found->second;
}

diag::Result<void> CallContext::grow(std::uint64_t size) {
  const std::uint64_t counted = std::min(size, kMaxMemory);  // more would only overflow
  memory += counted;
  steps += counted;
  if (memory < kMaxMemory && earlier_memory + memory < kMaxMemoryOfAll) return {};
  return diag::fail(diag::Code::kBadExpression, "memory budget exceeded");
}

diag::Result<void> CallContext::work(std::uint64_t more) {
  steps = std::min(steps + more, kMaxSteps + 1);
  if (steps <= kMaxSteps) return {};
  return diag::fail(diag::Code::kBadExpression, "step budget exceeded");
}

diag::Result<Time> CallContext::time_now() const {
  constexpr std::int64_t kSecond = 1'000'000'000;
  if (!now.is_set()) return diag::fail(diag::Code::kBadExpression, "now() is not known here");
  std::int64_t seconds = now.ns / kSecond;
  std::int64_t nanos = now.ns % kSecond;
  if (nanos < 0) {
    nanos += kSecond;
    --seconds;
  }
  return Time{.seconds = seconds, .nanos = static_cast<std::int32_t>(nanos), .where = utc()};
}

std::uint64_t CallContext::next_random() {
  // SplitMix64 (public domain algorithm by S. Vigna).
  random += 0x9E3779B97F4A7C15U;
  std::uint64_t z = random;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

}  // namespace tiphys::expr
