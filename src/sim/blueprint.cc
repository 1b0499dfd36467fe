#include "sim/blueprint.h"

#include <fmt/format.h>

#include "value/json.h"

namespace tiphys::sim {

namespace {

using value::Value;

std::string text_of(const Value& v) { return std::string(v.string_or("")); }

std::optional<std::vector<std::string>> items_of(const Value& call) {
  std::vector<std::string> texts;
  if (const std::int64_t count = call["withSequence"]["count"].int_or(-1); count >= 0) {
    for (std::int64_t i = 0; i < count; ++i) texts.push_back(std::to_string(i));
  } else if (call["withItems"].is_list() || call["withParam"].is_string()) {
    const Value list = call["withItems"].is_list()
                           ? call["withItems"]
                           : value::parse_json(call["withParam"].as_string()).value_or(Value());
    for (const Value& item : list.list()) texts.push_back(text_of(item));
  } else {
    return std::nullopt;
  }
  std::vector<std::string> names;
  for (const std::string& text : texts) names.push_back(fmt::format("({}:{})", names.size(), text));
  return names;
}

HookPlan hook_of(const std::string& name, const Value& hook) {
  return {.name = name,
          .template_name = text_of(hook["template"]),
          .expression = text_of(hook["expression"])};
}

CallPlan call_of(const Value& call) {
  CallPlan plan;
  plan.name = text_of(call["name"]);
  plan.template_name = text_of(call["template"]);
  plan.when = text_of(call["when"]);
  plan.items = items_of(call);
  plan.depends = text_of(call["depends"]);
  for (const Value& name : call["dependencies"].list()) {
    plan.depends += (plan.depends.empty() ? "" : " && ") + text_of(name);
  }
  for (const auto& [name, hook] : call["hooks"].map()) {
    if (name == "exit") {
      plan.exit = hook_of(name, hook);
    } else {
      plan.hooks.push_back(hook_of(name, hook));
    }
  }
  if (call["onExit"].is_string())
    plan.exit =
        HookPlan{.name = "exit", .template_name = text_of(call["onExit"]), .expression = ""};
  plan.continues_on_failed = call["continueOn"]["failed"].bool_or(false);
  plan.continues_on_error = call["continueOn"]["error"].bool_or(false);
  return plan;
}

TemplatePlan template_of(const Value& body) {
  TemplatePlan plan;
  for (const Value& group : body["steps"].list()) {
    plan.kind = TemplatePlan::Kind::kSteps;
    for (plan.groups.emplace_back(); const Value& step : group.list())
      plan.groups.back().push_back(call_of(step));
  }
  for (const Value& task : body["dag"]["tasks"].list()) {
    plan.kind = TemplatePlan::Kind::kDag;
    plan.tasks.push_back(call_of(task));
  }
  if (body["suspend"].is_map()) plan.kind = TemplatePlan::Kind::kSuspend;
  if (const Value& retry = body["retryStrategy"]; retry.is_map()) {
    plan.retry.emplace();
    if (retry["limit"].is_int()) plan.retry->limit = retry["limit"].as_int();
    plan.retry->policy = retry["retryPolicy"].string_or("OnFailure");
    plan.retry->has_backoff = retry["backoff"].is_map();
  }
  plan.parallelism = body["parallelism"].int_or(0);
  plan.fails_fast = body["failFast"].bool_or(false);
  for (const Value& mutex : body["synchronization"]["mutexes"].list())
    plan.mutex = text_of(mutex["name"]);
  return plan;
}

}  // namespace

Blueprint read_blueprint(const Value& workflow) {
  const Value& spec = workflow["spec"];
  Blueprint plan;
  plan.name = text_of(workflow["metadata"]["name"]);
  plan.entrypoint = text_of(spec["entrypoint"]);
  for (const auto& [name, hook] : spec["hooks"].map()) {
    if (name == "exit") {
      plan.exit_handler = text_of(hook["template"]);
    } else {
      plan.hooks.push_back(hook_of(name, hook));
    }
  }
  if (spec["onExit"].is_string()) plan.exit_handler = spec["onExit"].as_string();
  plan.parallelism = spec["parallelism"].int_or(0);
  for (const Value& body : spec["templates"].list())
    plan.templates.emplace(text_of(body["name"]), template_of(body));
  return plan;
}

}  // namespace tiphys::sim
