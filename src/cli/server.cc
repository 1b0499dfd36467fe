#include <fmt/format.h>
#include <unistd.h>

#include <csignal>

#include "cli/commands.h"
#include "runtime/host.h"

namespace tiphys::cli {

namespace {

runtime::Host* host_to_stop = nullptr;

void on_signal(int /*signal*/) {
  if (host_to_stop != nullptr) host_to_stop->request_stop();
}

diag::Result<void> serve(bool exit_when_idle) {
  TRY(Opened state, open_state());
  TRY(auto host, runtime::Host::open(state.config));
  host_to_stop = host.get();
  struct sigaction action{};
  action.sa_handler = on_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  host->adopt_all();
  fmt::print("tiphys server: running the workflows of '{}' (pid {})\n", state.config.home,
             getpid());
  std::fflush(stdout);
  auto served = host->run([&] { return exit_when_idle && host->is_idle(); }, {});
  host_to_stop = nullptr;
  return served;
}

}  // namespace

void add_server(CLI::App& app, Session& session) {
  auto exit_when_idle = std::make_shared<bool>(false);
  CLI::App* command =
      add_command(app, "server", "run what was submitted, until SIGTERM; steps outlive it", session,
                  [exit_when_idle] { return serve(*exit_when_idle); });
  command->add_flag("--exit-when-idle", *exit_when_idle, "end when no workflow is unfinished");
}

}  // namespace tiphys::cli
