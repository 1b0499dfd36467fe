// spec.workflowMetadata: labels and annotations that a workflow gets when it begins, some of them
// made by expressions.
//
// Pure.
#pragma once

#include "engine/machine.h"

namespace tiphys::engine {

/// Puts spec.workflowMetadata into the workflow's metadata and its variables; `labelsFrom` reads
/// those of before. Errors: kInvalidManifest with Argo's text (no label value, no text, an
/// expression that cannot be evaluated), with which the workflow is in Error.
[[nodiscard]] diag::Result<void> apply_workflow_metadata(Machine& m);

}  // namespace tiphys::engine
