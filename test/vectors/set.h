// One function for each set of conformance vectors: runs one record and says whether it passed.
//
// A record is one line of a *.jsonl file, as a Value; what its fields mean and when it passes
// stands in README.md beside the data. Pure: no I/O, so that the same functions can serve other
// runners. `build/vectors` is the one in main.cc.
#pragma once

#include <string>
#include <string_view>

#include "value/value.h"

namespace tiphys::vectors {

/// What came of one record; the texts are for people and empty when it passed.
struct Outcome {
  bool passed = false;
  std::string wanted;
  std::string got;
};

/// expr.jsonl: expressions, their text in tags and their meaning as conditions.
[[nodiscard]] Outcome run_expr(const value::Value& record);
/// when.jsonl: `when` of steps, tasks and CronWorkflows.
[[nodiscard]] Outcome run_when(const value::Value& record);
/// cron.jsonl: the next times of a schedule.
[[nodiscard]] Outcome run_cron(const value::Value& record);
/// tags.jsonl: tags in JSON documents.
[[nodiscard]] Outcome run_tags(const value::Value& record);
/// yaml.jsonl: YAML to JSON and to manifests.
[[nodiscard]] Outcome run_yaml(const value::Value& record);
/// depends.jsonl: whether a DAG task runs, waits or is omitted.
[[nodiscard]] Outcome run_depends(const value::Value& record);
/// Records that name their category, in times.jsonl, names.jsonl, loops.jsonl, backoff.jsonl,
/// selectors.jsonl and variables.jsonl. `line`: the record's text, where the spelling counts.
[[nodiscard]] Outcome run_category(const value::Value& record, std::string_view line);

}  // namespace tiphys::vectors
