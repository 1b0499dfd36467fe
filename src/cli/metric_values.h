// The metrics of stored workflows, for the commands that show them.
#pragma once

#include <string>
#include <vector>

#include "metrics/samples.h"
#include "store/store.h"

namespace tiphys::cli {

/// The samples of the workflows. Errors: kIo.
[[nodiscard]] diag::Result<metrics::Samples> metric_samples(
    store::Store& store, const std::vector<store::WorkflowRow>& rows);

/// A Workflow object with the condition MetricsError, if there are metrics of it that cannot be
/// emitted.
[[nodiscard]] value::Value with_metrics_condition(value::Value workflow, store::Store& store);

}  // namespace tiphys::cli
