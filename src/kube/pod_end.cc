// How a pod is followed: from its first state to what the engine is told, and until the cluster may
// forget it.
#include <algorithm>

#include <fmt/format.h>

#include "executor/outputs.h"
#include "executor/pod_plan.h"
#include "kube/kubernetes_executor.h"
#include "kube/pod_outcome.h"
#include "net/http_text.h"
#include "value/json.h"

namespace tiphys::kube {

using executor::Outcome;
using executor::Task;
using value::Value;

void KubernetesExecutor::take(Pod& pod, const Value& object) {
  pod.seen = object;
  if (pod.is_told) return;
  pod.view = view_pod(object, pod.names);
  const PodView& view = pod.view;
  const bool is_daemon = pod.task.template_body["daemon"].bool_or(false);
  if (view.started_at && !pod.is_running_told && (!is_daemon || view.is_ready)) {
    pod.is_running_told = true;
    listener_.on_placed(pod.task.key, *view.started_at,
                        std::string(object["spec"]["nodeName"].string_or("")), view.ip);
  } else if (!view.waiting.empty() && view.waiting != pod.waiting_told) {
    pod.waiting_told = view.waiting;
    listener_.on_waiting(pod.task.key, view.waiting);
  }
  follow_logs(pod);
  decide(pod);
}

void KubernetesExecutor::follow_logs(Pod& pod) {
  if (!pod.view.has_log) return;
  std::vector<std::string> names = pod.names.mains;
  names.insert(names.end(), pod.names.sidecars.begin(), pod.names.sidecars.end());
  for (const std::string& name : names) {
    if (pod.logs.contains(name)) continue;
    const std::string key = pod.task.key;
    auto log = std::make_unique<PodLog>(
        *client_,
        PodLogPlan{.path = fmt::format("{}/log?container={}", path_of(pod), net::uri_encoded(name)),
                   .file = executor::container_log_path(pod.task.log_path, name),
                   .nonce = nonce_of(pod.task),
                   .size_max = options_.log_max},
        PodLog::Calls{.on_progress =
                          [this, key](std::string progress) {
                            if (listener_.on_progress)
                              listener_.on_progress(key, std::move(progress));
                          },
                      .on_over =
                          [this, key, name](std::string report, std::size_t lines) {
                            post([this, key, name, kept = std::move(report), lines]() mutable {
                              on_log_over(key, name, std::move(kept), lines);
                            });
                          },
                      .wake_me =
                          [this, key, name](std::int64_t at) {
                            post_at(at, [this, key, name] {
                              Pod* const again = find(key);
                              if (again != nullptr && again->logs.contains(name))
                                again->logs[name]->wake();
                            });
                          }});
    pod.open_logs.insert(name);
    if (pod.view.state == PodView::State::kEnded) log->container_ended();
    log->wake();
    pod.logs.emplace(name, std::move(log));
  }
  if (pod.view.state != PodView::State::kEnded) return;
  for (auto& [name, log] : pod.logs) log->container_ended();
}

void KubernetesExecutor::on_log_over(const std::string& key, const std::string& container,
                                     std::string report, std::size_t lines) {
  Pod* const pod = find(key);
  if (pod == nullptr) return;
  pod->open_logs.erase(container);
  if (const ContainerEnd* const end = output_container(pod->view);
      end != nullptr && end->name == container) {
    pod->report = std::move(report);
    pod->report_lines = lines;
  }
  if (pod->is_acknowledged) {
    release(*pod);
  } else if (!pod->is_told) {
    decide(*pod);
  }
}

bool KubernetesExecutor::needs_log(const Pod& pod) const {
  const ContainerEnd* const end = output_container(pod.view);
  if (end == nullptr) return false;
  if (step::lines_in_log(end->message)) return true;
  return pod.task.template_body["archiveLocation"]["archiveLogs"].bool_or(false);
}

void KubernetesExecutor::decide(Pod& pod) {
  const PodView& view = pod.view;
  if (pod.is_told) return;
  if (view.state != PodView::State::kEnded) {
    // Never bound to a node: nobody will ever start or end it.
    const bool is_unbound = pod.seen["spec"]["nodeName"].string_or("").empty();
    if (view.is_being_deleted && is_unbound) {
      finish_deleted(pod);
    }
    return;
  }
  if (needs_log(pod) && !pod.open_logs.empty()) return;
  const ContainerEnd* const end = output_container(view);
  if (view.is_being_deleted && !pod.is_cancelled && end != nullptr && end->exit_code != 0) {
    return finish_deleted(pod);
  }
  std::string report = end == nullptr ? "" : end->message;
  if (const auto lines = step::lines_in_log(report)) {
    report = *lines == pod.report_lines ? pod.report : "";
  }
  finish(pod, outcome_of(pod.task, view, report, lookup_, options_.artifact_root));
}

void KubernetesExecutor::finish(Pod& pod, Outcome outcome) {
  if (std::exchange(pod.is_told, true)) return;
  if (!outcome.finished_at.is_set()) outcome.finished_at = wall_time();
  listener_.on_finished(pod.task.key, std::move(outcome));
}

void KubernetesExecutor::finish_deleted(Pod& pod) {
  finish(pod, deleted_outcome(pod.task, pod.view, wall_time(), lookup_, options_.artifact_root));
}

void KubernetesExecutor::do_cancel(const std::string& key, clock::Duration grace) {
  Pod* const pod = find(key);
  if (pod == nullptr || pod->is_told || std::exchange(pod->is_cancelled, true)) return;
  pod->grace = grace;
  if (!pod->seen.is_null()) {
    remove(*pod);
  } else if (pod->is_asking || pod->image_tries > 0) {
    create(*pod);  // which ends it: a registry is asked, or will be asked again
  }
}

void KubernetesExecutor::remove(Pod& pod) {
  const std::int64_t seconds = std::max<std::int64_t>(1, pod.grace.ns / 1'000'000'000);
  client_->send({.method = "DELETE",
                 .path = path_of(pod),
                 .body = fmt::format(R"({{"gracePeriodSeconds":{}}})", seconds),
                 .accept = kMetadataOnly},
                [this, key = pod.task.key](const Answer& answer) {
                  if (!answer.is_passing()) return;
                  post([this, key, pause = answer.retry_after] {
                    Pod* const again = find(key);
                    if (again != nullptr) retry(*again, pause, &KubernetesExecutor::remove);
                  });
                });
}

void KubernetesExecutor::do_acknowledge(const std::string& key) {
  Pod* const pod = find(key);
  if (pod == nullptr || !pod->is_told) return;
  executor::remove_tree(pod->task.work_path);
  pod->is_acknowledged = true;
  releasing_.emplace(path_of(*pod), false);
  release(*pod);
}

bool KubernetesExecutor::has_unreleased() const { return !releasing_.empty() || deleting_ > 0; }

void KubernetesExecutor::forget(const Pod& pod) {
  const std::string path = path_of(pod);
  pods_.erase(std::string(pod.task.key));
  const auto released = releasing_.extract(path);
  if (released) queue_.progress();
  if (released && released.mapped()) delete_at(path, 0, 0);
}

// Its end is committed and its logs are here: the cluster may forget the pod.
void KubernetesExecutor::release(Pod& pod) {
  const std::string key = pod.task.key;
  if (pod.seen.is_null()) return forget(pod);
  if (!pod.open_logs.empty() || pod.is_released) return;
  pod.is_released = true;
  value::List others;
  for (const Value& finalizer : pod.seen["metadata"]["finalizers"].list()) {
    if (finalizer.string_or("") != kFinalizer) others.push_back(finalizer);
  }
  // Who has set which field is of no use any more: without it the server has less to compare, to
  // keep and to tell.
  const Value patch = value::Map{
      {"metadata", value::Map{{"labels", value::Map{{kCompletedLabel, "true"}}},
                              {"managedFields", value::List{value::Map{}}},
                              {"finalizers", others.empty() ? Value() : Value(others)}}}};
  client_->send({.method = "PATCH",
                 .path = fmt::format("{}?{}", path_of(pod), kWithoutWarnings),
                 .body = value::to_json(patch),
                 .type = kMergePatch,
                 .accept = kMetadataOnly},
                [this, key](const Answer& answer) {
                  post([this, key, is_passing = answer.is_passing() || answer.status == 409,
                        wait = answer.retry_after] {
                    Pod* const again = find(key);
                    if (again == nullptr) return;
                    if (!is_passing) return forget(*again);
                    again->is_released = false;
                    retry(*again, wait, &KubernetesExecutor::release);
                  });
                });
}

}  // namespace tiphys::kube
