// The phases of nodes and workflows, and the predicates that Argo defines on them (HOOKS.md 1.2).
//
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tiphys::engine {

enum class Phase : std::uint8_t {
  kPending,
  kRunning,
  kSucceeded,
  kSkipped,
  kFailed,
  kError,
  kOmitted,
};

/// Argo's spelling: `Pending`, `Running` ...
[[nodiscard]] std::string_view to_string(Phase phase);
/// The inverse of to_string(); nullopt for any other text.
[[nodiscard]] std::optional<Phase> parse_phase(std::string_view text);

/// Failed or Error.
[[nodiscard]] constexpr bool is_failure(Phase p) {
  return p == Phase::kFailed || p == Phase::kError;
}
/// Succeeded, Failed or Error: it ran, and its exit hook is due.
[[nodiscard]] constexpr bool is_completed(Phase p) {
  return p == Phase::kSucceeded || is_failure(p);
}
/// Nothing follows: Completed, or Skipped, or Omitted.
[[nodiscard]] constexpr bool is_fulfilled(Phase p) {
  return is_completed(p) || p == Phase::kSkipped || p == Phase::kOmitted;
}

}  // namespace tiphys::engine
