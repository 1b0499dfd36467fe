#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/channels.h"
#include "cli/check.h"
#include "cli/commands.h"
#include "cli/inputs.h"
#include "cli/rules.h"
#include "cli/selection.h"
#include "cli/stored_cron.h"
#include "clock/go_duration.h"
#include "clock/strftime.h"
#include "runtime/cron_object.h"
#include "runtime/object_row.h"
#include "runtime/submit.h"
#include "spec/labels.h"
#include "value/json.h"
#include "view/table.h"
#include "view/yaml_view.h"

namespace tiphys::cli {

namespace {

using value::Value;

/// A stored kind, and the words for it.
struct Kind {
  std::string kind;          // WorkflowTemplate
  std::string command = {};  // template
  std::string words = {};    // "workflow template"
  bool is_cluster = false;
};

struct TemplateFlags {
  std::vector<std::string> names;
  std::string output;
  std::string labels;
  bool all = false;
  bool all_namespaces = false;
  bool is_strict = true;
};

std::string space_of(const Kind& kind, const Session& session, const Value& object) {
  if (kind.is_cluster) return "";
  const std::string_view own = object["metadata"]["namespace"].string_or("");
  return own.empty() ? session.space() : std::string(own);
}

std::string text_of(const store::ObjectRow& row) {
  std::string text = fmt::format("{:<20} {}\n", "Name:", row.name);
  if (!row.name_space.empty()) text += fmt::format("{:<20} {}\n", "Namespace:", row.name_space);
  const clock::Duration age = now() - row.created_at;
  const bool is_new = age < clock::Duration::seconds(1);
  return text + fmt::format("{:<20} {} ({})\n",
                            "Created:", clock::strftime("%a %b %d %H:%M:%S +0000", row.created_at),
                            is_new ? "now" : clock::humanize(age) + " ago");
}

diag::Result<void> print_object(const store::ObjectRow& row, const std::string& output) {
  TRY(const Value object, value::parse_json(row.json));
  if (output == "json") {
    print_text(value::to_json(object, {.indent = 4}) + "\n");
  } else if (output == "yaml") {
    print_text(view::to_yaml(object));
  } else if (output == "name") {
    print_text(row.name + "\n");
  } else if (output.empty() || output == "wide") {
    print_text(text_of(row));
  } else {
    return wrong_usage(
        fmt::format("unknown output format '{}': want wide, json, yaml or name", output));
  }
  return {};
}

diag::Result<void> put(const Kind& kind, const TemplateFlags& o, bool is_update, Session& session) {
  TRY(Opened state, open_state());
  TRY(Documents documents, read_documents(o.names, o.is_strict ? spec::UnknownFields::kError
                                                               : spec::UnknownFields::kWarning));
  TRY_VOID(check_documents(documents, state, {}, session));
  bool any = false;
  for (const spec::Manifest& m : documents.manifests) {
    if (m.kind != kind.kind) continue;
    any = true;
    const auto [row, is_known] = runtime::object_row(
        *state.store, m.kind, space_of(kind, session, m.object), m.object, now());
    if (is_known && !is_update) {
      return diag::fail(diag::Code::kAlreadyExists,
                        fmt::format("failed to create {}: '{}' already exists; use 'tiphys {} "
                                    "update'",
                                    kind.words, row.name, kind.command));
    }
    if (!is_known && is_update) {
      return diag::fail(diag::Code::kNotFound,
                        fmt::format("failed to update {}: '{}' not found", kind.words, row.name));
    }
    TRY_VOID(state.store->put_object(row));
    TRY_VOID(print_object(row, o.output));
  }
  if (any) return {};
  return wrong_usage(fmt::format("no {} found in given files", kind.kind));
}

diag::Result<void> get(const Kind& kind, const TemplateFlags& o, const Session& session) {
  TRY(Opened state, open_state());
  for (const std::string& name : o.names) {
    TRY(const store::ObjectRow row,
        state.store->find_object(kind.kind, space_of(kind, session, {}), name));
    TRY_VOID(print_object(row, o.output));
  }
  return {};
}

bool has_labels(const store::ObjectRow& row, const spec::Selector& selector) {
  auto object = value::parse_json(row.json);
  return object && selector.matches(spec::labels_of((*object)["metadata"]["labels"]));
}

diag::Result<void> list(const Kind& kind, const TemplateFlags& o, const Session& session) {
  TRY(Opened state, open_state());
  const bool is_everywhere = kind.is_cluster || o.all_namespaces;
  TRY(const auto found,
      state.store->list_objects(kind.kind, is_everywhere ? "" : space_of(kind, session, {})));
  TRY(const spec::Selector selector, spec::Selector::parse(o.labels));
  std::vector<std::vector<std::string>> rows;
  if (o.output != "name") rows.push_back({"NAMESPACE", "NAME"});
  for (const store::ObjectRow& row : found) {
    if (o.labels.empty() || has_labels(row, selector)) rows.push_back({row.name_space, row.name});
  }
  if (!o.all_namespaces || o.output == "name") {
    for (auto& row : rows) row.erase(row.begin());
  }
  print_text(view::format_table(rows, 3));
  return {};
}

diag::Result<void> remove(const Kind& kind, const TemplateFlags& o, const Session& session) {
  if (o.names.empty() && !o.all) return wrong_usage("name a template, or use --all");
  TRY(Opened state, open_state());
  const std::string space = space_of(kind, session, {});
  std::vector<std::string> names = o.names;
  if (o.all) {
    TRY(const auto rows, state.store->list_objects(kind.kind, space));
    for (const store::ObjectRow& row : rows) names.push_back(row.name);
  }
  for (const std::string& name : names) {
    TRY_VOID(state.store->delete_object(kind.kind, space, name));
    print_text(fmt::format("{} '{}' deleted\n", kind.kind, name));
  }
  return {};
}

diag::Result<void> lint(const Kind& kind, const TemplateFlags& o, Session& session) {
  LintFlags flags{.files = o.names, .output = o.output, .kinds = {}, .is_strict = o.is_strict};
  flags.kinds.emplace_back(kind.is_cluster ? "clusterworkflowtemplates" : "workflowtemplates");
  return lint_files(flags, session);
}

using Body = diag::Result<void> (*)(const Kind&, const TemplateFlags&, Session&);

/// A command below `template`, and the flags that it has.
struct Verb {
  const char* name;
  const char* description;
  Body body;
  bool takes_files = false;
};

constexpr Verb kVerbs[] = {
    {"create", "store templates",
     [](const Kind& k, const TemplateFlags& o, Session& s) { return put(k, o, false, s); }, true},
    {"update", "replace stored templates",
     [](const Kind& k, const TemplateFlags& o, Session& s) { return put(k, o, true, s); }, true},
    {"get", "show stored templates",
     [](const Kind& k, const TemplateFlags& o, Session& s) { return get(k, o, s); }},
    {"list", "list stored templates",
     [](const Kind& k, const TemplateFlags& o, Session& s) { return list(k, o, s); }},
    {"delete", "delete stored templates",
     [](const Kind& k, const TemplateFlags& o, Session& s) { return remove(k, o, s); }},
    {"lint", "check templates", lint, true},
};

void add_flags(Command command, const Verb& verb, TemplateFlags& o) {
  const std::string_view name = verb.name;
  if (verb.takes_files) {
    command.add_option("FILE", o.names, "files or folders; - is stdin").required();
    command.add_flag("--strict", o.is_strict, "unknown fields are errors (default true)");
  }
  if (name == "get") command.add_option("NAME", o.names, "names").required();
  if (name == "delete") {
    command.add_option("NAME", o.names, "names");
    command.add_flag("--all", o.all, "all of them");
    return;
  }
  command.add_option(
      "-o,--output", o.output,
      name == "lint" ? "pretty or simple, as argo prints them" : "name, json, yaml, wide");
  if (name != "list") return;
  command.add_option("-l,--selector", o.labels, "label selector, e.g. a=b,c!=d");
  command.add_flag("-A,--all-namespaces", o.all_namespaces, "those of all namespaces");
}

Command add_kind(Command app, const Kind& kind, Session& session) {
  const Command group = app.add_group(kind.command, "manipulate " + kind.words + "s");
  for (const Verb& verb : kVerbs) {
    auto o = std::make_shared<TemplateFlags>();
    const Command command =
        add_command(group, verb.name, verb.description, session,
                    [o, kind, body = verb.body, &session] { return body(kind, *o, session); });
    add_flags(command, verb, *o);
  }
  return group;
}

diag::Result<void> store_one(Opened& state, const spec::Manifest& m, const Session& session) {
  if (m.kind == "Secret") {
    return keep_secret(m.object, session.name_space, state.config.secrets_path());
  }
  if (m.kind == "NotificationChannel") {
    return keep_channel(m, session.name_space, *state.store);
  }
  if (m.kind == "Notification") {
    TRY_VOID(keep_rule(m, session.name_space, *state.store));
    runtime::poke_engines(state.config.home);
    return {};
  }
  if (m.kind == "CronWorkflow") {
    TRY_VOID(
        runtime::put_cron(m.object, runtime::Put::kApply, *state.store, session.space(), now()));
    runtime::poke_engines(state.config.home);
    return {};
  }
  const Kind kind{.kind = m.kind, .is_cluster = m.kind == "ClusterWorkflowTemplate"};
  if (m.kind == "WorkflowTemplate" || kind.is_cluster || m.kind == "ConfigMap" ||
      m.kind == "ExecutorPlugin") {
    return state.store->put_object(runtime::object_row(*state.store, m.kind,
                                                       space_of(kind, session, m.object), m.object,
                                                       now())
                                       .row);
  }
  const bool is_workflow = m.kind == "Workflow";
  return wrong_usage(fmt::format(
      "'{}' of kind {} cannot be applied: want WorkflowTemplate, ClusterWorkflowTemplate, "
      "CronWorkflow, ConfigMap, Secret, ExecutorPlugin, NotificationChannel or Notification{}",
      m.name.empty() ? m.generate_name : m.name, m.kind,
      is_workflow ? "; use 'tiphys submit' or 'tiphys run'" : ""));
}

diag::Result<void> apply_files(const std::vector<std::string>& files, Session& session) {
  TRY(Opened state, open_state());
  TRY(Documents documents, read_documents(files));
  TRY_VOID(check_documents(documents, state, {}, session));
  for (const spec::Manifest& m : documents.manifests) {
    TRY_VOID(store_one(state, m, session));
    print_text(fmt::format("{} '{}' stored\n", m.kind, m.name));
  }
  return {};
}

}  // namespace

void add_templates(Command app, Session& session) {
  add_kind(app, {.kind = "WorkflowTemplate", .command = "template", .words = "workflow template"},
           session);
  const Command cluster = add_kind(app,
                                   {.kind = "ClusterWorkflowTemplate",
                                    .command = "cluster-template",
                                    .words = "cluster workflow template",
                                    .is_cluster = true},
                                   session);
  add_library(cluster, session);
}

void add_apply(Command app, Session& session) {
  auto files = std::make_shared<std::vector<std::string>>();
  const Command command = add_command(
      app, "apply",
      "store templates, CronWorkflows, ConfigMaps, Secrets, plugins, channels and rules", session,
      [files, &session] { return apply_files(*files, session); });
  command.add_option("-f,--filename,FILE", *files, "files or folders; - is stdin").required();
}

}  // namespace tiphys::cli
