// What the commands share: options for all of them, the store, and how they end.
//
// Each command is a file; it adds itself to the parser with add_NAME() and sets
// Session::exit_code when it runs.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/parser.h"
#include "diag/error.h"
#include "runtime/config.h"
#include "store/store.h"

namespace tiphys::cli {

/// One call of the program.
struct Session {
  int exit_code = 0;
  std::string name_space;  // -n; empty: `default` when something is made, any for look-ups
  std::string store;       // --store; runtime::Config::from_environment() reads it
  bool no_color = false;
  bool no_utf8 = false;
  std::string log_level = {};   // --loglevel; empty: the command's own
  std::string log_format = {};  // --log-format; empty: text
  bool is_verbose = false;

  /// Colours are wanted: no --no-color, no NO_COLOR, and stdout is a terminal.
  [[nodiscard]] bool color() const;
  /// The namespace for what is made.
  [[nodiscard]] std::string space() const { return name_space.empty() ? "default" : name_space; }
};

/// The state folder and its store. Errors: kIo.
struct Opened {
  runtime::Config config;
  std::unique_ptr<store::Store> store;
};
[[nodiscard]] diag::Result<Opened> open_state();
[[nodiscard]] diag::Result<Opened> open_state(runtime::Config config);

/// Prints `Error: TEXT` on stderr and makes the exit code 1.
void fail_with(Session& session, const diag::Error& error);
void fail_with(Session& session, const std::string& text);

/// The error of a wrong flag or argument.
[[nodiscard]] std::unexpected<diag::Error> wrong_usage(std::string text);

/// Writes text to stdout. A reader that has gone (`tiphys run x | head`) is no reason to stop.
void print_text(std::string_view text);

/// Registers `name` so that an error of `body` ends as fail_with().
Command add_command(Command app, const std::string& name, const std::string& description,
                    Session& session, const std::function<diag::Result<void>()>& body);

/// The time now.
[[nodiscard]] clock::Instant now();

/// The workflow of this name (`@latest`: the newest). Errors: kNotFound.
[[nodiscard]] diag::Result<store::WorkflowRow> find_workflow(store::Store& store,
                                                             const Session& session,
                                                             const std::string& name);

/// Whether some engine process listens on this state folder, or lives on the store.
[[nodiscard]] bool has_engine(const Opened& state);
/// Tells on stderr that a new workflow waits for an engine, if none runs.
void note_if_no_engine(const Opened& state);

}  // namespace tiphys::cli
