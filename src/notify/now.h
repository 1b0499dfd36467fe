// The wall clock, for when an attempt was made.
#pragma once

#include "clock/instant.h"

namespace tiphys::notify {

[[nodiscard]] clock::Instant wall_now();

}  // namespace tiphys::notify
