// The variables that a tag or an expression can see: flat, dotted names to values.
//
// A name is a whole key such as `steps.a.outputs.result`; the nesting that expressions see is made
// by expr/environment.h. A value is a string, except for null: the output of a skipped node that
// has no default. Pure.
#pragma once

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
    values_.insert_or_assign(std::move(name), std::move(v));
  }
  [[nodiscard]] std::optional<value::Value> find(std::string_view name) const override;
  [[nodiscard]] bool has_below(std::string_view name) const override;
  void each(std::string_view root, const Visit& visit) const override;
  [[nodiscard]] const std::map<std::string, value::Value, std::less<>>& own() const {
    return values_;
  }

 private:
  std::map<std::string, value::Value, std::less<>> values_;
  const Scope* parent_;
};

}  // namespace tiphys::vars
