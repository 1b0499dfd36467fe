#include "cli/suspended_nodes.h"

#include <fmt/format.h>

#include <algorithm>

namespace tiphys::cli {

namespace {

using value::Value;

std::string unexpected_output(const Value& node, const Value& given) {
  const Value& declared = node["outputs"]["parameters"];
  for (const auto& [name, unused] : given.map()) {
    if (declared.list().empty()) {
      return "cannot set output parameters because node is not expecting any raw parameters";
    }
    const auto p = std::ranges::find_if(
        declared.list(), [&](const Value& one) { return one["name"].string_or("") == name; });
    if (p == declared.list().end()) {
      return fmt::format("node is not expecting output parameter '{}'", name);
    }
    if ((*p)["value"].is_string() || (*p)["valueFrom"]["supplied"].is_null()) {
      return fmt::format(
          "cannot set output parameter '{}' because it does not use valueFrom.raw or it was "
          "already set",
          name);
    }
  }
  return "";
}

// A node that ends well has to have all its outputs.
std::string missing_output(const Value& node, const Value& given) {
  for (const Value& p : node["outputs"]["parameters"].list()) {
    const std::string_view name = p["name"].string_or("");
    if (p["value"].is_string() || p["valueFrom"]["default"].is_string()) continue;
    if (given[name].is_string()) continue;
    return fmt::format(
        "raw output parameter '{}' has not been set and does not have a default value", name);
  }
  return "";
}

}  // namespace

std::string refusal_of_nodes(const Value& workflow, const NodeCommand& command) {
  const Value& given = command.arguments["outputParameters"];
  const bool ends_well =
      command.verb == "resume" ||
      (command.verb == "set" && command.arguments["phase"].string_or("") == "Succeeded");
  bool has_one = false;
  for (const auto& [id, node] : workflow["status"]["nodes"].map()) {
    const bool is_waiting =
        node["type"].string_or("") == "Suspend" && node["phase"].string_or("") == "Running";
    if (!is_waiting || !command.nodes.matches(node)) continue;
    has_one = true;
    std::string problem = unexpected_output(node, given);
    if (problem.empty() && ends_well) problem = missing_output(node, given);
    if (!problem.empty()) return problem;
  }
  if (has_one || command.selector.empty()) return "";
  return fmt::format(
      "currently, set only targets suspend nodes: no suspend nodes matching nodeFieldSelector: {}",
      command.selector);
}

}  // namespace tiphys::cli
