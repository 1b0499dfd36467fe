// Kubernetes' strategic merge for the parts of Argo's objects that are merged: template defaults,
// workflow defaults, workflowTemplateRef.
//
// Pure.
#pragma once

#include "value/value.h"

namespace tiphys::spec {

/// `low` overlaid with `high`: maps are united key by key, lists of named things (templates,
/// parameters, env ...) by name, any other value of `high` replaces that of `low`.
[[nodiscard]] value::Value strategic_merge(const value::Value& low, const value::Value& high);

/// The spec of a workflow with what its workflowTemplateRef and the workflow defaults add (Argo's
/// JoinWorkflowSpec): workflow > template > defaults. Hooks are united by name. Null arguments add
/// nothing.
[[nodiscard]] value::Value join_workflow_specs(const value::Value& workflow,
                                               const value::Value& workflow_template,
                                               const value::Value& defaults);

/// What of that is validated before the workflow starts. With a workflowTemplateRef it is the
/// workflow's own spec, to which the defaults only add names of labels and annotations: what else
/// they bring (templates, arguments, an onExit) is joined behind the validation. Without, it is the
/// joined one.
[[nodiscard]] value::Value validated_spec(const value::Value& workflow,
                                          const value::Value& defaults);

}  // namespace tiphys::spec
