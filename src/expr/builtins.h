// The row type of function tables: every function that an expression can call is one row, built-in,
// Argo's or sprig's.
//
// A row says how the call is checked: at compile time (built-ins and Argo's functions), or at run
// time as Go's reflect.Call does (sprig: `sprig.trim(5)` fails because an int is no string). Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "clock/instant.h"
#include "diag/error.h"
#include "expr/runtime_value.h"

namespace tiphys::expr {

/// What a function may use beside its arguments, and the limits of one evaluation.
struct CallContext {
  clock::Instant now = {};   // not set: no clock here
  std::uint64_t random = 0;  // state of a deterministic generator, for sprig's rand functions
  std::uint64_t memory = 0;  // used so far, in list elements and string bytes
  std::uint64_t steps = 0;   // work so far: nodes evaluated, elements made and compared
  std::uint64_t text = 0;    // bytes of all texts made so far
  std::uint64_t earlier_memory = 0;  // what evaluations before this one have used

  static constexpr std::uint64_t kMaxMemory = 1'000'000;  // expr-lang's own default
  static constexpr std::uint64_t kMaxMemoryOfAll = 2 * kMaxMemory;
  static constexpr std::uint64_t kMaxSteps = 20'000'000;
  static constexpr std::uint64_t kMaxText = 64U << 20U;

  /// Accounts for a result of `size` elements or bytes. Errors: kBadExpression `memory budget
  /// exceeded`.
  [[nodiscard]] diag::Result<void> grow(std::uint64_t size);
  /// Accounts for work that takes as long as so many steps. Errors: kBadExpression `step budget
  /// exceeded`.
  [[nodiscard]] diag::Result<void> work(std::uint64_t more);
  /// Go's time.Now() in UTC. Errors: kBadExpression when there is no clock.
  [[nodiscard]] diag::Result<Time> time_now() const;
  /// The next value of the deterministic generator.
  std::uint64_t next_random();
};

using Arguments = std::span<const RuntimeValue>;
using Body = diag::Result<RuntimeValue> (*)(Arguments arguments, CallContext& context);

/// The Go signature: `parameters` in order; if `variadic`, the last one may occur 0 or more times.
/// An argument must have exactly the parameter's type, or the parameter is kAny; nil becomes the
/// type's zero value.
struct Signature {
  std::span<const Type> parameters;
  bool variadic = false;
  Type result = Type::kAny;
};

/// A compile-time check that no list of signatures expresses: takes the argument types (kAny:
/// unknown, kNil: nil) and returns the result's type. Errors: kBadExpression, without a position.
using Validate = diag::Result<Type> (*)(std::span<const Type> arguments);

/// One function. The call has been checked against `signatures` when `body` runs (any of them may
/// have matched).
struct Builtin {
  std::string_view name;
  std::span<const Signature> signatures;
  Body body = nullptr;
  std::string_view doc;         // one line for `tiphys` help and the manual
  Validate validate = nullptr;  // if set, it is used instead of `signatures`
  bool only_looks = false;      // takes no longer for longer lists
};

/// Go's run-time check of a call: number and types of arguments against the first signature. nil is
/// replaced by the zero value. Errors: kBadExpression `reflect: Call using int as type string` ...
[[nodiscard]] diag::Result<void> fit_reflected(const Builtin& row,
                                               std::span<RuntimeValue> arguments);

}  // namespace tiphys::expr
