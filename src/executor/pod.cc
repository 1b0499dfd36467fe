#include "executor/pod.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>

#include "executor/artifacts.h"
#include "executor/data_template.h"
#include "executor/outputs.h"
#include "executor/path_words.h"
#include "executor/pod_state.h"
#include "executor/preparation.h"
#include "executor/readiness.h"

namespace tiphys::executor {
namespace {

constexpr clock::Duration kSidecarGrace = clock::Duration::seconds(30);  // a pod's default

clock::Instant wall_time() {
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(
              std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

struct Began {
  std::string key;
  clock::Instant at;
};
struct Ended {
  std::string key;
  Outcome outcome;
};
struct CancelOrder {
  std::string key;
  clock::Duration grace;
};
struct AcknowledgeOrder {
  std::string key;
};
using Order = std::variant<Task, CancelOrder, AcknowledgeOrder, Began, Ended>;

// `KEY#CONTAINER#ATTEMPT` is a container of the task KEY.
std::string pod_key_of(const std::string& key) { return key.substr(0, key.find('#')); }

class PodExecutor : public Executor {
 public:
  PodExecutor(ProcessOptions options, Listener listener, Lookup lookup);
  ~PodExecutor() override;

  void start(std::vector<Task> tasks) override;
  void cancel(const std::string& key, clock::Duration grace) override;
  void acknowledge(const std::string& key) override;
  void forget_workflow(const std::string& work_folder) override {
    inner_->forget_workflow(work_folder);
  }

 private:
  struct Pod {
    Task task;
    PodState state;
    std::map<std::string, std::size_t> running;  // key of an attempt to its member
    std::multimap<clock::Instant, std::size_t> pauses;
    std::vector<std::string> keys;  // of all attempts, to be acknowledged
    clock::Duration grace;
    bool is_running = false;
    bool is_recovery = false;
    bool is_told = false;
  };

  void post(Order order);
  /// A daemon that has a readinessProbe is running when that says so.
  void tell_running(const std::string& key, clock::Instant at);
  void tell_finished(const std::string& key, Outcome outcome);
  void run();
  void carry_out(Order order);
  void begin(Task task);
  /// What is wrong with a container that has no command; no container starts then, as in Argo.
  [[nodiscard]] std::string unknown_image(const PodPlan& plan) const;
  void advance(const std::string& key, Pod& pod);
  void end(const std::string& key, Pod& pod);
  void end_pauses();
  [[nodiscard]] std::optional<clock::Instant> next_pause() const;

  const Listener listener_;
  const Lookup lookup_;
  const std::string artifact_root_;
  const Images images_;
  const Placing placing_;  // asked only where a container would run

  std::mutex mutex_;  // guards orders_, probes_ and is_stopping_
  std::condition_variable changed_;
  std::map<std::string, value::Value> probes_;  // of daemons that have not ended
  std::vector<Order> orders_;
  bool is_stopping_ = false;

  std::map<std::string, Pod> pods_;  // the thread's own
  std::unique_ptr<Executor> inner_;
  std::thread thread_;
  Readiness readiness_;  // its threads call the listener: it ends first
};

std::string root_of(const ProcessOptions& options) {
  return options.artifact_root.empty() ? options.home + "/artifacts" : options.artifact_root;
}

PodExecutor::PodExecutor(ProcessOptions options, Listener listener, Lookup lookup)
    : listener_(std::move(listener)),
      lookup_(std::move(lookup)),
      artifact_root_(root_of(options)),
      images_(options.images),
      placing_(placing_options(options), [] {}) {
  Listener inner;
  inner.on_running = [this](const std::string& key, clock::Instant at) {
    if (key.find('#') != std::string::npos) {
      post(Began{key, at});
    } else {
      tell_running(key, at);
    }
  };
  inner.on_finished = [this](const std::string& key, Outcome outcome) {
    if (key.find('#') != std::string::npos) {
      post(Ended{key, std::move(outcome)});
    } else {
      tell_finished(key, std::move(outcome));
    }
  };
  inner.on_progress = [this](const std::string& key, std::string progress) {
    const std::string pod = key.substr(0, key.find('#'));
    if (listener_.on_progress) listener_.on_progress(pod, std::move(progress));
  };
  inner_ = make_process_executor(std::move(options), std::move(inner), lookup_);
  thread_ = std::thread([this] { run(); });
}

PodExecutor::~PodExecutor() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
  inner_.reset();  // its last calls may still post
}

void PodExecutor::post(Order order) {
  {
    const std::lock_guard lock(mutex_);
    orders_.push_back(std::move(order));
  }
  changed_.notify_one();
}

void PodExecutor::tell_running(const std::string& key, clock::Instant at) {
  if (!listener_.on_running) return;
  value::Value probe;
  {
    const std::lock_guard lock(mutex_);
    if (auto it = probes_.find(key); it != probes_.end()) probe = it->second;
  }
  if (probe.is_null()) {
    listener_.on_running(key, at);
  } else {
    readiness_.watch(key, std::move(probe), [this, key, at] { listener_.on_running(key, at); });
  }
}

void PodExecutor::tell_finished(const std::string& key, Outcome outcome) {
  bool was_probed = false;
  {
    const std::lock_guard lock(mutex_);
    was_probed = probes_.erase(key) > 0;
  }
  if (was_probed) readiness_.forget(key);
  if (listener_.on_finished) listener_.on_finished(key, std::move(outcome));
}

void PodExecutor::start(std::vector<Task> tasks) {
  std::vector<Task> plain;
  for (Task& task : tasks) {
    if (const value::Value& probe = readiness_probe(task.template_body); !probe.is_null()) {
      const std::lock_guard lock(mutex_);
      probes_.insert_or_assign(task.key, probe);
    }
    if (is_pod_group(task.template_body) || task.template_body["data"].is_map()) {
      post(std::move(task));
    } else {
      plain.push_back(std::move(task));
    }
  }
  if (!plain.empty()) inner_->start(std::move(plain));
}

void PodExecutor::cancel(const std::string& key, clock::Duration grace) {
  post(CancelOrder{key, grace});
  inner_->cancel(key, grace);
}

void PodExecutor::acknowledge(const std::string& key) {
  post(AcknowledgeOrder{key});
  inner_->acknowledge(key);
}

void PodExecutor::run() {
  for (bool is_last_round = false;;) {
    std::vector<Order> orders;
    {
      std::unique_lock lock(mutex_);
      const auto is_due = [this] { return is_stopping_ || !orders_.empty(); };
      if (const auto next = next_pause()) {
        const clock::Duration left = *next - wall_time();
        changed_.wait_for(lock, std::chrono::nanoseconds(std::max<std::int64_t>(0, left.ns)),
                          is_due);
      } else {
        changed_.wait(lock, is_due);
      }
      is_last_round = is_stopping_;
      orders.swap(orders_);
    }
    for (Order& order : orders) {
      // what is committed leaves nothing behind; the rest is found again by the next engine
      if (is_last_round && !std::holds_alternative<AcknowledgeOrder>(order)) continue;
      carry_out(std::move(order));
    }
    if (is_last_round) return;
    end_pauses();
  }
}

void PodExecutor::carry_out(Order order) {
  if (auto* task = std::get_if<Task>(&order)) {
    begin(std::move(*task));
    return;
  }
  const std::string key = std::visit([](const auto& o) { return o.key; }, order);
  const std::string pod_key = pod_key_of(key);
  const auto it = pods_.find(pod_key);
  if (it == pods_.end()) return;
  Pod& pod = it->second;
  if (const auto* cancelled = std::get_if<CancelOrder>(&order)) {
    pod.grace = cancelled->grace;
    pod.state.cancel();
  } else if (std::holds_alternative<AcknowledgeOrder>(order)) {
    if (!pod.is_told) return;
    remove_tree(pod.task.work_path);  // before others take away what is in it
    for (const std::string& attempt : pod.keys) inner_->acknowledge(attempt);
    pods_.erase(it);
    return;
  } else if (const auto* began = std::get_if<Began>(&order)) {
    if (!std::exchange(pod.is_running, true)) tell_running(pod_key, began->at);
  } else if (auto* ended = std::get_if<Ended>(&order)) {
    const auto member = pod.running.find(key);
    if (member == pod.running.end()) return;
    const std::size_t index = member->second;
    pod.running.erase(member);
    if (pod.state.on_ended(index, std::move(ended->outcome))) {
      pod.pauses.emplace(wall_time() + pod.state.pause(), index);
    }
  }
  advance(pod_key, pod);
}

std::string PodExecutor::unknown_image(const PodPlan& plan) const {
  for (const PlannedContainer& c : plan.containers) {
    const value::Value& container = main_container(c.task.template_body);
    if (placing_.is_in_image(std::string(container["image"].string_or("")))) continue;
    auto words = container_words(container, {}, images_);
    if (!words) return words.error().message;
  }
  return "";
}

void PodExecutor::begin(Task task) {
  const std::string key = task.key;
  if (pods_.contains(key)) return;
  if (task.template_body["data"].is_map()) {
    const clock::Instant now = wall_time();
    if (listener_.on_running) listener_.on_running(key, now);
    if (listener_.on_finished)
      listener_.on_finished(key, run_data(task, lookup_, artifact_root_, now));
    return;
  }
  auto plan = plan_pod(task);
  if (const std::string problem = plan ? unknown_image(*plan) : plan.error().message;
      !problem.empty()) {
    tell_finished(key, error_outcome(problem, wall_time()));
    return;
  }
  const bool is_recovery = task.is_recovery;
  auto [it, inserted] = pods_.try_emplace(key, Pod{.task = std::move(task),
                                                   .state = PodState(std::move(*plan)),
                                                   .running = {},
                                                   .pauses = {},
                                                   .keys = {},
                                                   .grace = kSidecarGrace});
  it->second.is_recovery = is_recovery;
  advance(key, it->second);
}

void PodExecutor::advance(const std::string& key, Pod& pod) {
  if (pod.is_told) return;
  std::vector<Task> starting;
  for (const std::size_t i : pod.state.take_startable()) {
    Task task = attempt_of(pod.state.at(i).plan, pod.state.at(i).attempts);
    task.is_recovery = pod.is_recovery;
    pod.running.emplace(task.key, i);
    pod.keys.push_back(task.key);
    starting.push_back(std::move(task));
  }
  if (!starting.empty()) inner_->start(std::move(starting));
  const std::vector<std::size_t> ending = pod.state.take_endable();
  for (const auto& [attempt, member] : pod.running) {
    if (std::ranges::find(ending, member) != ending.end()) inner_->cancel(attempt, pod.grace);
  }
  if (pod.state.is_over()) end(key, pod);
}

void PodExecutor::end(const std::string& key, Pod& pod) {
  pod.is_told = true;
  Outcome outcome = pod.state.verdict();
  if (!outcome.finished_at.is_set()) outcome.finished_at = wall_time();
  const PodMember& main = pod.state.output_member();
  Task collector = main.plan.task;
  value::Map body = collector.template_body.map();
  for (const char* field : {"outputs", "archiveLocation"}) {
    body.set(field, pod.task.template_body[field]);
  }
  collector.template_body = std::move(body);
  outcome.outputs = main.outcome.outputs;
  if (main.attempts > 0) {
    const View view = prepared_view(collector);
    collect_outputs(collector, view, lookup_, artifact_root_, outcome);
  }
  if (pod.task.template_body["archiveLocation"]["archiveLogs"].bool_or(false)) {
    value::List logs;
    for (const PodMember& m : pod.state.members()) {
      if (m.plan.role != Role::kMain || m.attempts == 0) continue;  // it never had a log
      Task logged = collector;
      logged.container = m.plan.name;
      logged.log_path = m.plan.task.log_path;
      logs.push_back(save_log_artifact(logged, lookup_, artifact_root_));
    }
    add_artifacts(outcome, std::move(logs));
  }
  tell_finished(key, std::move(outcome));
}

void PodExecutor::end_pauses() {
  const clock::Instant now = wall_time();
  for (auto& [key, pod] : pods_) {
    bool is_due = false;
    while (!pod.pauses.empty() && pod.pauses.begin()->first <= now) {
      pod.state.on_pause_over(pod.pauses.begin()->second);
      pod.pauses.erase(pod.pauses.begin());
      is_due = true;
    }
    if (is_due) advance(key, pod);
  }
}

std::optional<clock::Instant> PodExecutor::next_pause() const {
  std::optional<clock::Instant> next;
  for (const auto& [key, pod] : pods_) {
    if (pod.pauses.empty()) continue;
    const clock::Instant at = pod.pauses.begin()->first;
    if (!next || at < *next) next = at;
  }
  return next;
}

}  // namespace

std::unique_ptr<Executor> make_pod_executor(ProcessOptions options, Listener listener,
                                            Lookup lookup) {
  return std::make_unique<PodExecutor>(std::move(options), std::move(listener), std::move(lookup));
}

}  // namespace tiphys::executor
