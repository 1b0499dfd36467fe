// What is wrong in a FILE.test.yaml: a misspelt word would make a test that cannot fail.
//
// Pure.
#pragma once

#include <vector>

#include "diag/error.h"
#include "spec/positions.h"
#include "value/value.h"

namespace tiphys::cli {

/// Every fault, with its place; empty when `test` can be run. `positions` are those of `test`.
[[nodiscard]] std::vector<diag::Diagnostic> check_scenarios(const value::Value& test,
                                                            const spec::Positions& positions);

}  // namespace tiphys::cli
