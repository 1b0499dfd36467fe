#include "kube/clocks.h"

#include <chrono>

namespace tiphys::kube {

namespace {

template <typename Clock>
std::int64_t now_of() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch())
      .count();
}

}  // namespace

std::int64_t steady_now() { return now_of<std::chrono::steady_clock>(); }

clock::Instant wall_time() { return {now_of<std::chrono::system_clock>()}; }

}  // namespace tiphys::kube
