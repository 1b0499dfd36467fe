#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/metric_values.h"
#include "cli/selection.h"
#include "cli/show.h"
#include "runtime/submit.h"
#include "value/json.h"
#include "view/list_view.h"
#include "view/yaml_view.h"

namespace tiphys::cli {

namespace {

using value::Value;

struct GetFlags {
  std::vector<std::string> names;
  std::string output;
  std::string status;
  std::string node_field_selector;
};

diag::Result<void> get(const GetFlags& o, Session& session) {
  TRY_VOID(check_output(o.output));
  TRY(Opened state, open_state());
  view::GetOptions view = view_options(session);
  view.status = o.status;
  view.node_field_selector = o.node_field_selector;
  for (const std::string& name : o.names) {
    TRY(const store::WorkflowRow row, find_workflow(*state.store, session, name));
    TRY(Value workflow, runtime::load_workflow_object(*state.store, row));
    workflow = with_metrics_condition(std::move(workflow), *state.store);
    TRY_VOID(show_workflow(workflow, o.output, view));
  }
  return {};
}

struct ListFlags {
  SelectionFlags which;
  std::string output;
  int chunk_size = 0;
  bool no_headers = false;
};

// The object without its nodes, which make up most of it: a list shows nothing of them, except for
// a running workflow whether it waits in a suspend step.
diag::Result<Value> listed_object(store::Store& store, const store::WorkflowRow& row,
                                  bool with_nodes) {
  if (with_nodes || row.phase == "Running") return runtime::load_workflow_object(store, row);
  TRY(const Value metadata, value::parse_json(row.metadata_json));
  TRY(const Value spec, value::parse_json(row.spec_json));
  TRY(const Value status, value::parse_json(row.status_json.empty() ? "{}" : row.status_json));
  return Value(value::Map{{"metadata", metadata}, {"spec", spec}, {"status", status}});
}

diag::Result<std::vector<Value>> load_chosen(Opened& state, const SelectionFlags& o,
                                             bool with_nodes, const Session& session) {
  TRY(const auto rows, select_workflows(*state.store, session, o, false));
  std::vector<Value> workflows;
  for (const store::WorkflowRow& row : rows) {
    TRY(Value workflow, listed_object(*state.store, row, with_nodes));
    workflows.push_back(std::move(workflow));
  }
  view::sort_for_list(workflows);
  return workflows;
}

diag::Result<void> list(const ListFlags& o, const Session& session) {
  const bool is_short = o.output.empty() || o.output == "name";
  if (!is_short && o.output != "json" && o.output != "yaml" && o.output != "wide") {
    return wrong_usage(
        fmt::format("unknown output format '{}': want wide, json, yaml or name", o.output));
  }
  TRY(Opened state, open_state());
  TRY(const std::vector<Value> workflows, load_chosen(state, o.which, !is_short, session));
  if (o.output == "json" || o.output == "yaml") {
    const Value all(value::List(workflows.begin(), workflows.end()));
    print_text(o.output == "json" ? value::to_json(all, {.indent = 2}) : view::to_yaml(all));
    print_text("\n");
    return {};
  }
  if (o.output == "name") {
    for (const Value& w : workflows) {
      print_text(std::string(w["metadata"]["name"].string_or("")) + "\n");
    }
    return {};
  }
  if (workflows.empty()) {
    print_text("No workflows found\n");
    return {};
  }
  print_text(view::format_list(workflows, {.wide = o.output == "wide",
                                           .headers = !o.no_headers,
                                           .show_namespace = o.which.all_namespaces,
                                           .now = now()}));
  return {};
}

diag::Result<void> pods(const std::string& name, const Session& session) {
  TRY(Opened state, open_state());
  std::vector<Value> workflows;
  if (name.empty()) {
    TRY(workflows, load_chosen(state, {}, true, session));
  } else {
    TRY(const store::WorkflowRow row, find_workflow(*state.store, session, name));
    TRY(Value workflow, runtime::load_workflow_object(*state.store, row));
    workflows.push_back(std::move(workflow));
  }
  print_text(view::format_pods(workflows, now()));
  return {};
}

}  // namespace

void add_get(Command app, Session& session) {
  auto o = std::make_shared<GetFlags>();
  const Command command = add_command(app, "get", "display details about workflows", session,
                                      [o, &session] { return get(*o, session); });
  command.add_option("WORKFLOW", o->names, "names; @latest is the newest").required();
  command.add_option("-o,--output", o->output, "wide, short, json, yaml, name");
  command.add_option("--status", o->status, "only nodes of this phase");
  command.add_option("--node-field-selector", o->node_field_selector,
                     "only nodes that match, e.g. displayName=a");
}

void add_list(Command app, Session& session) {
  auto o = std::make_shared<ListFlags>();
  const Command command = add_command(app, "list", "list workflows", session,
                                      [o, &session] { return list(*o, session); });
  command.add_option("-o,--output", o->output, "wide, json, yaml, name");
  command.add_option("--since", o->which.since, "only those made since: 10m, 3h, 1d");
  command.add_flag("--running", o->which.running, "only unfinished ones");
  command.add_flag("--no-headers", o->no_headers, "no line of titles");
  command.add_option("--chunk-size", o->chunk_size, "accepted; lists come in one piece");
  add_filters(command, o->which);
}

void add_pods(Command app, Session& session) {
  auto name = std::make_shared<std::string>();
  const Command command = add_command(app, "pods", "list the pods of a workflow, as kubectl would",
                                      session, [name, &session] { return pods(*name, session); });
  command.add_option("WORKFLOW", *name, "its name; none: of all workflows");
}

}  // namespace tiphys::cli
