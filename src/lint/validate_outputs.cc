// Outputs, what they add to the names that later steps see, and the items of loops.
#include <fmt/format.h>

#include "lint/validator.h"
#include "spec/names.h"

namespace tiphys::lint {

using value::Value;

namespace {

std::string first_parameter_name_error(std::string_view name) {
  const spec::NameErrors errors = spec::check_parameter_name(name);
  return errors.empty() ? "" : errors.front();
}

}  // namespace

void Validator::output_artifact(const Resolved& found, const Value& artifact, const Place& at,
                                const std::string& prefix) {
  const std::string owner = fmt::format("{}templates.{}.outputs.artifacts.{}", prefix,
                                        text(found.body, "name"), text(artifact, "name"));
  if (is_leaf_type(template_type_of(found.body))) {
    if (!artifact_path(artifact, "error in " + owner.substr(prefix.size()), at)) return;
  } else if (!text(artifact, "path").empty()) {
    report(at.at("path"), owner + ".path only valid in container/script templates");
  }
  const std::string_view global = text(artifact, "globalName");
  if (global.empty() || has_simple_tag(global)) return;
  const std::string error = first_parameter_name_error(global);
  if (!error.empty()) report(at.at("globalName"), owner + ".globalName: " + error);
}

void Validator::output_parameter(const Resolved& found, const Value& parameter, const Place& at,
                                 const std::string& prefix) {
  const std::string owner = fmt::format("{}templates.{}.outputs.parameters.{}", prefix,
                                        text(found.body, "name"), text(parameter, "name"));
  const Value& from = parameter["valueFrom"];
  const bool has_value = !parameter["value"].is_null();
  if (from.is_map() && has_value) {
    report(at, owner + " has both valueFrom and value specified, choose one");
    return;
  }
  if (!from.is_map() && !has_value) {
    report(at, owner + " does not have valueFrom or value specified");
    return;
  }
  if (from.is_map()) {
    int sources = from["supplied"].is_null() ? 0 : 1;
    for (const char* key : {"path", "jqFilter", "jsonPath", "parameter", "expression"}) {
      sources += text(from, key).empty() ? 0 : 1;
    }
    if (sources == 0) {
      report(at.at("valueFrom"), prefix +
                                     "valueFrom type unspecified. choose one of: path, jqFilter, "
                                     "jsonPath, parameter, raw, expression");
      return;
    }
    if (sources > 1) {
      report(at.at("valueFrom"), prefix +
                                     "multiple valueFrom types specified. choose one of: path, "
                                     "jqFilter, jsonPath, parameter, raw");
      return;
    }
    const std::string_view type = template_type_of(found.body);
    if ((type == "Container" || type == "ContainerSet" || type == "Script") &&
        text(from, "path").empty()) {
      report(at.at("valueFrom"),
             fmt::format("{}.path must be specified for {} templates", owner, type));
    } else if (type == "Resource" && text(from, "jqFilter").empty() &&
               text(from, "jsonPath").empty()) {
      report(
          at.at("valueFrom"),
          fmt::format("{} .jqFilter or jsonPath must be specified for {} templates", owner, type));
    } else if ((type == "DAG" || type == "Steps") && text(from, "parameter").empty() &&
               text(from, "expression").empty()) {
      report(at.at("valueFrom"),
             fmt::format("{}.parameter or expression must be specified for {} templates", owner,
                         type));
    }
  }
  const std::string_view global = text(parameter, "globalName");
  if (global.empty() || has_simple_tag(global)) return;
  const std::string error = first_parameter_name_error(global);
  if (!error.empty()) report(at.at("globalName"), owner + ".globalName: " + error);
}

void Validator::outputs(const Resolved& found, const std::string& prefix, const Names& scope) {
  const Value& outputs = found.body["outputs"];
  const Place at = found.place.at("outputs");
  const std::string owner = fmt::format("{}templates.{}.outputs", prefix, text(found.body, "name"));
  names(owner + ".parameters ", outputs["parameters"], at.at("parameters"), true);
  names(owner + ".artifacts ", outputs["artifacts"], at.at("artifacts"), true);
  tags(outputs, at, scope, owner + " ");
  std::size_t i = 0;
  for (const Value& artifact : outputs["artifacts"].list()) {
    output_artifact(found, artifact, at.at("artifacts", i++), prefix);
  }
  i = 0;
  for (const Value& parameter : outputs["parameters"].list()) {
    output_parameter(found, parameter, at.at("parameters", i++), prefix);
  }
}

void Validator::add_outputs(const Value* body, std::string_view root, std::string_view name,
                            Names& scope, bool is_loop, bool is_ancestor) {
  const std::string node = fmt::format("{}.{}.", root, name);
  for (const char* key : {"id", "startedAt", "finishedAt", "hostNodeName"}) scope.add(node + key);
  if (body == nullptr) return;
  const Value& b = *body;
  if (b["daemon"].bool_or(false)) scope.add(node + "ip");
  bool has_result = !b["container"].is_null() || !b["script"].is_null() || !b["data"].is_null() ||
                    !b["http"].is_null() || !b["plugin"].is_null();
  for (const Value& c : b["containerSet"]["containers"].list()) {
    has_result = has_result || text(c, "name") == "main";
  }
  const std::string_view type = template_type_of(b);
  if (has_result || (is_loop && (type == "Script" || type == "ContainerSet"))) {
    scope.add(node + "outputs.result");
    scope.add(node + "exitCode");
  }
  for (const std::string_view kind : {"parameters", "artifacts"}) {
    for (const Value& output : b["outputs"][kind].list()) {
      scope.add(fmt::format("{}outputs.{}.{}", node, kind, text(output, "name")));
      const std::string_view global = text(output, "globalName");
      if (global.empty()) continue;
      const std::string exported = fmt::format("workflow.outputs.{}.", kind);
      if (has_simple_tag(global)) {
        scope.add(exported + "*");
        continue;
      }
      globals_.set(exported + std::string(global), Value(placeholder()));
      global_names_.add(exported + std::string(global));
    }
  }
  if (is_loop) scope.add(node + "outputs.parameters");
  if (is_ancestor) scope.add(node + "status");
}

bool Validator::items(const Value& step, Names& scope, const Place& at, const std::string& prefix) {
  const value::List& with_items = step["withItems"].list();
  const bool has_param = !text(step, "withParam").empty();
  const Value& sequence = step["withSequence"];
  const int defined =
      (with_items.empty() ? 0 : 1) + (has_param ? 1 : 0) + (sequence.is_map() ? 1 : 0);
  if (defined > 1) {
    report(at, prefix + "only one of withItems, withParam, withSequence can be specified");
    return false;
  }
  for (const Value& item : with_items) {
    if (item.is_map()) {
      for (const auto& [key, v] : item.map()) scope.add("item." + key);
    } else if (item.is_list()) {
      for (std::size_t i = 0; i < item.list().size(); ++i) scope.add(fmt::format("item.[{}]", i));
    } else {
      scope.add("item");
    }
  }
  if (has_param) {
    scope.add("item");
    scope.add("item.*");
  }
  if (!sequence.is_map()) return true;
  scope.add("item");
  if (!sequence["count"].is_null() && !sequence["end"].is_null()) {
    report(at.at("withSequence"),
           prefix + "only one of count or end can be defined in withSequence");
    return false;
  }
  return true;
}

}  // namespace tiphys::lint
