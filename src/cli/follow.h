// Following workflows that another process runs: wait, watch, logs.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "view/workflow_view.h"

namespace tiphys::cli {

struct Follow {
  bool wait = false;
  bool watch = false;
  bool log = false;
  bool is_quiet = false;  // the lines of `wait` are not wanted

  [[nodiscard]] bool is_wanted() const { return wait || watch || log; }
};

/// Adds --wait, --watch and --log.
void add_follow_flags(Command command, Follow& o);

/// Refuses what cannot be followed together. Errors: kInvalidManifest in argo's words.
[[nodiscard]] diag::Result<void> check_follow(const Follow& follow, std::size_t workflows);

/// Waits, watches or prints logs until all the workflows have ended. With `wait` the exit code is
/// 1 if one of them Failed or is in Error. Says on stderr when nothing runs them.
[[nodiscard]] diag::Result<void> follow_workflows(Opened& state,
                                                  const std::vector<store::WorkflowRow>& rows,
                                                  const Follow& follow,
                                                  const view::GetOptions& view, Session& session);

/// Until an engine has taken all commands for the workflow. Errors: kIo.
[[nodiscard]] diag::Result<void> until_commands_are_taken(store::Store& store,
                                                          const std::string& uid);

}  // namespace tiphys::cli
