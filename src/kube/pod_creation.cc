// How the pod of a task is made: once, also when the answer is lost or the engine is killed.
#include <algorithm>

#include <fmt/format.h>

#include "executor/outputs.h"
#include "kube/artifact_leaves.h"
#include "kube/image_command.h"
#include "kube/kubernetes_executor.h"
#include "kube/pod_outcome.h"
#include "kube/pull_secrets.h"
#include "net/http_text.h"
#include "value/json.h"

namespace tiphys::kube {

using executor::Outcome;
using executor::Task;
using value::Value;

namespace {

constexpr std::int64_t kRetryMin = 200'000'000;
constexpr std::int64_t kRetryMax = 30'000'000'000;
constexpr std::size_t kCreatesMax = 64;                     // on their way at once
constexpr auto kImagePause = clock::Duration::seconds(11);  // errors are remembered for ten
constexpr int kImageTries = 5;

}  // namespace

void KubernetesExecutor::create(Pod& pod) {
  if (pod.is_told || pod.is_creating) return;
  if (pod.is_cancelled) {
    return finish(pod,
                  executor::error_outcome("it was ended before its pod was made", wall_time()));
  }
  if (pod.is_asking) return;
  if (!mandate_.covers(pod.task.key)) return retry(pod, {}, &KubernetesExecutor::create);
  if (!pod.images) {
    auto unknown = unknown_images(pod.task, options_.images);
    if (!unknown.empty()) return ask_images(pod, std::move(unknown));
  }
  const value::List& claims = pod.task.workflow_spec["volumeClaimTemplates"].list();
  if (pod.claims_made < claims.size()) return make_claim(pod, claims[pod.claims_made]);
  auto inputs = load_inputs(pod.task, lookup_, options_.artifact_root);
  if (!inputs) return finish(pod, executor::error_outcome(inputs.error().message, wall_time()));
  auto body = make_pod(pod.task, *inputs,
                       {.engine = options_.engine,
                        .step_image = options_.step_image,
                        .images = pod.images ? *pod.images : options_.images,
                        .sends = transfers_of_outputs(pod.task, lookup_)});
  if (!body) return finish(pod, executor::error_outcome(body.error().message, wall_time()));
  pod.is_creating = true;
  to_create_.emplace_back(pod.task.key,
                          value::to_json(*body, {.key_order = value::KeyOrder::kAsGiven}));
}

void KubernetesExecutor::ask_images(Pod& pod, std::vector<std::string> images) {
  pod.is_asking = true;
  image_configs_->ask(std::move(images), pull_secrets_of(pod.task, *client_, lookup_),
                      [this, key = pod.task.key](ImageConfigs::Answer answer) {
                        post([this, key, kept = std::move(answer)] { on_images(key, kept); });
                      });
}

void KubernetesExecutor::on_images(const std::string& key, const ImageConfigs::Answer& answer) {
  Pod* const pod = find(key);
  if (pod == nullptr) return;
  pod->is_asking = false;
  if (pod->is_told || !pod->seen.is_null()) return;
  if (!answer) {
    const bool is_passing = answer.error().code == diag::Code::kIo;
    if (is_passing && ++pod->image_tries < kImageTries) {
      return retry(*pod, kImagePause, &KubernetesExecutor::create);
    }
    return finish(*pod, executor::error_outcome(answer.error().message, wall_time()));
  }
  pod->images = options_.images;
  for (const auto& [image, start] : *answer) pod->images->insert_or_assign(image, start);
  create(*pod);
}

// A claim belongs to all pods of its workflow: the first one makes it, the others find it.
void KubernetesExecutor::make_claim(Pod& pod, const Value& claim) {
  const std::string folder = fmt::format("/api/v1/namespaces/{}/persistentvolumeclaims",
                                         net::uri_encoded(pod.task.name_space));
  const Value body = claim_of(pod.task, claim, options_.engine);
  const std::string path =
      fmt::format("{}/{}", folder, net::uri_encoded(body["metadata"]["name"].string_or("")));
  if (claims_.contains(path)) {
    ++pod.claims_made;
    return create(pod);
  }
  pod.is_asking = true;
  client_->send({.method = "POST",
                 .path = folder,
                 .body = value::to_json(body),
                 .may_go = mandate_.pass(pod.task.key, pod.lost)},
                [this, key = pod.task.key, path](Answer answer) {
                  post([this, key, path, kept = std::move(answer)] { on_claim(key, path, kept); });
                });
}

void KubernetesExecutor::on_claim(const std::string& key, const std::string& path,
                                  const Answer& answer) {
  Pod* const pod = find(key);
  if (pod == nullptr) return;
  pod->is_asking = false;
  if (pod->is_told || !pod->seen.is_null()) return;
  if (answer.is_passing()) return retry(*pod, answer.retry_after, &KubernetesExecutor::create);
  if (!answer.ok() && answer.status != 409) {
    return finish(*pod, executor::error_outcome(answer.message(), wall_time()));
  }
  claims_.insert(path);
  create(*pod);
}

void KubernetesExecutor::send_waiting() {
  std::size_t sent = 0;
  for (; sent < to_create_.size() && creating_ < kCreatesMax; ++sent) {
    auto& [key, body] = to_create_[sent];
    Pod* const pod = find(key);
    if (pod == nullptr) continue;
    if (!mandate_.covers(key)) {
      pod->is_creating = false;
      retry(*pod, {}, &KubernetesExecutor::create);
      continue;
    }
    ++creating_;
    client_->send({.method = "POST",
                   .path = fmt::format("/api/v1/namespaces/{}/pods?{}",
                                       net::uri_encoded(pod->task.name_space), kWithoutWarnings),
                   .body = std::move(body),
                   .accept = kMetadataOnly,
                   .may_go = mandate_.pass(key, pod->lost)},
                  [this, key = key](Answer answer) {
                    post([this, key, kept = std::move(answer)] { on_created(key, kept); });
                  });
  }
  to_create_.erase(to_create_.begin(), to_create_.begin() + static_cast<std::ptrdiff_t>(sent));
}

void KubernetesExecutor::retry(Pod& pod, clock::Duration at_least,
                               void (KubernetesExecutor::*what)(Pod&)) {
  pod.pause = std::clamp(pod.pause * 2, kRetryMin, kRetryMax);
  post_at(steady_now() + std::max(pod.pause, at_least.ns), [this, key = pod.task.key, what] {
    if (Pod* const again = find(key)) (this->*what)(*again);
  });
}

void KubernetesExecutor::on_created(const std::string& key, const Answer& answer) {
  --creating_;
  Pod* const pod = find(key);
  if (pod == nullptr) return;
  pod->is_creating = false;
  if (answer.ok()) {
    pod->pause = 0;
    if (auto object = value::parse_json(answer.body, kUnread); object && pod->seen.is_null()) {
      take(*pod, *object);
    }
    if (pod->is_cancelled && !pod->is_told) remove(*pod);
    return;
  }
  if (answer.status == 409) return resolve_conflict(*pod);
  const std::string message = answer.message();
  // A new namespace has its service account a moment later, a quota may have room later.
  const bool is_later = answer.status == 403 &&
                        (message.find("exceeded quota") != std::string::npos ||
                         message.find("error looking up service account") != std::string::npos);
  if (answer.is_passing() || is_later) {
    return retry(*pod, answer.retry_after, &KubernetesExecutor::create);
  }
  finish(*pod, executor::error_outcome(message, wall_time()));
}

// The name is taken: by this very task, by an earlier run of the node, or by somebody else.
void KubernetesExecutor::resolve_conflict(Pod& pod) {
  client_->send({.path = path_of(pod)}, [this, key = pod.task.key](Answer answer) {
    post([this, key, kept = std::move(answer)] { on_conflict(key, kept); });
  });
}

void KubernetesExecutor::on_conflict(const std::string& key, const Answer& answer) {
  Pod* const pod = find(key);
  if (pod == nullptr || pod->is_told) return;
  if (answer.status == 404) {
    if (pod->seen.is_null()) return create(*pod);
    if (pod->view.state == PodView::State::kEnded) return;
    return finish_deleted(*pod);
  }
  auto object = answer.ok() ? value::parse_json(answer.body, kUnread)
                            : diag::Result<Value>(diag::fail(diag::Code::kIo, ""));
  if (!object) return retry(*pod, answer.retry_after, &KubernetesExecutor::resolve_conflict);
  const Value& metadata = (*object)["metadata"];
  if (metadata["annotations"][kKeyAnnotation].string_or("") == key) return take(*pod, *object);
  if (metadata["labels"][kEngineLabel].string_or("") != options_.engine) {
    return finish(*pod, executor::error_outcome(
                            fmt::format("pods \"{}\" already exists, and is not of this engine",
                                        pod->task.pod_name),
                            wall_time()));
  }
  if (!mandate_.covers(key)) return retry(*pod, {}, &KubernetesExecutor::create);
  // An earlier run of this node, which nobody waits for any more.
  client_->send({.method = "PATCH",
                 .path = path_of(*pod),
                 .body = R"({"metadata":{"finalizers":null}})",
                 .type = kMergePatch},
                [](const Answer&) {});
  client_->send({.method = "DELETE", .path = path_of(*pod), .body = R"({"gracePeriodSeconds":0})"},
                [](const Answer&) {});
  retry(*pod, {}, &KubernetesExecutor::create);
}

}  // namespace tiphys::kube
