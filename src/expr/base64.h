// Base64 with the standard alphabet and padding, as Go's encoding/base64.StdEncoding.
//
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "diag/error.h"

namespace tiphys::expr {

[[nodiscard]] std::string base64_encode(std::string_view bytes);
/// New lines are skipped. Errors: kBadExpression `illegal base64 data at input byte N`.
[[nodiscard]] diag::Result<std::string> base64_decode(std::string_view text);

}  // namespace tiphys::expr
