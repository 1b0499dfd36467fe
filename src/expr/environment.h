// What an expression sees: the flat, dotted variables of a scope as nested maps, plus Argo's
// functions and sprig.
//
// Only the variables that the expression can reach are copied, as a scope may hold thousands.
// Pure. Valid as long as nobody needs the scope: values are copied.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clock/instant.h"
#include "expr/ast.h"
#include "expr/builtins.h"
#include "expr/few.h"
#include "vars/scope.h"

namespace tiphys::expr {

/// Name of the variable that holds the clock: an int, nanoseconds since 1970. It is no variable of
/// the expression.
inline constexpr std::string_view kClockVariable = "$now";
/// The one variable that is a time.Time: in the scope an int, nanoseconds since 1970, or null.
inline constexpr std::string_view kTimeVariable = "cronworkflow.lastScheduledTime";

class Environment {
 public:
  /// Collects what `ast` reads from `scope`. Where both `a` and `a.b` exist, `a` is dropped, as in
  /// Argo.
  Environment(const Ast& ast, const vars::Scope& scope);

  /// An environment in which every name that `ast` reads is what it usually is, an empty map or a
  /// string, to check it in advance.
  [[nodiscard]] static std::unique_ptr<const Environment> usual(const Ast& ast);
  /// True if all is in the leaves, so that ast.usual can be run.
  [[nodiscard]] bool has_leaves() const { return has_leaves_; }
  /// True if the top-level types are those of usual(ast), so that what was checked then holds.
  [[nodiscard]] bool is_usual(const Ast& ast) const;
  /// The variable at ast.usual->paths[i]; null when the nested maps were made instead.
  [[nodiscard]] const RuntimeValue* leaf(std::int32_t i) const {
    return i < 0 || !has_leaves_ ? nullptr : &leaves_[static_cast<std::size_t>(i)];
  }
  /// The variable or function of this name, or null.
  [[nodiscard]] const RuntimeValue* find(std::string_view name) const;
  /// All of it as one map, for $env.
  [[nodiscard]] RuntimeValue whole() const;
  [[nodiscard]] clock::Instant now() const { return now_; }

 private:
  Environment() = default;

  bool take_leaves(const Ast& ast, const vars::Scope& scope);

  std::vector<std::pair<std::string, RuntimeValue>> roots_;
  Few<RuntimeValue, 4> leaves_;
  bool has_leaves_ = false;
  clock::Instant now_;
};

/// Fills in the paths of a tree.
void find_paths(Ast& ast);

}  // namespace tiphys::expr
