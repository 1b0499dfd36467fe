// Input artifacts from git repositories, fetched with the `git` of this machine.
//
// Blocks while it transfers; called on an executor's thread.
#pragma once

#include <string>

#include "executor/artifact_transfer.h"

namespace tiphys::executor {

/// Clones the artifact's repository to `place` and checks its revision out. Errors: kIo, with what
/// git said last.
[[nodiscard]] diag::Result<void> fetch_git(const value::Value& artifact, const std::string& place,
                                           const TransferSettings& settings);

}  // namespace tiphys::executor
