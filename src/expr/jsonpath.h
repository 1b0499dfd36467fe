// Argo's jsonpath(json, path): queries JSON text (evilmonkeyinc/jsonpath v0.8.1).
//
// Pure.
#pragma once

#include <string_view>

#include "diag/error.h"
#include "expr/runtime_value.h"

namespace tiphys::expr {

/// The result of `path` in the document `json`; numbers are float64, as json.Unmarshal gives them.
/// Errors: kBadExpression for bad JSON, a bad path, or a missing key.
[[nodiscard]] diag::Result<RuntimeValue> jsonpath(std::string_view json, std::string_view path);

}  // namespace tiphys::expr
