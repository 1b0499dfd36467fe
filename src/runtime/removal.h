// How a workflow is ended and removed on request: by the command line, a resource template or the
// CronWorkflow that it belongs to.
//
// The store is borrowed; its thread only.
#pragma once

#include <string>

#include "clock/instant.h"
#include "diag/error.h"
#include "runtime/config.h"
#include "store/store.h"

namespace tiphys::runtime {

/// Orders its engine to terminate it. A suspended workflow comes to its end only when it is
/// resumed, as in Argo. Errors: kIo.
[[nodiscard]] diag::Result<void> order_end(store::Store& store, const std::string& uid,
                                           bool is_suspended, clock::Instant now);

/// Deletes one that no engine has, with what belongs to it: its artifacts, too, if an artifactGC
/// wants it. `row` is as it stands. Errors: as delete_with_artifacts().
[[nodiscard]] diag::Result<void> remove_ended(store::Store& store, const Config& config,
                                              const store::WorkflowRow& row, bool is_forced);

}  // namespace tiphys::runtime
