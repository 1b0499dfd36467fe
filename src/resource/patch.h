// JSON patches (RFC 6902) and merge patches (RFC 7396). Pure.
#pragma once

#include "diag/error.h"
#include "value/value.h"

namespace tiphys::resource {

/// Errors: kInvalidManifest; nothing of the patch is applied then.
[[nodiscard]] diag::Result<value::Value> with_json_patch(value::Value object,
                                                         const value::Value& patch);
[[nodiscard]] value::Value with_merge_patch(const value::Value& object, const value::Value& patch);

}  // namespace tiphys::resource
