#include "notify/actions.h"

#include <fmt/format.h>

#include <utility>

namespace tiphys::notify {

using value::Map;
using value::Value;

Value with_actions(const Value& event, std::string_view base) {
  Map out = event.map();
  const Value& given = event["workflow"];
  const std::string_view name = given["name"].string_or("");
  const std::string_view name_space = given["namespace"].string_or("");
  Map workflow = given.map();
  while (base.ends_with('/')) base.remove_suffix(1);
  workflow.set("url", base.empty() ? std::string()
                                   : fmt::format("{}/workflows/{}/{}", base, name_space, name));
  out.set("workflow", std::move(workflow));
  if (!event["type"].string_or("").ends_with(".waiting")) return Value(std::move(out));
  const Value& node = event["node"];
  std::string resume = fmt::format("tiphys resume {} -n {}", name, name_space);
  if (node.is_map()) {
    resume += fmt::format(" --node-field-selector id={}", node["id"].string_or(""));
  }
  out.set("actions",
          Map{{"resume", resume}, {"stop", fmt::format("tiphys stop {} -n {}", name, name_space)}});
  return Value(std::move(out));
}

}  // namespace tiphys::notify
