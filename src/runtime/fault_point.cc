#include "runtime/fault_point.h"

#ifdef TIPHYS_FAULTS
#include <csignal>
#include <cstdlib>
#include <ctime>
#endif

namespace tiphys::runtime::fault_point {

#ifdef TIPHYS_FAULTS

namespace {

/// Whether this is the call that the variable means.
bool is_due(int& calls, const char* variable) {
  const char* const number = std::getenv(variable);
  return number != nullptr && ++calls == std::atoi(number);
}

}  // namespace

void before_commit() {
  static int calls = 0;
  static int stalls = 0;
  if (is_due(calls, "TIPHYS_CRASH_BEFORE_COMMIT")) (void)std::raise(SIGKILL);
  if (!is_due(stalls, "TIPHYS_STALL_BEFORE_COMMIT")) return;
  constexpr timespec kHalfSecond{.tv_sec = 0, .tv_nsec = 500'000'000};
  (void)nanosleep(&kHalfSecond, nullptr);
  (void)std::raise(SIGKILL);
}

bool commit_fails() {
  static int calls = 0;
  static bool fails = false;
  fails = fails || is_due(calls, "TIPHYS_FAIL_COMMIT");
  return fails;
}

void after_commit() {
  static int calls = 0;
  if (is_due(calls, "TIPHYS_CRASH_AFTER_COMMIT")) (void)std::raise(SIGKILL);
}

#else

void before_commit() {}
bool commit_fails() { return false; }
void after_commit() {}

#endif

}  // namespace tiphys::runtime::fault_point
