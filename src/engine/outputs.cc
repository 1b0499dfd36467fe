#include "engine/outputs.h"

#include <fmt/format.h>

#include "clock/rfc3339.h"
#include "engine/containers.h"
#include "engine/daemon.h"
#include "engine/names.h"
#include "engine/retry.h"
#include "tag/substitute.h"
#include "value/json.h"
#include "value/json_fault.h"

namespace tiphys::engine {

namespace {

using value::List;
using value::Map;
using value::Value;

// "{{ name }}" and nothing else: the name; else empty.
std::string_view sole_tag(std::string_view text) {
  if (!text.starts_with("{{") || !text.ends_with("}}") || text.size() < 4) return {};
  std::string_view name = text.substr(2, text.size() - 4);
  if (name.find("{{") != std::string_view::npos || name.find("}}") != std::string_view::npos)
    return {};
  while (name.starts_with(' ')) name.remove_prefix(1);
  while (name.ends_with(' ')) name.remove_suffix(1);
  return name;
}

// The text of an expression's or reference's value as a parameter holds it.
Value as_parameter_value(const Value& v) {
  return v.is_string() ? v : Value(value::to_json(v, {.escape_html = false}));
}

diag::Result<Value> expression_value(const std::string& source, const vars::Scope& scope) {
  TRY(const expr::Program program, expr::Program::parse(source));
  TRY(Value v, program.run(scope));
  if (v.is_null()) {
    return diag::fail(diag::Code::kBadExpression,
                      fmt::format("failed to evaluate expression \"{}\"", source));
  }
  return v;
}

diag::Result<Value> referenced_value(const Value& from, const std::string& parameter,
                                     const vars::Scope& scope) {
  if (from["expression"].is_string()) {
    TRY(const Value v, expression_value(from["expression"].as_string(), scope));
    return as_parameter_value(v);
  }
  std::string_view name = sole_tag(from["parameter"].string_or(""));
  if (name.starts_with('=')) {
    TRY(const Value v, expression_value(std::string(name.substr(1)), scope));
    return as_parameter_value(v);
  }
  const auto found = scope.find(name);
  if (!found) {
    return diag::fail(diag::Code::kMissingVariable, fmt::format("Unable to resolve: \"{}\"", name));
  }
  if (!found->is_null()) return *found;
  return diag::fail(diag::Code::kMissingVariable,
                    fmt::format("output parameter \"{}\": \"{}\" is an absent optional "
                                "(skipped/omitted node output with no default)",
                                parameter, from["parameter"].string_or("")));
}

diag::Result<Value> output_parameter(const Value& declared, const vars::Scope& scope) {
  const Value& from = declared["valueFrom"];
  if (!from.is_map()) {
    return diag::fail(diag::Code::kInvalidManifest,
                      "output parameters must have a valueFrom specified");
  }
  Map p = declared.map();
  p.erase("valueFrom");
  if (from["parameter"].is_null() && from["expression"].is_null()) {
    p.set("value", "");
    return Value(std::move(p));
  }
  auto v = referenced_value(from, std::string(declared["name"].string_or("")), scope);
  if (!v) {
    if (from["default"].is_null()) return std::unexpected(v.error());
    v = from["default"];
  }
  p.set("value", std::move(*v));
  return Value(std::move(p));
}

// The artifact that `from` or `fromExpression` means.
diag::Result<Value> artifact_meant(const Value& a, const vars::Scope& scope,
                                   const Artifacts& artifacts) {
  std::string name(sole_tag(a["from"].string_or("")));
  if (a["fromExpression"].is_string()) {
    // An artifact cannot be a value of the expression language: its name stands for it.
    vars::MapScope names(&scope);
    for (const auto& [key, unused] : artifacts) names.set(key, key);
    TRY(const expr::Program program, expr::Program::parse(a["fromExpression"].as_string()));
    TRY(const Value chosen, program.run(names));
    name = chosen.string_or("");
  }
  auto it = artifacts.find(name);
  if (it == artifacts.end()) {
    return diag::fail(diag::Code::kMissingVariable, fmt::format("Unable to resolve: \"{}\"", name));
  }
  Map copy = it->second.map();
  if (const std::string_view sub = a["subPath"].string_or(""); !sub.empty()) {
    TRY(std::string path, tag::substitute(sub, scope, {}));
    copy.set("subPath", std::move(path));
  }
  if (const Value& global = a["globalName"]; global.is_string()) copy.set("globalName", global);
  copy.set("name", a["name"]);
  return Value(std::move(copy));
}

// The per-item texts as one JSON list; texts that are all JSON are embedded as such.
std::string json_list_of(const std::vector<std::string>& texts) {
  List parsed;
  for (const std::string& text : texts) {
    auto v = value::parse_json(text);
    if (!v || !(v->is_list() || v->is_map())) {
      List plain(texts.begin(), texts.end());
      return value::to_json(plain);
    }
    parsed.push_back(std::move(*v));
  }
  return value::to_json(parsed);
}

}  // namespace

const Node& with_outputs(const Machine& m, const Node& n) {
  if (n.type != "Retry") return n;
  const NodeIndex last = last_attempt(m, n);
  return last == kNoNode ? n : m.at(last);
}

void add_node_variables(const Machine& m, const Node& node, const std::string& label,
                        vars::MapScope& scope) {
  const Node& n = with_outputs(m, node);
  scope.set(label + ".id", id_of(m, n));
  if (n.started_at.is_set()) scope.set(label + ".startedAt", clock::rfc3339(n.started_at));
  if (n.finished_at.is_set()) scope.set(label + ".finishedAt", clock::rfc3339(n.finished_at));
  scope.set(label + ".status", to_string(n.phase));
  const auto& [host, ip] = n.place();
  if (n.is_daemon) scope.set(label + ".ip", ip.empty() ? kDaemonIp : ip);
  if (n.type == "Pod" && n.phase != Phase::kPending) {
    scope.set(label + ".hostNodeName", host.empty() ? m.definition.host : host);
  }
  if (const Value& result = n.outputs["result"]; result.is_string()) {
    scope.set(label + ".outputs.result", result);
  }
  if (const Value& code = n.outputs["exitCode"]; code.is_string())
    scope.set(label + ".exitCode", code);
  for (const Value& p : n.outputs["parameters"].list()) {
    if (p["value"].is_string()) {
      scope.set(fmt::format("{}.outputs.parameters.{}", label, p["name"].string_or("")),
                p["value"]);
    }
  }
}

void add_node_artifacts(const Machine& m, const Node& node, const std::string& label,
                        Artifacts& artifacts) {
  for (const Value& a : with_outputs(m, node).outputs["artifacts"].list()) {
    artifacts.insert_or_assign(
        fmt::format("{}.outputs.artifacts.{}", label, a["name"].string_or("")), a);
  }
}

void add_skipped_outputs(const spec::Template& body, const std::string& label,
                         vars::MapScope& scope) {
  for (const Value& p : body.raw["outputs"]["parameters"].list()) {
    scope.set(fmt::format("{}.outputs.parameters.{}", label, p["name"].string_or("")),
              p["valueFrom"]["default"]);
  }
  if (!scope.find(label + ".outputs.result")) scope.set(label + ".outputs.result", Value());
}

void add_skipped_artifacts(const spec::Template& body, const std::string& label,
                           Artifacts& artifacts) {
  for (const Value& a : body.raw["outputs"]["artifacts"].list()) {
    artifacts.insert_or_assign(
        fmt::format("{}.outputs.artifacts.{}", label, a["name"].string_or("")), Map());
  }
}

diag::Result<void> add_aggregate(const Machine& m, const std::vector<NodeIndex>& items,
                                 const std::string& label, vars::MapScope& scope) {
  std::map<std::string, std::vector<std::string>> by_name;
  List all_parameters;
  List results;
  bool any = false;
  for (const NodeIndex i : items) {
    const Node& n = m.at(i);
    if (n.type == "Skipped") continue;
    any = true;
    if (n.phase != Phase::kSucceeded) continue;
    const Value& outputs = with_outputs(m, n).outputs;
    Map parameters;
    for (const Value& p : outputs["parameters"].list()) {
      const std::string name(p["name"].string_or(""));
      const std::string text(p["value"].string_or(""));
      parameters.set(name, text);
      by_name[name].push_back(text);
    }
    if (!parameters.empty()) all_parameters.emplace_back(std::move(parameters));
    if (const Value& result = outputs["result"]; result.is_string()) {
      auto parsed = value::parse_json(result.as_string());
      const std::string fault = parsed ? "" : value::json_fault(result.as_string());
      if (!fault.empty()) return diag::fail(parsed.error().code, fault);
      results.push_back(parsed ? std::move(*parsed) : result);
    }
  }
  if (!any) return {};
  scope.set(label + ".outputs.result", value::to_json(results));
  scope.set(label + ".outputs.parameters", value::to_json(all_parameters));
  for (const auto& [name, texts] : by_name) {
    scope.set(label + ".outputs.parameters." + name, json_list_of(texts));
  }
  return {};
}

bool has_no_arguments(const Value& arguments) {
  return arguments["parameters"].list().empty() && arguments["artifacts"].list().empty();
}

Value drop_absent_arguments(const Value& arguments, const vars::Scope& scope) {
  const auto& parameters = arguments["parameters"].list();
  bool changed = false;
  List list = parameters;
  for (Value& p : list) {
    const std::string_view name = sole_tag(p["value"].string_or(""));
    if (name.empty() || name.starts_with('=')) continue;
    const auto found = scope.find(name);
    if (!found || !found->is_null()) continue;
    Map marked = p.map();
    marked.erase("value");
    marked.set(std::string(kAbsentMark), true);
    p = std::move(marked);
    changed = true;
  }
  if (!changed) return arguments;
  Map result = arguments.map();
  result.set("parameters", std::move(list));
  return result;
}

diag::Result<Value> resolve_artifact_arguments(const Value& arguments, const vars::Scope& scope,
                                               const Artifacts& artifacts) {
  if (arguments["artifacts"].list().empty()) return arguments;
  List list;
  for (const Value& a : arguments["artifacts"].list()) {
    if (a["from"].is_null() && a["fromExpression"].is_null()) {
      list.push_back(a);
      continue;
    }
    auto meant = artifact_meant(a, scope, artifacts);
    if (meant) {
      list.push_back(std::move(*meant));
    } else if (!a["optional"].bool_or(false)) {
      return diag::fail(diag::Code::kInvalidManifest,
                        "unable to resolve references: " + meant.error().message);
    }
  }
  Map result = arguments.map();
  result.set("artifacts", std::move(list));
  return Value(std::move(result));
}

diag::Result<Value> composite_outputs(const spec::Template& body, const vars::Scope& scope,
                                      const Artifacts& artifacts) {
  const Value& declared = body.raw["outputs"];
  if (declared["parameters"].list().empty() && declared["artifacts"].list().empty()) return Value();
  Map outputs;
  List parameters;
  for (const Value& p : declared["parameters"].list()) {
    TRY(Value v, output_parameter(p, scope));
    parameters.push_back(std::move(v));
  }
  if (!parameters.empty()) outputs.set("parameters", std::move(parameters));
  List list;
  for (const Value& a : declared["artifacts"].list()) {
    if (a["from"].is_null() && a["fromExpression"].is_null()) continue;
    auto meant = artifact_meant(a, scope, artifacts);
    if (meant) {
      list.push_back(std::move(*meant));
    } else if (!a["optional"].bool_or(false)) {
      return diag::fail(diag::Code::kInvalidManifest,
                        "unable to resolve outputs from scope: " + meant.error().message);
    }
  }
  if (!list.empty()) outputs.set("artifacts", std::move(list));
  return outputs.empty() ? Value() : Value(std::move(outputs));
}

namespace {

// The last containers of a containerSet; what hangs below one of them but belongs to another
// template follows it.
void append_outbound_of_container(const Machine& m, NodeIndex i, std::vector<NodeIndex>& out) {
  const Node& n = m.at(i);
  if (n.children.empty()) out.push_back(i);
  for (const NodeIndex c : n.children) {
    const bool is_last = n.type == "Container" && m.at(c).boundary != n.boundary;
    if (is_last) {
      out.push_back(i);
    } else {
      append_outbound(m, c, out);
    }
  }
}

}  // namespace

void append_outbound(const Machine& m, NodeIndex i, std::vector<NodeIndex>& out) {
  const Node& n = m.at(i);
  const spec::NodeType type = n.type;
  if (type == "Retry") {
    if (!n.children.empty()) out.push_back(n.children.back());  // be it a hook, as in Argo
    return;
  }
  if (type == "Container" || has_containers(m, n)) {
    append_outbound_of_container(m, i, out);
    return;
  }
  if (type == "TaskGroup") {
    if (n.children.empty()) out.push_back(i);
    for (const NodeIndex child : n.children) append_outbound(m, child, out);  // hooks, as in Argo
    return;
  }
  if ((type == "Steps" || type == "DAG") && !n.memoization()["hit"].bool_or(false)) {
    for (const NodeIndex o : n.outbound()) append_outbound(m, o, out);
    return;
  }
  out.push_back(i);
}

}  // namespace tiphys::engine
