// The supervisor's steps: queue, start, output, end, kill, and what is kept until an engine has
// acknowledged it.
//
// It knows nothing about sockets: who is told is a number, and Told carries the words. So that a
// batch of steps costs few writes, the journal is flushed once before a batch starts and once
// before anybody is told of an end. One thread, the one that spawns.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "diag/error.h"
#include "executor/journal.h"
#include "executor/spawn.h"
#include "executor/step_log.h"
#include "executor/wire.h"

namespace tiphys::executor {

/// Everything the supervisor knows about its steps.
class StepTable {
 public:
  using ClientId = int;
  static constexpr ClientId kNobody = -1;

  /// How the owner of the epoll set and of the sockets is told things.
  struct Told {
    std::function<void(int fd, std::string_view key, int stream)> watch;
    std::function<void(int fd)> unwatch;  // before the fd is closed
    // `is_urgent`: what the client does next depends on it
    std::function<void(ClientId, const std::string& frame, bool is_urgent)> send;
  };

  explicit StepTable(Told told);
  ~StepTable();
  StepTable(const StepTable&) = delete;
  StepTable& operator=(const StepTable&) = delete;

  /// Opens the journal and ends what an earlier supervisor left running. Errors: kIo.
  [[nodiscard]] diag::Result<void> open(const std::string& home);

  /// A Launch frame's payload: queues it, or tells `client` from now on about the step that is
  /// known by this key.
  void start(ClientId client, std::string_view payload);
  /// The same for a key alone; an unknown one is answered with kUnknown.
  void attach(ClientId client, std::string_view key);
  void cancel(std::string_view key, std::int64_t grace_ns);
  void acknowledge(std::string_view key);
  /// The client has gone: its queued steps are dropped, its running ones go on.
  void forget_client(ClientId client);

  /// How many bytes of output are kept of each step that starts from now on.
  void set_log_max(std::int64_t bytes) { log_max_ = bytes; }
  /// Starts queued steps while fewer than `processes_max` run, and writes the journal. A step that
  /// the machine has no room for stays in the queue.
  void start_queued(std::size_t processes_max);
  /// Reads what a step has printed.
  void read_output(std::string_view key, int stream);
  /// Takes the exit statuses of the children that have ended.
  void reap();
  /// Kills those whose grace is over.
  void kill_overdue();
  /// Kills all; used when the supervisor is told to end.
  void kill_all();
  /// Writes what is owed to the journal; call before anything is sent.
  void flush();

  /// When kill_overdue() or sync is to be called again (CLOCK_MONOTONIC ns), 0 for never.
  [[nodiscard]] std::int64_t next_deadline() const;
  [[nodiscard]] bool is_idle() const { return running_.empty() && queue_.empty(); }
  [[nodiscard]] Journal& journal() { return journal_; }

 private:
  struct Step;

  void prepare(Step& step, SpawnPlan& plan);
  [[nodiscard]] bool open_pipes(Step& step, SpawnPlan& plan, int (&write_ends)[2]);
  void launch(Step& step);
  void wait_for_room(Step& step, int error);
  void drain(Step& step, int stream);
  void close_pipes(Step& step);
  void finish(Step& step, wire::Failure failure, int error, int wait_status);
  void tell_running(const Step& step);
  void tell_exit(const Step& step);
  Step* find(std::string_view key);

  Told told_;
  Journal journal_;
  std::unordered_map<std::string, std::unique_ptr<Step>> steps_;
  std::unordered_map<pid_t, Step*> running_;
  std::deque<std::string> queue_;  // keys; one that is no longer queued is skipped
  std::vector<Step*> dying_;
  std::size_t steps_max_ = SIZE_MAX;  // as many as there are descriptors for
  std::int64_t log_max_ = kLogMax;
  std::int64_t short_until_ = 0;  // steady; nothing is started before
  int null_fd_ = -1;
  rlimit files_of_steps_ = {};
};

/// Now, in ns since 1970, and on the clock that nobody sets.
[[nodiscard]] std::int64_t wall_now();
[[nodiscard]] std::int64_t steady_now();

}  // namespace tiphys::executor
