// Compares the state that a workflow ended in with a golden, under the rules of its record. Pure.
#pragma once

#include <string>
#include <vector>

#include "conformance/record.h"
#include "value/value.h"

namespace tiphys::conformance {

/// One field that is not as in the golden; null where it is missing.
struct Difference {
  std::string where;  // `workflow`, or the name of a node
  std::string field;  // `node` when a whole node is missing or too much
  value::Value expected;
  value::Value got;
};

struct Comparison {
  std::vector<Difference> differences;
  std::vector<std::string> more_hooks;  // hooks beyond the golden's, which its record allows
};

struct CompareOptions {
  bool compares_keys = false;  // of artifacts
};

/// `golden` as read from its file, `workflow` a whole Workflow object. Of several variants the
/// nearest one counts.
[[nodiscard]] Comparison compare(const value::Value& golden, const value::Value& workflow,
                                 const Record& record, CompareOptions options = {});

}  // namespace tiphys::conformance
