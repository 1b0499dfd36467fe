#include "executor/step_table.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>

#include "executor/cgroups.h"
#include "executor/isolated_spawn.h"

namespace tiphys::executor {
namespace {

constexpr std::int64_t kKeepUnasked = std::int64_t{30} * 24 * 3600 * 1'000'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kShortPause = kSecond / 4;  // between attempts to start a step
constexpr std::int64_t kShortMax = 60 * kSecond;   // with nothing of ours running
constexpr rlim_t kFilesOfOurOwn = 64;  // sockets, journal, what a start opens for a moment
constexpr rlim_t kFilesOfStep = 3;
constexpr std::string_view kMark = "TIPHYS_STEP=";

std::int64_t read_clock(clockid_t clock) {
  timespec t = {};
  ::clock_gettime(clock, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

// The step that a process belongs to, by the mark in its environment; "" when it has none or is not
// ours to read.
std::string step_of_process(const char* pid) {
  const std::string path = std::string("/proc/") + pid + "/environ";
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::string text;
  char buffer[16384];
  for (ssize_t n = 0; (n = ::read(fd, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(fd);
  std::size_t at = text.find(kMark);
  while (at != std::string::npos && at != 0 && text[at - 1] != '\0') at = text.find(kMark, at + 1);
  if (at == std::string::npos) return {};
  return {text.c_str() + at + kMark.size()};
}

// Processes of steps whose supervisor is gone: also those which have left their group.
void kill_leftovers(const Journal::Entries& entries) {
  const bool any = std::any_of(entries.begin(), entries.end(), [](auto& e) { return !e.second; });
  DIR* const proc = any ? ::opendir("/proc") : nullptr;
  if (proc == nullptr) return;
  while (const dirent* entry = ::readdir(proc)) {
    if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
    const std::string key = step_of_process(entry->d_name);
    if (key.empty()) continue;
    const auto it = entries.find(key);
    if (it != entries.end() && !it->second) ::kill(std::atoi(entry->d_name), SIGKILL);
  }
  ::closedir(proc);
}

}  // namespace

std::int64_t wall_now() { return read_clock(CLOCK_REALTIME); }
std::int64_t steady_now() { return read_clock(CLOCK_MONOTONIC); }

struct StepTable::Step {
  enum class State { kQueued, kRunning, kEnded };
  State state = State::kQueued;
  ClientId client = kNobody;
  std::string payload;  // of the Launch; empty once it runs
  pid_t pid = -1;
  int pipes[2] = {-1, -1};  // stdout (and stderr, when the result is not wanted), stderr
  bool wants_stdout = false;
  bool is_noted = false;         // the journal has it as started
  std::int64_t short_since = 0;  // steady; when the machine first had no room for it
  std::unique_ptr<StepLog> log;
  std::int64_t kill_at = 0;  // steady; 0 for never
  wire::Exit exit;
};

StepTable::StepTable(Told told) : told_(std::move(told)) {
  null_fd_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  // Three descriptors a running step; the steps themselves get the limit that we were given.
  if (::getrlimit(RLIMIT_NOFILE, &files_of_steps_) == 0) {
    rlimit all = files_of_steps_;
    all.rlim_cur = all.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &all);
    const rlim_t free = all.rlim_max > kFilesOfOurOwn ? all.rlim_max - kFilesOfOurOwn : 0;
    steps_max_ = std::max<std::size_t>(1, free / kFilesOfStep);
  }
}

StepTable::~StepTable() {
  if (null_fd_ >= 0) ::close(null_fd_);
}

diag::Result<void> StepTable::open(const std::string& home) {
  TRY(const Journal::Entries entries, journal_.open(home + "/supervisor.journal"));
  kill_leftovers(entries);
  sweep_cgroups(home);
  const std::int64_t now = wall_now();
  for (const auto& [key, exit] : entries) {
    if (exit && exit->finished_at < now - kKeepUnasked) {
      journal_.acknowledged(key);
      continue;
    }
    auto step = std::make_unique<Step>();
    step->state = Step::State::kEnded;
    if (exit) {
      step->exit = *exit;
    } else {
      step->exit.key = key;
      step->exit.finished_at = now;
      step->exit.failure = wire::Failure::kLost;
      journal_.ended(step->exit);
    }
    steps_.emplace(key, std::move(step));
  }
  flush();
  return {};
}

StepTable::Step* StepTable::find(std::string_view key) {
  const auto it = steps_.find(std::string(key));
  return it == steps_.end() ? nullptr : it->second.get();
}

void StepTable::attach(ClientId client, std::string_view key) {
  Step* const known = find(key);
  if (known == nullptr) {
    std::string frame;
    wire::put(frame, wire::Type::kUnknown, key);
    told_.send(client, frame, true);
    return;
  }
  known->client = client;
  if (known->state == Step::State::kRunning) tell_running(*known);
  if (known->state == Step::State::kEnded) tell_exit(*known);
}

void StepTable::start(ClientId client, std::string_view payload) {
  wire::Reader reader(payload);
  const std::string key(reader.text());
  if (find(key) != nullptr) {
    attach(client, key);
    return;
  }
  auto step = std::make_unique<Step>();
  step->client = client;
  step->payload = payload;
  step->exit.key = key;
  queue_.push_back(key);
  steps_.emplace(key, std::move(step));
}

void StepTable::cancel(std::string_view key, std::int64_t grace_ns) {
  Step* const step = find(key);
  if (step == nullptr || step->state == Step::State::kEnded) return;
  if (step->state == Step::State::kQueued) {
    finish(*step, wire::Failure::kNone, 0, SIGTERM);
    return;
  }
  if (grace_ns <= 0) {
    ::kill(-step->pid, SIGKILL);
    return;
  }
  ::kill(-step->pid, SIGTERM);
  ::kill(-step->pid, SIGCONT);  // a stopped process would not notice
  const std::int64_t at = steady_now() + grace_ns;
  if (step->kill_at == 0) dying_.push_back(step);
  step->kill_at = step->kill_at == 0 ? at : std::min(step->kill_at, at);
}

void StepTable::acknowledge(std::string_view key) {
  Step* const step = find(key);
  if (step == nullptr || step->state != Step::State::kEnded) return;
  journal_.acknowledged(key);
  steps_.erase(std::string(key));
  if (steps_.empty()) journal_.forget_all();
}

void StepTable::forget_client(ClientId client) {
  for (auto it = steps_.begin(); it != steps_.end();) {
    Step& step = *it->second;
    if (step.client == client) step.client = kNobody;
    const bool drop = step.state == Step::State::kQueued && step.client == kNobody;
    if (drop && step.is_noted) journal_.acknowledged(step.exit.key);
    it = drop ? steps_.erase(it) : std::next(it);
  }
}

void StepTable::start_queued(std::size_t processes_max) {
  if (short_until_ > steady_now()) return;
  short_until_ = 0;
  const std::size_t most = std::min(processes_max, steps_max_);
  std::vector<Step*> batch;
  while (!queue_.empty() && running_.size() + batch.size() < most) {
    Step* const step = find(queue_.front());
    queue_.pop_front();
    if (step == nullptr || step->state != Step::State::kQueued) continue;
    if (!std::exchange(step->is_noted, true)) journal_.started(step->exit.key);
    batch.push_back(step);
  }
  const bool is_written = journal_.flush();
  for (Step* step : batch) {
    if (!is_written) {
      wait_for_room(*step, ENOSPC);
    } else if (short_until_ != 0) {
      queue_.push_back(step->exit.key);
    } else {
      launch(*step);
    }
  }
}

// The machine has no room for a process now; it may have when others end, ours or not.
void StepTable::wait_for_room(Step& step, int error) {
  const std::int64_t now = steady_now();
  if (step.short_since == 0 || !running_.empty()) step.short_since = now;
  if (now - step.short_since > kShortMax) {
    finish(step, wire::Failure::kResources, error, 0);
    return;
  }
  queue_.push_back(step.exit.key);
  short_until_ = now + kShortPause;
}

bool StepTable::open_pipes(Step& step, SpawnPlan& plan, int (&write_ends)[2]) {
  const int count = step.wants_stdout ? 2 : 1;
  for (int i = 0; i < count; ++i) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    step.pipes[i] = ends[0];
    write_ends[i] = ends[1];
  }
  plan.output = write_ends[0];
  plan.error_output = write_ends[count - 1];
  return true;
}

void StepTable::prepare(Step& step, SpawnPlan& plan) {
  wire::Reader reader(step.payload);
  reader.text();  // key
  step.log = std::make_unique<StepLog>(std::string(reader.text()), log_max_);
  plan.cwd = reader.text().data();
  plan.root = reader.text().data();
  step.wants_stdout = reader.u8() != 0;
  const auto pointers = [&reader](std::vector<char*>& out) {
    const std::uint32_t count = reader.u32();
    for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
      out.push_back(const_cast<char*>(reader.text().data()));  // execve's type; nobody writes
    }
    out.push_back(nullptr);
  };
  pointers(plan.programs);
  pointers(plan.argv);
  pointers(plan.env);
  const std::uint32_t mounts = reader.u32();
  for (std::uint32_t i = 0; i < mounts && reader.ok(); ++i) {
    MountCall call = {};
    call.kind = static_cast<wire::Mount::Kind>(reader.u8());
    call.source = reader.text().data();
    call.target = reader.text().data();
    call.options = reader.text().data();
    plan.mounts.push_back(call);
  }
  plan.isolation = reader.isolation();
  plan.input = null_fd_;
  plan.files = files_of_steps_;
}

void StepTable::launch(Step& step) {
  SpawnPlan plan;
  prepare(step, plan);
  int write_ends[2] = {-1, -1};
  Spawned spawned = {-1, wire::Failure::kResources, EMFILE};
  if (open_pipes(step, plan, write_ends)) {
    spawned = plan.isolation.is_wanted ? spawn_isolated(plan) : spawn(plan);
  }
  for (const int fd : write_ends) {
    if (fd >= 0) ::close(fd);
  }
  if (spawned.pid < 0) {
    for (int& fd : step.pipes) {
      if (fd >= 0) ::close(fd);
      fd = -1;
    }
    const int e = spawned.error;
    const bool is_short = e == EAGAIN || e == ENOMEM || e == EMFILE || e == ENFILE;
    if (spawned.failure == wire::Failure::kResources && is_short) {
      wait_for_room(step, e);
    } else {
      finish(step, spawned.failure, e, 0);
    }
    return;
  }
  step.pid = spawned.pid;
  step.state = Step::State::kRunning;
  step.exit.started_at = wall_now();
  std::string().swap(step.payload);
  running_.emplace(step.pid, &step);
  for (int i = 0; i < 2; ++i) {
    if (step.pipes[i] >= 0) told_.watch(step.pipes[i], step.exit.key, i);
  }
  tell_running(step);
}

void StepTable::drain(Step& step, int stream) {
  static char buffer[65536];
  constexpr int kReadsMax = 16;  // one loud step must not keep the others waiting
  for (int i = 0; i < kReadsMax; ++i) {
    const ssize_t n = ::read(step.pipes[stream], buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
      told_.unwatch(step.pipes[stream]);
      ::close(step.pipes[stream]);
      step.pipes[stream] = -1;
      return;
    }
    const std::string_view bytes(buffer, static_cast<std::size_t>(n));
    step.log->write(stream, bytes, wall_now());
    if (!step.wants_stdout || stream != 0) continue;
    std::string& tail = step.exit.stdout_tail;
    tail.append(bytes);
    if (tail.size() > 2 * wire::kStdoutMax) tail.erase(0, tail.size() - wire::kStdoutMax);
    if (n < static_cast<ssize_t>(sizeof buffer)) return;
  }
}

void StepTable::read_output(std::string_view key, int stream) {
  Step* const step = find(key);
  if (step != nullptr && step->pipes[stream] >= 0) drain(*step, stream);
}

void StepTable::close_pipes(Step& step) {
  for (int i = 0; i < 2; ++i) {
    if (step.pipes[i] < 0) continue;
    // What is in the pipe now belongs to the step; a process that escaped may hold the other end
    // for ever. 16 x 64 KiB is more than a pipe holds.
    drain(step, i);
    if (step.pipes[i] < 0) continue;
    told_.unwatch(step.pipes[i]);
    ::close(step.pipes[i]);
    step.pipes[i] = -1;
  }
}

void StepTable::finish(Step& step, wire::Failure failure, int error, int wait_status) {
  step.exit.finished_at = wall_now();
  step.exit.failure = failure;
  step.exit.error = error;
  step.exit.wait_status = wait_status;
  std::string& tail = step.exit.stdout_tail;
  if (tail.size() > wire::kStdoutMax) tail.erase(0, tail.size() - wire::kStdoutMax);
  if (step.log) step.log->finish(step.exit.finished_at);
  step.log.reset();
  if (step.kill_at != 0) std::erase(dying_, &step);
  step.state = Step::State::kEnded;
  journal_.ended(step.exit);
  tell_exit(step);
}

void StepTable::reap() {
  for (;;) {
    siginfo_t info = {};
    if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return;
    const pid_t pid = info.si_pid;
    // While the dead leader is not reaped, its number cannot be anybody else's.
    const auto it = running_.find(pid);
    if (it != running_.end()) ::kill(-pid, SIGKILL);
    int status = 0;
    if (::waitpid(pid, &status, 0) != pid || it == running_.end()) continue;
    Step& step = *it->second;
    running_.erase(it);
    close_pipes(step);
    finish(step, wire::Failure::kNone, 0, status);
  }
}

void StepTable::kill_overdue() {
  const std::int64_t now = steady_now();
  for (Step* step : dying_) {
    if (step->kill_at > now) continue;
    ::kill(-step->pid, SIGKILL);
    step->kill_at = now + kSecond;  // uninterruptible: once more, later
  }
}

void StepTable::kill_all() {
  for (const auto& [pid, step] : running_) ::kill(-pid, SIGKILL);
}

void StepTable::flush() {
  if (!journal_.flush()) return;  // the engine is told all the same, and it is tried again
}

std::int64_t StepTable::next_deadline() const {
  std::int64_t next = queue_.empty() ? 0 : short_until_;
  for (const Step* step : dying_) {
    if (next == 0 || step->kill_at < next) next = step->kill_at;
  }
  return next;
}

void StepTable::tell_running(const Step& step) {
  if (step.client == kNobody) return;
  std::string frame;
  wire::put(frame, wire::Type::kRunning, step.exit.key, step.exit.started_at);
  told_.send(step.client, frame, false);
}

void StepTable::tell_exit(const Step& step) {
  if (step.client == kNobody) return;
  std::string frame;
  wire::put(frame, step.exit);
  told_.send(step.client, frame, true);
}

}  // namespace tiphys::executor
