// The list of commands, nothing else.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/help_texts.h"
#include "cli/log_flags.h"
#include "executor/supervisor.h"

namespace {

using tiphys::cli::Command;
using tiphys::cli::Session;

struct Entry {
  std::string_view name;  // "" for one that adds several, or that looks at the others
  void (*add)(Command app, Session& session);
};

constexpr Entry kCommands[] = {
    {"run", tiphys::cli::add_run},
    {"submit", tiphys::cli::add_submit},
    {"list", tiphys::cli::add_list},
    {"get", tiphys::cli::add_get},
    {"logs", tiphys::cli::add_logs},
    {"wait", tiphys::cli::add_wait},
    {"watch", tiphys::cli::add_watch},
    {"", tiphys::cli::add_control},
    {"resubmit", tiphys::cli::add_resubmit},
    {"delete", tiphys::cli::add_delete},
    {"lint", tiphys::cli::add_lint},
    {"simulate", tiphys::cli::add_simulate},
    {"test", tiphys::cli::add_test},
    {"metrics", tiphys::cli::add_metrics},
    {"conformance", tiphys::cli::add_conformance},
    {"schema", tiphys::cli::add_schema},
    {"cron", tiphys::cli::add_cron},
    {"", tiphys::cli::add_templates},
    {"", tiphys::cli::add_apply},
    {"", tiphys::cli::add_secret},
    {"", tiphys::cli::add_notifications},
    {"", tiphys::cli::add_notify},
    {"", tiphys::cli::add_plugin},
    {"", tiphys::cli::add_pods},
    {"store", tiphys::cli::add_store},
    {"server", tiphys::cli::add_server},
    {"version", tiphys::cli::add_version},
    {"", tiphys::cli::add_completion},
};

// Making all of them takes a millisecond: only the one that is asked for, where that is plain.
void add_commands(Command app, Session& session, const std::vector<std::string>& words) {
  const std::string_view first = words.empty() ? std::string_view() : words.front();
  const bool is_one =
      !first.empty() && std::ranges::find(kCommands, first, &Entry::name) != std::end(kCommands);
  for (const Entry& command : kCommands) {
    if (!is_one || command.name == first) command.add(app, session);
  }
}

int main_of(const std::vector<std::string>& words) {
  CLI::App app(
      "tiphys runs Argo Workflows manifests without a cluster, and tells people what happened.",
      "tiphys");
  app.require_subcommand(0, 1);
  Session session;
  const Command program(app);
  program.add_option("-n,--namespace", session.name_space, "the namespace (default: 'default')")
      .from_environment("ARGO_NAMESPACE");
  program
      .add_option("--store", session.store,
                  "where state is kept: postgresql://USER@HOST/DATABASE, or the path of an SQLite "
                  "file (default: tiphys.db in the state folder)")
      .on_word([](const std::string& where) { setenv("TIPHYS_STORE", where.c_str(), 1); });
  program.add_flag("--no-color", session.no_color, "no colours");
  program.add_flag("--no-utf8", session.no_utf8, "plain ASCII trees");
  add_log_flags(program, session);
  add_commands(program, session, words);
  tiphys::cli::dress_help(app);
  if (const auto text = tiphys::cli::unknown_command(app, words)) {
    fmt::print(stderr, "Error: {}\nRun 'tiphys --help' for usage.\n", *text);
    return 1;
  }
  try {
    std::vector<std::string> reversed(words.rbegin(), words.rend());  // as CLI11 wants them
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    fmt::print(stderr, "Error: {}\nRun 'tiphys --help' for usage.\n", error.what());
    return 1;
  }
  if (app.get_subcommands().empty()) fmt::print("{}", app.help());
  return session.exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "__supervisor") {
    return tiphys::executor::supervisor_main(argc, argv);
  }
  try {
    return main_of(tiphys::cli::normalized({argv + 1, argv + argc}));
  } catch (const std::exception& error) {
    (void)std::fprintf(stderr, "Error: %s\n", error.what());
    return 1;
  }
}
