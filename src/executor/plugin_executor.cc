#include "executor/plugin_executor.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "executor/path_words.h"
#include "executor/plugin_call.h"
#include "executor/program_paths.h"
#include "executor/scratch_folders.h"
#include "executor/step_table.h"
#include "value/json.h"

namespace tiphys::executor {
namespace {

using value::Map;
using value::Value;

constexpr std::size_t kWorkersMax = 8;
constexpr std::int64_t kFirstPauseNs = 20'000'000;
constexpr std::int64_t kPauseMaxNs = 1'000'000'000;
constexpr std::int64_t kBetweenStartsNs = 1'000'000'000;  // of one plugin that ends at once

std::string uid_of(const std::string& key) { return key.substr(0, key.find('.')); }

/// One template that plugins are asked for.
struct Job {
  Task task;
  std::vector<PluginManifest> plugins;
  std::size_t at = 0;    // the plugin that is asked
  std::int64_t due = 0;  // steady
  std::int64_t pause = kFirstPauseNs;
  std::int64_t failing_since = 0;  // 0: the plugin has answered
  bool is_asked = false;           // a worker has it
  clock::Instant started_at = {};
};

struct Plugin {
  std::unique_ptr<PluginProcess> process;
  std::int64_t started_at = 0;
  std::string problem;  // why it could not be started
};

std::string body_of(const Task& task) {
  const Map metadata = {
      {"name", task.workflow}, {"namespace", task.name_space}, {"uid", uid_of(task.key)}};
  return value::to_json(
      Map{{"workflow", Map{{"metadata", metadata}}}, {"template", task.template_body}});
}

Outcome outcome_of(const Value& node, const PluginManifest& plugin) {
  Outcome outcome;
  const std::string_view phase = node["phase"].string_or("");
  outcome.message = node["message"].string_or("");
  if (phase == "Failed") {
    outcome.phase = Outcome::Phase::kFailed;
  } else if (phase != "Succeeded") {
    outcome.phase = Outcome::Phase::kError;
    if (phase != "Error") {
      outcome.message = fmt::format("plugin '{}' answered with the phase '{}'", plugin.name, phase);
    }
  }
  Map outputs;
  for (const char* field : {"result", "parameters", "artifacts"}) {
    if (!node["outputs"][field].is_null()) outputs.set(field, node["outputs"][field]);
  }
  if (!outputs.empty()) outcome.outputs = std::move(outputs);
  return outcome;
}

class PluginExecutor final : public Executor {
 public:
  PluginExecutor(PluginOptions options, Listener listener, Lookup lookup)
      : options_(std::move(options)), listener_(std::move(listener)), lookup_(std::move(lookup)) {}
  ~PluginExecutor() override;

  void start(std::vector<Task> tasks) override;
  void cancel(const std::string& key, clock::Duration grace) override;
  void acknowledge(const std::string&) override {}  // nothing is kept for a key
  void forget_workflow(const std::string& work_folder) override;

 private:
  struct Asked {
    std::string key;
    PluginCall call;
  };
  struct Answered {
    std::string key;
    PluginAnswer answer;
  };

  void run();
  void work();
  void take_orders();
  void begin(Task task);
  void ask(Job& job);
  void ask_later(Job& job, std::int64_t pause);
  void take_answer(Answered answered);
  void go_on(Job& job, PluginAnswer answer);
  void be_patient(Job& job, std::string text);
  void next_plugin(Job& job);
  /// The plugin's process, started when it does not run; null while that has to wait.
  PluginProcess* running(const PluginManifest& manifest, const std::string& id);
  [[nodiscard]] std::string id_of(const Job& job) const;
  void end(const std::string& key, Outcome outcome);
  void fail(const std::string& key, Outcome::Phase phase, std::string message);

  const PluginOptions options_;
  const Listener listener_;
  const Lookup lookup_;

  std::mutex mutex_;  // guards all down to is_stopping_
  std::condition_variable changed_;
  std::condition_variable has_work_;
  std::vector<Task> tasks_;
  std::vector<std::string> cancelled_;
  std::vector<std::string> forgotten_;  // uids
  std::deque<Asked> asked_;
  std::vector<Answered> answered_;
  bool is_stopping_ = false;

  // the thread's own
  std::map<std::string, Job> jobs_;
  std::map<std::string, Plugin> plugins_;  // NAMESPACE.NAME, or UID.NAME of a workflow's own
  std::set<std::string> unsupported_;      // UID PLUGIN: answered 404
  ScratchFolders folders_;
  ProgramPaths programs_;
  ImageFacts image_facts_;
  std::vector<std::thread> workers_;
  std::thread thread_;
};

PluginExecutor::~PluginExecutor() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  has_work_.notify_all();
  if (thread_.joinable()) thread_.join();
  for (std::thread& worker : workers_) worker.join();
}

void PluginExecutor::start(std::vector<Task> tasks) {
  {
    const std::lock_guard lock(mutex_);
    std::move(tasks.begin(), tasks.end(), std::back_inserter(tasks_));
  }
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_all();
}

void PluginExecutor::cancel(const std::string& key, clock::Duration) {
  {
    const std::lock_guard lock(mutex_);
    cancelled_.push_back(key);
  }
  changed_.notify_all();
}

void PluginExecutor::forget_workflow(const std::string& work_folder) {
  const std::string run = parent_path(work_folder);
  {
    const std::lock_guard lock(mutex_);
    forgotten_.push_back(run.substr(run.rfind('/') + 1));
  }
  changed_.notify_all();
}

void PluginExecutor::run() {
  for (;;) {
    take_orders();
    const std::int64_t now = steady_now();
    std::optional<std::int64_t> next;
    std::vector<std::string> due;
    for (auto& [key, job] : jobs_) {
      if (job.is_asked) continue;
      if (job.due <= now) {
        due.push_back(key);
      } else {
        next = std::min(next.value_or(job.due), job.due);
      }
    }
    for (const std::string& key : due) {
      if (const auto it = jobs_.find(key); it != jobs_.end()) ask(it->second);
    }
    if (!due.empty()) continue;
    std::unique_lock lock(mutex_);
    const auto has_news = [this] {
      return is_stopping_ || !tasks_.empty() || !cancelled_.empty() || !answered_.empty() ||
             !forgotten_.empty();
    };
    if (next) {
      changed_.wait_for(lock, std::chrono::nanoseconds(*next - now), has_news);
    } else {
      changed_.wait(lock, has_news);
    }
    if (is_stopping_) break;
  }
  plugins_.clear();  // they are children of this thread
}

void PluginExecutor::take_orders() {
  std::vector<Task> tasks;
  std::vector<std::string> cancelled;
  std::vector<std::string> forgotten;
  std::vector<Answered> answered;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
    cancelled.swap(cancelled_);
    forgotten.swap(forgotten_);
    answered.swap(answered_);
  }
  for (Task& task : tasks) begin(std::move(task));
  for (Answered& a : answered) take_answer(std::move(a));
  for (const std::string& key : cancelled) {
    fail(key, Outcome::Phase::kFailed, "context canceled");
  }
  for (const std::string& uid : forgotten) {
    std::erase_if(plugins_, [&](const auto& p) { return p.first.starts_with(uid + "."); });
    std::erase_if(unsupported_, [&](const std::string& s) { return s.starts_with(uid + " "); });
  }
}

void PluginExecutor::begin(Task task) {
  if (jobs_.contains(task.key)) return;
  const std::string key = task.key;
  Job job;
  for (const Value& own : task.plugins.list()) {
    if (auto manifest = plugin_manifest(own, "")) job.plugins.push_back(std::move(*manifest));
  }
  for (PluginManifest& stored : options_.find(task.name_space)) {
    const bool is_hidden = std::ranges::any_of(
        job.plugins, [&](const PluginManifest& m) { return m.name == stored.name; });
    if (!is_hidden) job.plugins.push_back(std::move(stored));
  }
  job.task = std::move(task);
  job.started_at = {wall_now()};
  const clock::Instant at = job.started_at;
  jobs_.emplace(key, std::move(job));
  if (listener_.on_running) listener_.on_running(key, at);
}

std::string PluginExecutor::id_of(const Job& job) const {
  const PluginManifest& m = job.plugins[job.at];
  return fmt::format("{}.{}", m.name_space.empty() ? uid_of(job.task.key) : m.name_space, m.name);
}

PluginProcess* PluginExecutor::running(const PluginManifest& manifest, const std::string& id) {
  Plugin& plugin = plugins_[id];
  if (plugin.process && !(plugin.process->manifest() == manifest)) plugin = {};
  if (plugin.process && plugin.process->is_running()) return plugin.process.get();
  const std::int64_t now = steady_now();
  if (plugin.started_at != 0 && now - plugin.started_at < kBetweenStartsNs) {
    return nullptr;
  }
  plugin.started_at = now;
  if (!plugin.process) {
    plugin.process =
        std::make_unique<PluginProcess>(manifest, fmt::format("{}/plugins/{}", options_.home, id));
  }
  auto started = plugin.process->start({.lookup = lookup_,
                                        .images = options_.images,
                                        .home = options_.home,
                                        .artifact_root = options_.home + "/artifacts",
                                        .folders = folders_,
                                        .programs = programs_,
                                        .image_facts = image_facts_,
                                        .host_paths = {}});
  plugin.problem = started ? "" : started.error().message;
  return started ? plugin.process.get() : nullptr;
}

void PluginExecutor::ask(Job& job) {
  const std::string uid = uid_of(job.task.key);
  while (job.at < job.plugins.size() &&
         unsupported_.contains(uid + " " + job.plugins[job.at].name)) {
    ++job.at;
  }
  if (job.at >= job.plugins.size()) {
    const std::string key = job.task.key;
    return fail(key, Outcome::Phase::kFailed, "no plugin executed the template");
  }
  PluginManifest manifest = job.plugins[job.at];
  if (manifest.name_space.empty()) manifest.name_space = job.task.name_space;
  const std::string id = id_of(job);
  PluginProcess* const process = running(manifest, id);
  if (process == nullptr) {
    const Plugin& plugin = plugins_[id];
    if (!plugin.problem.empty()) return be_patient(job, plugin.problem);
    return be_patient(job, "it ended: " + plugin.process->last_end());
  }
  job.is_asked = true;
  {
    const std::lock_guard lock(mutex_);
    asked_.push_back({job.task.key,
                      {process->address(), process->token(), body_of(job.task), options_.timeout}});
  }
  if (workers_.size() < std::min(kWorkersMax, jobs_.size())) {
    workers_.emplace_back([this] { work(); });
  }
  has_work_.notify_one();
}

void PluginExecutor::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    has_work_.wait(lock, [this] { return is_stopping_ || !asked_.empty(); });
    if (is_stopping_) return;
    const Asked asked = std::move(asked_.front());
    asked_.pop_front();
    lock.unlock();
    PluginAnswer answer = call_plugin(asked.call);
    lock.lock();
    answered_.push_back({asked.key, std::move(answer)});
    changed_.notify_all();
  }
}

void PluginExecutor::take_answer(Answered answered) {
  const auto it = jobs_.find(answered.key);
  if (it == jobs_.end()) return;  // it was cancelled
  it->second.is_asked = false;
  go_on(it->second, std::move(answered.answer));
}

void PluginExecutor::go_on(Job& job, PluginAnswer answer) {
  using Kind = PluginAnswer::Kind;
  const PluginManifest& plugin = job.plugins[job.at];
  const std::string key = job.task.key;
  if (answer.kind == Kind::kTransient) return be_patient(job, std::move(answer.text));
  job.failing_since = 0;
  job.pause = kFirstPauseNs;
  switch (answer.kind) {
    case Kind::kUnsupported:
      unsupported_.insert(uid_of(key) + " " + plugin.name);
      return next_plugin(job);
    case Kind::kNotMine:
      return next_plugin(job);
    case Kind::kFailed:
      return fail(key, Outcome::Phase::kFailed, std::move(answer.text));
    default:
      break;
  }
  const std::string_view phase = answer.node["phase"].string_or("");
  if (phase == "Running" || phase == "Pending" || (phase.empty() && answer.requeue.ns > 0)) {
    const clock::Duration wait = answer.requeue.ns > 0 ? answer.requeue : options_.requeue_default;
    return ask_later(job, wait.ns);
  }
  end(key, outcome_of(answer.node, plugin));
}

void PluginExecutor::ask_later(Job& job, std::int64_t pause) { job.due = steady_now() + pause; }

void PluginExecutor::next_plugin(Job& job) {
  ++job.at;
  job.due = 0;
}

void PluginExecutor::be_patient(Job& job, std::string text) {
  const std::int64_t now = steady_now();
  if (job.failing_since == 0) job.failing_since = now;
  if (now - job.failing_since > options_.patience.ns) {
    const std::string key = job.task.key;
    return fail(key, Outcome::Phase::kFailed,
                fmt::format("plugin '{}' does not answer: {}", job.plugins[job.at].name, text));
  }
  ask_later(job, job.pause);
  job.pause = std::min(2 * job.pause, kPauseMaxNs);
}

void PluginExecutor::fail(const std::string& key, Outcome::Phase phase, std::string message) {
  Outcome outcome;
  outcome.phase = phase;
  outcome.message = std::move(message);
  end(key, std::move(outcome));
}

void PluginExecutor::end(const std::string& key, Outcome outcome) {
  const auto it = jobs_.find(key);
  if (it == jobs_.end()) return;
  outcome.started_at = it->second.started_at;
  outcome.finished_at = {wall_now()};
  jobs_.erase(it);
  if (listener_.on_finished) listener_.on_finished(key, std::move(outcome));
}

}  // namespace

std::unique_ptr<Executor> make_plugin_executor(PluginOptions options, Listener listener,
                                               Lookup lookup) {
  return std::make_unique<PluginExecutor>(std::move(options), std::move(listener),
                                          std::move(lookup));
}

diag::Result<PluginManifest> plugin_manifest(const Value& object, const std::string& name_space) {
  PluginManifest manifest{.name = std::string(object["metadata"]["name"].string_or("")),
                          .name_space = name_space,
                          .container = object["spec"]["sidecar"]["container"]};
  const Value& ports = manifest.container["ports"];
  const std::int64_t port = ports.list().empty() ? 0 : ports.list()[0]["containerPort"].int_or(0);
  if (port > 0 && port < 65536) return manifest;
  return diag::fail(diag::Code::kInvalidManifest,
                    fmt::format("executor plugin '{}': sidecar.container.ports must name its port",
                                manifest.name));
}

}  // namespace tiphys::executor
