// Starts a step in namespaces of its own: mounts, processes, IPC and host name.
//
// The first process there is a fork of the supervisor: it makes the mounts, starts the program as
// its child, and ends with the program's status. The kernel ends everything in a process namespace
// with its first process, and a mount namespace's mounts with its last one. So nothing of a step
// stays, however it or the supervisor ends (kill -9 as well), and there is nothing to sweep. The
// program is not the first process itself: that one is deaf to SIGTERM, and no step expects to be.
// Its group is the step's, so signals to the group reach the program as they do in spawn().
// Call from the supervisor's only thread.
#pragma once

#include "executor/spawn.h"

namespace tiphys::executor {

/// Starts it. Returns when the program runs or could not be started; `pid` is the first process's,
/// the leader of the step's group.
[[nodiscard]] Spawned spawn_isolated(const SpawnPlan& plan);

}  // namespace tiphys::executor
