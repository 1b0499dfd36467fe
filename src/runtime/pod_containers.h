// The containers that a node's pod has, by the workflow's definition.
//
// A container that has said nothing has no log file, so files do not tell which there are. Pure.
#pragma once

#include <string>
#include <vector>

#include "engine/engine.h"
#include "value/value.h"

namespace tiphys::runtime {

/// Those of the pod of `node` (an element of status.nodes): `main` or the containers of a
/// containerSet, then init containers and sidecars, each once. Of a template that was written
/// inside of a step, which nobody can find by its name: those of the whole workflow.
[[nodiscard]] std::vector<std::string> pod_containers(const engine::Definition& definition,
                                                      const value::Value& node);

/// All that pods of the workflow may have: `main` first, then the others by name.
[[nodiscard]] std::vector<std::string> all_containers(const engine::Definition& definition);

}  // namespace tiphys::runtime
