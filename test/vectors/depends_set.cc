// depends.jsonl: when a DAG task runs, waits or is omitted.
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plan/depends.h"
#include "value/json.h"
#include "vectors/set.h"

namespace tiphys::vectors {

namespace {

plan::NodeView view_of(const value::Value& node) {
  return {node["phase"].string_or(""), node["daemoned"].bool_or(false),
          !node["unsynced"].bool_or(false)};
}

/// The states of the tasks whose node and hooks are fulfilled.
std::map<std::string, plan::TaskState, std::less<>> states_of(const value::Value& nodes) {
  std::map<std::string, plan::TaskState, std::less<>> states;
  for (const auto& [name, node] : nodes.map()) {
    const auto hooks = node["hooks"].list();
    const bool hooks_done = std::ranges::all_of(
        hooks, [](const value::Value& phase) { return plan::is_fulfilled({phase.string_or("")}); });
    if (!plan::is_fulfilled(view_of(node)) || !hooks_done) continue;
    std::optional<std::vector<std::string>> children;
    if (node["task_group"].bool_or(false)) {
      children.emplace();
      for (const value::Value& phase : node["children"].list()) {
        children->emplace_back(phase.string_or(""));
      }
    }
    states[name] = plan::task_state(view_of(node), children);
  }
  return states;
}

std::string name_of(plan::Depends::Decision decision) {
  switch (decision) {
    case plan::Depends::Decision::kRun:
      return "run";
    case plan::Depends::Decision::kOmit:
      return "omit";
    case plan::Depends::Decision::kWait:
      return "wait";
  }
  return "?";
}

/// What the record says, and what came out, as the same kind of object.
struct Comparison {
  value::Map wanted;
  value::Map got;

  Outcome outcome() const {
    const value::Value a(wanted);
    const value::Value b(got);
    return {a == b, value::to_json(a), value::to_json(b)};
  }
};

}  // namespace

Outcome run_depends(const value::Value& record) {
  const value::Value& task = record["task"];
  const plan::Depends::FindTask find_task = [&](std::string_view name) -> const value::Value* {
    if (task["name"].string_or("") == name) return &task;
    for (const value::Value& other : record["others"].list()) {
      if (other["name"].string_or("") == name) return &other;
    }
    return nullptr;
  };
  Comparison c;
  for (const char* field : {"error_kind", "want", "logic", "dependencies", "validate_error"}) {
    if (record.map().find(field) != nullptr) c.wanted.set(field, record[field]);
  }
  if (const auto valid = plan::validate_task_results(task); !valid) {
    c.got.set("validate_error", valid.error().message);
  }
  const auto depends = plan::Depends::read(task, find_task);
  if (!depends) {
    c.got.set("error_kind", "unknown_task");
    return c.outcome();
  }
  value::List names;
  for (const std::string& name : depends->dependencies()) names.emplace_back(name);
  if (!names.empty()) c.got.set("dependencies", value::Value(std::move(names)));
  if (!depends->logic().empty()) c.got.set("logic", depends->logic());
  const auto states = states_of(record["nodes"]);
  const auto decision = depends->decide([&](std::string_view name) -> const plan::TaskState* {
    const auto state = states.find(name);
    return state == states.end() ? nullptr : &state->second;
  });
  const bool is_there = !record["nodes"][task["name"].string_or("")].is_null();
  if (is_there) {
    c.got.set("want", "run");  // its own node decides
  } else if (decision) {
    c.got.set("want", name_of(*decision));
  } else {
    c.got.set("error_kind", "evaluate");
  }
  return c.outcome();
}

}  // namespace tiphys::vectors
