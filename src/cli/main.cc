// The list of commands, nothing else.
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <string_view>
#include <vector>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/help_texts.h"
#include "cli/log_flags.h"
#include "executor/supervisor.h"

namespace {

using tiphys::cli::Session;

void add_commands(CLI::App& app, Session& session) {
  using namespace tiphys::cli;
  add_run(app, session);
  add_submit(app, session);
  add_list(app, session);
  add_get(app, session);
  add_logs(app, session);
  add_wait(app, session);
  add_watch(app, session);
  add_control(app, session);
  add_resubmit(app, session);
  add_delete(app, session);
  add_lint(app, session);
  add_simulate(app, session);
  add_test(app, session);
  add_metrics(app, session);
  add_conformance(app, session);
  add_schema(app, session);
  add_templates(app, session);
  add_apply(app, session);
  add_secret(app, session);
  add_notifications(app, session);
  add_notify(app, session);
  add_plugin(app, session);
  add_pods(app, session);
  add_server(app, session);
  add_version(app, session);
  add_completion(app, session);
}

int main_of(const std::vector<std::string>& words) {
  CLI::App app(
      "tiphys runs Argo Workflows manifests without a cluster, and tells people what happened.",
      "tiphys");
  app.require_subcommand(0, 1);
  Session session;
  app.add_option("-n,--namespace", session.name_space, "the namespace (default: 'default')")
      ->envname("ARGO_NAMESPACE");
  app.add_flag("--no-color", session.no_color, "no colours");
  app.add_flag("--no-utf8", session.no_utf8, "plain ASCII trees");
  add_log_flags(app, session);
  add_commands(app, session);
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
