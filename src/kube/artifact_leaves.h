// Which artifacts go between a pod and an S3 server without the engine, and the leave for it.
//
// The addresses go into the pod's specification and nowhere else. What has no leave (another kind
// of location, a zip archive, a secret that is missing, a key that is not there) goes the engine's
// way, which says what is wrong. Asks the server; blocks its thread.
#pragma once

#include <cstdint>
#include <vector>

#include "executor/executor.h"
#include "kube/pod_spec.h"

namespace tiphys::kube {

/// Transfers that bring an input artifact to its path, one for each file of a folder; none when it
/// has no more than `small` bytes as it lies there.
[[nodiscard]] std::vector<PodTransfer> transfers_of_input(const executor::Task& task,
                                                          const value::Value& artifact,
                                                          std::int64_t small,
                                                          const executor::Lookup& lookup);

/// The transfer of each output artifact that a server is to have.
[[nodiscard]] std::vector<PodTransfer> transfers_of_outputs(const executor::Task& task,
                                                            const executor::Lookup& lookup);

}  // namespace tiphys::kube
