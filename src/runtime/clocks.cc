#include "runtime/clocks.h"

#include <ctime>

namespace tiphys::runtime {

namespace {

clock::Instant read(clockid_t id) {
  timespec t{};
  ::clock_gettime(id, &t);
  return {t.tv_sec * 1'000'000'000 + t.tv_nsec};
}

}  // namespace

clock::Instant wall_now() { return read(CLOCK_REALTIME); }
clock::Instant steady_now() { return read(CLOCK_BOOTTIME); }
clock::Instant steady_time_of(clock::Instant at) { return steady_now() + (at - wall_now()); }

}  // namespace tiphys::runtime
