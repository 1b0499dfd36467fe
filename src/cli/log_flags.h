// The flags by which an engine is watched: those of log lines are named as argo's.
#pragma once

#include "cli/command.h"

namespace tiphys::cli {

/// Adds --loglevel, --log-format and -v to all commands; they hold before a command's body runs.
void add_log_flags(Command app, Session& session);
/// Adds --trace to a command that is an engine.
void add_trace_flag(Command command, std::string& file);
/// Sets logging up as the flags say. A server tells what it does, and when, if no level is given.
void set_up_log(const Session& session, bool is_server);

}  // namespace tiphys::cli
