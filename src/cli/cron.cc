#include <fmt/format.h>

#include "cli/check.h"
#include "cli/commands.h"
#include "cli/inputs.h"
#include "cli/stored_cron.h"
#include "runtime/cron_object.h"
#include "runtime/cron_scheduler.h"
#include "runtime/submit.h"
#include "spec/labels.h"
#include "value/json.h"
#include "view/yaml_view.h"

namespace tiphys::cli {

namespace {

using value::Map;
using value::Value;

struct CronFlags {
  std::vector<std::string> names;
  std::string output;
  std::string schedule;
  std::string labels;
  Overrides overrides;
  bool all = false;
  bool all_namespaces = false;
  bool is_strict = true;
};

diag::Result<void> print_cron(const view::CronRow& row, const std::string& output,
                              const Session& session) {
  if (output == "json") {
    print_text(value::to_json(row.object, {.indent = 4}) + "\n");
  } else if (output == "yaml") {
    print_text(view::to_yaml(row.object));
  } else if (output == "name") {
    print_text(std::string(row.object["metadata"]["name"].string_or("")) + "\n");
  } else if (output.empty() || output == "wide") {
    print_text(view::format_cron(row, runtime::machine_zone_name(), !session.no_utf8, now()));
  } else {
    return wrong_usage(
        fmt::format("unknown output format '{}': want wide, json, yaml or name", output));
  }
  return {};
}

// The flags change the workflow's spec, the CronWorkflow's name, and the labels of its workflows.
diag::Result<Value> changed(const Value& object, const CronFlags& o) {
  const Map workflow{{"metadata", Map()}, {"spec", object["spec"]["workflowSpec"]}};
  TRY(const Value made, apply_overrides(workflow, o.overrides));
  Map metadata = object["metadata"].map();
  const Value& names = made["metadata"];
  if (names["generateName"].is_string()) {
    metadata.set("generateName", names["generateName"]);
    metadata.erase("name");
  }
  if (names["name"].is_string()) metadata.set("name", names["name"]);
  Map spec = object["spec"].map();
  spec.set("workflowSpec", made["spec"]);
  if (!o.schedule.empty()) spec.set("schedules", value::List{o.schedule});
  if (names["labels"].is_map()) {
    Map more = object["spec"]["workflowMetadata"].map();
    Map labels = object["spec"]["workflowMetadata"]["labels"].map();
    for (const auto& [key, v] : names["labels"].map()) labels.set(key, v);
    more.set("labels", std::move(labels));
    spec.set("workflowMetadata", std::move(more));
  }
  Map out = object.map();
  out.set("metadata", std::move(metadata));
  out.set("spec", std::move(spec));
  return Value(std::move(out));
}

diag::Result<void> put(CronFlags& o, runtime::Put how, Session& session) {
  TRY_VOID(load_parameter_file(o.overrides));
  TRY(Opened state, open_state());
  TRY(Documents documents, read_documents(o.names, o.is_strict ? spec::UnknownFields::kError
                                                               : spec::UnknownFields::kWarning));
  for (spec::Manifest& m : documents.manifests) {
    if (m.kind != "CronWorkflow") continue;
    TRY(m.object, changed(m.object, o));
    m.name = m.object["metadata"]["name"].string_or("");
  }
  TRY_VOID(check_documents(documents, state, {}, session));
  const char* verb = how == runtime::Put::kCreate ? "create" : "update";
  bool any = false;
  for (const spec::Manifest& m : documents.manifests) {
    if (m.kind != "CronWorkflow") continue;
    any = true;
    auto row = runtime::put_cron(m.object, how, *state.store, session.space(), now());
    if (!row) {
      return diag::fail(row.error().code,
                        fmt::format("failed to {} cron workflow: {}", verb, row.error().message));
    }
    TRY(const view::CronRow shown, cron_row(*state.store, *row));
    TRY_VOID(print_cron(shown, o.output, session));
  }
  if (!any) return wrong_usage("No CronWorkflows found in given files");
  runtime::poke_engines(state.config.home);
  return {};
}

diag::Result<void> get(CronFlags& o, Session& session) {
  TRY(Opened state, open_state());
  for (const std::string& name : o.names) {
    TRY(const auto row, state.store->find_object("CronWorkflow", session.space(), name));
    TRY(const view::CronRow shown, cron_row(*state.store, row));
    TRY_VOID(print_cron(shown, o.output, session));
  }
  return {};
}

diag::Result<void> list(CronFlags& o, Session& session) {
  if (!o.output.empty() && o.output != "wide" && o.output != "name") {
    return wrong_usage(fmt::format("unknown output format '{}': want wide or name", o.output));
  }
  TRY(Opened state, open_state());
  TRY(const spec::Selector selector, spec::Selector::parse(o.labels));
  TRY(const auto found,
      state.store->list_objects("CronWorkflow", o.all_namespaces ? "" : session.space()));
  std::vector<view::CronRow> rows;
  for (const store::ObjectRow& row : found) {
    TRY(view::CronRow shown, cron_row(*state.store, row));
    if (!o.labels.empty() &&
        !selector.matches(spec::labels_of(shown.object["metadata"]["labels"]))) {
      continue;
    }
    if (o.output == "name") print_text(row.name + "\n");
    rows.push_back(std::move(shown));
  }
  if (o.output != "name") print_text(view::format_cron_list(rows, o.all_namespaces, now()));
  return {};
}

diag::Result<void> remove(CronFlags& o, Session& session) {
  if (o.names.empty() && !o.all) return wrong_usage("name a cron workflow, or use --all");
  TRY(Opened state, open_state());
  const std::string space = session.space();
  std::vector<std::string> names = o.names;
  if (o.all) {
    TRY(const auto rows, state.store->list_objects("CronWorkflow", space));
    for (const store::ObjectRow& row : rows) names.push_back(row.name);
  }
  for (const std::string& name : names) {
    TRY_VOID(state.store->delete_object("CronWorkflow", space, name));
    auto record = state.store->delete_object(cron::kRecordKind, space, name);
    if (!record && record.error().code != diag::Code::kNotFound) return record;
  }
  runtime::poke_engines(state.config.home);
  return {};
}

diag::Result<void> set_suspend(const CronFlags& o, bool is_suspended, const Session& session) {
  TRY(Opened state, open_state());
  for (const std::string& name : o.names) {
    TRY(auto row, state.store->find_object("CronWorkflow", session.space(), name));
    TRY(const Value object, value::parse_json(row.json));
    Map spec = object["spec"].map();
    spec.set("suspend", is_suspended);
    Map next = object.map();
    next.set("spec", std::move(spec));
    row.json = value::to_json(next, {.key_order = value::KeyOrder::kAsGiven});
    TRY_VOID(state.store->put_object(row));
    print_text(fmt::format("CronWorkflow '{}' {}\n", name, is_suspended ? "suspended" : "resumed"));
  }
  runtime::poke_engines(state.config.home);
  return {};
}

diag::Result<void> lint(CronFlags& o, Session& session) {
  return lint_files(
      {.files = o.names, .output = o.output, .kinds = {"cronworkflows"}, .is_strict = o.is_strict},
      session);
}

Command add_verb(Command group, const char* name, const char* description, Session& session,
                 const std::shared_ptr<CronFlags>& o,
                 diag::Result<void> (*body)(CronFlags&, Session&)) {
  return add_command(group, name, description, session,
                     [o, body, &session] { return body(*o, session); });
}

void add_put(Command group, Session& session, runtime::Put how) {
  const bool is_create = how == runtime::Put::kCreate;
  auto o = std::make_shared<CronFlags>();
  const Command command = is_create ? add_verb(group, "create", "create cron workflows", session, o,
                                               [](CronFlags& flags, Session& s) {
                                                 return put(flags, runtime::Put::kCreate, s);
                                               })
                                    : add_verb(group, "update", "replace cron workflows", session,
                                               o, [](CronFlags& flags, Session& s) {
                                                 return put(flags, runtime::Put::kUpdate, s);
                                               });
  command.add_option("FILE", o->names, "files or folders; - is stdin").required();
  command.add_option("-o,--output", o->output, "name, json, yaml, wide");
  command.add_flag("--strict", o->is_strict, "unknown fields are errors (default true)");
  if (is_create) command.add_option("--schedule", o->schedule, "override the schedules");
  add_override_flags(command, o->overrides);
}

}  // namespace

void add_cron(Command app, Session& session) {
  const Command group = app.add_group("cron", "manage cron workflows");
  add_put(group, session, runtime::Put::kCreate);
  add_put(group, session, runtime::Put::kUpdate);
  add_backfill(group, session);
  auto flags = [] { return std::make_shared<CronFlags>(); };
  auto o = flags();
  Command command = add_verb(group, "get", "show cron workflows", session, o, get);
  command.add_option("CRON_WORKFLOW", o->names, "names").required();
  command.add_option("-o,--output", o->output, "name, json, yaml, wide");
  o = flags();
  command = add_verb(group, "list", "list cron workflows", session, o, list);
  command.add_option("-o,--output", o->output, "wide or name");
  command.add_option("-l,--selector", o->labels, "label selector, e.g. a=b,c!=d");
  command.add_flag("-A,--all-namespaces", o->all_namespaces, "those of all namespaces");
  o = flags();
  command = add_verb(group, "delete", "delete cron workflows, and with them their workflows",
                     session, o, remove);
  command.add_option("CRON_WORKFLOW", o->names, "names");
  command.add_flag("--all", o->all, "all of them");
  o = flags();
  command = add_verb(group, "suspend", "stop scheduling", session, o,
                     [](CronFlags& f, Session& s) { return set_suspend(f, true, s); });
  command.add_option("CRON_WORKFLOW", o->names, "names");
  o = flags();
  command = add_verb(group, "resume", "schedule again", session, o,
                     [](CronFlags& f, Session& s) { return set_suspend(f, false, s); });
  command.add_option("CRON_WORKFLOW", o->names, "names");
  o = flags();
  command = add_verb(group, "lint", "check cron workflows", session, o, lint);
  command.add_option("FILE", o->names, "files or folders; - is stdin").required();
  command.add_option("-o,--output", o->output, "pretty or simple, as argo prints them");
  command.add_flag("--strict", o->is_strict, "unknown fields are errors (default true)");
}

}  // namespace tiphys::cli
