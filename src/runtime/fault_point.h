// Places where the tests kill the engine (test/e2e/test_commit_crashes.py). Only
// build/tiphys-faults dies at them; the functions of the released binary do nothing.
//
// One thread: the engine's loop.
#pragma once

namespace tiphys::runtime::fault_point {

/// The N-th call kills the process by SIGKILL when TIPHYS_CRASH_BEFORE_COMMIT is N. With
/// TIPHYS_STALL_BEFORE_COMMIT it waits half a second before that: whoever acts before the commit is
/// seen to.
void before_commit();
/// Whether the commit fails instead of being made: the N-th and all after it, when
/// TIPHYS_FAIL_COMMIT is N.
[[nodiscard]] bool commit_fails();
/// The same for TIPHYS_CRASH_AFTER_COMMIT.
void after_commit();

}  // namespace tiphys::runtime::fault_point
