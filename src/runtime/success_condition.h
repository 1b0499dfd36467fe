// The successCondition of an http template.
//
// Pure.
#pragma once

#include <string>

#include "diag/error.h"
#include "value/value.h"

namespace tiphys::runtime {

/// Whether a response is a success; `request` and `response` are its variables (HOOKS.md 10).
/// Errors: kBadExpression.
[[nodiscard]] diag::Result<bool> success_condition(const std::string& condition,
                                                   const value::Value& request,
                                                   const value::Value& response);

}  // namespace tiphys::runtime
