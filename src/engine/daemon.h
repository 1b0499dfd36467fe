// Daemons: leaves that are done for their step or task as soon as they run, and end with the
// template around them.
//
// Pure.
#pragma once

#include "engine/machine.h"

namespace tiphys::engine {

/// Where a daemon of this machine is reached: `steps.NAME.ip`.
inline constexpr const char* kDaemonIp = "127.0.0.1";

/// A node whose template says `daemon: true` runs: it stays Running, and whoever started it goes
/// on.
void become_daemon(Machine& m, NodeIndex n);

/// A Steps or DAG node is final: its daemons are Succeeded, and their processes are told to end.
void end_daemons(Machine& m, NodeIndex composite);

/// The process of a daemon that end_daemons() has ended is gone; false for other nodes.
bool on_daemon_gone(Machine& m, NodeIndex n);

}  // namespace tiphys::engine
