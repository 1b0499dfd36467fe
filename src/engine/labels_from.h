// workflowMetadata.labelsFrom: labels whose values are worked out when the workflow begins. Pure.
#pragma once

#include "diag/error.h"
#include "engine/machine.h"

namespace tiphys::engine {

/// Evaluates the expressions with the workflow's variables into Machine::labels_from, and looks at
/// the labels of workflowMetadata, too. Errors: with Argo's text, an expression that fails or gives
/// no text, a text that is no label's value.
[[nodiscard]] diag::Result<void> evaluate_labels_from(Machine& m);

}  // namespace tiphys::engine
