#include "notify/command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "notify/now.h"

namespace tiphys::notify {

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t kOutputMax = 64U << 10U;

/// A started process with the ends of its pipes that are ours.
struct Started {
  pid_t pid = -1;
  int in = -1;   // its standard input
  int out = -1;  // its output and errors
  std::string error;
};

// The engine's own variables may hold the store's password or all channels: a command gets what
// any program needs, and what it was given.
std::vector<std::string> environment_of(const CommandRequest& request) {
  std::map<std::string, std::string> all;  // shells differ on which of two counts
  for (const char* name : {"PATH", "HOME", "LANG"}) {
    if (const char* const text = std::getenv(name); text != nullptr) all[name] = text;
  }
  for (const auto& [name, text] : request.environment) all[name] = text;
  std::vector<std::string> out;
  out.reserve(all.size());
  for (const auto& [name, text] : all) out.push_back(fmt::format("{}={}", name, text));
  return out;
}

Started start(const CommandRequest& request) {
  Started s;
  int in[2];
  int out[2];
  if (::pipe2(in, O_CLOEXEC) != 0) return {.error = std::strerror(errno)};
  if (::pipe2(out, O_CLOEXEC) != 0) {
    s.error = std::strerror(errno);
    ::close(in[0]);
    ::close(in[1]);
    return s;
  }
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  ::posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  ::posix_spawn_file_actions_adddup2(&actions, out[1], 2);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  std::vector<std::string> environment = environment_of(request);
  std::vector<char*> envp;
  for (std::string& e : environment) envp.push_back(e.data());
  envp.push_back(nullptr);
  std::vector<std::string> arguments = request.arguments;
  std::vector<char*> argv;
  for (std::string& a : arguments) argv.push_back(a.data());
  argv.push_back(nullptr);
  const int failed = arguments.empty() ? EINVAL
                                       : ::posix_spawnp(&s.pid, argv[0], &actions, &attributes,
                                                        argv.data(), envp.data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(in[0]);
  ::close(out[1]);
  if (failed != 0) {
    ::close(in[1]);
    ::close(out[0]);
    s.error = fmt::format("{}: {}", arguments.empty() ? "no command" : arguments[0],
                          std::strerror(failed));
    return s;
  }
  s.in = in[1];
  s.out = out[0];
  ::fcntl(s.in, F_SETFL, O_NONBLOCK);
  return s;
}

// Feeds the input and reads the output until it is closed. False: the time is over.
bool talk(Started& s, const std::string& input, Steady::time_point deadline, std::string& output) {
  std::size_t written = 0;
  char buffer[4096];
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Steady::now());
    if (left.count() <= 0) return false;
    pollfd fds[2] = {{s.out, POLLIN, 0}, {s.in, POLLOUT, 0}};
    if (::poll(fds, s.in < 0 ? 1 : 2, static_cast<int>(left.count())) < 0 && errno != EINTR)
      return true;
    if (s.in >= 0 && fds[1].revents != 0) {
      const ssize_t n = ::write(s.in, input.data() + written, input.size() - written);
      if (n > 0) written += static_cast<std::size_t>(n);
      const bool is_broken = n < 0 && errno != EAGAIN && errno != EINTR;
      if (written == input.size() || is_broken) ::close(std::exchange(s.in, -1));
    }
    if (fds[0].revents != 0) {
      const ssize_t n = ::read(s.out, buffer, sizeof buffer);
      if (n == 0) return true;
      if (n > 0) {
        output.append(buffer, std::min(static_cast<std::size_t>(n),
                                       kOutputMax - std::min(kOutputMax, output.size())));
      }
    }
  }
}

}  // namespace

Commands::Commands(clock::Duration timeout, std::function<void(Report)> on_report)
    : timeout_(timeout), on_report_(std::move(on_report)) {}

Commands::~Commands() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    for (const int group : running_) ::kill(-group, SIGKILL);
  }
  for (Job& job : jobs_) job.thread.join();
}

void Commands::run(std::string id, CommandRequest request) {
  const std::lock_guard lock(mutex_);
  if (is_stopping_) return;
  std::erase_if(jobs_, [](Job& job) {
    if (job.is_over) job.thread.join();  // it has nothing left to do
    return job.is_over;
  });
  Job& job = jobs_.emplace_back();
  job.thread =
      std::thread([this, &job, id = std::move(id), request = std::move(request)]() mutable {
        work(std::move(id), request, job);
      });
}

void Commands::work(std::string id, const CommandRequest& request, Job& job) {
  sigset_t pipes;  // a command that does not read its input is no reason to die
  ::sigemptyset(&pipes);
  ::sigaddset(&pipes, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipes, nullptr);
  const clock::Instant at = wall_now();
  const auto deadline = Steady::now() + std::chrono::nanoseconds(timeout_.ns);
  Started s = start(request);
  Answer answer;
  answer.error = s.error;
  if (s.pid > 0) {
    {
      const std::lock_guard lock(mutex_);
      running_.insert(s.pid);
      if (is_stopping_) ::kill(-s.pid, SIGKILL);
    }
    const bool is_in_time = talk(s, request.input, deadline, answer.body);
    if (!is_in_time) ::kill(-s.pid, SIGKILL);
    int status = 0;
    while (::waitpid(s.pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (s.in >= 0) ::close(s.in);
    ::close(s.out);
    if (!is_in_time) {
      answer.error = fmt::format("it did not end within {} s", timeout_.ns / 1'000'000'000);
    } else {
      answer.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
  }
  bool is_wanted = false;
  {
    const std::lock_guard lock(mutex_);
    running_.erase(s.pid);
    is_wanted = !is_stopping_;
    job.is_over = true;
  }
  if (is_wanted) {
    on_report_(
        {.id = std::move(id), .answer = std::move(answer), .at = at, .latency = wall_now() - at});
  }
}

}  // namespace tiphys::notify
