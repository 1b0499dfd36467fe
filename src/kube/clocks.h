// The clocks of what talks to a cluster: one for pauses and retries, and the wall clock.
//
// Thread-safe.
#pragma once

#include <cstdint>

#include "clock/instant.h"

namespace tiphys::kube {

/// Of pauses and retries, in nanoseconds.
[[nodiscard]] std::int64_t steady_now();
[[nodiscard]] clock::Instant wall_time();

}  // namespace tiphys::kube
