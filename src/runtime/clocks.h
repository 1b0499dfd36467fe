// The two clocks of an engine: the wall clock, for what people read, and one that goes on evenly,
// by which it waits.
//
// Somebody may set the wall clock back or forth at any time. A wait of two seconds lasts two
// seconds all the same, as long as the engine lives; only a new engine has nothing but the wall
// clock to go by. Thread-safe.
#pragma once

#include "clock/instant.h"

namespace tiphys::runtime {

[[nodiscard]] clock::Instant wall_now();
/// Counted from the machine's boot, its sleep included; not to be compared with wall times.
[[nodiscard]] clock::Instant steady_now();
/// The steady time at which the wall clock would show `at` if nobody set it meanwhile.
[[nodiscard]] clock::Instant steady_time_of(clock::Instant at);

}  // namespace tiphys::runtime
