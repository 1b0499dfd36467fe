#include "engine/templates.h"

#include <fmt/format.h>

#include <charconv>

#include "engine/outputs.h"
#include "spec/merge.h"
#include "tag/substitute.h"
#include "value/json.h"

namespace tiphys::engine {

namespace {

using value::List;
using value::Map;
using value::Value;

diag::Result<const LibraryEntry*> find_in(const Library& library, const std::string& name,
                                          const std::string& holder) {
  if (auto it = library.templates.find(name); it != library.templates.end()) return &it->second;
  return diag::fail(
      diag::Code::kNotFound,
      holder.empty() ? fmt::format("template {} not found", name)
                     : fmt::format("template {} not found in workflow template {}", name, holder));
}

// Defaults for another kind of template do not apply: a default `script` says nothing to a
// container template.
Value applicable_defaults(const Value& defaults, const Value& target) {
  Map m = defaults.map();
  for (const char* kind : {"container", "containerSet", "script", "resource", "data", "http",
                           "plugin", "suspend", "steps", "dag"}) {
    if (target[kind].is_null()) m.erase(kind);
  }
  return m;
}

diag::Result<ResolvedTemplate> finish(const Machine& m, const LibraryEntry& entry,
                                      std::shared_ptr<const TemplateScope> inner) {
  ResolvedTemplate found{
      .body = entry.body, .inner_scope = std::move(inner), .has_tags = entry.has_tags};
  if (found.body->kind == spec::TemplateKind::kNone) {
    return diag::fail(diag::Code::kInvalidManifest,
                      fmt::format("template '{}' type is unknown", found.body->name));
  }
  if (const Value& defaults = m.template_defaults; defaults.is_map()) {
    found.body = spec::decode_template(
        spec::strategic_merge(applicable_defaults(defaults, found.body->raw), found.body->raw));
    found.has_tags = tag::has_tags(found.body->raw);
  }
  return found;
}

const Value* find_named(const Value& list, const Value& name) {
  for (const Value& element : list.list()) {
    if (element["name"] == name) return &element;
  }
  return nullptr;
}

diag::Result<Value> config_map_value(const Machine& m, const Value& parameter,
                                     const vars::Scope& globals) {
  const Value& ref = parameter["valueFrom"]["configMapKeyRef"];
  TRY(const std::string name, tag::substitute(ref["name"].string_or(""), globals, {}));
  TRY(const std::string key, tag::substitute(ref["key"].string_or(""), globals, {}));
  const Value& found = m.definition.config_maps[name][key];
  if (found.is_string()) return found;
  if (const Value& fallback = parameter["valueFrom"]["default"]; fallback.is_string())
    return fallback;
  const std::string why =
      m.definition.config_maps[name].is_null()
          ? fmt::format(
                "ConfigMap '{}' does not exist. Please make sure it has the label "
                "workflows.argoproj.io/configmap-type: Parameter to be detectable by the "
                "controller",
                name)
          : fmt::format("ConfigMap '{}' does not have the key '{}'", name, key);
  return diag::fail(diag::Code::kInvalidManifest,
                    fmt::format("unable to retrieve inputs.parameters.{} from ConfigMap: {}",
                                parameter["name"].string_or(""), why));
}

diag::Result<Value> input_parameter(const Machine& m, const Value& declared, const Value& arguments,
                                    const vars::Scope& globals) {
  Map p = declared.map();
  if (!declared["value"].is_string() && declared["default"].is_string())
    p.set("value", declared["default"]);
  const Value* argument = find_named(arguments["parameters"], declared["name"]);
  const std::string name(declared["name"].string_or(""));
  if (argument != nullptr && !(*argument)[kAbsentMark].is_null()) {
    if (p.find("value") == nullptr && p.find("valueFrom") == nullptr) {
      return diag::fail(
          diag::Code::kInvalidManifest,
          fmt::format(
              "inputs.parameters.{}: argument references an absent optional (skipped/omitted "
              "node output with no default)",
              name));
    }
  } else if (argument != nullptr) {
    if ((*argument)["valueFrom"].is_map()) p.set("valueFrom", (*argument)["valueFrom"]);
    if ((*argument)["value"].is_string()) {
      p.set("value", (*argument)["value"]);
      p.erase("valueFrom");  // a value that is given beats where the input would take its own from
    }
  }
  const Value with_argument(p);
  if (with_argument["valueFrom"]["configMapKeyRef"].is_map()) {
    TRY(Value v, config_map_value(m, with_argument, globals));
    p.set("value", std::move(v));
  } else if (p.find("value") == nullptr) {
    return diag::fail(diag::Code::kInvalidManifest,
                      fmt::format("inputs.parameters.{} was not supplied", name));
  }
  return Value(std::move(p));
}

bool has_location(const Value& artifact) {
  for (const char* kind :
       {"raw", "http", "s3", "git", "artifactory", "hdfs", "oss", "gcs", "azure", "plugin"}) {
    if (!artifact[kind].is_null()) return true;
  }
  return artifact["key"].is_string() || artifact["local"].is_string();
}

diag::Result<Value> input_artifact(const Value& declared, const Value& arguments) {
  const Value* argument = find_named(arguments["artifacts"], declared["name"]);
  const std::string_view name = declared["name"].string_or("");
  if (!declared["optional"].bool_or(false) && !has_location(declared)) {
    if (argument == nullptr) {
      return diag::fail(diag::Code::kInvalidManifest,
                        fmt::format("inputs.artifacts.{} was not supplied", name));
    }
    if (!has_location(*argument)) {
      return diag::fail(diag::Code::kInvalidManifest,
                        fmt::format("inputs.artifacts.{} missing location information", name));
    }
  }
  if (argument == nullptr) return declared;
  Map merged = argument->map();
  for (const char* field : {"path", "mode", "recurseMode"}) {
    merged.erase(field);
    if (!declared[field].is_null()) merged.set(field, declared[field]);
  }
  return Value(std::move(merged));
}

// The template with the values of its inputs, tags not yet replaced.
diag::Result<Value> with_inputs(const Machine& m, const Value& raw, const Value& arguments,
                                const vars::Scope& globals) {
  const Value& inputs = raw["inputs"];
  if (inputs.map().empty()) return raw;
  Map result = inputs.map();
  if (inputs["parameters"].is_list()) {
    List list;
    for (const Value& declared : inputs["parameters"].list()) {
      TRY(Value p, input_parameter(m, declared, arguments, globals));
      list.push_back(std::move(p));
    }
    result.set("parameters", std::move(list));
  }
  if (inputs["artifacts"].is_list()) {
    List list;
    for (const Value& declared : inputs["artifacts"].list()) {
      TRY(Value a, input_artifact(declared, arguments));
      list.push_back(std::move(a));
    }
    result.set("artifacts", std::move(list));
  }
  Map body = raw.map();
  body.set("inputs", std::move(result));
  return Value(std::move(body));
}

void add_input_variables(const Value& body, vars::MapScope& scope) {
  for (const Value& p : body["inputs"]["parameters"].list()) {
    if (p["value"].is_string()) {
      scope.set(fmt::format("inputs.parameters.{}", p["name"].string_or("")), p["value"]);
    }
  }
  scope.set("inputs.parameters",
            value::to_json(body["inputs"]["parameters"], {.key_order = value::KeyOrder::kAsGiven}));
  for (const Value& a : body["inputs"]["artifacts"].list()) {
    if (a["path"].is_string()) {
      scope.set(fmt::format("inputs.artifacts.{}.path", a["name"].string_or("")), a["path"]);
    }
  }
  for (const Value& a : body["outputs"]["artifacts"].list()) {
    if (a["path"].is_string()) {
      scope.set(fmt::format("outputs.artifacts.{}.path", a["name"].string_or("")), a["path"]);
    }
  }
  for (const Value& p : body["outputs"]["parameters"].list()) {
    if (p["valueFrom"]["path"].is_string()) {
      scope.set(fmt::format("outputs.parameters.{}.path", p["name"].string_or("")),
                p["valueFrom"]["path"]);
    }
  }
}

}  // namespace

diag::Result<ResolvedTemplate> resolve_template(const Machine& m, const Start& start) {
  if (start.inline_template.is_map()) {
    const LibraryEntry entry{spec::decode_template(start.inline_template),
                             tag::has_tags(start.inline_template)};
    return finish(m, entry, start.site->scope);
  }
  if (!start.site->template_ref.is_set()) {
    TRY(const LibraryEntry* entry,
        find_in(*start.site->scope->library, start.site->template_name, ""));
    return finish(m, *entry, start.site->scope);
  }
  const spec::TemplateRef& ref = start.site->template_ref;
  const auto& holders = ref.cluster_scope ? m.cluster : m.namespaced;
  auto it = holders.find(ref.name);
  if (it == holders.end()) {
    return diag::fail(diag::Code::kNotFound,
                      fmt::format("workflow template {} not found", ref.name));
  }
  TRY(const LibraryEntry* entry, find_in(it->second, ref.template_name, ref.name));
  return finish(m, *entry, it->second.scope);
}

diag::Result<ResolvedTemplate> resolve_template(const Machine& m, const spec::Step& step,
                                                const TemplateScope& from) {
  Start start;
  const Site site{.template_name = step.template_name,
                  .template_ref = step.template_ref,
                  .scope = from.library->scope};
  start.site = &site;
  start.inline_template = step.inline_template;
  return resolve_template(m, start);
}

diag::Result<std::shared_ptr<const spec::Template>> process_arguments(const Machine& m,
                                                                      const ResolvedTemplate& found,
                                                                      const Value& arguments,
                                                                      const vars::Scope& globals,
                                                                      const Locals& locals) {
  TRY(Value body, with_inputs(m, found.body->raw, arguments, globals));
  const bool has_inputs = !body["inputs"].map().empty();
  if (!has_inputs && !found.has_tags) return found.body;
  vars::MapScope scope(&globals);
  for (const auto& [name, text] : locals) scope.set(name, text);
  if (found.has_tags || tag::has_tags(body["inputs"])) {
    TRY(body, tag::substitute(body, scope, {}));
    add_input_variables(body, scope);
    if (found.has_tags) {
      TRY(body, tag::substitute(body, scope, {}));
    }
  }
  return spec::decode_template(body);
}

diag::Result<std::shared_ptr<const spec::Template>> substitute_locals(
    const std::shared_ptr<const spec::Template>& body, const vars::Scope& globals,
    const Locals& locals) {
  if (!tag::has_tags(body->raw)) return body;
  vars::MapScope scope(&globals);
  for (const auto& [name, text] : locals) scope.set(name, text);
  TRY(const Value replaced, tag::substitute(body->raw, scope, {}));
  return spec::decode_template(replaced);
}

const Value& retry_strategy_of(const Machine& m, const spec::Template& body) {
  return body.has_retry_strategy ? body.raw["retryStrategy"] : m.retry_strategy;
}

std::optional<std::int64_t> integer_of(const Value& v) {
  if (v.is_int()) return v.as_int();
  const std::string_view text = v.string_or("");
  std::int64_t n = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

}  // namespace tiphys::engine
