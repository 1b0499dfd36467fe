// An engine's end of the supervisor's socket: finds or starts the supervisor, sends frames, reads
// frames.
//
// One thread.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "diag/error.h"
#include "executor/wire.h"

namespace tiphys::executor {

/// Starts a supervisor for `home`, an existing folder, without waiting for it, if none listens
/// there: it comes up while its engine still reads manifests. The result goes to the
/// SupervisorClient, which waits for that process instead of starting one; -1 when none was
/// started. `command` as there.
[[nodiscard]] pid_t launch_supervisor(const std::string& home,
                                      std::vector<std::string> command = {});

class SupervisorClient {
 public:
  /// `command`: program and first arguments of the supervisor; empty is this binary's own
  /// `__supervisor`. `launched`: what launch_supervisor() gave.
  SupervisorClient(std::string home, std::vector<std::string> command, pid_t launched = -1);
  ~SupervisorClient();
  SupervisorClient(const SupervisorClient&) = delete;
  SupervisorClient& operator=(const SupervisorClient&) = delete;

  /// Connects and says hello; starts a supervisor when none answers. Blocks up to 10 s. Errors:
  /// kIo.
  [[nodiscard]] diag::Result<void> connect(int processes_max, std::int64_t log_max);
  /// The socket, for poll(); -1 when not connected.
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool has_unsent() const { return !out_.empty(); }
  /// Where frames to be sent are put; flush() sends them.
  [[nodiscard]] std::string& out() { return out_; }
  /// Sends what the socket takes. False when the supervisor is gone; the connection is closed then.
  [[nodiscard]] bool flush();
  /// Reads what is there and hands over each whole frame. False when the supervisor is gone.
  using OnFrame = std::function<void(wire::Type, std::string_view payload)>;
  [[nodiscard]] bool receive(const OnFrame& on_frame);

 private:
  [[nodiscard]] bool try_connect();
  [[nodiscard]] diag::Result<void> start_supervisor();
  void close_socket();

  std::string home_;
  std::vector<std::string> command_;
  pid_t launched_;  // a launcher that was not waited for; -1: none
  int fd_ = -1;
  std::string in_;
  std::string out_;
};

}  // namespace tiphys::executor
