// Following workflows that another process runs: wait, watch, logs.
#pragma once

#include <vector>

#include "cli/command.h"

namespace tiphys::cli {

struct Follow {
  bool wait = false;
  bool watch = false;
  bool log = false;
};

/// Whether some engine process listens on this state folder.
[[nodiscard]] bool has_engine(const runtime::Config& config);

/// Waits, watches or prints logs until the workflows have ended. With `wait` the exit code is 1
/// unless all Succeeded.
[[nodiscard]] diag::Result<void> follow_workflows(Opened& state,
                                                  const std::vector<store::WorkflowRow>& rows,
                                                  const Follow& follow, Session& session);

/// Until the workflow has ended, calls `look` with its row at each change (and at least once).
[[nodiscard]] diag::Result<store::WorkflowRow> until_end(
    store::Store& store, const store::WorkflowRow& row,
    const std::function<void(const store::WorkflowRow&)>& look);

}  // namespace tiphys::cli
