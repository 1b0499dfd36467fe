// JSON texts inside expressions: fromJSON, jsonpath, Sprig's mustFromJson.
//
// Pure.
#pragma once

#include <string_view>

#include "diag/error.h"
#include "expr/runtime_value.h"

namespace tiphys::expr {

/// The value that a JSON text stands for. Errors: kBadExpression with what Go's encoding/json says
/// of it ("invalid character 'x' looking for beginning of value"), as Argo's messages have it.
[[nodiscard]] diag::Result<RuntimeValue> read_json_text(std::string_view text);

}  // namespace tiphys::expr
