#include "executor/http.h"
#include "executor/plugin_executor.h"
#include "runtime/host_state.h"
#include "runtime/images.h"
#include "runtime/lookup.h"
#include "runtime/plugins.h"
#include "runtime/step_executor.h"
#include "runtime/success_condition.h"
#include "store/open.h"

namespace tiphys::runtime {

diag::Result<std::unique_ptr<Host>> Host::open(Config config) {
  TRY(Doorbell bell, Doorbell::hang(config.home));
  auto state = std::make_unique<State>(std::move(config), std::move(bell));
  TRY(state->store, store::open(state->config.store_address()));
  if (state->store->has_leases()) {
    TRY(const store::EngineIdentity identity, engine_identity(state->config));
    TRY_VOID(state->store->join(identity));
  }
  State* s = state.get();
  if (!s->config.trace_path.empty()) {
    TRY(observe::Trace trace, observe::Trace::open(s->config.trace_path));
    s->observer.trace_to(std::move(trace));
  }
  const executor::Listener listener{
      .on_running = [s](const std::string& key,
                        clock::Instant at) { s->inbox.post(Began{key, at}); },
      .on_placed =
          [s](const std::string& key, clock::Instant at, std::string host, std::string ip) {
            s->inbox.post(Began{key, at, {.host = std::move(host), .ip = std::move(ip)}});
          },
      .on_waiting =
          [s](const std::string& key, std::string why) {
            s->inbox.post(Progressed{.key = key, .progress = {}, .waiting = std::move(why)});
          },
      .on_finished =
          [s](const std::string& key, executor::Outcome outcome) {
            s->inbox.post(Ended{key, std::move(outcome)});
          },
      .on_progress =
          [s](const std::string& key, std::string progress) {
            s->inbox.post(Progressed{key, std::move(progress)});
          },
      .on_sent = [s](const std::string& key, clock::Instant at) { s->observer.sent(key, at); },
  };
  const executor::Lookup lookup = make_lookup(state->config);
  const executor::Images images = stored_images(*state->store);
  state->own_objects = std::make_unique<OwnObjects>(
      state->config, [s](const std::string& uid) { s->inbox.post(Created{uid}); });
  TRY(StepExecutors executors, make_step_executors(state->config, *state->store,
                                                   *state->own_objects, images, listener, lookup));
  state->process = std::move(executors.steps);
  state->resources = std::move(executors.resources);
  state->http = executor::make_http_executor(
      {.condition = success_condition, .refuses_private = state->config.refuses_private}, listener,
      lookup);
  state->plugins = executor::make_plugin_executor(
      {.home = state->config.home, .find = stored_plugins(state->config), .images = images},
      listener, lookup);
  state->locks = std::make_unique<Locks>(*state->store, state->config.home);
  state->artifact_gc = std::make_unique<ArtifactGc>(state->config, state->inbox, lookup);
  state->deletions = std::make_unique<Deletions>(state->config, *state->store, *state->artifact_gc);
  state->dispatch = std::make_unique<Dispatch>(
      state->config, *state->process, *state->http, *state->plugins, *state->resources,
      state->inbox, state->timers, *state->store, *state->locks, *state->artifact_gc);
  state->notifications = std::make_unique<Notifications>(Notifications::Ports{
      .config = s->config,
      .store = *s->store,
      .inbox = s->inbox,
      .lookup = lookup,
      .runs_here = [s](const std::string& uid) { return s->runs.contains(uid); },
      .will_run = [s](const std::string& uid) { return s->adoptions.waits(uid); },
      .send = [s](const executor::Task& task) { s->http->start({task}); }});
  state->subscriptions =
      std::make_unique<Subscriptions>(state->config, *state->store, *state->notifications);
  return std::unique_ptr<Host>(new Host(std::move(state)));
}

}  // namespace tiphys::runtime
