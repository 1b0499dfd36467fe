// A case of a FILE.test.yaml: how leaves end (`given`), and what must come of it (`expect`).
//
// Pure.
#pragma once

#include <string>
#include <vector>

#include "diag/error.h"
#include "sim/rehearsal.h"
#include "value/value.h"

namespace tiphys::cli {

/// Reads `given`: a map of steps and tasks to {fail: CODE, result: TEXT, duration: 30s, outputs:
/// {PARAMETER: VALUE}}. Errors: kInvalidManifest for other words and wrong types.
[[nodiscard]] diag::Result<sim::Script> script_of_case(const value::Value& given);

/// What differs from `expect` ({phase, message, nodes: {NAME: PHASE}, hooks: [NAME], requests:
/// [{method, url, body}]}), a line each; hooks and requests are all that there are. Errors:
/// kInvalidManifest for other words and wrong types.
[[nodiscard]] diag::Result<std::vector<std::string>> differences(const value::Value& expect,
                                                                 const sim::Rehearsal& rehearsal);

/// A case that has run.
struct CaseResult {
  std::string file;
  std::string name;
  std::vector<std::string> differences;
  std::string error = {};  // not empty: it could not be run, and this is why
};

/// The results in JUnit's XML, a testsuite for each file.
[[nodiscard]] std::string to_junit(const std::vector<CaseResult>& results);

}  // namespace tiphys::cli
