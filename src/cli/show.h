// Prints workflows in the form that -o asks for.
#pragma once

#include <string>

#include "cli/command.h"
#include "value/value.h"
#include "view/workflow_view.h"

namespace tiphys::cli {

/// How workflows are drawn on this terminal.
[[nodiscard]] view::GetOptions view_options(const Session& session);

/// `-o` of get, submit, run ...: "" or "text", wide, short, json, yaml, name; `base` holds the
/// filters of nodes. Errors: kInvalidManifest for another word.
[[nodiscard]] diag::Result<void> show_workflow(const value::Value& workflow,
                                               const std::string& output,
                                               const view::GetOptions& base);
[[nodiscard]] diag::Result<void> show_workflow(const value::Value& workflow,
                                               const std::string& output, const Session& session);
/// Checks the word before anything is done.
[[nodiscard]] diag::Result<void> check_output(const std::string& output);

/// `NAME Succeeded at 2026-11-24 11:00:00 +0000 UTC`, as `wait` prints it.
[[nodiscard]] std::string completion_line(const value::Value& workflow);

/// Whether -o asks for something that programs read.
[[nodiscard]] bool is_for_programs(const std::string& output);

}  // namespace tiphys::cli
