#include "kube/resource_executor.h"

#include <algorithm>
#include <set>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "executor/artifacts.h"
#include "executor/exit_codes.h"
#include "executor/outputs.h"
#include "executor/path_words.h"
#include "executor/step_log.h"
#include "kube/clocks.h"
#include "kube/jq.h"
#include "kube/mandate.h"
#include "kube/order_queue.h"
#include "kube/pod_outcome.h"
#include "kube/resource_run.h"
#include "value/json.h"

namespace tiphys::kube {
namespace {

using executor::Outcome;
using executor::Task;
using value::Value;

constexpr std::int64_t kFarewell = 2'000'000'000;       // for pods that are no longer needed
constexpr std::int64_t kBetweenSweeps = 3'000'000'000;  // for objects of deleted workflows
constexpr std::int64_t kUntilNextTry = 1'000'000'000;   // to ask a server that does not answer
constexpr std::int64_t kKindsAge = 2'000'000'000;       // then they are asked for again
constexpr const char* kDiscovery =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

class Executor final : public ResourceExecutor {
 public:
  Executor(ResourceOptions options, executor::Listener listener, executor::Lookup lookup)
      : options_(std::move(options)),
        listener_(std::move(listener)),
        lookup_(std::move(lookup)),
        mandate_(options_.leases_hold),
        ports_({.engine = options_.engine,
                .step_image = options_.step_image,
                .has_cluster = options_.cluster.has_value(),
                .filter = run_jq}),
        types_(resource::own_types(ports_.has_cluster)) {}

  ~Executor() override {
    queue_.stop(kFarewell, kFarewell);
    if (thread_.joinable()) thread_.join();
    client_.reset();  // its thread may still post
  }

  void start(std::vector<Task> tasks) override {
    for (Task& task : tasks) {
      order([this, kept = std::make_shared<Task>(std::move(task))] { begin(std::move(*kept)); });
    }
  }

  void cancel(const std::string& key, clock::Duration /*grace*/) override {
    if (!thread_.joinable()) return;
    queue_.post([this, key] { end_early(key); });
  }

  // What it has asked for is found again by the other engine.
  void hand_over(const std::string& key, clock::Duration /*grace*/) override {
    if (!thread_.joinable()) return;
    mandate_.withdraw(key);
    queue_.post([this, key] {
      if (const auto it = runs_.find(key); it != runs_.end()) *it->second.lost = true;
      mandate_.settle(key);
      runs_.erase(key);
    });
  }

  [[nodiscard]] bool is_shared() const override { return true; }

  void acknowledge(const std::string& key) override {
    if (!thread_.joinable()) return;
    queue_.post([this, key] { forget(key); });
  }

  void forget_workflow(const std::string& /*work_folder*/) override {}

  void remove_orphans() override {
    order([this] { sweep(); });
  }

 private:
  // The engine's thread.
  void order(OrderQueue::Order what) {
    queue_.post(std::move(what));
    if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
  }

  // This executor's thread.
  void work() {
    while (auto orders = queue_.take([this] { return removals_ == 0; })) {
      for (const OrderQueue::Order& one : *orders) one();
    }
  }

  void begin(Task task) {
    if (runs_.contains(task.key)) return;
    const clock::Instant now = wall_time();
    if (listener_.on_running) listener_.on_running(task.key, now);
    const std::string key = task.key;
    auto manifest = manifest_of(task);
    Run& run = runs_[key];
    run.started_at = now;
    run.machine = std::make_unique<ResourceRun>(std::move(task), manifest.value_or(""), ports_);
    if (!manifest) return finish(run, executor::error_outcome(manifest.error().message, now));
    carry_out(key, run.machine->begin(types_));
  }

  diag::Result<std::string> manifest_of(const Task& task) const {
    const Value& what = task.template_body["resource"];
    const Value& artifact = what["manifestFrom"]["artifact"];
    if (!artifact.is_map()) return std::string(what["manifest"].string_or(""));
    TRY(const auto inputs, load_inputs(task, lookup_, options_.artifact_root));
    const auto found = std::ranges::find(inputs, artifact["name"].string_or(""), &PodInput::name);
    if (found != inputs.end() && found->files.size() == 1) return found->files.front().text;
    return diag::fail(
        diag::Code::kInvalidManifest,
        fmt::format("artifact {} in `manifestFrom` is no file", artifact["name"].string_or("")));
  }

  struct Run {
    std::unique_ptr<ResourceRun> machine;
    Mandate::Lost lost = std::make_shared<std::atomic<bool>>(false);
    clock::Instant started_at;
    std::size_t turn = 0;  // answers and rests of earlier turns are nobody's
    bool is_told = false;
    bool waits_for_kinds = false;
  };

  void carry_out(const std::string& key, ResourceStep step) {
    Run& run = runs_.at(key);
    write_log(run);
    const std::size_t turn = ++run.turn;
    if (auto* question = std::get_if<Ask>(&step)) {
      ask(key, turn, std::move(*question));
    } else if (const auto* rest = std::get_if<Rest>(&step)) {
      queue_.post_at(steady_now() + rest->time.ns, [this, key, turn] {
        if (Run* const found = find(key, turn)) carry_out(key, found->machine->rested());
      });
    } else if (std::holds_alternative<Discover>(step)) {
      run.waits_for_kinds = true;
      discover();
    } else {
      finish(run, std::move(std::get<Outcome>(step)));
    }
  }

  Run* find(const std::string& key, std::size_t turn) {
    const auto it = runs_.find(key);
    const bool is_it = it != runs_.end() && it->second.turn == turn && !it->second.is_told;
    return is_it ? &it->second : nullptr;
  }

  void ask(const std::string& key, std::size_t turn, Ask question) {
    if (question.request.method != "GET" && !mandate_.covers(key)) {
      queue_.post_at(steady_now() + kUntilNextTry, [this, key, turn, kept = std::move(question)] {
        if (find(key, turn) != nullptr) ask(key, turn, kept);
      });
      return;
    }
    const auto on_answer = [this, key, turn](const Answer& answer) {
      if (Run* const found = find(key, turn)) carry_out(key, found->machine->answered(answer));
    };
    if (!write_down(runs_.at(key).machine->task(), question)) {
      queue_.post([on_answer] { on_answer({.problem = "the engine's store cannot be written"}); });
      return;
    }
    if (question.request.method != "GET") {
      question.request.may_go = mandate_.pass(key, runs_.at(key).lost);
    }
    send(std::move(question.request), question.is_own, on_answer);
  }

  // What must be known to whoever cleans up, before it is made.
  bool write_down(const Task& task, const Ask& question) {
    const std::string& pod_in = question.pod_in;
    if (!pod_in.empty() && options_.keep_namespace && !kept_.contains(pod_in)) {
      if (!options_.keep_namespace(pod_in)) return false;
      kept_.insert(pod_in);
    }
    return !question.is_owned || options_.store.own({.workflow_uid = workflow_uid_of(task),
                                                     .name_space = task.name_space,
                                                     .workflow = task.workflow,
                                                     .path = question.owned,
                                                     .is_own = question.is_own});
  }

  // `on_answer` follows as an order of its own.
  void send(Request request, bool is_own, std::function<void(const Answer&)> on_answer) {
    if (is_own) {
      queue_.post([this, kept = std::move(request), then = std::move(on_answer)] {
        then(options_.store.answer(kept));
      });
      return;
    }
    if (!client_) client_ = std::make_unique<Client>(*options_.cluster, options_.rate);
    client_->send(std::move(request), [this, then = std::move(on_answer)](Answer answer) {
      queue_.post([then, kept = std::move(answer)] { then(kept); });
    });
  }

  // All kinds of the cluster in two requests; what asks meanwhile shares them.
  void discover() {
    if (lists_due_ > 0) return;
    if (steady_now() < kinds_at_ + kKindsAge && kinds_at_ != 0) return tell_kinds();
    lists_due_ = 2;
    has_lost_list_ = false;
    fresh_types_ = resource::own_types(true);
    for (const char* path : {"/api", "/apis"}) {
      send({.path = path, .accept = kDiscovery}, false, [this](const Answer& answer) {
        if (auto groups = value::parse_json(answer.ok() ? answer.body : "")) {
          fresh_types_.add_discovered(*groups);
        }
        has_lost_list_ |= answer.is_passing();
        if (--lists_due_ > 0) return;
        if (has_lost_list_) {
          queue_.post_at(steady_now() + kUntilNextTry, [this] { discover(); });
          return;
        }
        types_ = std::move(fresh_types_);
        kinds_at_ = steady_now();
        tell_kinds();
      });
    }
  }

  void tell_kinds() {
    std::vector<std::string> waiting;
    for (auto& [key, run] : runs_) {
      if (std::exchange(run.waits_for_kinds, false) && !run.is_told) waiting.push_back(key);
    }
    for (const std::string& key : waiting) {
      carry_out(key, runs_.at(key).machine->discovered(types_));
    }
  }

  void write_log(Run& run) {
    const std::vector<std::string> lines = run.machine->take_lines();
    const std::string& path = run.machine->task().log_path;
    if (lines.empty() || path.empty()) return;
    executor::StepLog log(path, executor::kLogMax);
    const std::int64_t now = wall_time().ns;
    for (const std::string& line : lines) log.write(0, line + "\n", now);
    log.finish(now);
  }

  void finish(Run& run, Outcome outcome) {
    write_log(run);
    if (std::exchange(run.is_told, true)) return;
    outcome.started_at = run.started_at;
    outcome.finished_at = wall_time();
    const Task& task = run.machine->task();
    if (task.template_body["archiveLocation"]["archiveLogs"].bool_or(false)) {
      executor::add_artifacts(outcome,
                              {executor::save_log_artifact(task, lookup_, options_.artifact_root)});
    }
    listener_.on_finished(task.key, std::move(outcome));
  }

  void end_early(const std::string& key) {
    const auto it = runs_.find(key);
    if (it == runs_.end() || it->second.is_told) return;
    Outcome outcome;
    outcome.phase = Outcome::Phase::kFailed;
    outcome.exit_code = executor::kTerminated;
    outcome.message = fmt::format("main: Error (exit code {})", executor::kTerminated);
    finish(it->second, std::move(outcome));
  }

  // Its end is committed.
  void forget(const std::string& key) {
    const auto it = runs_.find(key);
    if (it == runs_.end() || !it->second.is_told) return;
    executor::remove_tree(it->second.machine->task().work_path);
    if (const std::string& pod = it->second.machine->own_pod(); !pod.empty()) remove_pod_at(pod);
    runs_.erase(it);
  }

  // One that cannot be removed now is removed by the sweep for pods that nobody needs.
  void remove_pod_at(const std::string& path) {
    ++removals_;
    send({.method = "DELETE", .path = path, .body = R"({"gracePeriodSeconds":0})"}, false,
         [this](const Answer&) { --removals_; });
  }

  void sweep() {
    for (const OwnedObject& object : options_.store.orphans()) {
      if (!object.is_own && !ports_.has_cluster) continue;
      send({.method = "DELETE",
            .path = object.path,
            .body = R"({"propagationPolicy":"Background"})"},
           object.is_own, [this, object](const Answer& answer) {
             if (answer.ok() || answer.status == 404) options_.store.disown(object);
           });
    }
    queue_.post_at(steady_now() + kBetweenSweeps, [this] { sweep(); });
  }

  const ResourceOptions options_;
  const executor::Listener listener_;
  const executor::Lookup lookup_;
  Mandate mandate_;
  const ResourcePorts ports_;
  OrderQueue queue_;
  std::map<std::string, Run> runs_;  // by key
  std::set<std::string> kept_;       // namespaces that the store has
  resource::ObjectTypes types_;
  resource::ObjectTypes fresh_types_;
  int lists_due_ = 0;
  bool has_lost_list_ = false;  // the server could not be asked
  int removals_ = 0;
  std::int64_t kinds_at_ = 0;
  std::unique_ptr<Client> client_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<ResourceExecutor> make_resource_executor(ResourceOptions options,
                                                         executor::Listener listener,
                                                         executor::Lookup lookup) {
  return std::make_unique<Executor>(std::move(options), std::move(listener), std::move(lookup));
}

}  // namespace tiphys::kube
