// Runs leaves as pods of a Kubernetes cluster.
//
// Each task is one pod, with a name that follows from the node's, so a create that is repeated
// after a crash finds it there. A finalizer keeps a pod until its end is committed, so neither a
// `kubectl delete` nor a crash of the engine loses how it ended. One watch for each namespace; the
// end of the main container is acted on, not the pod's phase. One thread besides the client's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "executor/environment.h"
#include "executor/executor.h"
#include "kube/cluster.h"
#include "kube/request_rate.h"

namespace tiphys::kube {

struct KubernetesOptions {
  Cluster cluster;
  std::shared_ptr<RequestRate> rate = {};  // of what is asked of its API; null: no limit
  std::string engine;         // value of the owner label: the same for all engines of one store
  std::string step_image;     // holds `/tiphys-step`
  std::string artifact_root;  // the artifact repository of this machine
  std::int64_t log_max = 0;   // bytes of output that are kept of each container
  executor::Images images = {};
  std::function<void(const std::string&)> warn = {};  // the API cannot be reached, and the like
  /// The workflows that there are, by uid, and whether each is over; nullopt when they cannot be
  /// known at the moment. Called in the executor's thread.
  std::function<std::optional<std::map<std::string, bool>>()> workflows = {};
  /// Keeps a namespace in which pods are about to be made, for longer than any engine lives; false
  /// when that failed. Called in the executor's thread.
  std::function<bool(const std::string& name)> keep_namespace = {};
  /// Those that have been kept. Called in the executor's thread.
  std::function<std::vector<std::string>()> namespaces = {};
  std::function<bool()> leases_hold = {};  // see mandate.h; called in any thread
};

/// The functions of `listener` are called from the executor's thread. Destroying the executor
/// leaves the pods running.
[[nodiscard]] std::unique_ptr<executor::Executor> make_kubernetes_executor(
    KubernetesOptions options, executor::Listener listener, executor::Lookup lookup);

}  // namespace tiphys::kube
