// Runs the command of a container as its child: passes signals on, keeps what it prints, reaps what
// it leaves behind.
//
// tiphys-step is the first process of its container, so orphans come to it, and signals reach only
// it. One thread; blocks SIGCHLD and the signals that it passes on for good.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace tiphys::step {

struct CommandEnd {
  int exit_code = 0;   // 128 + signal when one ended it
  int exec_error = 0;  // errno with which it could not be started
  std::string stdout_tail;
  std::int64_t started_at = 0;
  std::int64_t finished_at = 0;
};

struct CommandWatch {
  bool keeps_stdout = false;
  std::function<void()> on_tick;        // some ten times a second while it runs
  std::function<bool()> must_end = {};  // asked then, too; true: SIGTERM, and SIGKILL 30 s later
};

/// Takes the signals over. Call before anything else; `signal_fd` is for the functions below.
[[nodiscard]] int take_signals();

/// Runs it to its end.
[[nodiscard]] CommandEnd run_command(int signal_fd, const std::vector<std::string>& words,
                                     const CommandWatch& watch);

/// Waits for a moment; true when SIGTERM or the like has come: nothing is to be started any more.
[[nodiscard]] bool is_ended_while_waiting(int signal_fd, int milliseconds);

/// ns since 1970.
[[nodiscard]] std::int64_t wall_now();

}  // namespace tiphys::step
