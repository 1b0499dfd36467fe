// A new workflow from an old one.
//
// Pure.
#pragma once

#include <string>
#include <vector>

#include "diag/error.h"
#include "value/value.h"

namespace tiphys::cli {

/// The Workflow that resubmitting `old` makes, as Argo's server makes it: a generated name, the
/// same spec, the old one's labels and annotations that are the user's own, and a label with the
/// old name. `is_suspended`: the old one is held by its spec.suspend. `parameters` (`k=v`) replace
/// arguments. Errors: kInvalidManifest for a parameter without `=`.
[[nodiscard]] diag::Result<value::Value> resubmitted(const value::Value& old, bool is_suspended,
                                                     const std::vector<std::string>& parameters);

}  // namespace tiphys::cli
