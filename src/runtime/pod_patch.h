// podSpecPatch: what it changes in the containers of a template.
//
// Pure.
#pragma once

#include <string>

#include "diag/error.h"
#include "value/value.h"

namespace tiphys::runtime {

/// The template with the patch of the workflow, then its own, merged into its containers and
/// volumes; fields of a pod that mean nothing on one machine are left out. Errors: kInvalidManifest
/// `Error applying PodSpecPatch`.
[[nodiscard]] diag::Result<value::Value> patched_template(const value::Value& body,
                                                          const std::string& workflow_patch);

}  // namespace tiphys::runtime
