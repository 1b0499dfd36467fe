// `when` conditions: the language of govaluate as Argo uses it, where bare words are strings.
//
// Pure.
#pragma once

#include <string_view>

#include "diag/error.h"

namespace tiphys::expr {

/// Evaluates a condition of a step or task after tags were replaced. Errors (kBadExpression) carry
/// Argo's text, such as `Invalid 'when' expression 'a@b': Invalid token: '@' (hint: try wrapping
/// the affected expression in quotes ("))`.
[[nodiscard]] diag::Result<bool> evaluate_when(std::string_view condition);

/// As evaluate_when, for `spec.when` of a CronWorkflow, where bare words are unknown parameters and
/// thus errors; `names` offers the parameters that are known there.
[[nodiscard]] diag::Result<bool> evaluate_cron_when(std::string_view condition);

}  // namespace tiphys::expr
