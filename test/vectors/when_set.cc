// when.jsonl: conditions of steps and tasks, and of cron workflows.
#include "expr/when.h"
#include "vectors/set.h"

namespace tiphys::vectors {

namespace {

std::string shown(const diag::Result<bool>& r) {
  return r ? (*r ? "true" : "false") : "error: " + r.error().message;
}

std::string wanted(const value::Value& record) {
  if (record["error"].bool_or(false))
    return "error: " + std::string(record["message"].string_or(""));
  return record["want"].bool_or(false) ? "true" : "false";
}

bool passes(const diag::Result<bool>& got, const value::Value& record) {
  if (record["error"].bool_or(false)) return !got;
  return got && *got == record["want"].bool_or(false);
}

}  // namespace

Outcome run_when(const value::Value& record) {
  const std::string_view input = record["input"].string_or("");
  const auto step = expr::evaluate_when(input);
  const auto cron = expr::evaluate_cron_when(input);
  return {.passed = passes(step, record) && passes(cron, record["cron"]),
          .wanted = wanted(record) + " | " + wanted(record["cron"]),
          .got = shown(step) + " | " + shown(cron)};
}

}  // namespace tiphys::vectors
