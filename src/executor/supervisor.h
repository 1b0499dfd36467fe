// The small process that starts and reaps steps, one for each TIPHYS_HOME, and outlives the
// engines.
//
// Why a process: it spawns cheaply whatever the engine's heap is, reads the steps' output and keeps
// their exit statuses while an engine is down, so that the next one finds them. It is this same
// binary (`tiphys __supervisor --home DIR`), started on demand, in a session of its own; it listens
// on HOME/supervisor.sock (0600), holds HOME/supervisor.lock, and ends when no engine is connected
// and no step runs. If it is killed, its steps are killed (PR_SET_PDEATHSIG; the next supervisor
// ends what is left) and reported as lost.
#pragma once

#include <string>

namespace tiphys::executor {

/// The command `__supervisor --home DIR [--idle-ms N]`. Returns the exit status of the starting
/// process: 0 once the supervisor listens (it goes on in the background), or when another one holds
/// the lock; 1 with a line on stderr else.
int supervisor_main(int argc, char** argv);

/// File names below the home folder.
inline constexpr const char* kSupervisorSocket = "supervisor.sock";
inline constexpr const char* kSupervisorLock = "supervisor.lock";

}  // namespace tiphys::executor
