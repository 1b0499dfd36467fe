#include "notify/actions.h"

#include <fmt/format.h>

#include <utility>

namespace tiphys::notify {

using value::Map;
using value::Value;

namespace {

std::string link_of(const char* verb, const Value& event, const LinkMaker& links,
                    clock::Instant now) {
  const Value& node = event["node"];
  const Value& waits = node.is_map() ? node : event["workflow"];
  std::string_view base = links.base;
  while (base.ends_with('/')) base.remove_suffix(1);
  const LinkedAction action{.verb = verb,
                            .uid = std::string(event["workflow"]["uid"].string_or("")),
                            .node = std::string(node["id"].string_or("")),
                            .started_at = std::string(waits["startedAt"].string_or("")),
                            .expires_at = now + links.valid};
  return fmt::format("{}{}{}", base, kActionPath, action_token(action, links.key));
}

}  // namespace

Value with_actions(const Value& event, std::string_view base, const LinkMaker& links,
                   clock::Instant now) {
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
  Map actions{{"resume", resume}, {"stop", fmt::format("tiphys stop {} -n {}", name, name_space)}};
  if (!links.base.empty()) {
    actions.set("resumeUrl", link_of("resume", event, links, now));
    actions.set("stopUrl", link_of("stop", event, links, now));
  }
  out.set("actions", std::move(actions));
  return Value(std::move(out));
}

}  // namespace tiphys::notify
