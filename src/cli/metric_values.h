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

}  // namespace tiphys::cli
