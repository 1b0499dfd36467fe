// The volumes of a pod as folders of this machine.
//
// emptyDir lies in the step's work folder; configMap, secret, downwardAPI and projected volumes are
// written there as files; a claim is a folder below HOME that stays (persistentVolumeClaim:
// HOME/claims/NAMESPACE/NAME; volumeClaimTemplates: HOME/runs/UID/volumes/NAME, shared by the steps
// of one workflow); hostPath is itself, if it is allowed.
// Called on an executor's thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "diag/error.h"
#include "executor/environment.h"
#include "executor/executor.h"
#include "executor/view.h"

namespace tiphys::executor {

/// What volumes are made from.
struct VolumeSettings {
  const Lookup& lookup;
  const std::string& home;
  std::string_view host_paths;  // where hostPath volumes may lie: folders with colons between
};

/// Where each volumeMount of the container is seen and where it lies; makes the folders and files.
/// Errors: the message is the node's: a volume is unknown or of a kind that this machine has not, a
/// secret is missing.
[[nodiscard]] diag::Result<std::vector<Placement>> place_volumes(const Task& task,
                                                                 const value::Value& container,
                                                                 const Environment& environment,
                                                                 const VolumeSettings& settings);

}  // namespace tiphys::executor
