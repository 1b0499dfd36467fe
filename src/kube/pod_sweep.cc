// What removes pods and claims: podGC, volumeClaimGC, and a look now and then for those that nobody
// will ask for again, because their workflow is over or deleted.
#include <algorithm>
#include <set>

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
constexpr const char* kMetadataOfList =
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json";

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
                  if (!answer.is_passing()) {
                    return post([this] {
                      --deleting_;
                      queue_.progress();
                    });
                  }
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
  const auto workflows = std::make_shared<const Workflows>(std::move(*known));
  std::set<std::string> names;
  if (options_.namespaces) {
    for (std::string& name : options_.namespaces()) names.insert(std::move(name));
  }
  for (auto& [name, s] : spaces_) {
    sweep_unclaimed(s, *workflows);
    names.insert(name);
  }
  const std::string ours = fmt::format("{}={}", kEngineLabel, options_.engine);
  for (const std::string& name : names) {
    const auto list = [&](const char* kind, const std::string& labels) {
      return fmt::format("/api/v1/namespaces/{}/{}?limit={}&labelSelector={}",
                         net::uri_encoded(name), kind, kPage, net::uri_encoded(labels));
    };
    // Where no task of this engine has been, nothing is watched.
    if (!spaces_.contains(name)) {
      sweep_list(list("pods", fmt::format("{},{}=false", ours, kCompletedLabel)), "", false,
                 &KubernetesExecutor::sweep_pod, workflows);
    }
    sweep_list(list("pods", fmt::format("{},{}=true", ours, kCompletedLabel)), "", true,
               &KubernetesExecutor::sweep_rest, workflows);
    sweep_list(list("persistentvolumeclaims", ours), "", true, &KubernetesExecutor::sweep_rest,
               workflows);
  }
}

void KubernetesExecutor::sweep_unclaimed(Space& s, const Workflows& workflows) {
  std::erase_if(s.unclaimed, [&](const auto& entry) {
    return sweep_pod(path_of_object(entry.second), entry.second, workflows);
  });
}

// False when the pod is to stay: it is another engine's, or still wanted.
bool KubernetesExecutor::sweep_pod(const std::string& path, const Value& pod,
                                   const Workflows& workflows) {
  const auto workflow = workflows.find(uid_of(pod));
  if (workflow != workflows.end() && !workflow->second) return false;
  const std::string_view phase = pod["status"]["phase"].string_or("");
  free_pod(path);
  if (workflow == workflows.end() || (phase != "Succeeded" && phase != "Failed")) {
    delete_at(path, 30, 0);
  }
  return true;
}

bool KubernetesExecutor::sweep_rest(const std::string& path, const Value& object,
                                    const Workflows& workflows) {
  if (workflows.contains(uid_of(object))) return false;
  delete_at(path, 0, 0);
  return true;
}

// Of pods that have ended, which are not watched, and of claims only the names are asked for. An
// engine without the right to list claims leaves them.
void KubernetesExecutor::sweep_list(const std::string& path, const std::string& from,
                                    bool is_metadata, Judge judge,
                                    std::shared_ptr<const Workflows> workflows) {
  client_->send({.path = from.empty() ? path : path + "&continue=" + net::uri_encoded(from),
                 .accept = is_metadata ? kMetadataOfList : ""},
                [this, path, is_metadata, judge, workflows](const Answer& answer) {
                  if (!answer.ok()) return;
                  auto page = value::parse_json(answer.body, kUnread);
                  if (!page) return;
                  post([this, path, is_metadata, judge, workflows, kept = std::move(*page)] {
                    sweep_page(path.substr(0, path.find('?')), kept["items"].list(), judge,
                               *workflows);
                    const std::string_view more = kept["metadata"]["continue"].string_or("");
                    if (more.empty()) return;
                    sweep_list(path, std::string(more), is_metadata, judge, workflows);
                  });
                });
}

// A workflow may have begun after `workflows` was asked for and before the server made its list.
void KubernetesExecutor::sweep_page(const std::string& folder, const value::List& objects,
                                    Judge judge, const Workflows& workflows) {
  std::vector<const Value*> strangers;
  std::vector<const Value*> others;
  for (const Value& object : objects) {
    (workflows.contains(uid_of(object)) ? others : strangers).push_back(&object);
  }
  const auto path = [&](const Value& object) {
    return folder + "/" + net::uri_encoded(object["metadata"]["name"].string_or(""));
  };
  for (const Value* const object : others) (this->*judge)(path(*object), *object, workflows);
  if (strangers.empty()) return;
  const auto now = options_.workflows();
  if (!now) return;
  for (const Value* const object : strangers) (this->*judge)(path(*object), *object, *now);
}

}  // namespace tiphys::kube
