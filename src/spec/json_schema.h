// A JSON Schema of the manifests, made from the tables by which they are decoded, so that editors
// complete and check what tiphys reads.
//
// Pure.
#pragma once

#include "value/value.h"

namespace tiphys::spec {

/// Draft 07, which yaml-language-server and others read: one document whose `kind` decides what it
/// holds. Unknown fields are errors, as they are to lint.
[[nodiscard]] value::Value json_schema();

}  // namespace tiphys::spec
