#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <optional>

#include "cli/channels.h"
#include "cli/check.h"
#include "cli/commands.h"
#include "cli/delivery_metrics.h"
#include "cli/executor_flags.h"
#include "cli/inputs.h"
#include "cli/live_view.h"
#include "cli/log_flags.h"
#include "cli/log_notes.h"
#include "cli/metric_values.h"
#include "cli/show.h"
#include "executor/supervisor_client.h"
#include "metrics/registry.h"
#include "metrics/resources_duration.h"
#include "runtime/host.h"
#include "runtime/ownership.h"
#include "runtime/submit.h"
#include "value/json.h"

namespace tiphys::cli {

namespace {

struct RunOptions {
  std::vector<std::string> files;
  Overrides overrides;
  std::string output;
  std::string defaults;
  bool log = false;
  bool stats = false;
  std::string trace;
  ExecutorFlags executor;
  bool is_strict = false;  // Kubernetes drops unknown fields, and a run does what a cluster would
};

using Rows = std::vector<store::WorkflowRow>;

// Ctrl-C: once stops (exit handlers run), twice terminates, thrice leaves the workflows to a later
// engine.
volatile std::sig_atomic_t interrupts = 0;
runtime::Host* host_to_wake = nullptr;

void on_interrupt(int /*signal*/) {
  interrupts = interrupts + 1;
  if (interrupts >= 3) _exit(1);
  if (host_to_wake != nullptr) host_to_wake->wake();
}

void on_broken_pipe(int /*signal*/) {}

class Interrupts {
 public:
  explicit Interrupts(runtime::Host& host) {
    host_to_wake = &host;
    struct sigaction action{};
    action.sa_handler = on_interrupt;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    // A reader that goes (`tiphys run x | head`) must not end the workflow's engine.
    action.sa_handler = on_broken_pipe;
    sigaction(SIGPIPE, &action, nullptr);
  }
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  ~Interrupts() { host_to_wake = nullptr; }

  /// Turns the interrupts that have come since the last call into commands.
  void carry_out(store::Store& store, const Rows& rows, LiveView& live) {
    if (seen_ == interrupts) return;
    seen_ = interrupts;
    const char* verb = seen_ == 1 ? "stop" : "terminate";
    live.note(seen_ == 1 ? "stopping (exit handlers run); Ctrl-C again to terminate"
                         : "terminating; Ctrl-C again to leave at once");
    for (const store::WorkflowRow& row : rows) {
      auto added = store.add_command(
          {.id = 0, .uid = row.uid, .verb = verb, .arguments_json = "{}", .created_at = now()});
      if (!added) live.note(fmt::format("cannot {}: {}", verb, added.error().message));
    }
  }

 private:
  int seen_ = 0;
};

diag::Result<Documents> read_files(RunOptions& o) {
  TRY_VOID(load_parameter_file(o.overrides));
  return read_documents(o.files,
                        o.is_strict ? spec::UnknownFields::kError : spec::UnknownFields::kWarning);
}

diag::Result<std::vector<runtime::Submission>> check_submissions(Documents& documents,
                                                                 Opened& state, RunOptions& o,
                                                                 const Session& session) {
  // Who wants the object gets the one that Argo's controller would make of an invalid workflow.
  const bool is_readable = !documents.has_errors();
  TRY_VOID(check_given(documents, *state.store, o.overrides, session));
  auto checked = check_documents(documents, state, o.overrides, session, o.defaults);
  if (!checked && !(is_readable && is_for_programs(o.output))) {
    return std::unexpected(checked.error());
  }
  TRY(auto submissions, make_submissions(documents, o.overrides, o.defaults));
  TRY_VOID(complete(submissions, *state.store, session));
  for (runtime::Submission& s : submissions) s.may_be_unresolved = !checked;
  TRY_VOID(keep_secrets(documents, space_of(submissions), state.config.secrets_path()));
  TRY_VOID(keep_channels(documents, space_of(submissions), *state.store));
  return submissions;
}

// All of them or none: one that cannot be stored takes the others back.
diag::Result<Rows> submit_all(Opened& state, const std::vector<runtime::Submission>& submissions) {
  Rows rows;
  for (const runtime::Submission& submission : submissions) {
    auto row = runtime::submit(*state.store, submission, now());
    if (row) {
      rows.push_back(std::move(*row));
      continue;
    }
    for (const store::WorkflowRow& made : rows) (void)state.store->delete_workflow(made.uid);
    return std::unexpected(row.error());
  }
  return rows;
}

LiveOptions live_options(const RunOptions& o, const Opened& state, const Session& session) {
  using Show = LiveOptions::Show;
  return {.show = o.log              ? Show::kLogs
                  : o.output.empty() ? Show::kNodes
                                     : Show::kNothing,
          .logs_to_stderr = is_for_programs(o.output),
          .view = view_options(session),
          .config = state.config};
}

diag::Result<void> print_metrics(store::Store& store, const Rows& rows) {
  Rows ended;
  for (const store::WorkflowRow& row : rows) {
    TRY(store::WorkflowRow latest, store.find_workflow(row.name_space, row.name));
    ended.push_back(std::move(latest));
  }
  TRY(metrics::Samples samples, metric_samples(store, ended));
  for (const std::string& problem : samples.problems) fmt::print(stderr, "warning: {}\n", problem);
  for (const std::string& line : metrics::Registry(std::move(samples.samples)).lines()) {
    fmt::print(stderr, "metric {}\n", line);
  }
  return {};
}

// On stderr: stdout is for the workflows.
void print_stats(const runtime::Host& host, const std::string& output) {
  const observe::Stats stats = host.stats();
  const observe::Usage usage = host.usage();
  if (is_for_programs(output)) {
    fmt::print(
        stderr, "{}\n",
        value::to_json(observe::as_map(stats, usage), {.key_order = value::KeyOrder::kAsGiven}));
  } else {
    fmt::print(stderr, "{}", observe::as_table(stats, usage));
  }
}

diag::Result<void> run(RunOptions& o, Session& session) {
  TRY_VOID(check_output(o.output));
  TRY(Documents documents, read_files(o));
  TRY(runtime::Config config, runtime::Config::from_environment());
  TRY_VOID(apply_executor_flags(o.executor, config));
  if (!documents.has_errors() && config.executor != executor::ExecutorKind::kKubernetes) {
    config.launched_supervisor = executor::launch_supervisor(config.home);
  }
  TRY(Opened state, open_state(std::move(config)));
  TRY(const auto submissions, check_submissions(documents, state, o, session));
  // What it submits is its own from the beginning, or a server might be quicker.
  if (state.store->has_leases()) {
    TRY(const store::EngineIdentity identity, runtime::engine_identity(state.config));
    TRY_VOID(state.store->join(identity));
  }
  TRY(const Rows rows, submit_all(state, submissions));
  state.config.trace_path = o.trace;
  TRY(auto host, runtime::Host::open(state.config));
  LiveView live(live_options(o, state, session),
                [&](const std::string& uid) { return host->workflow_object(uid); });
  for (const store::WorkflowRow& row : rows) {
    TRY_VOID(host->adopt(row.uid));
    live.changed(row.uid);
  }
  Interrupts interrupted(*host);
  std::optional<LogNotes> notes;
  if (live.shows_end()) notes.emplace();
  auto is_done = [&] {
    interrupted.carry_out(*state.store, rows, live);
    if (notes) std::ranges::for_each(notes->take(), [&](const auto& line) { live.note(line); });
    live.tick();
    // Also those that its templates have created.
    return host->is_at_rest() && std::ranges::all_of(rows, [&](const store::WorkflowRow& r) {
             return !host->final_phase(r.uid).empty();
           });
  };
  TRY_VOID(host->run(is_done, {.on_change = [&](const std::string& uid) { live.changed(uid); }}));
  live.finish();
  for (const store::WorkflowRow& row : rows) {
    if (o.output == "name") {
      print_text(row.name + "\n");  // the object of many nodes takes its time
    } else if (!live.shows_end()) {
      value::Value workflow = metrics::with_resources_duration(
          host->workflow_object(row.uid), runtime::template_finder(*state.store, row.name_space));
      workflow = with_metrics_condition(std::move(workflow), *state.store);
      TRY_VOID(show_workflow(workflow, o.output, session));
    }
    if (host->final_phase(row.uid) != "Succeeded") session.exit_code = 1;
  }
  TRY(const std::string summary, delivery_summary(*state.store, rows));
  if (!is_for_programs(o.output)) {
    print_text(summary);
  } else if (summary.find('\n') + 1 != summary.size()) {
    fmt::print(stderr, "{}", summary);  // something is to be done
  }
  if (o.stats) print_stats(*host, o.output);
  if (o.stats && !is_for_programs(o.output)) TRY_VOID(print_metrics(*state.store, rows));
  return {};
}

}  // namespace

void add_run(Command app, Session& session) {
  auto o = std::make_shared<RunOptions>();
  const Command command = add_command(app, "run", "run workflows in the foreground and show them",
                                      session, [o, &session] {
                                        o->overrides.name_space = session.name_space;
                                        return run(*o, session);
                                      });
  command.add_option("FILE", o->files, "manifests; - is stdin").required();
  command.add_option("-o,--output", o->output,
                     "print only the final workflow: json, yaml, name, wide, short");
  command.add_option("--workflow-defaults", o->defaults, "a file with Argo's workflowDefaults");
  command.add_flag("--strict", o->is_strict, "unknown fields are errors, not warnings");
  command.add_flag("--log", o->log, "print the logs of the steps as they come");
  command.add_flag(
      "--stats", o->stats,
      "tell on stderr what the engine spent; with -o json or yaml as one line of JSON");
  add_trace_flag(command, o->trace);
  add_executor_flags(command, o->executor);
  add_override_flags(command, o->overrides);
}

}  // namespace tiphys::cli
