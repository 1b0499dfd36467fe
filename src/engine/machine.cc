#include "engine/machine.h"

#include <tuple>

#include "clock/rfc3339.h"
#include "engine/globals.h"
#include "tag/substitute.h"

namespace tiphys::engine {

namespace {

Library make_library(const value::Value& templates, std::string label) {
  Library library;
  for (const value::Value& raw : templates.list()) {
    auto body = spec::decode_template(raw);
    library.templates.insert_or_assign(body->name, LibraryEntry{body, tag::has_tags(raw)});
  }
  library.scope = std::make_shared<const TemplateScope>(TemplateScope{std::move(label), nullptr});
  return library;
}

}  // namespace

Machine::Machine(Definition d) : definition(std::move(d)) {
  metadata = definition.workflow["metadata"];
  set_spec(definition.workflow["spec"]);
  name = metadata["name"].string_or("");
  name_space = metadata["namespace"].string_or("");
  uid = metadata["uid"].string_or("");
  if (auto t = clock::parse_rfc3339(metadata["creationTimestamp"].string_or(""))) created_at = *t;
  // Argo's merged spec of a workflow with a workflowTemplateRef carries no name (measured).
  const bool is_merged = spec["workflowTemplateRef"].is_map();
  local = make_library(spec["templates"], is_merged ? "local/" : "local/" + name);
  for (const value::Value& object : definition.templates.list()) {
    const bool is_cluster = object["kind"].string_or("") == "ClusterWorkflowTemplate";
    const std::string holder(object["metadata"]["name"].string_or(""));
    Library made = make_library(object["spec"]["templates"],
                                (is_cluster ? "cluster/" : "namespaced/") + holder);
    (is_cluster ? cluster : namespaced).insert_or_assign(holder, std::move(made));
  }
  auto bind = [](Library& library) {
    library.scope =
        std::make_shared<const TemplateScope>(TemplateScope{library.scope->label, &library});
  };
  bind(local);
  for (auto& [unused, library] : namespaced) bind(library);
  for (auto& [unused, library] : cluster) bind(library);
  is_suspended = spec["suspend"].bool_or(false);
  for (spec::LifecycleHook& hook : spec::decode_hooks(spec["hooks"])) {
    if (hook.name != "exit") hooks.push_back({.hook = std::move(hook)});
  }
}

diag::Result<expr::Program> Machine::program(const std::string& source) {
  if (auto it = programs_.find(source); it != programs_.end()) return it->second;
  TRY(expr::Program parsed, expr::Program::parse(source));
  programs_.emplace(source, parsed);
  return parsed;
}

bool Machine::SiteOrder::operator()(const Site& a, const Site& b) const {
  const auto key = [](const Site& s) {
    return std::tie(s.label, s.template_name, s.template_ref.name, s.template_ref.template_name,
                    s.template_ref.cluster_scope, s.scope);
  };
  return key(a) < key(b);
}

const Site* Machine::site(const Site& s) { return &*sites_.insert(s).first; }

std::shared_ptr<const value::Value> Machine::exit_code_only(int code) {
  std::shared_ptr<const value::Value>& shared = exit_codes_[code];
  if (!shared) {
    shared = std::make_shared<const value::Value>(value::Map{{"exitCode", std::to_string(code)}});
  }
  return shared;
}

void Machine::set_spec(value::Value changed) {
  spec = std::move(changed);
  parallelism = spec["parallelism"].int_or(0);
  retry_strategy = spec["retryStrategy"];
  template_defaults = spec["templateDefaults"];
}

void Machine::touch(NodeIndex i) {
  Node& n = at(i);
  if (n.is_dirty || effects == nullptr) return;
  n.is_dirty = true;
  effects->dirty.push_back(i);
}

void Machine::set_timer(NodeIndex node, TimerKind kind, clock::Instant when) {
  timers.insert_or_assign({node, kind}, when);
  effects->want(SetTimer{.timer = {.run = run, .node = node, .kind = kind}, .at = when});
}

}  // namespace tiphys::engine
