// The template of a node of a stored workflow.
//
// Pure: whoever calls looks up what is in other objects.
#pragma once

#include <functional>
#include <string>

#include "value/value.h"

namespace tiphys::metrics {

/// The template `name` of a WorkflowTemplate or ClusterWorkflowTemplate (`kind`, `holder`); null
/// when it is not there.
using FindTemplate = std::function<value::Value(const std::string& kind, const std::string& holder,
                                                const std::string& name)>;

/// As it was written; null when it is not there. `node` is a NodeStatus of `workflow`.
[[nodiscard]] value::Value node_template(const value::Value& node, const value::Value& workflow,
                                         const FindTemplate& find);

}  // namespace tiphys::metrics
