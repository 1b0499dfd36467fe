#include <fmt/format.h>
#include <unistd.h>

#include <csignal>

#include "cli/commands.h"
#include "cli/executor_flags.h"
#include "cli/listen.h"
#include "cli/log_flags.h"
#include "cli/server_pages.h"
#include "cli/stored_cron.h"
#include "observe/log.h"
#include "runtime/host.h"
#include "runtime/link_key.h"
#include "store/open.h"

namespace tiphys::cli {

namespace {

runtime::Host* host_to_stop = nullptr;

void on_signal(int /*signal*/) {
  if (host_to_stop != nullptr) host_to_stop->request_stop();
}

struct ServerOptions {
  bool exit_when_idle = false;
  std::string trace;
  std::string listen;
  ExecutorFlags executor;
};

/// What answers on --listen.
struct Listening {
  std::unique_ptr<store::Store> store;
  std::unique_ptr<ServerPages> pages;
  std::unique_ptr<net::HttpServer> server;  // last: its thread uses the others
};

diag::Result<Listening> listen(const ServerOptions& o, const runtime::Config& config) {
  Listening out;
  if (o.listen.empty()) return out;
  TRY(const net::HttpServer::Options address, parse_listen(o.listen));
  TRY(const std::string key, runtime::link_key(config.home));
  TRY(out.store, store::open(config.store_address()));
  out.pages = std::make_unique<ServerPages>(config, *out.store, key);
  TRY(out.server, net::HttpServer::listen(address));
  out.server->start([pages = out.pages.get()](const net::HttpServerRequest& request) {
    return pages->answer(request, now());
  });
  print_text(
      fmt::format("tiphys server: listening on {}\n", listen_text(address, out.server->port())));
  return out;
}

void log_stats(const runtime::Host& host) {
  observe::log(observe::LogLevel::kInfo, "spent", observe::as_map(host.stats(), host.usage()));
}

diag::Result<void> serve(const ServerOptions& o, const Session& session) {
  set_up_log(session, true);
  TRY(Opened state, open_state());
  state.config.trace_path = o.trace;
  TRY_VOID(apply_executor_flags(o.executor, state.config));
  TRY(auto host, runtime::Host::open(state.config));
  host_to_stop = host.get();
  struct sigaction action{};
  action.sa_handler = on_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  TRY(const Listening listening, listen(o, state.config));
  host->adopt_all();
  host->keep_schedules([&](const value::Value& cron) { return check_cron(cron, *state.store); });
  fmt::print("tiphys server: running the workflows of '{}' (pid {})\n", state.config.home,
             getpid());
  std::fflush(stdout);
  clock::Instant told_at = now();
  auto served = host->run(
      [&] {
        if (now() - told_at >= state.config.stats_every) {
          told_at = now();
          log_stats(*host);
        }
        return o.exit_when_idle && host->is_idle();
      },
      {});
  host_to_stop = nullptr;
  log_stats(*host);
  return served;
}

}  // namespace

void add_server(Command app, Session& session) {
  auto o = std::make_shared<ServerOptions>();
  const Command command =
      add_command(app, "server", "run what was submitted, until SIGTERM; steps outlive it", session,
                  [o, &session] { return serve(*o, session); });
  command.add_flag("--exit-when-idle", o->exit_when_idle, "end when no workflow is unfinished");
  command.add_option("--listen", o->listen,
                     "[ADDRESS]:PORT for Prometheus (/metrics) and for links in notifications; "
                     "without ADDRESS: this machine only");
  add_trace_flag(command, o->trace);
  add_executor_flags(command, o->executor);
}

}  // namespace tiphys::cli
