// The variables that a tag or an expression can see: flat, dotted names to values.
//
// A name is a whole key such as `steps.a.outputs.result`; the nesting that expressions see is made
// by expr/environment.h. A value is a string, except for null: the output of a skipped node that
// has no default. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "value/value.h"

namespace tiphys::vars {

/// Read access to variables. Implementations may make values on demand.
class Scope {
 public:
  Scope() = default;
  Scope(const Scope&) = default;
  Scope& operator=(const Scope&) = default;
  virtual ~Scope() = default;

  /// The value of the variable with exactly this name; nullopt when the name is unknown.
  [[nodiscard]] virtual std::optional<value::Value> find(std::string_view name) const = 0;

  /// True if there are variables below `name`: `name.x`. Costs a walk over those of its root where
  /// an implementation knows no better.
  [[nodiscard]] virtual bool has_below(std::string_view name) const;

  /// The value of a variable that has none below it, else null: find() and has_below() at once. The
  /// pointer is into the scope, or to `scratch`, which then holds the value; it is valid as long as
  /// both stay as they are.
  [[nodiscard]] virtual const value::Value* find_leaf(std::string_view name,
                                                      value::Value& scratch) const;

  /// True if there is a variable whose first segment is `root`, which has no dots.
  [[nodiscard]] virtual bool has_root(std::string_view root) const;

  using Visit = std::function<void(std::string_view name, const value::Value& v)>;
  /// Calls `visit` once for each variable whose first segment (up to the first '.') is `root`;
  /// empty: for all.
  virtual void each(std::string_view root, const Visit& visit) const = 0;
};

/// A Scope that holds its variables, in front of an optional parent which it shadows.
/// The parent is borrowed and must outlive this.
class MapScope final : public Scope {
 public:
  explicit MapScope(const Scope* parent = nullptr) : parent_(parent) {}

  void set(std::string name, value::Value v) {
    roots_ |= root_bit(name);
    values_.insert_or_assign(std::move(name), std::move(v));
  }
  [[nodiscard]] std::optional<value::Value> find(std::string_view name) const override;
  [[nodiscard]] bool has_below(std::string_view name) const override;
  [[nodiscard]] const value::Value* find_leaf(std::string_view name,
                                              value::Value& scratch) const override;
  [[nodiscard]] bool has_root(std::string_view root) const override;
  void each(std::string_view root, const Visit& visit) const override;
  [[nodiscard]] const std::map<std::string, value::Value, std::less<>>& own() const {
    return values_;
  }

 private:
  using Values = std::map<std::string, value::Value, std::less<>>;

  /// One of 64 bits, by the first letters of the first segment: of most names that are not
  /// there this is known without a search.
  [[nodiscard]] static std::uint64_t root_bit(std::string_view name);
  /// `from` is behind `name`, or where it would stand.
  [[nodiscard]] bool has_own_below(std::string_view name, Values::const_iterator from) const;

  Values values_;
  std::uint64_t roots_ = 0;
  const Scope* parent_;
};

}  // namespace tiphys::vars
