// A time as argo's CLI shows it. Pure.
#pragma once

#include <string>

#include "clock/instant.h"

namespace tiphys::view {

/// `Mon Nov 23 10:00:00 +0000 (9 hours ago)`, also `(now)` and `(2 minutes from now)`.
[[nodiscard]] std::string timestamp(clock::Instant t, clock::Instant now);

}  // namespace tiphys::view
