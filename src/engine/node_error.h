// What follows when a node that exists cannot go on, for a reason that is not a process's.
//
// Pure.
#pragma once

#include <string>

#include "engine/machine.h"

namespace tiphys::engine {

/// Makes the node Error, and tells whoever started it what Argo tells: a step's group is Error,
/// too; an entrypoint or exit handler ends the workflow; a task is named in its message.
void fail_node(Machine& m, NodeIndex n, const std::string& error);

}  // namespace tiphys::engine
