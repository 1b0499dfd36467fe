// The values that expressions compute with: JSON's and the Go types that expr-lang and sprig tell
// apart.
//
// Results depend on Go's types (1 and 1.0 add differently, []string is no []any, int64 is no int),
// so the type is kept with each value. Lists, maps and functions are immutable and shared: a copy
// costs a reference count. Pure. Distinct values may be used from different threads.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "diag/error.h"
#include "expr/gotime.h"
#include "value/value.h"

namespace tiphys::expr {

/// The Go types that occur. kAny is interface{} and never the type of a value: signatures and the
/// checker use it for "unknown until run time".
enum class Type : std::uint8_t {
  kAny,
  kNil,
  kBool,
  kInt,
  kInt64,
  kUint8,
  kFloat,  // float64
  kString,
  kBytes,            // []uint8
  kListAny,          // []interface {}
  kListString,       // []string
  kListInt,          // []int
  kListFloat,        // []float64
  kListList,         // [][]interface {}
  kListPair,         // [][2]interface {}
  kPair,             // [2]interface {}
  kMapStringAny,     // map[string]interface {}
  kMapStringString,  // map[string]string
  kMapAnyAny,        // map[interface {}]interface {}
  kMapAnyList,       // map[interface {}][]interface {}
  kTime,             // time.Time
  kDuration,         // time.Duration
  kLocation,         // *time.Location
  kMonth,            // time.Month
  kWeekday,          // time.Weekday
  kFunc,
};

/// Go's name of the type, as %T prints it: `[]interface {}`, `time.Time`.
[[nodiscard]] std::string_view go_name(Type t);
/// int, int64, uint8.
[[nodiscard]] constexpr bool is_integer(Type t) { return t >= Type::kInt && t <= Type::kUint8; }
/// int, int64, uint8, float64 (not Month, Duration ...).
[[nodiscard]] constexpr bool is_number(Type t) { return t >= Type::kInt && t <= Type::kFloat; }
/// Any slice or array, also []byte.
[[nodiscard]] constexpr bool is_list(Type t) { return t >= Type::kBytes && t <= Type::kPair; }
[[nodiscard]] constexpr bool is_map(Type t) {
  return t >= Type::kMapStringAny && t <= Type::kMapAnyList;
}
/// Numbers, bools and nil: what is no more than one word.
[[nodiscard]] constexpr bool is_word(Type t) {
  return t <= Type::kFloat || t == Type::kDuration || t == Type::kMonth || t == Type::kWeekday;
}
/// The element type of a list or map; kAny for other types.
[[nodiscard]] Type element_type(Type t);
/// The key type of a map: kString or kAny.
[[nodiscard]] Type key_type(Type t);

class RuntimeValue;
struct Builtin;  // expr/builtins.h
using Items = std::vector<RuntimeValue>;

/// Orders map keys: by type, then by value. So that maps print in Go's sorted order.
struct KeyLess {
  using is_transparent = void;
  bool operator()(const RuntimeValue& a, const RuntimeValue& b) const;
  bool operator()(const RuntimeValue& a, std::string_view b) const;
  bool operator()(std::string_view a, const RuntimeValue& b) const;
};
/// A map with any keys. String-keyed maps have keys of type kString.
using Table = std::map<RuntimeValue, RuntimeValue, KeyLess>;

/// How large a value is with all that it holds, shared parts counted each time: what it takes to
/// write or compare it.
struct Extent {
  std::uint32_t depth = 0;  // of lists and maps
  std::uint64_t size = 1;   // elements, and one for every few bytes of text
};
/// The contents of a list or a map.
template <typename T>
struct Contents {
  T parts;
  Extent extent;
};
using ListContents = Contents<Items>;
using MapContents = Contents<Table>;

/// A function as a value: a row of a table, with the receiver if it is a bound method.
struct FunctionValue {
  const Builtin* row = nullptr;
  std::shared_ptr<const RuntimeValue> receiver = {};
};

/// One value with its Go type.
///
/// Numbers and bools are one word beside the type, so that arithmetic copies and frees nothing;
/// long texts are shared, so that lists of copies take no room.
class RuntimeValue {
 public:
  RuntimeValue() : word_(0) {}
  RuntimeValue(bool b)
      : type_(Type::kBool), word_(b ? 1 : 0) {}  // NOLINT(google-explicit-constructor)
  RuntimeValue(std::string s);                   // NOLINT(google-explicit-constructor)
  RuntimeValue(std::string_view s) : RuntimeValue(std::string(s)) {}  // NOLINT
  RuntimeValue(const char* s) : RuntimeValue(std::string(s)) {}       // NOLINT
  RuntimeValue(double d)  // NOLINT(google-explicit-constructor)
      : type_(Type::kFloat), word_(std::bit_cast<std::int64_t>(d)) {}
  RuntimeValue(int i) : RuntimeValue(std::int64_t{i}) {}  // NOLINT
  /// A Go int. For an int64 (what sprig's arithmetic gives) use integer(Type::kInt64, i).
  RuntimeValue(std::int64_t i) : type_(Type::kInt), word_(i) {}  // NOLINT
  RuntimeValue(Time t);           // NOLINT(google-explicit-constructor)
  RuntimeValue(FunctionValue f);  // NOLINT(google-explicit-constructor)
  RuntimeValue(const RuntimeValue& other) {
    if (other.is_word()) {
      type_ = other.type_;
      word_ = other.word_;
    } else {
      copy(other);
    }
  }
  /// `other` becomes nil.
  RuntimeValue(RuntimeValue&& other) noexcept { take(other); }
  RuntimeValue& operator=(const RuntimeValue& other) {
    if (is_word() && other.is_word()) {
      type_ = other.type_;
      word_ = other.word_;
    } else {
      RuntimeValue made(other);  // first: this may hold `other`
      *this = std::move(made);
    }
    return *this;
  }
  RuntimeValue& operator=(RuntimeValue&& other) noexcept {
    if (is_word()) {
      if (this != &other) take(other);
    } else {
      RuntimeValue taken(std::move(other));
      release();
      take(taken);
    }
    return *this;
  }
  // Templates, so that no pointer becomes a bool.
  template <std::same_as<bool> T>
  RuntimeValue& operator=(T b) {
    return set(Type::kBool, b ? 1 : 0);
  }
  template <std::same_as<std::int64_t> T>
  RuntimeValue& operator=(T i) {
    return set(Type::kInt, i);
  }
  template <std::same_as<double> T>
  RuntimeValue& operator=(T d) {
    return set(Type::kFloat, std::bit_cast<std::int64_t>(d));
  }
  ~RuntimeValue() {
    if (!is_word()) release();
  }

  /// kInt, kInt64, kUint8, kDuration (nanoseconds), kMonth or kWeekday.
  [[nodiscard]] static RuntimeValue integer(Type t, std::int64_t i);
  /// A list of type `t`; the items must be of its element type.
  [[nodiscard]] static RuntimeValue list(Items items, Type t = Type::kListAny);
  /// Go's nil slice of type `t`: empty, but written as null.
  [[nodiscard]] static RuntimeValue nil_list(Type t = Type::kListAny);
  [[nodiscard]] static RuntimeValue strings(const std::vector<std::string>& items);
  /// A map of type `t`; the keys must be of its key type.
  [[nodiscard]] static RuntimeValue map(Table table, Type t = Type::kMapStringAny);
  [[nodiscard]] static RuntimeValue bytes(std::string bytes);
  [[nodiscard]] static RuntimeValue location(std::shared_ptr<const Location> where);
  /// Go's zero value of the type: "" of kString, a nil list or map, nil of kAny ...
  [[nodiscard]] static RuntimeValue zero(Type t);
  /// JSON's values as Go decodes an environment: lists are []any, maps map[string]any, ints int.
  [[nodiscard]] static RuntimeValue from(const value::Value& v);
  /// The same, but every number is a float64, as json.Unmarshal does.
  [[nodiscard]] static RuntimeValue from_json(const value::Value& v);

  [[nodiscard]] Type type() const { return type_; }
  [[nodiscard]] bool is_nil() const { return type_ == Type::kNil; }
  /// nil, or a nil slice or map: what `??` and `?.` take for nil.
  [[nodiscard]] bool is_nil_like() const;
  [[nodiscard]] bool is_word() const { return expr::is_word(type_); }
  [[nodiscard]] bool is_string() const { return type_ == Type::kString; }
  [[nodiscard]] bool is_list() const { return expr::is_list(type_) && type_ != Type::kBytes; }
  [[nodiscard]] bool is_map() const { return expr::is_map(type_); }

  // Each requires the matching type. as_integer: every type of integer(). as_string: kString and
  // kBytes.
  [[nodiscard]] bool as_bool() const { return word_ != 0; }
  [[nodiscard]] std::int64_t as_integer() const { return word_; }
  [[nodiscard]] double as_float() const { return std::bit_cast<double>(word_); }
  [[nodiscard]] const std::string& as_string() const {
    CHECK(is_text(type_));
    return is_long_ ? contents<std::string>() : text_;
  }
  [[nodiscard]] const Items& items() const {
    CHECK(is_list());
    return contents<ListContents>().parts;
  }
  [[nodiscard]] const Table& table() const {
    CHECK(is_map());
    return contents<MapContents>().parts;
  }
  [[nodiscard]] const Time& as_time() const {
    CHECK(type_ == Type::kTime);
    return contents<Time>();
  }
  [[nodiscard]] std::shared_ptr<const Location> as_location() const {
    CHECK(type_ == Type::kLocation);
    return std::static_pointer_cast<const Location>(shared_);
  }
  [[nodiscard]] const FunctionValue& as_function() const {
    CHECK(type_ == Type::kFunc);
    return contents<FunctionValue>();
  }
  [[nodiscard]] Extent extent() const;
  /// Any number as float64; requires is_number(type()).
  [[nodiscard]] double number() const {
    return type_ == Type::kFloat ? as_float() : static_cast<double>(as_integer());
  }

  /// The member of a string-keyed map, or null when there is none or this is no map.
  [[nodiscard]] const RuntimeValue* find(std::string_view key) const;

 private:
  using Shared = std::shared_ptr<const void>;

  [[nodiscard]] static constexpr bool is_text(Type t) {
    return t == Type::kString || t == Type::kBytes;
  }
  template <typename T>
  [[nodiscard]] const T& contents() const {
    return *static_cast<const T*>(shared_.get());
  }
  RuntimeValue(Type t, Shared shared) : type_(t), shared_(std::move(shared)) {}
  [[nodiscard]] bool is_short_text() const { return is_text(type_) && !is_long_; }

  // The first two are for a value that holds but a word.
  void copy(const RuntimeValue& other);
  void take(RuntimeValue& other) noexcept {
    type_ = other.type_;
    if (other.is_word()) {
      word_ = other.word_;
    } else {
      take_contents(other);
    }
  }
  RuntimeValue& set(Type t, std::int64_t word) {
    if (!is_word()) release();
    type_ = t;
    word_ = word;
    return *this;
  }
  void take_contents(RuntimeValue& other) noexcept;
  void release() noexcept;  // becomes nil

  static constexpr std::size_t kShort = 15;  // what a std::string holds without allocating

  Type type_ = Type::kNil;
  bool is_long_ = false;  // a text that is in shared_
  union {
    std::int64_t word_;  // a number, a bool, or the bits of a float
    std::string text_;
    Shared shared_;  // std::string, ListContents, MapContents, Time, Location or FunctionValue
  };
};

/// expr-lang's ==: numbers of all types compare by value, lists by element, times by instant, else
/// reflect.DeepEqual.
[[nodiscard]] bool equal(const RuntimeValue& a, const RuntimeValue& b);
/// reflect.DeepEqual: the same types and the same contents.
[[nodiscard]] bool deep_equal(const RuntimeValue& a, const RuntimeValue& b);
/// expr-lang's <. Errors: kBadExpression `invalid operation: int < string`.
[[nodiscard]] diag::Result<bool> less(const RuntimeValue& a, const RuntimeValue& b);
/// Go's fmt.Sprint / %v: `[1 2]`, `map[a:1]`, `<nil>`, `1e+06`.
[[nodiscard]] std::string sprint(const RuntimeValue& v);
/// As JSON, for Go's json.Marshal. Errors: kBadExpression for functions, NaN, infinities and maps
/// with keys that are not strings or integers.
[[nodiscard]] diag::Result<value::Value> to_value(const RuntimeValue& v);
/// A float as Go's %v (strconv 'g', shortest) prints it.
[[nodiscard]] std::string float_to_text(double d);

}  // namespace tiphys::expr
