// plugin serve: notifications of workflows on an Argo cluster, as an executor plugin.
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "cli/channels.h"
#include "cli/check.h"
#include "cli/commands.h"
#include "cli/inputs.h"
#include "cli/listen.h"
#include "cli/log_flags.h"
#include "clock/instant.h"
#include "net/http_server.h"
#include "runtime/host.h"
#include "runtime/plugin_service.h"
#include "runtime/submit.h"
#include "store/open.h"

namespace tiphys::cli {

namespace {

constexpr const char* kTokenFile = "/var/run/argo/token";  // where Argo's agent leaves it

runtime::Host* host_to_stop = nullptr;

void on_signal(int /*signal*/) {
  if (host_to_stop != nullptr) host_to_stop->request_stop();
}

struct Flags {
  std::string listen = "127.0.0.1:4355";
  std::string token_file = kTokenFile;
  std::vector<std::string> channels;
  std::string channels_variable;
  bool allows_inline = false;
};

diag::Result<std::string> token_in(const std::string& file) {
  TRY(std::string token, read_file(file));
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  if (!token.empty()) return token;
  return diag::fail(diag::Code::kIo, fmt::format("'{}' holds no token", file));
}

// Files, and the text of a variable: Argo's plugins can have variables from Secrets, but no
// volumes.
diag::Result<Documents> given_channels(const Flags& o) {
  TRY(Documents documents, read_documents(o.channels));
  if (o.channels_variable.empty()) return documents;
  const char* text = std::getenv(o.channels_variable.c_str());
  if (text == nullptr) {
    return wrong_usage(fmt::format("--channels-env: '{}' is not set", o.channels_variable));
  }
  for (spec::Manifest& m : spec::load_manifests(text, o.channels_variable, documents.findings,
                                                spec::UnknownFields::kError)) {
    documents.manifests.push_back(std::move(m));
  }
  documents.sources.push_back({.file = o.channels_variable, .text = text});
  return documents;
}

diag::Result<void> keep_given_channels(const Flags& o, Opened& state, const Session& session) {
  TRY(Documents documents, given_channels(o));
  TRY_VOID(check_documents(documents, state, {}, session));
  for (const spec::Manifest& m : documents.manifests) {
    if (m.kind == "NotificationChannel" || m.kind == "Secret") continue;
    return wrong_usage(fmt::format("--channels: '{}' is a {}: want NotificationChannel and Secret",
                                   m.name, m.kind));
  }
  TRY_VOID(keep_secrets(documents, session.space(), state.config.secrets_path()));
  return keep_channels(documents, session.space(), *state.store);
}

diag::Result<void> serve(const Flags& o, const Session& session) {
  set_up_log(session, true);
  TRY(Opened state, open_state());
  TRY(const net::HttpServer::Options address, parse_listen(o.listen));
  TRY(const std::string token, token_in(o.token_file));
  TRY_VOID(keep_given_channels(o, state, session));
  const bool has_own = !o.channels.empty() || !o.channels_variable.empty();
  TRY(auto host, runtime::Host::open(state.config));
  host->serve_notifications();
  runtime::PluginService service(
      *state.store, {.token = token,
                     .channels_space = has_own ? session.space() : "",
                     .allows_inline = o.allows_inline,
                     .on_accepted = [&state] { runtime::poke_engines(state.config.home); }});
  TRY(const auto server, net::HttpServer::listen(address));
  server->start(
      [&](const net::HttpServerRequest& request) { return service.answer(request, now()); });
  host_to_stop = host.get();
  struct sigaction action{};
  action.sa_handler = on_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  print_text(fmt::format("tiphys plugin: listening on {} (pid {})\n",
                         listen_text(address, server->port()), getpid()));
  std::fflush(stdout);
  auto served = host->run([] { return false; }, {});
  host_to_stop = nullptr;
  return served;
}

}  // namespace

void add_plugin(Command app, Session& session) {
  const Command group = app.add_group("plugin", "notifications for workflows on an Argo cluster");
  auto o = std::make_shared<Flags>();
  const Command command =
      add_command(group, "serve", "answer Argo's executor-plugin protocol until SIGTERM", session,
                  [o, &session] { return serve(*o, session); });
  command.add_option("--listen", o->listen, "ADDRESS:PORT (default: 127.0.0.1:4355)");
  command.add_option("--token-file", o->token_file,
                     "what callers must bring (default: /var/run/argo/token)");
  command.add_option("--channels", o->channels,
                     "files or folders with NotificationChannels and Secrets, stored at the start");
  command.add_option("--channels-env", o->channels_variable,
                     "the name of an environment variable that holds the same");
  command.add_flag("--allow-inline", o->allows_inline,
                   "also channels that a template describes itself, without commands and secrets");
}

}  // namespace tiphys::cli
