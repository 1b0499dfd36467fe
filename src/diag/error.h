// What went wrong, as a value: Error, Result<T> and the one control-flow macro, TRY.
//
// Four kinds of trouble have four mechanisms: a user's mistake or failed I/O is a Result; a failed
// step is data (Phase::kFailed); a fault of ours is a CHECK; many findings go to a
// std::vector<Diagnostic>. Pure: no I/O, except that a failed CHECK writes one line to stderr and
// aborts.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <expected>
#include <string>
#include <utility>

#include "diag/position.h"

namespace tiphys::diag {

/// The classes of errors that a caller may want to tell apart.
enum class Code {
  kInvalidManifest,  // the user's YAML, JSON, template or arguments
  kBadExpression,    // an expression or condition does not parse, type-check or evaluate
  kMissingVariable,  // a tag names something that has no value (yet)
  kNotFound,         // a named object does not exist
  kAlreadyExists,    // a named object exists already
  kConflict,         // the object's state forbids the request (resume of a finished workflow ...)
  kIo,               // a system call, the store or the network failed
  kDamaged,          // the store holds what it cannot hold; trying again is no use
  kInternal,         // a fault of ours that was caught
};

/// One problem: `message` is one line, lower case unless Argo's own text is quoted, without the
/// position.
struct Error {
  Code code = Code::kInternal;
  std::string message;
  Position at = {};
};

/// A value, or the reason why there is none. Functions that return one are marked [[nodiscard]].
template <typename T>
using Result = std::expected<T, Error>;

/// Makes the error side of any Result.
[[nodiscard]] inline std::unexpected<Error> fail(Code code, std::string message, Position at = {}) {
  return std::unexpected(Error{code, std::move(message), std::move(at)});
}

/// How bad a Diagnostic is; only errors make lint fail.
enum class Severity { kError, kWarning };

/// A finding of lint or validation: an Error with a severity and, where one is near, a suggestion.
struct Diagnostic {
  Severity severity = Severity::kError;
  Error error;
  std::string suggestion = {};  // "did you mean 'notify'?" or empty
};

}  // namespace tiphys::diag

#define TIPHYS_CONCAT_INNER(a, b) a##b
#define TIPHYS_CONCAT(a, b) TIPHYS_CONCAT_INNER(a, b)

/// TRY(auto x, f()); declares x from f()'s value or returns f()'s error from the enclosing
/// function.
#define TRY(declaration, expression)                                                 \
  auto TIPHYS_CONCAT(try_result_, __LINE__) = (expression);                          \
  if (!TIPHYS_CONCAT(try_result_, __LINE__))                                         \
    return std::unexpected(std::move(TIPHYS_CONCAT(try_result_, __LINE__)).error()); \
  declaration = std::move(*TIPHYS_CONCAT(try_result_, __LINE__))

/// TRY_VOID(f()); returns f()'s error from the enclosing function, for a Result<void> (or a value
/// not needed).
#define TRY_VOID(expression)                                 \
  if (auto try_void_result = (expression); !try_void_result) \
  return std::unexpected(std::move(try_void_result).error())

/// CHECK(condition) holds in release builds, too: a false one is our fault, and going on would
/// spoil data.
#define CHECK(condition)                                                                 \
  do {                                                                                   \
    if (!(condition)) {                                                                  \
      std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)
