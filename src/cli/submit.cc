#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "cli/channels.h"
#include "cli/check.h"
#include "cli/commands.h"
#include "cli/follow.h"
#include "cli/inputs.h"
#include "cli/show.h"
#include "cli/stored_cron.h"
#include "runtime/submit.h"
#include "runtime/workflow_defaults.h"

namespace tiphys::cli {

namespace {

struct SubmitOptions {
  std::vector<std::string> files;
  std::string from;
  std::string output;
  std::string defaults;
  std::string status;
  std::string node_field_selector;
  Overrides overrides;
  Follow follow;
  bool dry_run = false;
  bool server_dry_run = false;
  bool is_strict = true;

  [[nodiscard]] bool is_dry() const { return dry_run || server_dry_run; }
};

// `wftmpl/name`, `ClusterWorkflowTemplate/name` ... as argo takes them.
diag::Result<value::Value> workflow_from(const std::string& from, store::Store& store,
                                         const Session& session) {
  const std::size_t slash = from.find('/');
  if (slash == std::string::npos) {
    return wrong_usage(fmt::format(
        "resource identifier '{}' is malformed. Should be `kind/name`, e.g. workflowtemplate/hello",
        from));
  }
  std::string kind = from.substr(0, slash);
  std::ranges::transform(kind, kind.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::array<std::string_view, 4> kTemplate = {"workflowtemplate", "workflowtemplates",
                                                         "wftmpl", "wft"};
  constexpr std::array<std::string_view, 4> kCluster = {
      "clusterworkflowtemplate", "clusterworkflowtemplates", "clusterwftmpl", "cwft"};
  constexpr std::array<std::string_view, 4> kCron = {"cronworkflow", "cronworkflows", "cronwf",
                                                     "cwf"};
  if (std::ranges::find(kCron, kind) != kCron.end()) {
    return workflow_from_cron(store, session.space(), from.substr(slash + 1));
  }
  const bool is_cluster = std::ranges::find(kCluster, kind) != kCluster.end();
  if (!is_cluster && std::ranges::find(kTemplate, kind) == kTemplate.end()) {
    return wrong_usage(
        fmt::format("kind '{}' is not supported: want workflowtemplate, clusterworkflowtemplate or "
                    "cronworkflow",
                    kind));
  }
  const std::string name = from.substr(slash + 1);
  value::Map ref{{"name", name}};
  if (is_cluster) ref.set("clusterScope", true);
  return value::Value(value::Map{{"apiVersion", "argoproj.io/v1alpha1"},
                                 {"kind", "Workflow"},
                                 {"metadata", value::Map{{"generateName", name + "-"}}},
                                 {"spec", value::Map{{"workflowTemplateRef", ref}}}});
}

diag::Result<std::vector<runtime::Submission>> gather(SubmitOptions& o, Opened& state,
                                                      const Session& session) {
  TRY_VOID(load_parameter_file(o.overrides));
  if (!o.from.empty()) {
    TRY(const value::Value workflow, workflow_from(o.from, *state.store, session));
    TRY_VOID(check_given(workflow, {}, *state.store, o.overrides, session));
    runtime::Submission submission;
    TRY(submission.workflow, apply_overrides(workflow, o.overrides));
    if (!o.defaults.empty()) {
      TRY(const std::string text, read_file(o.defaults));
      TRY(submission.workflow_defaults, runtime::read_workflow_defaults(text, o.defaults, true));
    }
    return std::vector<runtime::Submission>{submission};
  }
  TRY(Documents documents, read_documents(o.files, o.is_strict ? spec::UnknownFields::kError
                                                               : spec::UnknownFields::kWarning));
  TRY_VOID(check_given(documents, *state.store, o.overrides, session));
  TRY_VOID(check_documents(documents, state, o.overrides, session, o.defaults));
  TRY(auto submissions, make_submissions(documents, o.overrides, o.defaults));
  if (!o.is_dry()) {
    TRY_VOID(keep_secrets(documents, space_of(submissions), state.config.secrets_path()));
    TRY_VOID(keep_channels(documents, space_of(submissions), *state.store));
  }
  return submissions;
}

diag::Result<void> check_flags(const SubmitOptions& o) {
  TRY_VOID(check_output(o.output));
  if (!o.from.empty() && !o.files.empty()) {
    return wrong_usage("cannot combine --from with file arguments");
  }
  if (o.from.empty() && o.files.empty()) return wrong_usage("give a FILE, or --from KIND/NAME");
  const char* dry = o.dry_run ? "--dry-run" : "--server-dry-run";
  if (o.dry_run && o.server_dry_run) {
    return wrong_usage("--dry-run cannot be combined with --server-dry-run");
  }
  if (o.is_dry() && o.follow.is_wanted()) {
    const char* what = o.follow.watch ? "--watch" : o.follow.wait ? "--wait" : "--log";
    return wrong_usage(fmt::format("{} cannot be combined with {}", what, dry));
  }
  if (o.is_dry() && o.output.empty()) {
    return wrong_usage(fmt::format("{} should have an output option", dry));
  }
  return {};
}

diag::Result<void> submit(SubmitOptions& o, Session& session) {
  TRY_VOID(check_flags(o));
  TRY(Opened state, open_state());
  TRY(auto submissions, gather(o, state, session));
  TRY_VOID(complete(submissions, *state.store, session));
  TRY_VOID(check_follow(o.follow, submissions.size()));
  std::vector<store::WorkflowRow> rows;
  for (const runtime::Submission& submission : submissions) {
    if (o.is_dry()) {
      TRY_VOID(show_workflow(submission.workflow, o.output, session));
      continue;
    }
    auto row = runtime::submit(*state.store, submission, now());
    if (!row) {
      return diag::fail(row.error().code,
                        fmt::format("failed to submit workflow: {}", row.error().message));
    }
    TRY(const value::Value workflow, runtime::load_workflow_object(*state.store, *row));
    TRY_VOID(show_workflow(workflow, o.output, session));
    rows.push_back(std::move(*row));
  }
  (void)std::fflush(stdout);
  if (rows.empty()) return {};
  runtime::poke_engines(state.config.home);
  note_if_no_engine(state);
  view::GetOptions view = view_options(session);
  view.status = o.status;
  view.node_field_selector = o.node_field_selector;
  o.follow.is_quiet = is_for_programs(o.output) || o.output == "short";
  return follow_workflows(state, rows, o.follow, view, session);
}

}  // namespace

void add_submit(Command app, Session& session) {
  auto o = std::make_shared<SubmitOptions>();
  const Command command = add_command(
      app, "submit", "submit workflows to the engine of this state folder", session, [o, &session] {
        o->overrides.name_space = session.name_space;
        return submit(*o, session);
      });
  command.add_option("FILE", o->files, "manifests; - is stdin");
  command.add_option("--from", o->from, "submit from a stored template: KIND/NAME");
  command.add_option("-o,--output", o->output, "name, json, yaml, wide, short");
  command.add_option("--workflow-defaults", o->defaults, "a file with Argo's workflowDefaults");
  command.add_flag("--dry-run", o->dry_run, "print the workflow, submit nothing");
  command.add_flag("--server-dry-run", o->server_dry_run, "the same");
  command.add_flag("--strict", o->is_strict, "unknown fields are errors (default true)");
  command.add_option("--status", o->status, "with --watch: only nodes of this phase");
  command.add_option("--node-field-selector", o->node_field_selector,
                     "with --watch: only nodes that match, e.g. displayName=a");
  add_follow_flags(command, o->follow);
  add_override_flags(command, o->overrides);
}

}  // namespace tiphys::cli
