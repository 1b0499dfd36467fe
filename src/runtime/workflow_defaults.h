// `workflowDefaults` of the configuration: what Argo's controller merges into every workflow.
#pragma once

#include <string>
#include <vector>

#include "store/store.h"
#include "value/value.h"

namespace tiphys::runtime {

/// workflowDefaults as a Workflow's form has them: {metadata, spec}, values of parameters as
/// strings. `file` is for positions. Unknown fields are errors if `is_strict`, else they have no
/// effect, as in Argo's configuration. Errors: kInvalidManifest, at the first place that is wrong.
[[nodiscard]] diag::Result<value::Value> read_workflow_defaults(std::string_view text,
                                                                const std::string& file,
                                                                bool is_strict);

/// The Workflow-shaped object under `workflowDefaults` of the ConfigMap
/// `workflow-controller-configmap`: one of those given beside the workflow, else the one stored in
/// its namespace, else in `argo`, else in any. It may also be a part of the key `config`, as in
/// Argo. Null when there is none. Errors: kInvalidManifest when it is no YAML map, kIo.
[[nodiscard]] diag::Result<value::Value> find_workflow_defaults(
    store::Store& store, const std::vector<value::Value>& config_maps,
    const std::string& name_space);

}  // namespace tiphys::runtime
