// The commands, each in the file of its name.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/inputs.h"

namespace tiphys::cli {

void add_run(CLI::App& app, Session& session);
void add_submit(CLI::App& app, Session& session);
void add_list(CLI::App& app, Session& session);
void add_get(CLI::App& app, Session& session);
void add_logs(CLI::App& app, Session& session);
void add_wait(CLI::App& app, Session& session);
void add_control(CLI::App& app, Session& session);
void add_delete(CLI::App& app, Session& session);
void add_lint(CLI::App& app, Session& session);
void add_templates(CLI::App& app, Session& session);
void add_apply(CLI::App& app, Session& session);
void add_secret(CLI::App& app, Session& session);
void add_pods(CLI::App& app, Session& session);
void add_server(CLI::App& app, Session& session);
void add_version(CLI::App& app, Session& session);
void add_completion(CLI::App& app, Session& session);

/// Checks files and prints what is wrong; the exit code is 1 if anything is (the lint commands).
[[nodiscard]] diag::Result<void> lint_files(const std::vector<std::string>& files,
                                            const std::string& output, Session& session);

/// The flags of submit that change the workflow.
void add_submit_flags(CLI::App& command, Overrides& o);

}  // namespace tiphys::cli
