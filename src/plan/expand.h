// Loops: `withItems`, `withParam` and `withSequence` of a step or task become one step for each
// item.
//
// Items count as the JSON text that they were written in, as in Argo: `1.0` is named and inserted
// as 1.0, and a text inside of a map keeps its JSON escapes (`{{item.k}}` of {"k":"a\"b"} gives
// a\"b). Measured against Argo's expandTask. Pure.
#pragma once

#include <string>
#include <vector>

#include "diag/error.h"
#include "value/value.h"
#include "vars/scope.h"

namespace tiphys::plan {

/// One round of a loop.
struct Item {
  std::string node_suffix;  // "(0:v)", "(1:k:v,n:1)"; parentheses of the item itself are left out
  value::Value
      step;  // the step, tags replaced, without with...; the same map for all if it has none
};

/// A task of a DAG also demands that tags inside of withItems resolve; a step does not look there.
enum class Caller { kStep, kTask };

/// Expands a step or task (Argo's JSON form) that has a loop. Every tag must resolve from `scope`
/// and the item, `hooks` included, unless `when` is plainly false. `template` keeps its text. An
/// empty list gives an empty vector. `name` is as given: the caller adds the suffix. Errors:
/// kMissingVariable and others of tag::substitute(); kInvalidManifest for a withParam that is no
/// JSON list and a bad withSequence.
[[nodiscard]] diag::Result<std::vector<Item>> expand(const value::Value& step_or_task,
                                                     const vars::Scope& scope,
                                                     Caller caller = Caller::kStep);

/// The items of a withSequence {start, end, count, format} as JSON texts. Errors: kInvalidManifest.
[[nodiscard]] diag::Result<std::vector<std::string>> sequence_items(const value::Value& sequence);

}  // namespace tiphys::plan
