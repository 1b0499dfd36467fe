#include "step/command.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <ctime>

#include "step/contract.h"

namespace tiphys::step {
namespace {

constexpr int kTickMs = 100;
constexpr std::int64_t kGraceNs = 30'000'000'000;                  // a pod's default
constexpr std::size_t kStdoutMax = (std::size_t{256} << 10U) + 1;  // of outputs.result

sigset_t all_but_faults() {
  sigset_t set;
  sigfillset(&set);
  for (const int fault : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTTOU, SIGTTIN}) {
    sigdelset(&set, fault);
  }
  return set;
}

// In the child: a group of its own, the signals as they were, then the command.
[[noreturn]] void become(const std::vector<std::string>& words, int stdout_fd, int error_fd) {
  ::setpgid(0, 0);
  if (stdout_fd >= 0) ::dup2(stdout_fd, STDOUT_FILENO);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  const int error = errno;
  if (::write(error_fd, &error, sizeof error) < 0) ::_exit(127);
  ::_exit(kExitNotStarted);
}

void pass_on(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (n < 0 && errno != EINTR) return;
    if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

/// One command under way.
class Command {
 public:
  Command(int signal_fd, const CommandWatch& watch) : signal_fd_(signal_fd), watch_(watch) {}
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;
  ~Command() {
    if (stdout_fd_ >= 0) ::close(stdout_fd_);
  }

  CommandEnd run(const std::vector<std::string>& words) {
    end_.started_at = wall_now();
    if (!start(words)) {
      end_.exit_code = kExitNotStarted;
      end_.finished_at = wall_now();
      return std::move(end_);
    }
    while (!is_over_) wait_once();
    end_.finished_at = wall_now();
    drain();
    return std::move(end_);
  }

 private:
  bool start(const std::vector<std::string>& words) {
    int out[2] = {-1, -1};
    int error[2];
    if (::pipe2(error, O_CLOEXEC) != 0 || (watch_.keeps_stdout && ::pipe2(out, O_CLOEXEC) != 0)) {
      end_.exec_error = errno;
      return false;
    }
    pid_ = ::fork();
    if (pid_ == 0) become(words, out[1], error[1]);
    if (pid_ < 0) end_.exec_error = errno;
    ::close(error[1]);
    if (out[1] >= 0) ::close(out[1]);
    stdout_fd_ = out[0];
    if (stdout_fd_ >= 0) ::fcntl(stdout_fd_, F_SETFL, O_NONBLOCK);
    int exec_error = 0;
    if (pid_ > 0 && ::read(error[0], &exec_error, sizeof exec_error) == sizeof exec_error) {
      end_.exec_error = exec_error;
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(error[0]);
    return end_.exec_error == 0;
  }

  void wait_once() {
    pollfd fds[2] = {{.fd = signal_fd_, .events = POLLIN, .revents = 0},
                     {.fd = stdout_fd_, .events = POLLIN, .revents = 0}};
    const int ready = ::poll(fds, 2, kTickMs);
    if (ready > 0 && (fds[1].revents & (POLLIN | POLLHUP)) != 0) read_stdout();
    if (ready > 0 && (fds[0].revents & POLLIN) != 0) take_signal();
    if (watch_.on_tick) watch_.on_tick();
    const bool must_end = watch_.must_end && watch_.must_end();
    if (must_end && term_at_ == 0) {
      term_at_ = wall_now();
      ::kill(-pid_, SIGTERM);
    } else if (term_at_ != 0 && wall_now() - term_at_ > kGraceNs) {
      ::kill(-pid_, SIGKILL);
    }
  }

  void take_signal() {
    signalfd_siginfo info = {};
    if (::read(signal_fd_, &info, sizeof info) != sizeof info) return;
    if (info.ssi_signo == SIGCHLD) {
      reap();
    } else {
      ::kill(-pid_, static_cast<int>(info.ssi_signo));
    }
  }

  void reap() {
    int status = 0;
    pid_t ended = 0;
    while ((ended = ::waitpid(-1, &status, WNOHANG)) > 0) {
      if (ended != pid_) continue;
      end_.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
      is_over_ = true;
    }
  }

  // False at its end, or when there is nothing more for now.
  bool read_stdout() {
    char buffer[1U << 16U];
    const ssize_t n = ::read(stdout_fd_, buffer, sizeof buffer);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
      ::close(stdout_fd_);
      stdout_fd_ = -1;
    }
    if (n <= 0) return false;
    const std::string_view bytes(buffer, static_cast<std::size_t>(n));
    pass_on(bytes);
    end_.stdout_tail.append(bytes);
    if (end_.stdout_tail.size() > 2 * kStdoutMax) {
      end_.stdout_tail.erase(0, end_.stdout_tail.size() - kStdoutMax);
    }
    return true;
  }

  // What the command wrote before it ended is in the pipe; what a grandchild writes later is not
  // waited for.
  void drain() {
    while (stdout_fd_ >= 0 && read_stdout()) {
    }
    if (end_.stdout_tail.size() > kStdoutMax) {
      end_.stdout_tail.erase(0, end_.stdout_tail.size() - kStdoutMax);
    }
  }

  const int signal_fd_;
  const CommandWatch& watch_;
  pid_t pid_ = -1;
  int stdout_fd_ = -1;
  bool is_over_ = false;
  std::int64_t term_at_ = 0;
  CommandEnd end_;
};

}  // namespace

std::int64_t wall_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

int take_signals() {
  const sigset_t set = all_but_faults();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  return ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

CommandEnd run_command(int signal_fd, const std::vector<std::string>& words,
                       const CommandWatch& watch) {
  return Command(signal_fd, watch).run(words);
}

bool is_ended_while_waiting(int signal_fd, int milliseconds) {
  pollfd fd = {.fd = signal_fd, .events = POLLIN, .revents = 0};
  if (::poll(&fd, 1, milliseconds) <= 0) return false;
  signalfd_siginfo info = {};
  if (::read(signal_fd, &info, sizeof info) != sizeof info) return false;
  return info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT || info.ssi_signo == SIGQUIT ||
         info.ssi_signo == SIGHUP;
}

}  // namespace tiphys::step
