#include "runtime/fault_point.h"

#ifdef TIPHYS_FAULTS
#include <csignal>
#include <cstdlib>
#endif

namespace tiphys::runtime::fault_point {

#ifdef TIPHYS_FAULTS

namespace {

void count(int& calls, const char* variable) {
  const char* const fatal = std::getenv(variable);
  if (fatal != nullptr && ++calls == std::atoi(fatal)) (void)std::raise(SIGKILL);
}

}  // namespace

void before_commit() {
  static int calls = 0;
  count(calls, "TIPHYS_CRASH_BEFORE_COMMIT");
}

void after_commit() {
  static int calls = 0;
  count(calls, "TIPHYS_CRASH_AFTER_COMMIT");
}

#else

void before_commit() {}
void after_commit() {}

#endif

}  // namespace tiphys::runtime::fault_point
