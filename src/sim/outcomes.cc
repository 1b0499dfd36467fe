#include "sim/outcomes.h"

#include <deque>
#include <set>

namespace tiphys::sim {

using value::Value;

namespace {

std::string name_of(const Value& workflow) {
  return std::string(workflow["metadata"]["name"].string_or(""));
}

// A node's name without that of the workflow in front.
std::string without(const std::string& workflow, std::string_view node) {
  if (!node.starts_with(workflow) || node == workflow) return std::string(node);
  node.remove_prefix(workflow.size());
  return std::string(node.starts_with('.') ? node.substr(1) : node);
}

}  // namespace

std::vector<std::string> fired_hooks(const Value& workflow) {
  const std::string name = name_of(workflow);
  std::vector<std::string> hooks;
  for (const auto& [id, node] : workflow["status"]["nodes"].map()) {
    if (!node["nodeFlag"]["hooked"].bool_or(false)) continue;
    if (node["nodeFlag"]["retried"].bool_or(false)) continue;  // its Retry node is there
    const std::string_view type = node["type"].string_or("");
    if (type == "Skipped") continue;
    hooks.push_back(without(name, node["name"].string_or("")));
  }
  return hooks;
}

std::vector<Outcome> all_outcomes(const engine::Definition& definition, const Script& script,
                                  std::size_t most) {
  const std::string workflow = name_of(definition.workflow);
  std::vector<Outcome> outcomes;
  std::deque<std::vector<std::string>> waiting{{}};  // sets of leaves that fail
  std::set<std::string> known;
  while (!waiting.empty() && outcomes.size() < most) {
    const std::vector<std::string> fails = std::move(waiting.front());
    waiting.pop_front();
    Script own = script;
    for (const std::string& leaf : fails) own.fail.try_emplace(leaf, 1);
    Rehearsal rehearsal(definition, std::move(own));
    rehearsal.run();
    const Value object = rehearsal.workflow();
    Outcome outcome{.fails = {},
                    .phase = std::string(object["status"]["phase"].string_or("")),
                    .hooks = fired_hooks(object),
                    .requests = rehearsal.sent().size()};
    for (const std::string& leaf : fails) outcome.fails.push_back(without(workflow, leaf));
    outcomes.push_back(std::move(outcome));
    for (const std::string& leaf : rehearsal.leaves()) {
      if (!known.insert(leaf).second) continue;
      std::vector<std::string> more = fails;
      more.push_back(leaf);
      waiting.push_back(std::move(more));
    }
  }
  return outcomes;
}

}  // namespace tiphys::sim
