// Starts one process the cheap way: vfork, a few system calls, execve.
//
// posix_spawn can neither ask for a signal at the parent's death nor make a mount namespace, and
// fork copies page tables. The child shares our memory until execve, so nothing in it allocates.
// Call from one thread only: the one whose death ends the children (PR_SET_PDEATHSIG).
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <vector>

#include "executor/mount_call.h"
#include "executor/wire.h"

namespace tiphys::executor {

/// All that the child needs, laid out before it exists. The vectors end with a null pointer.
struct SpawnPlan {
  std::vector<char*> programs;
  std::vector<char*> argv;
  std::vector<char*> env;
  std::vector<MountCall> mounts;
  const char* cwd = "";
  const char* root = "";
  int input = -1;
  int output = -1;
  int error_output = -1;
  wire::Isolation isolation;  // of spawn_isolated()
  rlimit files = {};          // RLIMIT_NOFILE of the child; not set when rlim_max is 0
};

/// The process (leader of its own session and group), or why there is none.
struct Spawned {
  pid_t pid = -1;
  wire::Failure failure = wire::Failure::kNone;
  int error = 0;
};

/// In a child that nothing may allocate in any more: becomes the program, or returns the errno of
/// why not (kExec).
[[nodiscard]] int execute(const SpawnPlan& plan);

/// Starts it. Returns when the program runs or could not be started.
[[nodiscard]] Spawned spawn(const SpawnPlan& plan);

}  // namespace tiphys::executor
