// What removes pods and claims: podGC, volumeClaimGC, and a look now and then for those that nobody
// will ask for again, because their workflow is over or deleted.
#include <algorithm>

#include <fmt/format.h>

#include "kube/kubernetes_executor.h"
#include "net/http_text.h"
#include "value/json.h"

namespace tiphys::kube {

using value::Value;

namespace {

constexpr std::int64_t kSweepPause = 300'000'000'000;
constexpr std::int64_t kPauseMin = 500'000'000;
constexpr std::int64_t kPauseMax = 60'000'000'000;
constexpr int kPage = 500;

std::string uid_of(const Value& pod) {
  const std::string_view key = pod["metadata"]["annotations"][kKeyAnnotation].string_or("");
  return std::string(key.substr(0, key.find('.')));
}

std::string path_of_object(const Value& pod) {
  const Value& metadata = pod["metadata"];
  return pod_path(metadata["namespace"].string_or(""), metadata["name"].string_or(""));
}

}  // namespace

void KubernetesExecutor::remove_pod(const std::string& name_space, const std::string& pod) {
  post([this, path = pod_path(name_space, pod)] {
    // While our finalizer is there, a delete would only mark the pod: one change more to be told.
    if (const auto it = releasing_.find(path); it != releasing_.end()) {
      it->second = true;
    } else {
      delete_at(path, 0, 0);
    }
  });
}

void KubernetesExecutor::remove_claim(const std::string& name_space, const std::string& claim) {
  post([this, path = fmt::format("/api/v1/namespaces/{}/persistentvolumeclaims/{}",
                                 net::uri_encoded(name_space), net::uri_encoded(claim))] {
    claims_.erase(path);
    delete_at(path, 0, 0);
  });
}

void KubernetesExecutor::delete_at(const std::string& path, int grace_seconds, std::int64_t pause) {
  ++deleting_;
  client_->send({.method = "DELETE",
                 .path = path,
                 .body = fmt::format(R"({{"gracePeriodSeconds":{}}})", grace_seconds),
                 .accept = kMetadataOnly},
                [this, path, grace_seconds, pause](const Answer& answer) {
                  if (!answer.is_passing()) return post([this] { --deleting_; });
                  const std::int64_t longer = std::clamp(pause * 2, kPauseMin, kPauseMax);
                  const std::int64_t wait = std::max(longer, answer.retry_after.ns);
                  post_at(steady_now() + wait, [this, path, grace_seconds, longer] {
                    --deleting_;
                    delete_at(path, grace_seconds, longer);
                  });
                });
}

// Whatever it says of its end, nobody wants to know. What fails is done by the next sweep.
void KubernetesExecutor::free_pod(const std::string& path) {
  const Value patch =
      value::Map{{"metadata", value::Map{{"labels", value::Map{{kCompletedLabel, "true"}}},
                                         {"finalizers", Value()}}}};
  client_->send(
      {.method = "PATCH", .path = path, .body = value::to_json(patch), .type = kMergePatch},
      [](const Answer&) {});
}

void KubernetesExecutor::sweep() {
  post_at(steady_now() + kSweepPause, [this] { sweep(); });
  if (!options_.workflows) return;
  auto known = options_.workflows();
  if (!known) return;
  const auto workflows = std::make_shared<const std::map<std::string, bool>>(std::move(*known));
  for (auto& [name, s] : spaces_) {
    sweep_unclaimed(s, *workflows);
    const std::string folder = fmt::format("/api/v1/namespaces/{}", net::uri_encoded(name));
    const std::string ours = fmt::format("{}={}", kEngineLabel, options_.engine);
    sweep_list(fmt::format("{}/pods?limit={}&labelSelector={}", folder, kPage,
                           net::uri_encoded(fmt::format("{},{}=true", ours, kCompletedLabel))),
               "", workflows);
    sweep_list(fmt::format("{}/persistentvolumeclaims?limit={}&labelSelector={}", folder, kPage,
                           net::uri_encoded(ours)),
               "", workflows);
  }
}

void KubernetesExecutor::sweep_unclaimed(Space& s, const std::map<std::string, bool>& workflows) {
  for (auto it = s.unclaimed.begin(); it != s.unclaimed.end();) {
    const Value& object = it->second;
    const auto workflow = workflows.find(uid_of(object));
    if (workflow != workflows.end() && !workflow->second) {  // another engine's, or still wanted
      ++it;
      continue;
    }
    const std::string_view phase = object["status"]["phase"].string_or("");
    free_pod(path_of_object(object));
    if (workflow == workflows.end() || (phase != "Succeeded" && phase != "Failed")) {
      delete_at(path_of_object(object), 30, 0);
    }
    it = s.unclaimed.erase(it);
  }
}

// Pods that have ended are not watched, and claims never: only their names are asked for. An engine
// without the right to list claims leaves them.
void KubernetesExecutor::sweep_list(const std::string& path, const std::string& from,
                                    std::shared_ptr<const std::map<std::string, bool>> workflows) {
  client_->send({.path = from.empty() ? path : path + "&continue=" + net::uri_encoded(from),
                 .accept = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,"
                           "application/json"},
                [this, path, workflows](const Answer& answer) {
                  if (!answer.ok()) return;
                  auto page = value::parse_json(answer.body);
                  if (!page) return;
                  post([this, path, workflows, kept = std::move(*page)] {
                    const std::string folder = path.substr(0, path.find('?'));
                    for (const Value& object : kept["items"].list()) {
                      if (workflows->contains(uid_of(object))) continue;
                      delete_at(
                          folder + "/" + net::uri_encoded(object["metadata"]["name"].string_or("")),
                          0, 0);
                    }
                    const std::string_view more = kept["metadata"]["continue"].string_or("");
                    if (!more.empty()) sweep_list(path, std::string(more), workflows);
                  });
                });
}

}  // namespace tiphys::kube
