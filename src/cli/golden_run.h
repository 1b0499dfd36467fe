// Runs one recorded workflow in a process of its own, with a state folder of its own, and compares.
//
// A process, since steps, caches and locks of one case must not meet those of another, and a case
// that hangs must not end the table. Blocks until the case has ended; several threads may run cases
// at once.
#pragma once

#include <string>
#include <vector>

#include "conformance/compare.h"
#include "conformance/record.h"

namespace tiphys::cli {

/// How cases are run.
struct GoldenOptions {
  std::string folder;   // holds NAME.json and NAME.yaml, and maybe tools/, which goes on the PATH
  std::string objects;  // a manifest that each case needs besides, or ""
  double timeout = 60;  // seconds
  double resume_after = 3;  // seconds until a case that waits is resumed, each time
  bool compares_keys = false;
};

struct GoldenResult {
  enum class Verdict { kPassed, kFailed, kSkipped };
  Verdict verdict = Verdict::kFailed;
  std::string name;
  std::string group;
  std::size_t nodes = 0;  // of the golden
  double seconds = 0;
  std::string remark;  // why it failed or was skipped, when no difference tells
  conformance::Comparison comparison = {};
};

/// Runs the case. What goes wrong with it is in the result.
[[nodiscard]] GoldenResult run_golden(const conformance::Record& record, const GoldenOptions& o);

}  // namespace tiphys::cli
