#include "cli/metric_values.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <ranges>

#include "cli/command.h"
#include "runtime/submit.h"
#include "value/json.h"

namespace tiphys::cli {

namespace {

// Most workflows declare none: then their nodes need not be read.
bool may_have_metrics(const store::WorkflowRow& row) {
  return row.spec_json.find("\"metrics\"") != std::string::npos ||
         row.spec_json.find("\"templateRef\"") != std::string::npos;
}

}  // namespace

diag::Result<metrics::Samples> metric_samples(store::Store& store,
                                              const std::vector<store::WorkflowRow>& rows) {
  metrics::Samples samples;
  // The newest come first, and the last value of a gauge counts, also within one second.
  for (const store::WorkflowRow& row : std::views::reverse(rows)) {
    if (!may_have_metrics(row)) continue;
    TRY(const value::Value workflow, runtime::load_workflow_object(store, row));
    metrics::collect(workflow, runtime::template_finder(store, row.name_space), now(), samples);
  }
  return samples;
}

value::Value with_metrics_condition(value::Value workflow, store::Store& store) {
  const std::string name_space(workflow["metadata"]["namespace"].string_or(""));
  metrics::Samples samples;
  metrics::collect(workflow, runtime::template_finder(store, name_space), now(), samples);
  if (samples.problems.empty()) return workflow;
  value::List conditions = workflow["status"]["conditions"].list();
  conditions.emplace_back(
      value::Map{{"type", "MetricsError"},
                 {"status", "True"},
                 {"message", fmt::format("{}", fmt::join(samples.problems, ", "))}});
  value::Map status = workflow["status"].map();
  status.set("conditions", std::move(conditions));
  value::Map whole = workflow.map();
  whole.set("status", std::move(status));
  return whole;
}

}  // namespace tiphys::cli
