// The JSON value shared by manifests, expressions and outputs.
//
// Lists and maps are immutable and shared: a copy of a Value costs a reference count, so that a
// template's body can be held by a million nodes. To change one, copy its List or Map, change the
// copy and make a new Value of it. Integers and floats are kept apart, as in Go: 1 and 1.0 are
// different values that print differently. Pure. Distinct Values may be used from different
// threads, also when they share their contents.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tiphys::value {

class Value;
using List = std::vector<Value>;

class Map;

/// null, bool, int, float, string, list or map.
class Value {
 public:
  enum class Kind { kNull, kBool, kInt, kFloat, kString, kList, kMap };

  Value() = default;
  Value(std::nullptr_t) {}     // NOLINT(google-explicit-constructor): literals read as JSON
  Value(bool b) : data_(b) {}  // NOLINT(google-explicit-constructor)
  Value(int i) : data_(std::int64_t{i}) {}              // NOLINT(google-explicit-constructor)
  Value(std::int64_t i) : data_(i) {}                   // NOLINT(google-explicit-constructor)
  Value(double d) : data_(d) {}                         // NOLINT(google-explicit-constructor)
  Value(std::string s) : data_(std::move(s)) {}         // NOLINT(google-explicit-constructor)
  Value(std::string_view s) : data_(std::string(s)) {}  // NOLINT(google-explicit-constructor)
  Value(const char* s) : data_(std::string(s)) {}       // NOLINT(google-explicit-constructor)
  Value(List l);                                        // NOLINT(google-explicit-constructor)
  Value(Map m);                                         // NOLINT(google-explicit-constructor)

  /// A whole number that may be too large for an int: then it is a float that keeps all its digits.
  [[nodiscard]] static Value whole(std::uint64_t i);

  [[nodiscard]] Kind kind() const {
    return is_large() ? Kind::kFloat : static_cast<Kind>(data_.index());
  }
  [[nodiscard]] bool is_null() const { return kind() == Kind::kNull; }
  [[nodiscard]] bool is_bool() const { return kind() == Kind::kBool; }
  [[nodiscard]] bool is_int() const { return kind() == Kind::kInt; }
  [[nodiscard]] bool is_float() const { return kind() == Kind::kFloat; }
  /// A float made by whole().
  [[nodiscard]] bool is_large() const { return std::holds_alternative<std::uint64_t>(data_); }
  [[nodiscard]] bool is_string() const { return kind() == Kind::kString; }
  [[nodiscard]] bool is_list() const { return kind() == Kind::kList; }
  [[nodiscard]] bool is_map() const { return kind() == Kind::kMap; }

  // Each of these requires the kind that it names; list() and map() give an empty one for any other
  // kind.
  [[nodiscard]] bool as_bool() const { return std::get<bool>(data_); }
  [[nodiscard]] std::int64_t as_int() const { return std::get<std::int64_t>(data_); }
  [[nodiscard]] double as_float() const {
    return is_large() ? static_cast<double>(as_large()) : std::get<double>(data_);
  }
  [[nodiscard]] const std::string& as_string() const { return std::get<std::string>(data_); }
  [[nodiscard]] std::uint64_t as_large() const { return std::get<std::uint64_t>(data_); }
  [[nodiscard]] const List& list() const;
  [[nodiscard]] const Map& map() const;

  /// The member `key` of a map; the shared null value when this is no map or has no such key.
  /// Chains: v["a"]["b"].
  [[nodiscard]] const Value& operator[](std::string_view key) const;
  /// The string, or `otherwise` when this is not a string. The view lives as long as this value.
  [[nodiscard]] std::string_view string_or(std::string_view otherwise) const;
  [[nodiscard]] bool bool_or(bool otherwise) const { return is_bool() ? as_bool() : otherwise; }
  [[nodiscard]] std::int64_t int_or(std::int64_t otherwise) const {
    return is_int() ? as_int() : otherwise;
  }

  /// Deep equality; maps are equal whatever the order of their keys. 1 and 1.0 differ.
  friend bool operator==(const Value& a, const Value& b);

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, std::shared_ptr<const List>,
               std::shared_ptr<const Map>, std::uint64_t>
      data_;
};

/// Key-value pairs in the order in which they were added; keys are unique.
class Map {
 public:
  using Entry = std::pair<std::string, Value>;

  Map() = default;
  Map(std::initializer_list<Entry> entries);

  /// The value of `key`, or null if there is none. Valid until the map changes. Cost: O(size).
  [[nodiscard]] const Value* find(std::string_view key) const;
  /// Adds `key`, or replaces its value in place.
  void set(std::string key, Value v);
  /// Removes `key`; true if it was there.
  bool erase(std::string_view key);
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] auto begin() const { return entries_.begin(); }
  [[nodiscard]] auto end() const { return entries_.end(); }
  /// The entries, for changing values in place; keys must not be changed.
  [[nodiscard]] std::vector<Entry>& entries() { return entries_; }
  /// A copy with keys in byte order, as Go's encoding/json writes maps.
  [[nodiscard]] Map sorted() const;

 private:
  std::vector<Entry> entries_;
};

}  // namespace tiphys::value
