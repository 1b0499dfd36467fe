// Runs resource templates: asks an API server for what they want, or the engine's own store for
// Argo's kinds.
//
// No pod and no kubectl is needed: requests are the engine's own, with its rights. Which requests
// there are is resource_run.h's. One thread, which begins with the first task.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "executor/executor.h"
#include "kube/client.h"
#include "kube/cluster.h"

namespace tiphys::kube {

/// An object that goes with a workflow (setOwnerReference).
struct OwnedObject {
  std::string workflow_uid;
  std::string name_space;  // the workflow's
  std::string workflow;    // its name
  std::string path;        // in the API
  bool is_own = false;
};

/// What the engine's store does for resource templates. Called in the executor's thread.
struct ResourceStore {
  /// Answers a request for a kind of the store as an API server would.
  std::function<Answer(const Request& request)> answer;
  /// Writes down that an object goes with its workflow. False when that fails.
  std::function<bool(const OwnedObject& object)> own;
  /// Those whose workflow there is no more.
  std::function<std::vector<OwnedObject>()> orphans;
  std::function<void(const OwnedObject& object)> disown;
};

struct ResourceOptions {
  std::optional<Cluster> cluster = {};
  std::shared_ptr<RequestRate> rate = {};  // of what is asked of its API; null: no limit
  std::string engine = {};                 // value of the owner label
  std::string step_image = {};             // for the pod of a template that acts on its own pod
  std::string artifact_root;               // the artifact repository of this machine
  ResourceStore store;
  /// See executor.h. Called in the executor's thread.
  std::function<bool(const std::string& name)> keep_namespace = {};
  std::function<bool()> leases_hold = {};  // see mandate.h; called in any thread
};

class ResourceExecutor : public executor::Executor {
 public:
  /// From now on deletes what belongs to workflows that are deleted, now and then.
  virtual void remove_orphans() = 0;
};

/// The functions of `listener` are called from the executor's thread.
[[nodiscard]] std::unique_ptr<ResourceExecutor> make_resource_executor(ResourceOptions options,
                                                                       executor::Listener listener,
                                                                       executor::Lookup lookup);

}  // namespace tiphys::kube
