// What a step costs through the executor and the supervisor, against a bare loop of posix_spawn and
// wait.
//
//   executor_bench [COUNT] [IN_FLIGHT]     default 1000 and both 2 and 16
// Build by hand: it links the library tiphys_executor and is not part of the default build.
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>

#include "executor/process.h"
#include "executor/supervisor.h"

extern char** environ;  // NOLINT: posix_spawn wants it

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double bare_loop(int count, int in_flight) {
  const auto start = Clock::now();
  int started = 0;
  int ended = 0;
  char name[] = "/bin/true";
  char* argv[] = {name, nullptr};
  while (ended < count) {
    while (started < count && started - ended < in_flight) {
      pid_t pid = -1;
      if (::posix_spawn(&pid, name, nullptr, nullptr, argv, environ) != 0) std::abort();
      ++started;
    }
    int status = 0;
    if (::waitpid(-1, &status, 0) > 0) ++ended;
  }
  return count / seconds_since(start);
}

tiphys::executor::Task true_task(const std::string& home, int number) {
  using tiphys::value::List;
  using tiphys::value::Map;
  tiphys::executor::Task task;
  task.key = "uid." + std::to_string(number);
  task.workflow = "bench";
  task.node_name = "bench." + std::to_string(number);
  task.pod_name = "bench-" + std::to_string(number);
  task.template_body = Map{{"container", Map{{"command", List{"/bin/true"}}}}};
  task.log_path = home + "/runs/uid/logs/" + std::to_string(number) + ".log";
  task.work_path = home + "/runs/uid/work/" + std::to_string(number);
  task.wants_result = false;
  return task;
}

double executor_loop(int count, int in_flight) {
  char pattern[] = "/tmp/tiphys-bench-XXXXXX";
  const std::string home = ::mkdtemp(pattern);
  std::mutex mutex;
  std::condition_variable changed;
  int ended = 0;
  std::vector<std::string> to_acknowledge;
  tiphys::executor::Listener listener;
  listener.on_finished = [&](const std::string& key, const tiphys::executor::Outcome& outcome) {
    if (outcome.phase != tiphys::executor::Outcome::Phase::kSucceeded) {
      std::fprintf(stderr, "%s\n", outcome.message.c_str());
    }
    const std::lock_guard lock(mutex);
    ++ended;
    to_acknowledge.push_back(key);
    changed.notify_one();
  };
  auto executor = tiphys::executor::make_process_executor({.home = home}, listener, {});
  const auto start = Clock::now();
  int started = 0;
  std::unique_lock lock(mutex);
  while (ended < count) {
    std::vector<tiphys::executor::Task> tasks;
    while (started < count && started - ended < in_flight) {
      tasks.push_back(true_task(home, started++));
    }
    std::vector<std::string> keys;
    keys.swap(to_acknowledge);
    lock.unlock();
    if (!tasks.empty()) executor->start(std::move(tasks));
    for (const std::string& key : keys) executor->acknowledge(key);
    lock.lock();
    changed.wait(lock, [&] { return !to_acknowledge.empty() || ended == count; });
  }
  const double rate = count / seconds_since(start);
  lock.unlock();
  executor.reset();
  std::filesystem::remove_all(home);
  return rate;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "__supervisor") {
    return tiphys::executor::supervisor_main(argc, argv);
  }
  const int count = argc > 1 ? std::atoi(argv[1]) : 1000;
  for (const int in_flight : {2, 16}) {
    if (argc > 2 && std::atoi(argv[2]) != in_flight) continue;
    const double bare = bare_loop(count, in_flight);
    const double ours = executor_loop(count, in_flight);
    std::printf("in flight %2d: bare %.0f/s, executor %.0f/s, ratio %.2f\n", in_flight, bare, ours,
                ours / bare);
  }
  return 0;
}
