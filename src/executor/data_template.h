// `data` templates: a list of artifacts' keys, put through expressions.
//
// There is no process: the list is read from the artifact repository of this machine, or from an S3
// server. May read many
// folders; called on an executor's thread.
#pragma once

#include <string>

#include "executor/executor.h"

namespace tiphys::executor {

/// Runs the task's `data` template; outputs.result is the list as JSON.
[[nodiscard]] Outcome run_data(const Task& task, const Lookup& lookup,
                               const std::string& artifact_root, clock::Instant now);

}  // namespace tiphys::executor
