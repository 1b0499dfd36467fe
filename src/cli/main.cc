// The list of commands, nothing else.
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.h"
#include "executor/supervisor.h"
#include "spec/schema.h"

namespace {

// The command nearest to a word that is none, for `did you mean`.
std::string nearest(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::App* sub : app.get_subcommands(nullptr)) names.push_back(sub->get_name());
  return tiphys::spec::nearest_name(word, {names.begin(), names.end()});
}

int report(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  if (error.get_exit_code() == 0) return app.exit(error);
  fmt::print(stderr, "Error: {}\n", error.what());
  if (argc > 1 && argv[1][0] != '-') {
    if (const std::string best = nearest(app, argv[1]); !best.empty() && best != argv[1]) {
      fmt::print(stderr, "\nDid you mean this?\n\t{}\n", best);
    }
  }
  fmt::print(stderr, "Run 'tiphys --help' for usage.\n");
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "__supervisor")
    return tiphys::executor::supervisor_main(argc, argv);
  using namespace tiphys::cli;
  spdlog::set_default_logger(
      spdlog::stderr_logger_mt("tiphys"));  // stdout is for what was asked for
  spdlog::set_pattern("%l: %v");
  CLI::App app(
      "tiphys runs Argo Workflows manifests without a cluster, and tells people what happened.",
      "tiphys");
  app.require_subcommand(0, 1);
  Session session;
  app.add_option("-n,--namespace", session.name_space, "the namespace (default: 'default')")
      ->envname("ARGO_NAMESPACE");
  app.add_flag("--no-color", session.no_color, "no colours");
  app.add_flag("--no-utf8", session.no_utf8, "plain ASCII trees");
  add_run(app, session);
  add_submit(app, session);
  add_list(app, session);
  add_get(app, session);
  add_logs(app, session);
  add_wait(app, session);
  add_control(app, session);
  add_delete(app, session);
  add_lint(app, session);
  add_templates(app, session);
  add_apply(app, session);
  add_secret(app, session);
  add_pods(app, session);
  add_server(app, session);
  add_version(app, session);
  add_completion(app, session);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return report(app, error, argc, argv);
  }
  if (app.get_subcommands().empty()) fmt::print("{}", app.help());
  return session.exit_code;
}
