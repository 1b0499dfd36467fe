// A workflow's spec as the oracle reads it: only what decides which nodes there must be.
//
// Made once for a workflow, from the manifest alone. Understands what the generator of this folder
// writes: templates without inputs, loops over constants. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "value/value.h"

namespace tiphys::sim {

struct HookPlan {
  std::string name;
  std::string template_name;
  std::string expression;  // empty: always (exit hooks only)
};

/// A step or a task.
struct CallPlan {
  std::string name;
  std::string template_name;
  std::string when;
  std::optional<std::vector<std::string>> items;  // of a loop: `(0:p)`, `(1:q)` ...
  std::vector<HookPlan> hooks;                    // without the one named exit
  std::optional<HookPlan> exit;
  std::string depends;
  bool continues_on_failed = false;
  bool continues_on_error = false;
};

struct RetryPlan {
  std::optional<std::int64_t> limit;
  std::string policy;
  bool has_backoff = false;
};

struct TemplatePlan {
  enum class Kind : std::uint8_t { kLeaf, kSuspend, kSteps, kDag };
  Kind kind = Kind::kLeaf;
  std::vector<std::vector<CallPlan>> groups;  // of kSteps
  std::vector<CallPlan> tasks;                // of kDag
  std::optional<RetryPlan> retry;
  std::int64_t parallelism = 0;  // 0: no limit
  bool fails_fast = false;
  std::string mutex;
};

struct Blueprint {
  std::string name;
  std::string entrypoint;
  std::string exit_handler;  // its template; empty: none
  std::vector<HookPlan> hooks;
  std::int64_t parallelism = 0;
  std::map<std::string, TemplatePlan> templates;
};

[[nodiscard]] Blueprint read_blueprint(const value::Value& workflow);

}  // namespace tiphys::sim
