#include "kube/executor.h"

#include <fmt/format.h>

#include "executor/data_template.h"
#include "executor/outputs.h"
#include "kube/kubernetes_executor.h"
#include "net/http_text.h"

namespace tiphys::kube {

using executor::Outcome;
using executor::Task;
using value::Value;

namespace {

// For telling the cluster what is committed, when the engine ends: as long as that goes on.
constexpr std::int64_t kFarewell = 5'000'000'000;
constexpr std::int64_t kFarewellMost = 60'000'000'000;
constexpr std::int64_t kFirstSweep = 20'000'000'000;  // what is still wanted is asked for by then
constexpr int kRefusalsMax = 6;                       // some 6 s: rights may come late

}  // namespace

std::string pod_path(std::string_view name_space, std::string_view pod) {
  return fmt::format("/api/v1/namespaces/{}/pods/{}", net::uri_encoded(name_space),
                     net::uri_encoded(pod));
}

KubernetesExecutor::KubernetesExecutor(KubernetesOptions options, executor::Listener listener,
                                       executor::Lookup lookup)
    : options_(std::move(options)),
      listener_(std::move(listener)),
      lookup_(std::move(lookup)),
      mandate_(options_.leases_hold),
      client_(std::make_unique<Client>(options_.cluster, options_.rate)),
      image_configs_(std::make_unique<ImageConfigs>(
          ImageConfigsOptions{.insecure_registries = insecure_registries()})),
      thread_([this] { run(); }) {
  post_at(steady_now() + kFirstSweep, [this] { sweep(); });
}

KubernetesExecutor::~KubernetesExecutor() {
  queue_.stop(kFarewell, kFarewellMost);
  thread_.join();
  image_configs_.reset();  // before the client, with which it asks for secrets
  for (auto& [name, s] : spaces_) s.watch.reset();
  for (auto& [key, pod] : pods_) pod->logs.clear();
  client_.reset();  // its thread may still post
}

void KubernetesExecutor::start(std::vector<Task> tasks) {
  for (Task& task : tasks) {
    post([this, kept = std::make_shared<Task>(std::move(task))] { begin(std::move(*kept)); });
  }
}

void KubernetesExecutor::cancel(const std::string& key, clock::Duration grace) {
  post([this, key, grace] { do_cancel(key, grace); });
}

// Its pod is there for the other engine, which finds it by its name.
void KubernetesExecutor::hand_over(const std::string& key, clock::Duration /*grace*/) {
  mandate_.withdraw(key);
  post([this, key] {
    const Pod* const pod = find(key);
    if (pod != nullptr) *pod->lost = true;
    mandate_.settle(key);
    std::erase_if(to_create_, [&](const auto& waiting) { return waiting.first == key; });
    if (pod != nullptr) forget(*pod);
  });
}

void KubernetesExecutor::acknowledge(const std::string& key) {
  post([this, key] { do_acknowledge(key); });
}

void KubernetesExecutor::run() {
  // What is not done is found again by the next engine; what is committed is told the cluster.
  while (auto orders = queue_.take([this] { return !has_unreleased(); })) {
    for (const OrderQueue::Order& order : *orders) order();
    send_waiting();
  }
}

KubernetesExecutor::Pod* KubernetesExecutor::find(const std::string& key) {
  const auto it = pods_.find(key);
  return it == pods_.end() ? nullptr : it->second.get();
}

std::string KubernetesExecutor::path_of(const Pod& pod) {
  return pod_path(pod.task.name_space, pod.task.pod_name);
}

void KubernetesExecutor::begin(Task task) {
  if (find(task.key) != nullptr) return;
  if (task.template_body["data"].is_map()) {
    const clock::Instant now = wall_time();
    if (listener_.on_running) listener_.on_running(task.key, now);
    listener_.on_finished(task.key, executor::run_data(task, lookup_, options_.artifact_root, now));
    return;
  }
  const std::string key = task.key;
  auto made = std::make_unique<Pod>();
  made->names = containers_of(task.template_body);
  made->task = std::move(task);
  Pod& pod = *pods_.emplace(key, std::move(made)).first->second;
  Space& s = space(pod.task.name_space);
  if (!s.is_kept)
    s.is_kept = !options_.keep_namespace || options_.keep_namespace(pod.task.name_space);
  if (s.is_listed) {
    place(pod);
  } else {
    s.waiting.push_back(key);  // it may be there already
  }
}

KubernetesExecutor::Space& KubernetesExecutor::space(const std::string& name) {
  Space& s = spaces_[name];
  if (s.watch) return s;
  const PodWatch::Calls calls{
      .on_pod = [this, name](Value pod) { post([this, name, pod] { on_pod(name, pod); }); },
      .on_gone = [this](Value pod) { post([this, pod] { on_gone(pod); }); },
      .on_listed = [this, name] { post([this, name] { on_listed(name); }); },
      .on_trouble =
          [this, name](const Answer& answer, bool is_first) {
            if (is_first && options_.warn) {
              options_.warn(fmt::format("the pods of namespace {} cannot be watched: {}", name,
                                        answer.message()));
            }
            post([this, name, answer] { on_trouble(name, answer); });
          },
      .wake_me =
          [this, name](std::int64_t at) {
            post_at(at, [this, name] { spaces_[name].watch->wake(); });
          }};
  s.watch = std::make_unique<PodWatch>(
      *client_, name, fmt::format("{}={},{}=false", kEngineLabel, options_.engine, kCompletedLabel),
      calls);
  s.watch->wake();
  return s;
}

void KubernetesExecutor::on_listed(const std::string& name_space) {
  Space& s = spaces_[name_space];
  std::vector<std::string> unseen;
  for (const auto& [key, pod] : pods_) {
    const bool was_there = !pod->seen.is_null() && !pod->is_told;
    if (pod->task.name_space == name_space && was_there && !s.seen.contains(key)) {
      unseen.push_back(key);
    }
  }
  s.seen.clear();
  s.is_listed = true;
  s.refusals = 0;
  for (const std::string& key : std::exchange(s.waiting, {})) {
    if (Pod* const pod = find(key)) place(*pod);
  }
  // It may have been made after the list began: asked for by name.
  for (const std::string& key : unseen) resolve_conflict(*find(key));
}

void KubernetesExecutor::on_pod(const std::string& name_space, const Value& object) {
  const std::string key(object["metadata"]["annotations"][kKeyAnnotation].string_or(""));
  if (key.empty()) return;
  Space& s = spaces_[name_space];
  s.seen.insert(key);
  if (Pod* const pod = find(key)) {
    take(*pod, object);
  } else {
    s.unclaimed.insert_or_assign(key, object);
  }
}

void KubernetesExecutor::on_gone(const Value& object) {
  const std::string key(object["metadata"]["annotations"][kKeyAnnotation].string_or(""));
  spaces_[std::string(object["metadata"]["namespace"].string_or(""))].unclaimed.erase(key);
  Pod* const pod = find(key);
  if (pod == nullptr || pod->is_told) return;
  take(*pod, object);  // its last state may say how it ended
  if (!pod->is_told && pod->view.state != PodView::State::kEnded) {
    finish_deleted(*pod);
  }
}

void KubernetesExecutor::place(Pod& pod) {
  Space& s = spaces_[pod.task.name_space];
  if (const auto it = s.unclaimed.find(pod.task.key); it != s.unclaimed.end()) {
    const Value object = it->second;
    s.unclaimed.erase(it);
    take(pod, object);
  } else if (pod.seen.is_null()) {
    create(pod);
  }
}

void KubernetesExecutor::on_trouble(const std::string& name_space, const Answer& answer) {
  Space& s = spaces_[name_space];
  const bool is_refused = answer.status == 401 || answer.status == 403;
  if (!is_refused || ++s.refusals < kRefusalsMax) return;
  // What may have a pod already goes on waiting; what has none cannot be begun.
  std::vector<std::string> recovered;
  for (const std::string& key : std::exchange(s.waiting, {})) {
    Pod* const pod = find(key);
    if (pod == nullptr) continue;
    if (pod->task.is_recovery) {
      recovered.push_back(key);
    } else {
      finish(*pod, executor::error_outcome(answer.message(), wall_time()));
    }
  }
  s.waiting = std::move(recovered);
}

std::unique_ptr<executor::Executor> make_kubernetes_executor(KubernetesOptions options,
                                                             executor::Listener listener,
                                                             executor::Lookup lookup) {
  return std::make_unique<KubernetesExecutor>(std::move(options), std::move(listener),
                                              std::move(lookup));
}

}  // namespace tiphys::kube
