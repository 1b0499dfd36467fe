#include "spec/step.h"

#include <algorithm>

namespace tiphys::spec {

const LifecycleHook* Step::exit_hook() const {
  auto it = std::ranges::find(hooks, "exit", &LifecycleHook::name);
  return it == hooks.end() ? nullptr : &*it;
}

TemplateRef decode_template_ref(const value::Value& raw) {
  return {.name = std::string(raw["name"].string_or("")),
          .template_name = std::string(raw["template"].string_or("")),
          .cluster_scope = raw["clusterScope"].bool_or(false)};
}

std::vector<LifecycleHook> decode_hooks(const value::Value& raw) {
  std::vector<LifecycleHook> hooks;
  for (const auto& [name, hook] : raw.map()) {
    hooks.push_back({.name = name,
                     .expression = std::string(hook["expression"].string_or("")),
                     .template_name = std::string(hook["template"].string_or("")),
                     .template_ref = decode_template_ref(hook["templateRef"]),
                     .arguments = hook["arguments"]});
  }
  std::ranges::sort(hooks, {}, &LifecycleHook::name);
  return hooks;
}

Step decode_step(const value::Value& raw) {
  Step step;
  step.raw = raw;
  step.name = raw["name"].string_or("");
  step.template_name = raw["template"].string_or("");
  step.template_ref = decode_template_ref(raw["templateRef"]);
  step.inline_template = raw["inline"];
  step.arguments = raw["arguments"];
  step.when = raw["when"].string_or("");
  step.continue_on = {.error = raw["continueOn"]["error"].bool_or(false),
                      .failed = raw["continueOn"]["failed"].bool_or(false)};
  step.on_exit = raw["onExit"].string_or("");
  step.hooks = decode_hooks(raw["hooks"]);
  // an empty list or text is none, as in Argo
  step.is_loop = !raw["withItems"].list().empty() || !raw["withParam"].string_or("").empty() ||
                 raw["withSequence"].is_map();
  return step;
}

}  // namespace tiphys::spec
