// volumeClaimGC: which claims that a workflow made go with its end.
//
// Pure. Facts from Argo's fields reference: a claim of spec.volumeClaimTemplates is named
// WORKFLOW-NAME, and goes when the workflow has succeeded (`OnWorkflowSuccess`, the default), or
// when it has ended in any way (`OnWorkflowCompletion`).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "value/value.h"

namespace tiphys::runtime {

/// Names of the claims that go, of a workflow that has ended in `phase`.
[[nodiscard]] std::vector<std::string> claims_to_remove(const value::Value& spec,
                                                        std::string_view workflow,
                                                        std::string_view phase);

}  // namespace tiphys::runtime
