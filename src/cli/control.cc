#include <fmt/format.h>

#include <filesystem>

#include "cli/commands.h"
#include "cli/follow.h"
#include "cli/show.h"
#include "runtime/submit.h"
#include "value/json.h"

namespace tiphys::cli {

namespace {

using value::List;
using value::Map;
using value::Value;

struct ControlFlags {
  std::vector<std::string> names;
  std::string labels;
  std::string fields;
  std::string message;
  std::string node_field_selector;
  std::string phase;
  std::string output;
  std::vector<std::string> parameters;
  bool restart_successful = false;
  bool memoized = false;
  bool dry_run = false;
  Follow follow;
};

diag::Result<std::vector<store::WorkflowRow>> chosen(Opened& state, const ControlFlags& o,
                                                     const Session& session) {
  if (!o.labels.empty() || !o.fields.empty())
    return select_workflows(*state.store, session, o.labels, o.fields);
  std::vector<store::WorkflowRow> rows;
  for (const std::string& name : o.names) {
    TRY(store::WorkflowRow row, find_workflow(*state.store, session, name));
    rows.push_back(std::move(row));
  }
  if (rows.empty())
    return diag::fail(diag::Code::kInvalidManifest, "name a workflow, or choose some with -l");
  return rows;
}

diag::Result<Value> arguments_of(const ControlFlags& o, const std::string& verb) {
  Map arguments;
  if (!o.message.empty()) arguments.set("message", o.message);
  if (!o.node_field_selector.empty()) arguments.set("nodeFieldSelector", o.node_field_selector);
  if (!o.phase.empty()) arguments.set("phase", o.phase);
  if (verb == "set") {
    Map outputs;
    for (const std::string& pair : o.parameters) {
      const std::size_t eq = pair.find('=');
      if (eq == std::string::npos) {
        return diag::fail(
            diag::Code::kInvalidManifest,
            fmt::format("expected parameter of the form: NAME=VALUE. Received: {}", pair));
      }
      outputs.set(pair.substr(0, eq), pair.substr(eq + 1));
    }
    arguments.set("outputParameters", std::move(outputs));
  }
  if (verb == "retry") {
    arguments.set("restartSuccessful", o.restart_successful);
    arguments.set("parameters", List(o.parameters.begin(), o.parameters.end()));
  }
  return Value(std::move(arguments));
}

const char* done_word(const std::string& verb) {
  if (verb == "stop") return "stopped";
  if (verb == "terminate") return "terminated";
  if (verb == "suspend") return "suspended";
  return "resumed";
}

diag::Result<void> check_state(const std::string& verb, const store::WorkflowRow& row) {
  const bool is_over = row.finished_at.is_set();
  if (verb == "retry") {
    if (is_over && (row.phase == "Failed" || row.phase == "Error")) return {};
    return diag::fail(diag::Code::kConflict,
                      fmt::format("workflow must be Failed/Error to retry: '{}' is {}", row.name,
                                  row.phase.empty() ? "Pending" : row.phase));
  }
  if (!is_over) return {};
  return diag::fail(diag::Code::kConflict, fmt::format("cannot {} workflow '{}': it has ended ({})",
                                                       verb, row.name, row.phase));
}

diag::Result<void> control(const std::string& verb, const ControlFlags& o, Session& session) {
  TRY(Opened state, open_state());
  TRY(const auto rows, chosen(state, o, session));
  TRY(const Value arguments, arguments_of(o, verb));
  for (const store::WorkflowRow& row : rows) {
    TRY_VOID(check_state(verb, row));
    if (o.dry_run) {
      fmt::print("workflow {} {} (dry-run)\n", row.name, done_word(verb));
      continue;
    }
    TRY_VOID(state.store->add_command({.id = 0,
                                       .uid = row.uid,
                                       .verb = verb,
                                       .arguments_json = value::to_json(arguments),
                                       .created_at = now()}));
    if (verb == "set") {
      fmt::print("workflow values set\n");
    } else if (verb != "retry") {
      fmt::print("workflow {} {}\n", row.name, done_word(verb));
    }
    const bool is_served = runtime::is_owned(state.config.home, row.uid) ||
                           (verb == "retry" && has_engine(state.config));
    if (!is_served) {
      fmt::print(
          stderr,
          "note: no engine runs '{}' now; the command waits for one: start 'tiphys server'\n",
          row.name);
    }
  }
  runtime::poke_engines(state.config.home);
  if (verb != "retry" || o.dry_run) return {};
  for (const store::WorkflowRow& row : rows) {
    TRY(const store::WorkflowRow latest, state.store->find_workflow(row.name_space, row.name));
    TRY(const Value workflow, runtime::load_workflow_object(*state.store, latest));
    TRY_VOID(show_workflow(workflow, o.output, session));
  }
  return follow_workflows(state, rows, o.follow, session);
}

// A new workflow from an old one, as Argo makes it: the same spec, a generated name, the old one's
// labels and annotations that are the user's own.
Value resubmitted(const Value& old, const ControlFlags& o) {
  Map metadata;
  const Value& generate = old["metadata"]["generateName"];
  const std::string name(old["metadata"]["name"].string_or(""));
  metadata.set("generateName", generate.is_string() ? generate : Value(name + "-"));
  metadata.set("namespace", old["metadata"]["namespace"]);
  Map labels;
  for (const auto& [key, v] : old["metadata"]["labels"].map()) {
    if (!key.starts_with("workflows.argoproj.io/")) labels.set(key, v);
  }
  labels.set("workflows.argoproj.io/resubmitted-from-workflow", name);
  metadata.set("labels", std::move(labels));
  Map spec = old["spec"].map();
  spec.erase("shutdown");
  spec.erase("suspend");
  Overrides overrides;
  overrides.parameters = o.parameters;
  auto made = apply_overrides(Map{{"apiVersion", "argoproj.io/v1alpha1"},
                                  {"kind", "Workflow"},
                                  {"metadata", std::move(metadata)},
                                  {"spec", std::move(spec)}},
                              overrides);
  return made ? std::move(*made) : Value();
}

diag::Result<void> resubmit(const ControlFlags& o, Session& session) {
  if (o.memoized) return diag::fail(diag::Code::kInvalidManifest, "--memoized is not acted on yet");
  TRY(Opened state, open_state());
  TRY(const auto rows, chosen(state, o, session));
  std::vector<store::WorkflowRow> made;
  for (const store::WorkflowRow& brief : rows) {
    TRY(const store::WorkflowRow row, state.store->find_workflow(brief.name_space, brief.name));
    TRY(const Value old, runtime::load_workflow_object(*state.store, row));
    runtime::Submission submission;
    submission.workflow = resubmitted(old, o);
    if (submission.workflow.is_null())
      return diag::fail(diag::Code::kInvalidManifest, "expected parameters of the form NAME=VALUE");
    TRY(store::WorkflowRow fresh, runtime::submit(*state.store, submission, now()));
    TRY(const Value workflow, runtime::load_workflow_object(*state.store, fresh));
    TRY_VOID(show_workflow(workflow, o.output, session));
    made.push_back(std::move(fresh));
  }
  runtime::poke_engines(state.config.home);
  if (!has_engine(state.config)) {
    fmt::print(stderr, "note: no engine is running on '{}': start 'tiphys server'\n",
               state.config.home);
  }
  return follow_workflows(state, made, o.follow, session);
}

struct DeleteFlags {
  ControlFlags which;
  bool all = false;
  bool completed = false;
};

diag::Result<void> remove(const DeleteFlags& o, Session& session) {
  TRY(Opened state, open_state());
  std::vector<store::WorkflowRow> rows;
  if (o.which.names.empty() && o.which.labels.empty() && o.which.fields.empty() && !o.all &&
      !o.completed) {
    return diag::fail(diag::Code::kInvalidManifest,
                      "name a workflow, or choose some with -l, --completed or --all");
  }
  for (const std::string& name : o.which.names) {
    auto row = find_workflow(*state.store, session, name);
    if (row) {
      rows.push_back(std::move(*row));
    } else {
      fmt::print("Workflow '{}' not found\n", name);
    }
  }
  if (o.which.names.empty()) {
    TRY(rows, select_workflows(*state.store, session, o.which.labels, o.which.fields));
    if (o.completed) std::erase_if(rows, [](const auto& r) { return !r.finished_at.is_set(); });
    if (rows.empty()) fmt::print("No resources found\n");
  }
  for (const store::WorkflowRow& row : rows) {
    if (o.which.dry_run) {
      fmt::print("Workflow '{}' deleted (dry-run)\n", row.name);
      continue;
    }
    if (runtime::is_owned(state.config.home, row.uid)) {
      return diag::fail(diag::Code::kConflict,
                        fmt::format("workflow '{}' is running: terminate it first", row.name));
    }
    TRY_VOID(state.store->delete_workflow(row.uid));
    std::error_code error;
    std::filesystem::remove_all(state.config.run_path(row.uid), error);
    fmt::print("Workflow '{}' deleted\n", row.name);
  }
  return {};
}

void add_choice(CLI::App& command, ControlFlags& o) {
  command.add_option("WORKFLOW", o.names);
  command.add_option("-l,--selector", o.labels, "label selector");
  command.add_option("--field-selector", o.fields, "field selector");
}

void add_follow(CLI::App& command, ControlFlags& o) {
  command.add_option("-o,--output", o.output, "name, json, yaml, wide, short");
  command.add_flag("-w,--wait", o.follow.wait);
  command.add_flag("--watch", o.follow.watch);
  command.add_flag("--log", o.follow.log);
}

}  // namespace

void add_control(CLI::App& app, Session& session) {
  for (const auto& [verb, description] :
       {std::pair{"stop", "stop workflows; exit handlers run"},
        std::pair{"terminate", "end workflows at once"},
        std::pair{"suspend", "let workflows start nothing new"},
        std::pair{"resume", "resume suspended workflows or nodes"},
        std::pair{"retry", "run failed workflows again, keeping what had succeeded"}}) {
    auto o = std::make_shared<ControlFlags>();
    CLI::App* command =
        add_command(app, verb, description, session,
                    [o, &session, verb = std::string(verb)] { return control(verb, *o, session); });
    add_choice(*command, *o);
    command->add_flag("--dry-run", o->dry_run);
    command->add_option("--message", o->message);
    command->add_option("--node-field-selector", o->node_field_selector,
                        "only these nodes, e.g. displayName=approve");
    if (std::string_view(verb) != "retry") continue;
    command->add_flag("--restart-successful", o->restart_successful,
                      "run nodes again that had succeeded (those of --node-field-selector)");
    command->add_option("-p,--parameter", o->parameters, "NAME=VALUE");
    add_follow(*command, *o);
  }
  auto o = std::make_shared<ControlFlags>();
  CLI::App* again = add_command(app, "resubmit", "submit workflows once more", session,
                                [o, &session] { return resubmit(*o, session); });
  add_choice(*again, *o);
  again->add_option("-p,--parameter", o->parameters, "NAME=VALUE");
  again->add_flag("--memoized", o->memoized);
  add_follow(*again, *o);
  CLI::App* node = app.add_subcommand("node", "act on nodes");
  node->require_subcommand(1);
  auto n = std::make_shared<ControlFlags>();
  CLI::App* set = add_command(*node, "set", "set outputs of suspended nodes", session,
                              [n, &session] { return control("set", *n, session); });
  add_choice(*set, *n);
  set->add_option("--node-field-selector", n->node_field_selector)->required();
  set->add_option("-p,--output-parameter", n->parameters, "NAME=VALUE");
  set->add_option("--phase", n->phase);
  set->add_option("-m,--message", n->message);
}

void add_delete(CLI::App& app, Session& session) {
  auto o = std::make_shared<DeleteFlags>();
  CLI::App* command = add_command(app, "delete", "delete workflows", session,
                                  [o, &session] { return remove(*o, session); });
  add_choice(*command, o->which);
  command->add_flag("--all", o->all);
  command->add_flag("--completed", o->completed);
  command->add_flag("--dry-run", o->which.dry_run);
}

}  // namespace tiphys::cli
