#include "cli/resubmit.h"

#include <algorithm>
#include <array>

#include "cli/check.h"
#include "cli/commands.h"
#include "cli/follow.h"
#include "cli/overrides.h"
#include "cli/selection.h"
#include "cli/show.h"
#include "runtime/submit.h"

namespace tiphys::cli {

namespace {

using value::Map;
using value::Value;

struct ResubmitFlags {
  std::vector<std::string> names;
  SelectionFlags which;
  std::vector<std::string> parameters;
  std::string output;
  int priority = 0;
  bool memoized = false;
  Follow follow;
};

// The pods of a failed workflow that had succeeded, except those of its exit handler, which runs
// again.
diag::Result<Value> succeeded_pods(const Value& old) {
  const std::string_view phase = old["status"]["phase"].string_or("");
  if (phase != "Failed" && phase != "Error") {
    return wrong_usage("workflow must be Failed/Error to resubmit in memoized mode");
  }
  const std::string name(old["metadata"]["name"].string_or(""));
  Map pods;
  for (const auto& [id, node] : old["status"]["nodes"].map()) {
    const std::string_view node_name = node["name"].string_or("");
    if (node["type"].string_or("") != "Pod" || node["phase"].string_or("") != "Succeeded" ||
        !node_name.starts_with(name) || node_name.starts_with(name + ".onExit")) {
      continue;
    }
    pods.set(std::string(node_name.substr(name.size())),
             Map{{"id", id}, {"outputs", node["outputs"]}});
  }
  return Value(std::move(pods));
}

diag::Result<void> resubmit(const ResubmitFlags& o, Session& session) {
  TRY_VOID(check_output(o.output));
  TRY(Opened state, open_state());
  TRY(const auto rows, chosen_workflows(*state.store, session, o.names, o.which));
  TRY_VOID(check_follow(o.follow, rows.size()));
  std::vector<store::WorkflowRow> made;
  for (const store::WorkflowRow& brief : rows) {
    TRY(const store::WorkflowRow row, state.store->find_workflow(brief.name_space, brief.name));
    TRY(const Value old, runtime::load_workflow_object(*state.store, row));
    std::vector<runtime::Submission> submissions(1);
    TRY(submissions[0].workflow, resubmitted(old, row.suspended, o.parameters));
    if (o.memoized) {
      TRY(submissions[0].original, succeeded_pods(old));
    }
    TRY_VOID(complete(submissions, *state.store, session));
    TRY(store::WorkflowRow fresh, runtime::submit(*state.store, submissions[0], now()));
    TRY(const Value workflow, runtime::load_workflow_object(*state.store, fresh));
    TRY_VOID(show_workflow(workflow, o.output, session));
    made.push_back(std::move(fresh));
  }
  (void)std::fflush(stdout);
  runtime::poke_engines(state.config.home);
  note_if_no_engine(state);
  Follow follow = o.follow;
  follow.is_quiet = is_for_programs(o.output);
  return follow_workflows(state, made, follow, view_options(session), session);
}

}  // namespace

diag::Result<Value> resubmitted(const Value& old, bool is_suspended,
                                const std::vector<std::string>& parameters) {
  // What the server or the controller had put on the old one.
  constexpr std::array<std::string_view, 6> kNotTheUsers = {
      "workflows.argoproj.io/creator",
      "workflows.argoproj.io/creator-email",
      "workflows.argoproj.io/creator-preferred-username",
      "workflows.argoproj.io/phase",
      "workflows.argoproj.io/completed",
      "workflows.argoproj.io/workflow-archiving-status"};
  const Value& before = old["metadata"];
  const std::string name(before["name"].string_or(""));
  Map labels;
  for (const auto& [key, v] : before["labels"].map()) {
    if (std::ranges::find(kNotTheUsers, key) == kNotTheUsers.end()) labels.set(key, v);
  }
  labels.set("workflows.argoproj.io/resubmitted-from-workflow", name);
  Map metadata;
  const Value& generate = before["generateName"];
  metadata.set("generateName", generate.is_string() ? generate : Value(name + "-"));
  metadata.set("labels", std::move(labels));
  for (const char* field : {"namespace", "annotations", "ownerReferences"}) {
    if (!before[field].is_null()) metadata.set(field, before[field]);
  }
  TRY(const Value with_arguments, with_parameters(old["spec"], parameters));
  Map spec = with_arguments.map();
  spec.erase("shutdown");
  spec.erase("suspend");  // resuming does that in Argo
  if (is_suspended) spec.set("suspend", true);
  if (old["spec"]["activeDeadlineSeconds"].int_or(1) == 0) spec.erase("activeDeadlineSeconds");
  return Value(Map{{"apiVersion", "argoproj.io/v1alpha1"},
                   {"kind", "Workflow"},
                   {"metadata", std::move(metadata)},
                   {"spec", std::move(spec)}});
}

void add_resubmit(Command app, Session& session) {
  auto o = std::make_shared<ResubmitFlags>();
  const Command command = add_command(app, "resubmit", "submit workflows once more", session,
                                      [o, &session] { return resubmit(*o, session); });
  command.add_option("WORKFLOW", o->names, "names; @latest is the newest");
  add_selectors(command, o->which);
  command.add_option("-p,--parameter", o->parameters, "override an input parameter: NAME=VALUE")
      .one_word_each();
  command.add_option("-o,--output", o->output, "name, json, yaml, wide, short");
  command.add_option("--priority", o->priority, "accepted, and without effect, as in argo");
  command.add_flag("--memoized", o->memoized,
                   "keep what had succeeded in a Failed or Error workflow");
  add_follow_flags(command, o->follow);
}

}  // namespace tiphys::cli
