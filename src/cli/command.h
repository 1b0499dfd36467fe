// What the commands share: options for all of them, the store, and how they end.
//
// Each command is a file; it adds itself to the parser with add_NAME() and sets Session::exit_code
// when it runs.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "diag/error.h"
#include "runtime/config.h"
#include "store/store.h"

namespace tiphys::cli {

/// One call of the program.
struct Session {
  int exit_code = 0;
  std::string
      name_space;  // -n; empty: `default` when something is made, any when something is looked for
  bool no_color = false;
  bool no_utf8 = false;

  /// Colours are wanted: no --no-color, no NO_COLOR, and stdout is a terminal.
  [[nodiscard]] bool color() const;
};

/// The state folder and its store. Errors: kIo.
struct Opened {
  runtime::Config config;
  std::unique_ptr<store::Store> store;
};
[[nodiscard]] diag::Result<Opened> open_state();

/// Prints `Error: TEXT` on stderr and makes the exit code 1.
void fail_with(Session& session, const diag::Error& error);
void fail_with(Session& session, const std::string& text);

/// Registers `name` so that an error of `body` ends as fail_with().
CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& description,
                      Session& session, const std::function<diag::Result<void>()>& body);

/// The time now.
[[nodiscard]] clock::Instant now();

/// The workflow of this name (`@latest`: the newest). Errors: kNotFound.
[[nodiscard]] diag::Result<store::WorkflowRow> find_workflow(store::Store& store,
                                                             const Session& session,
                                                             const std::string& name);

/// The workflows that labels and field selectors choose, newest first (`-l a=b`, `--field-selector
/// metadata.name=x`).
[[nodiscard]] diag::Result<std::vector<store::WorkflowRow>> select_workflows(
    store::Store& store, const Session& session, const std::string& labels,
    const std::string& fields);

}  // namespace tiphys::cli
