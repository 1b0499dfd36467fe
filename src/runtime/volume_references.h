// Whether the workflow has the volumes that a template's containers mount.
//
// Pure.
#pragma once

#include "diag/error.h"
#include "value/value.h"

namespace tiphys::runtime {

/// Looks among the template's volumes, the workflow's and its volumeClaimTemplates. Errors:
/// kInvalidManifest, with what Argo says of the first one that is missing; it is the node's
/// message.
[[nodiscard]] diag::Result<void> check_volume_references(const value::Value& template_body,
                                                         const value::Value& spec);

}  // namespace tiphys::runtime
