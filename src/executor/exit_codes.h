// Exit codes that say how a container was ended, not how it went.
#pragma once

namespace tiphys::executor {

inline constexpr int kKilled = 137;      // 128 and SIGKILL
inline constexpr int kTerminated = 143;  // 128 and SIGTERM

/// Whether the container was told to end. Of a sidecar that is no failure, as in Argo.
[[nodiscard]] constexpr bool is_exit_of_ended(int code) {
  return code == kKilled || code == kTerminated;
}

}  // namespace tiphys::executor
