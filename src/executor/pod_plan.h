// The containers of a step that is more than one process: containerSet, initContainers, sidecars.
//
// Each container becomes a Task of its own, with a file system view of its own; what they share are
// the volumes, as in a pod. Pure but for copying Tasks; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clock/instant.h"
#include "diag/error.h"
#include "executor/executor.h"

namespace tiphys::executor {

/// What a container is for its pod.
enum class Role { kInit, kMain, kSidecar };

/// One container, before anything runs.
struct PlannedContainer {
  std::string name;
  Role role = Role::kMain;
  std::vector<std::string> dependencies = {};  // other containers of a containerSet
  Task task;                                   // what to run; outputs are left to the pod
};

struct PodPlan {
  std::vector<PlannedContainer> containers;  // init containers first, in their order
  int attempts = 1;                          // of each main container
  clock::Duration pause;                     // between two of them
};

/// The log of one container of a pod: the main one's is the pod's, POD.log; the others' are
/// POD.CONTAINER.log.
[[nodiscard]] std::string container_log_path(std::string pod_log, std::string_view container);

/// Whether a template needs more than one process.
[[nodiscard]] bool is_pod_group(const value::Value& template_body);

/// Errors: kInvalidManifest of a retryStrategy that has no duration.
[[nodiscard]] diag::Result<PodPlan> plan_pod(const Task& task);

/// The Task under which an attempt of a container runs; its key says which attempt.
[[nodiscard]] Task attempt_of(const PlannedContainer& container, int attempt);

}  // namespace tiphys::executor
