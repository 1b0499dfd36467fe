#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/show.h"
#include "runtime/submit.h"
#include "value/json.h"
#include "view/list_view.h"
#include "view/workflow_view.h"
#include "view/yaml_view.h"

namespace tiphys::cli {

namespace {

struct GetFlags {
  std::vector<std::string> names;
  std::string output;
  std::string status;
  std::string node_field_selector;
};

diag::Result<void> get(const GetFlags& o, Session& session) {
  TRY_VOID(check_output(o.output));
  TRY(Opened state, open_state());
  for (const std::string& name : o.names) {
    TRY(const store::WorkflowRow row, find_workflow(*state.store, session, name));
    TRY(const value::Value workflow, runtime::load_workflow_object(*state.store, row));
    if (o.status.empty() && o.node_field_selector.empty()) {
      TRY_VOID(show_workflow(workflow, o.output, session));
      continue;
    }
    view::GetOptions options;
    options.color = session.color();
    options.utf8 = !session.no_utf8;
    options.status = o.status;
    options.node_field_selector = o.node_field_selector;
    options.now = now();
    fmt::print("{}", view::format_workflow(workflow, options));
  }
  return {};
}

struct ListFlags {
  std::string output;
  std::string labels;
  std::string fields;
  std::vector<std::string> status;
  std::string prefix;
  bool all_namespaces = false;
  bool no_headers = false;
  bool running = false;
  bool completed = false;
};

bool is_wanted(const ListFlags& o, const store::WorkflowRow& row) {
  const bool is_over = row.finished_at.is_set();
  if ((o.running && is_over) || (o.completed && !is_over)) return false;
  if (!o.prefix.empty() && !row.name.starts_with(o.prefix)) return false;
  if (o.status.empty()) return true;
  const std::string phase = row.phase.empty() ? "Pending" : row.phase;
  return std::ranges::find(o.status, phase) != o.status.end();
}

diag::Result<std::vector<value::Value>> load_chosen(Opened& state, const ListFlags& o,
                                                    const Session& session) {
  TRY(const auto rows, select_workflows(*state.store, session, o.labels, o.fields));
  std::vector<value::Value> workflows;
  for (const store::WorkflowRow& row : rows) {
    if (!is_wanted(o, row)) continue;
    TRY(const store::WorkflowRow whole, state.store->find_workflow(row.name_space, row.name));
    TRY(value::Value workflow, runtime::load_workflow_object(*state.store, whole));
    workflows.push_back(std::move(workflow));
  }
  view::sort_for_list(workflows);
  return workflows;
}

diag::Result<void> list(const ListFlags& o, Session& session) {
  if (o.all_namespaces) session.name_space.clear();
  TRY(Opened state, open_state());
  TRY(const std::vector<value::Value> workflows, load_chosen(state, o, session));
  if (o.output == "json" || o.output == "yaml") {
    const value::Value all(value::List(workflows.begin(), workflows.end()));
    fmt::print("{}\n",
               o.output == "json" ? value::to_json(all, {.indent = 2}) : view::to_yaml(all));
    return {};
  }
  if (o.output == "name") {
    for (const value::Value& w : workflows) fmt::print("{}\n", w["metadata"]["name"].string_or(""));
    return {};
  }
  if (!o.output.empty() && o.output != "wide") {
    return diag::fail(
        diag::Code::kInvalidManifest,
        fmt::format("unknown output format '{}': want wide, json, yaml or name", o.output));
  }
  if (workflows.empty()) {
    fmt::print("No workflows found\n");
    return {};
  }
  fmt::print("{}", view::format_list(workflows, {.wide = o.output == "wide",
                                                 .headers = !o.no_headers,
                                                 .show_namespace = o.all_namespaces,
                                                 .now = now()}));
  return {};
}

diag::Result<void> pods(const std::string& name, Session& session) {
  TRY(Opened state, open_state());
  std::vector<value::Value> workflows;
  if (name.empty()) {
    TRY(workflows, load_chosen(state, {}, session));
  } else {
    TRY(const store::WorkflowRow row, find_workflow(*state.store, session, name));
    TRY(value::Value workflow, runtime::load_workflow_object(*state.store, row));
    workflows.push_back(std::move(workflow));
  }
  fmt::print("{}", view::format_pods(workflows, now()));
  return {};
}

}  // namespace

void add_get(CLI::App& app, Session& session) {
  auto o = std::make_shared<GetFlags>();
  CLI::App* command = add_command(app, "get", "display details about workflows", session,
                                  [o, &session] { return get(*o, session); });
  command->add_option("WORKFLOW", o->names, "names; @latest is the newest")->required();
  command->add_option("-o,--output", o->output, "wide, short, json, yaml, name");
  command->add_option("--status", o->status, "only nodes of this phase");
  command->add_option("--node-field-selector", o->node_field_selector,
                      "only nodes that match, e.g. displayName=a");
}

void add_list(CLI::App& app, Session& session) {
  auto o = std::make_shared<ListFlags>();
  CLI::App* command = add_command(app, "list", "list workflows", session,
                                  [o, &session] { return list(*o, session); });
  command->add_option("-o,--output", o->output, "wide, json, yaml, name");
  command->add_option("-l,--selector", o->labels, "label selector");
  command->add_option("--field-selector", o->fields, "field selector, e.g. metadata.name=x");
  command->add_option("--status", o->status, "only these phases")->delimiter(',');
  command->add_option("--prefix", o->prefix, "only names that begin so");
  command->add_flag("-A,--all-namespaces", o->all_namespaces);
  command->add_flag("--no-headers", o->no_headers);
  command->add_flag("--running", o->running, "only unfinished ones");
  command->add_flag("--completed", o->completed, "only finished ones");
}

void add_pods(CLI::App& app, Session& session) {
  auto name = std::make_shared<std::string>();
  CLI::App* command = add_command(app, "pods", "list the pods of a workflow, as kubectl would",
                                  session, [name, &session] { return pods(*name, session); });
  command->add_option("WORKFLOW", *name);
}

}  // namespace tiphys::cli
