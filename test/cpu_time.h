// How much CPU time a test takes, and how much hostile input may take.
//
// CPU time, not that of the clock: other programs on the machine cost nothing.
#pragma once

#include <ctime>

namespace tiphys::test {

/// Hostile input of a MiB may take a second of CPU. Machines differ by a factor of some; sanitizers
/// and builds without optimization take about ten times as long. What grows with the square of the
/// input takes minutes.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
constexpr double kCpuSlowdown = 40;
#else
constexpr double kCpuSlowdown = 5;
#endif
constexpr double kHostileCpuSecondsMax = 1 * kCpuSlowdown;

/// The seconds of CPU that this thread spends in `work`.
template <typename Work>
double cpu_seconds(Work work) {
  const auto now = [] {
    timespec t{};
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
  };
  const double before = now();
  work();
  return now() - before;
}

}  // namespace tiphys::test
