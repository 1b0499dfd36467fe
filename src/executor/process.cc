#include "executor/process.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "executor/outputs.h"
#include "executor/path_words.h"
#include "executor/preparation.h"
#include "executor/program_paths.h"
#include "executor/progress_files.h"
#include "executor/scratch_folders.h"
#include "executor/step_table.h"
#include "executor/supervisor_client.h"

namespace tiphys::executor {
namespace {

// What was to be mounted is not what it was: no refusal, which other steps would have to fear.
bool has_changed_paths(int error) {
  return error == ELOOP || error == EXDEV || error == ENOENT || error == ENOTDIR;
}

constexpr std::int64_t kBetweenLooks = 3'000'000'000;  // at progress, as in Argo

struct CancelOrder {
  std::string key;
  clock::Duration grace;
};
struct AcknowledgeOrder {
  std::string key;
};
struct ForgetOrder {
  std::string work_folder;
};
struct ImagesOrder {};  // images that steps wait for have come
using Order = std::variant<Task, CancelOrder, AcknowledgeOrder, ForgetOrder, ImagesOrder>;

class ProcessExecutor : public Executor {
 public:
  ProcessExecutor(ProcessOptions options, Listener listener, Lookup lookup);
  ~ProcessExecutor() override;

  void start(std::vector<Task> tasks) override;
  void cancel(const std::string& key, clock::Duration grace) override;
  void acknowledge(const std::string& key) override;
  void forget_workflow(const std::string& work_folder) override;

 private:
  struct Pending {
    Task task;
    View view;
    bool has_view = false;    // else it is read from the work_path
    bool is_running = false;  // on_running was called
    bool uses_mounts = false;
    bool has_own_folder = true;  // its work_path may exist
    std::string passed_on;       // its working folder, when that comes from folders_
    bool is_asked = false;       // the supervisor was asked whether it knows the key
  };

  void order(Order order);
  void wake();
  void run();
  void carry_out(Order order);
  void take(Task task);
  void begin_waiting();
  void begin(Pending& pending);
  void take_prepared(Pending& pending, Prepared prepared);
  [[nodiscard]] diag::Result<Prepared> prepare_at(const Place& place, const Task& task);
  [[nodiscard]] bool begins_again(Pending& pending, const wire::Exit& exit);
  [[nodiscard]] Outcome outcome_of(const Pending& pending, const wire::Exit& exit);
  void ask(Pending& pending);
  void cancel_now(const CancelOrder& order);
  void finish(const std::string& key, Outcome outcome);
  void say_once(bool& said, const std::string& what);
  void connect_if_needed();
  void on_frame(wire::Type type, std::string_view payload);
  void on_exit(const wire::Exit& exit);
  void tell_running(const std::string& key, clock::Instant at);
  void forget(const std::string& key);

  const ProcessOptions options_;
  const Listener listener_;
  const Lookup lookup_;
  SupervisorClient client_;

  std::mutex mutex_;  // guards orders_ and is_stopping_
  std::vector<Order> orders_;
  bool is_stopping_ = false;
  int wake_fd_ = -1;

  // The thread's own.
  std::unordered_map<std::string, Pending> pending_;
  std::deque<std::string> waiting_;  // keys of those that are not prepared yet
  std::vector<std::string> parked_;  // keys of those whose images are being looked for
  std::size_t asked_ = 0;            // of pending_: those that the supervisor was asked for
  std::unordered_map<std::string, std::string> done_;    // key to work_path, until acknowledged
  std::vector<std::pair<std::string, Outcome>> failed_;  // told after the frames of a round
  std::vector<std::string> scratch_to_remove_;
  // Told after the frames of a round, or with an end among them: one wake-up for both.
  std::vector<std::pair<std::string, clock::Instant>> began_;
  std::vector<std::string> ended_;  // folders of workflows that are over
  ProgressFiles progress_;
  std::int64_t looked_at_ = 0;  // progress_, steady
  ScratchFolders folders_;
  ProgramPaths programs_;
  ImageFacts image_facts_;
  Placing placing_;
  bool may_mount_ = true;
  bool said_mounts_ = false;
  std::thread thread_;
};

int default_steps_max() {
  const auto cores = static_cast<int>(std::thread::hardware_concurrency());
  return std::max(16, 4 * cores);
}

ProcessOptions with_defaults(ProcessOptions options) {
  if (options.steps_max <= 0) options.steps_max = default_steps_max();
  if (options.artifact_root.empty()) options.artifact_root = options.home + "/artifacts";
  return options;
}

ProcessExecutor::ProcessExecutor(ProcessOptions options, Listener listener, Lookup lookup)
    : options_(with_defaults(std::move(options))),
      listener_(std::move(listener)),
      lookup_(std::move(lookup)),
      client_(options_.home, options_.supervisor_command, options_.launched),
      wake_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      placing_(placing_options(options_), [this] { order(ImagesOrder{}); }),
      thread_([this] { run(); }) {}

ProcessExecutor::~ProcessExecutor() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake();
  thread_.join();
  ::close(wake_fd_);
}

void ProcessExecutor::wake() {
  const std::uint64_t one = 1;
  if (::write(wake_fd_, &one, sizeof one) < 0) return;  // full: it will wake up anyway
}

void ProcessExecutor::order(Order order) {
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    was_empty = orders_.empty();
    orders_.push_back(std::move(order));
  }
  if (was_empty) wake();
}

void ProcessExecutor::start(std::vector<Task> tasks) {
  for (Task& task : tasks) order(std::move(task));
}

void ProcessExecutor::cancel(const std::string& key, clock::Duration grace) {
  order(CancelOrder{key, grace});
}

void ProcessExecutor::acknowledge(const std::string& key) { order(AcknowledgeOrder{key}); }

void ProcessExecutor::forget_workflow(const std::string& work_folder) {
  order(ForgetOrder{work_folder});
}

void ProcessExecutor::run() {
  // Early, so that the supervisor is there when the first step comes; what fails now is told then.
  (void)client_.connect(options_.steps_max, options_.log_max);
  for (;;) {
    pollfd fds[2] = {{wake_fd_, POLLIN, 0}, {client_.fd(), POLLIN, 0}};
    if (client_.has_unsent()) fds[1].events |= POLLOUT;
    ::poll(fds, client_.fd() >= 0 ? 2 : 1, progress_.empty() ? -1 : kBetweenLooks / 1'000'000);
    if (!progress_.empty() && steady_now() - looked_at_ >= kBetweenLooks) {
      looked_at_ = steady_now();
      progress_.look(listener_.on_progress);
    }

    std::uint64_t count = 0;
    if ((fds[0].revents & POLLIN) != 0 && ::read(wake_fd_, &count, sizeof count) < 0) count = 0;
    std::vector<Order> orders;
    bool is_last_round = false;
    {
      const std::lock_guard lock(mutex_);
      orders.swap(orders_);
      is_last_round = is_stopping_;
    }
    for (Order& order : orders) carry_out(std::move(order));
    if (client_.fd() >= 0 && fds[1].revents != 0) {
      (void)client_.receive([this](wire::Type t, std::string_view p) { on_frame(t, p); });
      for (const auto& [key, at] : std::exchange(began_, {})) tell_running(key, at);
    }
    connect_if_needed();
    if (client_.fd() >= 0 && !client_.flush()) connect_if_needed();
    while (!failed_.empty()) {  // what waited behind one that failed may fail as well
      for (auto& [key, outcome] : std::exchange(failed_, {})) finish(key, std::move(outcome));
    }
    // last, so that nobody waits for it
    for (const std::string& folder : std::exchange(ended_, {})) folders_.remove(folder);
    for (const std::string& path : std::exchange(scratch_to_remove_, {})) remove_tree(path);
    if (is_last_round) return;
  }
}

void ProcessExecutor::carry_out(Order order) {
  if (auto* task = std::get_if<Task>(&order)) {
    take(std::move(*task));
  } else if (const auto* cancel = std::get_if<CancelOrder>(&order)) {
    cancel_now(*cancel);
  } else if (auto* forgotten = std::get_if<ForgetOrder>(&order)) {
    ended_.push_back(std::move(forgotten->work_folder));
  } else if (std::holds_alternative<ImagesOrder>(order)) {
    for (std::string& key : std::exchange(parked_, {})) waiting_.push_back(std::move(key));
    begin_waiting();
  } else {
    forget(std::get<AcknowledgeOrder>(order).key);
  }
}

void ProcessExecutor::cancel_now(const CancelOrder& order) {
  const auto it = pending_.find(order.key);
  if (it == pending_.end()) return;
  if (it->second.is_asked) {
    wire::put(client_.out(), wire::Type::kCancel, order.key, order.grace.ns);
  } else {  // the supervisor has not heard of it; it ends as one that waits there does
    wire::Exit exit;
    exit.key = order.key;
    exit.finished_at = wall_now();
    exit.wait_status = SIGTERM;
    on_exit(exit);
  }
}

void ProcessExecutor::forget(const std::string& key) {
  const auto it = done_.find(key);
  if (it != done_.end()) {
    scratch_to_remove_.push_back(std::move(it->second));
    done_.erase(it);
  }
  if (client_.fd() >= 0) wire::put(client_.out(), wire::Type::kAcknowledge, key);
}

void ProcessExecutor::say_once(bool& said, const std::string& what) {
  if (!std::exchange(said, true) && options_.warn) options_.warn(what);
}

void ProcessExecutor::take(Task task) {
  if (pending_.contains(task.key)) return;
  const std::string key = task.key;
  const bool is_recovery = task.is_recovery;
  Pending& pending = pending_[key];
  pending.task = std::move(task);
  connect_if_needed();
  if (!pending_.contains(key) || pending.is_asked) return;  // just asked for, or refused
  if (is_recovery) {
    ask(pending);
    wire::put(client_.out(), wire::Type::kAttach, key);
  } else {
    waiting_.push_back(key);
    begin_waiting();
  }
}

// Prepares no more than can soon start: what is made for a step can then be handed on to the next.
// But the supervisor must not run dry while this thread waits for a processor, which takes
// milliseconds when steps have them all.
void ProcessExecutor::begin_waiting() {
  constexpr int kQueuedMin = 16;
  const auto asked_max =
      static_cast<std::size_t>(options_.steps_max + std::max(options_.steps_max, kQueuedMin));
  while (!waiting_.empty() && asked_ < asked_max) {
    const auto it = pending_.find(waiting_.front());
    waiting_.pop_front();
    if (it != pending_.end() && !it->second.is_asked) begin(it->second);
  }
}

void ProcessExecutor::ask(Pending& pending) {
  if (!std::exchange(pending.is_asked, true)) ++asked_;
}

void ProcessExecutor::begin(Pending& pending) {
  const Place place = placing_.place(pending.task);
  if (place.kind == Place::Kind::kLater) {
    parked_.push_back(pending.task.key);
    return;
  }
  auto prepared = prepare_at(place, pending.task);
  if (prepared) {
    take_prepared(pending, std::move(*prepared));
  } else {
    failed_.emplace_back(pending.task.key, error_outcome(prepared.error().message, {wall_now()}));
  }
}

diag::Result<Prepared> ProcessExecutor::prepare_at(const Place& place, const Task& task) {
  if (place.kind == Place::Kind::kNowhere) {
    return diag::fail(diag::Code::kNotFound, place.problem);
  }
  const PrepareSettings settings = {
      lookup_,      options_.images,     options_.home, options_.artifact_root, folders_, programs_,
      image_facts_, options_.host_paths, may_mount_};
  if (place.kind == Place::Kind::kImage) {
    return prepare_in_image(task, *place.image, place.runtime, settings);
  }
  return prepare(task, settings);
}

void ProcessExecutor::take_prepared(Pending& pending, Prepared prepared) {
  pending.view = std::move(prepared.view);
  pending.has_view = true;
  pending.uses_mounts = !prepared.launch.mounts.empty();
  pending.has_own_folder = ::access(pending.task.work_path.c_str(), F_OK) == 0;
  pending.passed_on = std::move(prepared.passed_on);
  if (prepared.exec_error != 0) {
    wire::Exit exit;
    exit.finished_at = wall_now();
    exit.failure = wire::Failure::kExec;
    exit.error = prepared.exec_error;
    failed_.emplace_back(pending.task.key, outcome_of(pending, exit));
    return;
  }
  ask(pending);
  wire::put(client_.out(), prepared.launch);
}

void ProcessExecutor::finish(const std::string& key, Outcome outcome) {
  const auto it = pending_.find(key);
  if (it == pending_.end()) return;
  const Pending& pending = it->second;
  if (!pending.passed_on.empty()) {
    folders_.give_back(parent_path(pending.task.work_path), pending.passed_on);
  }
  progress_.end(key, listener_.on_progress);
  if (pending.has_own_folder) done_[key] = pending.task.work_path;
  if (pending.is_asked) --asked_;
  pending_.erase(it);
  if (listener_.on_finished) listener_.on_finished(key, std::move(outcome));
  begin_waiting();
}

// After a loss of the supervisor everything that was asked for is asked for again, by key.
void ProcessExecutor::connect_if_needed() {
  if (client_.fd() >= 0 || pending_.empty()) return;
  auto connected = client_.connect(options_.steps_max, options_.log_max);
  if (!connected) {
    const clock::Instant now = {wall_now()};
    for (const auto& [key, pending] : pending_) {
      failed_.emplace_back(key, error_outcome(connected.error().message, now));
    }
    return;
  }
  for (auto& [key, pending] : pending_) {
    if (pending.is_asked) wire::put(client_.out(), wire::Type::kAttach, key);
  }
}

void ProcessExecutor::on_frame(wire::Type type, std::string_view payload) {
  wire::Reader reader(payload);
  if (type == wire::Type::kExit) {
    on_exit(wire::get_exit(reader));
    return;
  }
  const std::string key(reader.text());
  const auto it = pending_.find(key);
  if (it == pending_.end()) return;
  Pending& pending = it->second;
  if (type == wire::Type::kUnknown) {
    remove_tree(pending.task.work_path);  // what an engine that died was about to start
    pending.is_asked = false;
    --asked_;
    waiting_.push_back(key);
    begin_waiting();
  } else if (type == wire::Type::kRunning) {
    began_.emplace_back(key, clock::Instant{reader.i64()});
  }
}

void ProcessExecutor::tell_running(const std::string& key, clock::Instant at) {
  const auto it = pending_.find(key);
  if (it == pending_.end() || std::exchange(it->second.is_running, true)) return;
  progress_.watch(it->second.task);
  if (listener_.on_running) listener_.on_running(key, at);
}

void ProcessExecutor::on_exit(const wire::Exit& exit) {
  const auto it = pending_.find(exit.key);
  if (it == pending_.end()) return;
  Pending& pending = it->second;
  if (exit.failure == wire::Failure::kMount && begins_again(pending, exit)) return;
  if (!pending.has_view) pending.view = prepared_view(pending.task);
  Outcome outcome = outcome_of(pending, exit);
  if (exit.started_at != 0) tell_running(exit.key, {exit.started_at});
  finish(exit.key, std::move(outcome));
}

// Mounts were refused: the step has not run, and may do without them.
bool ProcessExecutor::begins_again(Pending& pending, const wire::Exit& exit) {
  if (!pending.uses_mounts || has_changed_paths(exit.error)) return false;
  if (pending.view.is_of_image()) {
    if (!placing_.on_refused()) return false;
  } else if (std::exchange(may_mount_, false)) {
    say_once(said_mounts_, "no mount namespaces here: paths of templates are rewritten instead");
  }
  wire::put(client_.out(), wire::Type::kAcknowledge, exit.key);
  remove_tree(pending.task.work_path);
  begin(pending);
  return true;
}

Outcome ProcessExecutor::outcome_of(const Pending& pending, const wire::Exit& exit) {
  const bool has_failed = exit.failure == wire::Failure::kNone && exit.wait_status != 0;
  if (has_failed && pending.view.is_of_image()) {
    if (const std::string why = runtime_complaint(pending.task); !why.empty()) {
      return error_outcome("cannot start the container: " + why, {exit.finished_at});
    }
  }
  return collect_outcome(pending.task, pending.view, exit, lookup_, options_.artifact_root);
}

}  // namespace

std::unique_ptr<Executor> make_process_executor(ProcessOptions options, Listener listener,
                                                Lookup lookup) {
  return std::make_unique<ProcessExecutor>(std::move(options), std::move(listener),
                                           std::move(lookup));
}

}  // namespace tiphys::executor
