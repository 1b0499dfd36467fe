#include "sim/rehearsal.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "spec/schema.h"

namespace tiphys::sim {

using value::List;
using value::Map;
using value::Value;

namespace {

// The names by which a script may mean a node, the most exact one first: an attempt `a(0:x)(1)`
// also goes by `a(0:x)` and `a`; a hook of an item, `a(0:x).hooks.h`, by no other.
std::vector<std::string> names_of(const engine::Engine& engine, engine::NodeIndex i) {
  std::string shown = engine.display_name(i);
  std::vector<std::string> names{engine.node(i).name, shown};
  while (shown.ends_with(')')) {
    const std::size_t open = shown.rfind('(');
    if (open == std::string::npos || open == 0) break;
    shown.resize(open);
    names.push_back(shown);
  }
  return names;
}

bool is_item(const engine::Engine& engine, engine::NodeIndex i) {
  while (engine.node(i).owner_kind == engine::OwnerKind::kRetry) i = engine.node(i).owner;
  const engine::Node& n = engine.node(i);
  if (n.owner_kind == engine::OwnerKind::kTaskGroup) return true;
  const std::string& label = n.site->label;  // steps.NAME
  return n.owner_kind == engine::OwnerKind::kStepGroup &&
         !n.name.ends_with(label.substr(label.find('.')));
}

}  // namespace

Rehearsal::Rehearsal(engine::Definition definition, Script script)
    : script_(std::move(script)),
      random_(script_.seed.value_or(0)),
      engine_(std::move(definition)) {
  for (const auto& [name, code] : script_.fail) is_used_[name] = false;
  for (const auto& [name, text] : script_.results) is_used_[name] = false;
  for (const auto& [name, text] : script_.outputs) is_used_[name] = false;
  for (const auto& [name, duration] : script_.durations) is_used_[name] = false;
}

template <typename T>
const T* Rehearsal::find(const std::map<std::string, T>& entries, engine::NodeIndex node,
                         const std::string& ending) {
  for (const std::string& name : names_of(engine_, node)) {
    const auto it = entries.find(name + ending);
    if (it == entries.end()) continue;
    is_used_[it->first] = true;
    return &it->second;
  }
  return nullptr;
}

std::vector<std::string> Rehearsal::unused() const {
  std::vector<std::string> lines;
  for (const auto& [name, is_used] : is_used_) {
    if (!is_used) lines.push_back(complaint_of(name));
  }
  return lines;
}

std::string Rehearsal::complaint_of(const std::string& name) const {
  std::set<std::string> known;
  for (engine::NodeIndex i = 0; i < engine_.node_count(); ++i) {
    const bool is_meant = std::ranges::find(leaves_, engine_.node(i).name) != leaves_.end() ||
                          (engine_.node(i).type == "Suspend" &&
                           (script_.outputs.contains(name) || script_.fail.contains(name)));
    if (!is_meant) continue;
    for (std::string& one : names_of(engine_, i)) known.insert(std::move(one));
  }
  const std::size_t dot = name.rfind('.');
  std::string leaf = name;
  if (script_.outputs.contains(name) && dot != std::string::npos) {
    leaf = name.substr(0, dot);
    if (known.contains(leaf)) {
      return fmt::format("leaf '{}' has no output parameter '{}'", leaf, name.substr(dot + 1));
    }
  }
  const std::string near = spec::nearest_name(leaf, {known.begin(), known.end()});
  return fmt::format("no leaf of the name '{}' was started{}", leaf,
                     near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near));
}

void Rehearsal::schedule(clock::Instant at, engine::Event event) {
  event.at = at;
  queue_.push({at, scheduled_++, std::move(event)});
}

clock::Duration Rehearsal::duration_of(engine::NodeIndex node) {
  if (const clock::Duration* given = find(script_.durations, node)) return *given;
  if (!script_.seed) return clock::Duration::seconds(1);
  return clock::Duration::seconds(static_cast<std::int64_t>(1 + random_.below(60)));
}

Value Rehearsal::outputs_of(engine::NodeIndex node, const engine::Leaf& what) {
  Map outputs;
  const std::string* result = find(script_.results, node);
  // Results of a loop have to be JSON, or what follows is an error.
  const char* nothing = is_item(engine_, node) ? R"("")" : "";
  if (result != nullptr || what.wants_result) outputs.set("result", result ? *result : nothing);
  List parameters;
  for (const Value& p : what.body["outputs"]["parameters"].list()) {
    const std::string name(p["name"].string_or(""));
    const std::string* given = find(script_.outputs, node, "." + name);
    const Value& fallback = p["valueFrom"]["default"];
    const std::string value =
        given != nullptr ? *given : std::string(fallback.string_or("simulated"));
    parameters.emplace_back(Map{{"name", name}, {"value", value}});
  }
  if (!parameters.empty()) outputs.set("parameters", std::move(parameters));
  List artifacts;
  for (const Value& a : what.body["outputs"]["artifacts"].list()) {
    artifacts.emplace_back(Map{{"name", a["name"]}});
  }
  if (!artifacts.empty()) outputs.set("artifacts", std::move(artifacts));
  return outputs;
}

engine::LeafFinished Rehearsal::outcome_of(const engine::LeafId& id, const engine::Leaf& what) {
  const engine::NodeIndex node = id.node;
  engine::LeafFinished end;
  end.leaf = id;
  const bool is_http = what.type == "HTTP";
  if (const int* code = find(script_.fail, node)) {
    end.phase = engine::Phase::kFailed;
    end.message = is_http ? fmt::format("received non-2xx response code: {}", *code)
                          : fmt::format("main: Error (exit code {})", *code);
    if (!is_http) end.exit_code = *code;
    return end;
  }
  if (!is_http) end.exit_code = 0;
  end.outputs = outputs_of(node, what);
  return end;
}

void Rehearsal::start(const engine::LeafId& id) {
  const engine::Leaf what = engine_.leaf(id.node);
  if (what.body.is_null()) return;  // it ended in the same moment
  leaves_.push_back(what.node_name);
  if (what.type == "HTTP") {
    sent_.push_back({now_ - beginning(), what.node_name, what.body["http"]});
  }
  if (what.body["daemon"].bool_or(false) && find(script_.fail, id.node) == nullptr) {
    const clock::Duration* wait = find(script_.durations, id.node);
    const clock::Instant ready = wait == nullptr ? now_ : now_ + *wait;
    schedule(ready, {.at = {}, .body = engine::LeafRunning{.leaf = id, .started_at = ready}});
    return;  // its end comes with that of its scope
  }
  const clock::Instant end = now_ + duration_of(id.node);
  engine::LeafFinished outcome = outcome_of(id, what);
  outcome.started_at = now_;
  outcome.finished_at = end;
  schedule(now_, {.at = {}, .body = engine::LeafRunning{.leaf = id, .started_at = now_}});
  schedule(end, {.at = {}, .body = std::move(outcome)});
}

void Rehearsal::answer(engine::NodeIndex node) {
  const Value status = engine_.node_status(node);
  const std::string selector = fmt::format("id={}", status["id"].string_or(""));
  if (find(script_.fail, node) != nullptr) {
    const clock::Duration* wait = find(script_.durations, node);
    const Map refusal{{"nodeFieldSelector", selector}, {"phase", "Failed"}};
    schedule(wait == nullptr ? now_ : now_ + *wait,
             {.at = {},
              .body = engine::Control{.verb = engine::Control::Verb::kSet, .arguments = refusal}});
    return;
  }
  Map given;
  for (const Value& p : status["outputs"]["parameters"].list()) {
    const std::string name(p["name"].string_or(""));
    if (p["value"].is_string()) continue;
    if (const std::string* v = find(script_.outputs, node, "." + name)) given.set(name, *v);
  }
  if (given.empty()) return;
  const Map arguments{{"nodeFieldSelector", selector}, {"outputParameters", std::move(given)}};
  schedule(now_,
           {.at = {},
            .body = engine::Control{.verb = engine::Control::Verb::kSet, .arguments = arguments}});
}

std::vector<Missing> Rehearsal::missing() const {
  std::vector<Missing> out;
  for (engine::NodeIndex i = 0; i < engine_.node_count(); ++i) {
    const engine::Node& node = engine_.node(i);
    if (node.type != "Suspend" || node.phase != engine::Phase::kRunning) continue;
    for (const Value& p : node.outputs["parameters"].list()) {
      if (p["value"].is_string() || p["valueFrom"]["default"].is_string()) continue;
      out.push_back({engine_.display_name(i), std::string(p["name"].string_or(""))});
    }
  }
  return out;
}

void Rehearsal::note_changes(const std::vector<engine::NodeIndex>& dirty) {
  for (const engine::NodeIndex i : dirty) {
    if (phases_.size() <= i) phases_.resize(i + 1);
    const engine::Node& node = engine_.node(i);
    const std::string phase(engine::to_string(node.phase));
    if (phases_[i] == phase) continue;
    phases_[i] = phase;
    const spec::NodeType type = node.type;
    if (type == "Suspend" && node.phase == engine::Phase::kRunning) answer(i);
    if (type == "StepGroup" || type == "TaskGroup") continue;
    changes_.push_back({now_ - beginning(), node.name, phase, node.message()});
  }
}

void Rehearsal::deliver(const engine::Event& event) {
  now_ = event.at;
  engine::Effects effects;
  effects.wants_transitions = watcher_ != nullptr;
  if (!engine_.apply(event, effects)) return;
  note_changes(effects.dirty);
  if (watcher_) watcher_(engine_, effects.transitions, now_);
  for (const engine::Effect& effect : effects.outside) {
    if (const auto* begun = std::get_if<engine::StartLeaf>(&effect)) {
      start(begun->leaf);
    } else if (const auto* timer = std::get_if<engine::SetTimer>(&effect)) {
      schedule(timer->at, {.at = {}, .body = timer->timer});
    } else if (const auto* cancel = std::get_if<engine::CancelLeaf>(&effect)) {
      engine::LeafFinished end;
      end.leaf = cancel->leaf;
      end.phase = engine::Phase::kFailed;
      end.message = "main: Error (exit code 143)";
      end.exit_code = 143;
      end.finished_at = now_;
      schedule(now_, {.at = {}, .body = std::move(end)});
    }
  }
}

void Rehearsal::run() {
  deliver({.at = now_, .body = engine::Begin{}});
  while (!engine_.is_finished() && changes_.size() < kChangesMax) {
    if (queue_.empty()) {  // a person is waited for
      const std::size_t before = changes_.size();
      const bool was_suspended = engine_.is_suspended();
      deliver({.at = now_ + clock::Duration::seconds(1),
               .body = engine::Control{.verb = engine::Control::Verb::kResume, .arguments = {}}});
      if (changes_.size() == before && !was_suspended && queue_.empty()) return;
      continue;
    }
    const engine::Event next = queue_.top().event;
    queue_.pop();
    deliver(next);
  }
}

Value Rehearsal::workflow() const {
  Map nodes;
  for (engine::NodeIndex i = 0; i < engine_.node_count(); ++i) {
    const Value status = engine_.node_status(i);
    nodes.set(std::string(status["id"].string_or("")), status);
  }
  Map status = engine_.workflow_status().map();
  if (!nodes.empty()) status.set("nodes", std::move(nodes));
  return Map{{"apiVersion", "argoproj.io/v1alpha1"},
             {"kind", "Workflow"},
             {"metadata", engine_.metadata()},
             {"spec", engine_.spec()},
             {"status", std::move(status)}};
}

}  // namespace tiphys::sim
