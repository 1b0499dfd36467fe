#include <fmt/format.h>

#include "cli/check.h"
#include "cli/commands.h"
#include "cli/inputs.h"
#include "clock/rfc3339.h"
#include "clock/strftime.h"
#include "value/json.h"
#include "view/yaml_view.h"

namespace tiphys::cli {

namespace {

/// A stored kind, and the words for it.
struct Kind {
  std::string kind;     // WorkflowTemplate
  std::string command;  // template
  std::string words;    // "workflow template"
  bool is_cluster = false;
};

struct TemplateFlags {
  std::vector<std::string> names;
  std::string output;
  bool all = false;
  bool all_namespaces = false;
};

std::string space_of(const Kind& kind, const Session& session, const value::Value& object) {
  if (kind.is_cluster) return "";
  if (!session.name_space.empty()) return session.name_space;
  const std::string_view own = object["metadata"]["namespace"].string_or("");
  return own.empty() ? "default" : std::string(own);
}

void print_one(const store::ObjectRow& row) {
  fmt::print("{:<20} {}\n", "Name:", row.name);
  if (!row.name_space.empty()) fmt::print("{:<20} {}\n", "Namespace:", row.name_space);
  fmt::print("{:<20} {}\n", "Created:", clock::strftime("%a %b %d %H:%M:%S +0000", row.created_at));
}

diag::Result<void> print_object(const store::ObjectRow& row, const std::string& output) {
  TRY(const value::Value object, value::parse_json(row.json));
  if (output == "json") {
    fmt::print("{}\n", value::to_json(object, {.indent = 4}));
  } else if (output == "yaml") {
    fmt::print("{}", view::to_yaml(object));
  } else if (output == "name") {
    fmt::print("{}\n", row.name);
  } else {
    print_one(row);
  }
  return {};
}

diag::Result<void> create(const Kind& kind, const TemplateFlags& o, bool is_update,
                          Session& session) {
  TRY(Opened state, open_state());
  TRY(Documents documents, read_documents(o.names));
  TRY_VOID(check_documents(documents, *state.store, {}, session));
  bool any = false;
  for (const spec::Manifest& m : documents.manifests) {
    if (m.kind != kind.kind) continue;
    any = true;
    store::ObjectRow row{.kind = kind.kind,
                         .name_space = space_of(kind, session, m.object),
                         .name = m.name,
                         .json = value::to_json(m.object, {.key_order = value::KeyOrder::kAsGiven}),
                         .created_at = now()};
    auto have = state.store->find_object(row.kind, row.name_space, row.name);
    if (have && !is_update) {
      return diag::fail(
          diag::Code::kAlreadyExists,
          fmt::format("failed to create {}: '{}' already exists; use 'tiphys {} update'",
                      kind.words, row.name, kind.command));
    }
    if (!have && is_update)
      return diag::fail(diag::Code::kNotFound,
                        fmt::format("failed to update {}: '{}' not found", kind.words, row.name));
    if (have) row.created_at = have->created_at;
    TRY_VOID(state.store->put_object(row));
    TRY_VOID(print_object(row, o.output));
  }
  if (any) return {};
  return diag::fail(diag::Code::kInvalidManifest,
                    fmt::format("no {} found in given files", kind.kind));
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

diag::Result<void> list(const Kind& kind, const TemplateFlags& o, const Session& session) {
  TRY(Opened state, open_state());
  TRY(const auto rows,
      state.store->list_objects(
          kind.kind, kind.is_cluster || o.all_namespaces ? "" : space_of(kind, session, {})));
  if (o.output != "name") fmt::print("{}NAME\n", o.all_namespaces ? "NAMESPACE   " : "");
  for (const store::ObjectRow& row : rows) {
    fmt::print("{}{}\n",
               o.all_namespaces && o.output != "name" ? fmt::format("{:<12}", row.name_space) : "",
               row.name);
  }
  return {};
}

diag::Result<void> remove(const Kind& kind, const TemplateFlags& o, const Session& session) {
  TRY(Opened state, open_state());
  const std::string space = space_of(kind, session, {});
  std::vector<std::string> names = o.names;
  if (o.all) {
    TRY(const auto rows, state.store->list_objects(kind.kind, space));
    for (const store::ObjectRow& row : rows) names.push_back(row.name);
  }
  if (names.empty() && !o.all)
    return diag::fail(diag::Code::kInvalidManifest, "name a template, or use --all");
  for (const std::string& name : names) {
    TRY_VOID(state.store->delete_object(kind.kind, space, name));
    fmt::print("{} '{}' deleted\n", kind.kind, name);
  }
  return {};
}

void add_kind(CLI::App& app, const Kind& kind, Session& session) {
  CLI::App* group = app.add_subcommand(kind.command, "manipulate " + kind.words + "s");
  group->require_subcommand(1);
  using Body = diag::Result<void> (*)(const Kind&, const TemplateFlags&, Session&);
  const std::vector<std::tuple<const char*, const char*, Body>> verbs = {
      {"create", "store templates",
       [](const Kind& k, const TemplateFlags& o, Session& s) { return create(k, o, false, s); }},
      {"update", "replace stored templates",
       [](const Kind& k, const TemplateFlags& o, Session& s) { return create(k, o, true, s); }},
      {"get", "show stored templates",
       [](const Kind& k, const TemplateFlags& o, Session& s) { return get(k, o, s); }},
      {"list", "list stored templates",
       [](const Kind& k, const TemplateFlags& o, Session& s) { return list(k, o, s); }},
      {"delete", "delete stored templates",
       [](const Kind& k, const TemplateFlags& o, Session& s) { return remove(k, o, s); }},
      {"lint", "check templates",
       [](const Kind&, const TemplateFlags& o, Session& s) {
         return lint_files(o.names, o.output, s);
       }},
  };
  for (const auto& [name, description, body] : verbs) {
    auto o = std::make_shared<TemplateFlags>();
    CLI::App* command =
        add_command(*group, name, description, session,
                    [o, kind, body = body, &session] { return body(kind, *o, session); });
    const std::string_view verb = name;
    CLI::Option* names =
        verb == "list"
            ? nullptr
            : command->add_option(verb == "get" || verb == "delete" ? "NAME" : "FILE", o->names);
    if (names != nullptr && verb != "delete") names->required();
    command->add_option("-o,--output", o->output, "name, json, yaml");
    if (verb == "delete") command->add_flag("--all", o->all);
    if (verb == "list") command->add_flag("-A,--all-namespaces", o->all_namespaces);
  }
}

diag::Result<void> store_manifests(const std::vector<std::string>& files, Session& session) {
  TRY(Opened state, open_state());
  TRY(Documents documents, read_documents(files));
  TRY_VOID(check_documents(documents, *state.store, {}, session));
  for (const spec::Manifest& m : documents.manifests) {
    if (m.kind == "Secret") {
      TRY_VOID(keep_secret(m.object, session.name_space, state.config.secrets_path()));
    } else if (m.kind == "WorkflowTemplate" || m.kind == "ClusterWorkflowTemplate" ||
               m.kind == "ConfigMap") {
      const Kind kind{.kind = m.kind,
                      .command = "",
                      .words = "",
                      .is_cluster = m.kind == "ClusterWorkflowTemplate"};
      TRY_VOID(state.store->put_object(
          {.kind = m.kind,
           .name_space = space_of(kind, session, m.object),
           .name = m.name,
           .json = value::to_json(m.object, {.key_order = value::KeyOrder::kAsGiven}),
           .created_at = now()}));
    } else {
      return diag::fail(
          diag::Code::kInvalidManifest,
          fmt::format("'{}' of kind {} cannot be applied: want WorkflowTemplate, "
                      "ClusterWorkflowTemplate, ConfigMap or Secret{}",
                      m.name, m.kind,
                      m.kind == "Workflow" ? "; use 'tiphys submit' or 'tiphys run'" : ""));
    }
    fmt::print("{} '{}' stored\n", m.kind, m.name);
  }
  return {};
}

}  // namespace

void add_templates(CLI::App& app, Session& session) {
  add_kind(app,
           {.kind = "WorkflowTemplate",
            .command = "template",
            .words = "workflow template",
            .is_cluster = false},
           session);
  add_kind(app,
           {.kind = "ClusterWorkflowTemplate",
            .command = "cluster-template",
            .words = "cluster workflow template",
            .is_cluster = true},
           session);
}

void add_apply(CLI::App& app, Session& session) {
  auto files = std::make_shared<std::vector<std::string>>();
  CLI::App* command = add_command(app, "apply", "store templates, ConfigMaps and Secrets", session,
                                  [files, &session] { return store_manifests(*files, session); });
  command->add_option("-f,--filename,FILE", *files)->required();
}

}  // namespace tiphys::cli
