// What steps may ask of their own pod (`fieldRef`): in variables and in the files of downwardAPI
// volumes.
//
// Asks the machine for its name only; any thread.
#pragma once

#include <string>
#include <string_view>

#include "executor/executor.h"

namespace tiphys::executor {

/// The text of a field such as metadata.name, metadata.labels['a'], metadata.annotations (a line
/// each, as the kubelet writes them) or spec.nodeName; "" for what is not known here.
[[nodiscard]] std::string pod_field(const Task& task, std::string_view path);

}  // namespace tiphys::executor
