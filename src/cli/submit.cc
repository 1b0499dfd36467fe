#include <fmt/format.h>

#include "cli/check.h"
#include "cli/commands.h"
#include "cli/follow.h"
#include "cli/inputs.h"
#include "cli/show.h"
#include "runtime/submit.h"
#include "value/json.h"

namespace tiphys::cli {

namespace {

struct SubmitOptions {
  std::vector<std::string> files;
  std::string from;
  std::string output;
  std::string defaults;
  Overrides overrides;
  Follow follow;
  bool dry_run = false;
};

// `wftmpl/name`, `ClusterWorkflowTemplate/name` ... as argo takes them.
diag::Result<value::Value> workflow_from(const std::string& from) {
  const std::size_t slash = from.find('/');
  if (slash == std::string::npos) {
    return diag::fail(diag::Code::kInvalidManifest,
                      fmt::format("resource identifier '{}' is malformed. Should be `kind/name`, "
                                  "e.g. workflowtemplate/hello",
                                  from));
  }
  std::string kind = from.substr(0, slash);
  for (char& c : kind) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const std::string name = from.substr(slash + 1);
  const bool is_cluster = kind.starts_with("cluster") || kind == "cwft" || kind == "cwftmpl";
  if (!is_cluster && !kind.starts_with("workflowtemplate") && kind != "wftmpl") {
    return diag::fail(
        diag::Code::kInvalidManifest,
        fmt::format("kind '{}' is not supported: want workflowtemplate or clusterworkflowtemplate",
                    kind));
  }
  value::Map ref{{"name", name}};
  if (is_cluster) ref.set("clusterScope", true);
  return value::Value(value::Map{{"apiVersion", "argoproj.io/v1alpha1"},
                                 {"kind", "Workflow"},
                                 {"metadata", value::Map{{"generateName", name + "-"}}},
                                 {"spec", value::Map{{"workflowTemplateRef", ref}}}});
}

diag::Result<std::vector<runtime::Submission>> gather(const SubmitOptions& o, Opened& state,
                                                      const Session& session) {
  if (!o.from.empty()) {
    if (!o.files.empty())
      return diag::fail(diag::Code::kInvalidManifest, "cannot combine --from with FILE");
    TRY(const value::Value workflow, workflow_from(o.from));
    runtime::Submission submission;
    TRY(submission.workflow, apply_overrides(workflow, o.overrides));
    return std::vector<runtime::Submission>{submission};
  }
  if (o.files.empty())
    return diag::fail(diag::Code::kInvalidManifest, "give a FILE, or --from KIND/NAME");
  TRY(Documents documents, read_documents(o.files, spec::UnknownFields::kWarning));
  TRY_VOID(check_documents(documents, *state.store, o.overrides, session));
  return make_submissions(documents, o.overrides, o.defaults, state.config.secrets_path());
}

diag::Result<void> submit(const SubmitOptions& o, Session& session) {
  TRY_VOID(check_output(o.output));
  TRY(Opened state, open_state());
  TRY(auto submissions, gather(o, state, session));
  mark_invalid(submissions, *state.store);
  std::vector<store::WorkflowRow> rows;
  for (const runtime::Submission& submission : submissions) {
    if (o.dry_run) {
      TRY_VOID(show_workflow(submission.workflow, o.output, session));
      continue;
    }
    TRY(store::WorkflowRow row, runtime::submit(*state.store, submission, now()));
    TRY(const value::Value workflow, runtime::load_workflow_object(*state.store, row));
    TRY_VOID(show_workflow(workflow, o.output, session));
    rows.push_back(std::move(row));
  }
  runtime::poke_engines(state.config.home);
  if (!o.dry_run && !has_engine(state.config)) {
    fmt::print(stderr,
               "note: no engine is running on '{}': start 'tiphys server', or use 'tiphys run'\n",
               state.config.home);
  }
  return follow_workflows(state, rows, o.follow, session);
}

}  // namespace

void add_submit(CLI::App& app, Session& session) {
  auto o = std::make_shared<SubmitOptions>();
  CLI::App* command = add_command(
      app, "submit", "submit workflows to the engine of this state folder", session, [o, &session] {
        o->overrides.name_space = session.name_space;
        return submit(*o, session);
      });
  command->add_option("FILE", o->files, "manifests; - is stdin");
  command->add_option("--from", o->from, "submit from a stored template: KIND/NAME");
  command->add_option("-o,--output", o->output, "name, json, yaml, wide, short");
  command->add_option("--workflow-defaults", o->defaults, "a file with Argo's workflowDefaults");
  command->add_flag("--dry-run", o->dry_run, "print the workflow, submit nothing");
  command->add_flag("-w,--wait", o->follow.wait, "wait for the end; exit 1 unless it Succeeded");
  command->add_flag("--watch", o->follow.watch, "show the workflow until it ends");
  command->add_flag("--log", o->follow.log, "print the logs until it ends");
  add_submit_flags(*command, o->overrides);
}

}  // namespace tiphys::cli
