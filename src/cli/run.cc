#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <set>

#include "cli/check.h"
#include "cli/commands.h"
#include "cli/inputs.h"
#include "cli/live_view.h"
#include "cli/show.h"
#include "runtime/host.h"
#include "runtime/submit.h"
#include "store/sqlite.h"

namespace tiphys::cli {

namespace {

struct RunOptions {
  std::vector<std::string> files;
  Overrides overrides;
  std::string output;
  std::string defaults;
  bool log = false;
};

// Ctrl-C: once stops (exit handlers run), twice terminates, thrice leaves the workflows to a later
// engine.
volatile std::sig_atomic_t interrupts = 0;
runtime::Host* host_to_wake = nullptr;

void on_interrupt(int /*signal*/) {
  interrupts = interrupts + 1;
  if (interrupts >= 3) _exit(130);
  if (host_to_wake != nullptr) host_to_wake->wake();
}

class Interrupts {
 public:
  explicit Interrupts(runtime::Host& host) {
    host_to_wake = &host;
    struct sigaction action{};
    action.sa_handler = on_interrupt;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
  }
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  ~Interrupts() { host_to_wake = nullptr; }

  /// Turns the interrupts that have come since the last call into commands.
  void carry_out(store::Store& store, const std::vector<store::WorkflowRow>& rows) {
    if (seen_ == interrupts) return;
    seen_ = interrupts;
    const char* verb = seen_ == 1 ? "stop" : "terminate";
    fmt::print(stderr, "{}\n",
               seen_ == 1 ? "stopping (exit handlers run); Ctrl-C again to terminate"
                          : "terminating; Ctrl-C again to leave");
    for (const store::WorkflowRow& row : rows) {
      (void)store.add_command(
          {.id = 0, .uid = row.uid, .verb = verb, .arguments_json = "{}", .created_at = now()});
    }
  }

 private:
  int seen_ = 0;
};

diag::Result<std::vector<store::WorkflowRow>> submit_all(Opened& state, const RunOptions& o,
                                                         const Session& session) {
  TRY(Documents documents, read_documents(o.files, spec::UnknownFields::kWarning));
  TRY_VOID(check_documents(documents, *state.store, o.overrides, session));
  TRY(auto submissions,
      make_submissions(documents, o.overrides, o.defaults, state.config.secrets_path()));
  mark_invalid(submissions, *state.store);
  std::vector<store::WorkflowRow> rows;
  for (const runtime::Submission& submission : submissions) {
    TRY(store::WorkflowRow row, runtime::submit(*state.store, submission, now()));
    rows.push_back(std::move(row));
  }
  return rows;
}

diag::Result<void> run(const RunOptions& o, Session& session) {
  TRY_VOID(check_output(o.output));
  TRY(Opened state, open_state());
  TRY(const std::vector<store::WorkflowRow> rows, submit_all(state, o, session));
  TRY(auto host, runtime::Host::open(state.config));
  for (const store::WorkflowRow& row : rows) TRY_VOID(host->adopt(row.uid));
  LiveView live({.is_quiet = !o.output.empty(), .follow_logs = o.log, .config = state.config},
                session);
  Interrupts interrupted(*host);
  auto is_done = [&] {
    interrupted.carry_out(*state.store, rows);
    return std::ranges::all_of(
        rows, [&](const store::WorkflowRow& r) { return !host->final_phase(r.uid).empty(); });
  };
  TRY_VOID(host->run(is_done, {.on_change = [&](const std::string& uid) {
                       live.update(host->workflow_object(uid));
                     }}));
  live.finish();
  for (const store::WorkflowRow& row : rows) {
    const value::Value workflow = host->workflow_object(row.uid);
    if (!live.has_shown_end() || !o.output.empty())
      TRY_VOID(show_workflow(workflow, o.output, session));
    if (host->final_phase(row.uid) != "Succeeded") session.exit_code = 1;
  }
  return {};
}

}  // namespace

void add_submit_flags(CLI::App& command, Overrides& o) {
  command.add_option("-p,--parameter", o.parameters, "pass an input parameter (NAME=VALUE)")
      ->allow_extra_args(false);
  command.add_option("-f,--parameter-file", o.parameter_file,
                     "a file (YAML or JSON) of input parameters");
  command.add_option("-l,--labels", o.labels, "labels to put on the workflow: a=b,c=d");
  command.add_option("--name", o.name, "override metadata.name");
  command.add_option("--generate-name", o.generate_name, "override metadata.generateName");
  command.add_option("--entrypoint", o.entrypoint, "override the entrypoint");
  command.add_option("--serviceaccount", o.service_account, "run as this service account");
  command.add_option("--scheduled-time", o.scheduled_time,
                     "the time the workflow was scheduled for (RFC 3339)");
  command.add_option("--priority", o.priority, "workflow priority");
}

void add_run(CLI::App& app, Session& session) {
  auto o = std::make_shared<RunOptions>();
  CLI::App* command = add_command(app, "run", "run workflows in the foreground and show them",
                                  session, [o, &session] {
                                    o->overrides.name_space = session.name_space;
                                    return run(*o, session);
                                  });
  command->add_option("FILE", o->files, "manifests; - is stdin")->required();
  command->add_option("-o,--output", o->output,
                      "print only the final workflow: json, yaml, name, wide, short");
  command->add_option("--workflow-defaults", o->defaults, "a file with Argo's workflowDefaults");
  command->add_flag("--log", o->log, "print the logs of the steps as they come");
  add_submit_flags(*command, o->overrides);
}

}  // namespace tiphys::cli
