// The successCondition of http templates.
//
// Pure.
#pragma once

#include <string>

#include "diag/error.h"
#include "value/value.h"

namespace tiphys::runtime {

/// Whether `condition`, an expression over `request` and `response` alone (HOOKS.md 10), holds.
/// Errors: kInvalidManifest, whose message becomes the node's.
[[nodiscard]] diag::Result<bool> success_condition(const std::string& condition,
                                                   const value::Value& request,
                                                   const value::Value& response);

}  // namespace tiphys::runtime
