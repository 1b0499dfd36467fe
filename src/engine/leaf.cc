#include "engine/leaf.h"

#include <fmt/format.h>

#include "engine/containers.h"
#include "engine/control.h"
#include "engine/daemon.h"
#include "engine/finish.h"
#include "engine/globals.h"
#include "engine/limits.h"
#include "engine/memoize.h"
#include "engine/node_error.h"
#include "engine/retry.h"
#include "engine/transition.h"

namespace tiphys::engine {

namespace {

constexpr const char* kProgressAnnotation = "workflows.argoproj.io/progress";

using value::List;
using value::Map;
using value::Value;

// Only leaves that were started have ends; a damaged log may say so of others.
bool is_current(const Machine& m, const LeafId& leaf) {
  if (leaf.run != m.run || leaf.node >= m.nodes.size()) return false;
  const Node& n = m.at(leaf.node);
  const spec::NodeType type = n.type;
  const bool is_leaf = spec::is_leaf(type);
  return is_leaf && (n.body() || is_fulfilled(n.phase));
}

// The declared output parameters with the values that the executor found.
Value merged_parameters(const Value& declared, const Value& found) {
  List list;
  for (const Value& p : declared.list()) {
    if (p["value"].is_string()) list.push_back(p);  // its value stands in the manifest
    for (const Value& f : found.list()) {
      if (f["name"] != p["name"]) continue;
      Map with_value = p.map();
      if (!f["value"].is_null()) with_value.set("value", f["value"]);
      list.emplace_back(std::move(with_value));
    }
  }
  return list;
}

// The declared artifacts that were found, with where they are; and what nobody declared: archived
// logs.
Value merged_artifacts(const Value& declared, const Value& found) {
  List list;
  for (const Value& f : found.list()) {
    Map merged;
    for (const Value& a : declared.list()) {
      if (a["name"] == f["name"]) merged = a.map();
    }
    for (const auto& [key, v] : f.map()) merged.set(key, v);
    const Value* path = merged.find("path");
    if (path != nullptr && path->string_or("").size() > 1 && path->string_or("").ends_with('/')) {
      merged.set("path", path->string_or("").substr(0, path->string_or("").size() - 1));
    }
    list.emplace_back(std::move(merged));
  }
  return list;
}

void set_outputs(Machine& m, Node& n, const LeafFinished& event) {
  Map outputs;
  if (!n.body()->has_outputs && event.outputs.is_null()) {
    if (event.exit_code) n.outputs = m.exit_code_only(*event.exit_code);
    return;
  }
  const Value& declared = n.body()->raw["outputs"];
  // A plugin's answer is the node's outputs, whether its template declares them or not.
  const bool is_plugin = n.type == "Plugin";
  const Value& found = event.outputs["parameters"];
  Value parameters = is_plugin ? found : merged_parameters(declared["parameters"], found);
  if (!parameters.list().empty()) outputs.set("parameters", std::move(parameters));
  Value artifacts = merged_artifacts(declared["artifacts"], event.outputs["artifacts"]);
  if (!artifacts.list().empty()) outputs.set("artifacts", std::move(artifacts));
  if (event.outputs["result"].is_string()) outputs.set("result", event.outputs["result"]);
  if (outputs.empty() && event.exit_code) {
    n.outputs = m.exit_code_only(*event.exit_code);
    return;
  }
  if (event.exit_code) outputs.set("exitCode", std::to_string(*event.exit_code));
  n.outputs = outputs.empty() ? Value() : Value(std::move(outputs));
  export_outputs(m, n.outputs);
}

struct Verdict {
  Phase phase;
  std::string message;
};

// A leaf that was killed is Failed, whatever its process said of the signal.
Verdict verdict_of(const Machine& m, const Node& n, const LeafFinished& event) {
  const bool is_lost_daemon = event.phase == Phase::kSucceeded && n.body()->is_daemon;
  if (!n.is_cancelled && is_lost_daemon) return {Phase::kFailed, ""};  // it should have run on
  if (!n.is_cancelled) return {event.phase, event.message};
  if (!n.kill_message().empty()) return {Phase::kFailed, n.kill_message()};
  if (is_failure(event.phase) && n.phase == Phase::kRunning) return {Phase::kFailed, event.message};
  const char* how = m.shutdown == Shutdown::kTerminate ? "Terminate" : "Stop";
  return {Phase::kFailed, fmt::format("workflow shutdown with strategy:  {}", how)};
}

}  // namespace

bool on_leaf_running(Machine& m, const LeafRunning& event) {
  if (!is_current(m, event.leaf)) return false;
  Node& n = m.at(event.leaf.node);
  if (n.phase != Phase::kPending) return false;
  const bool is_daemon = n.body() && n.body()->is_daemon;
  n.started_at = event.started_at.is_set() ? event.started_at : m.now;
  if (!event.place.host.empty()) n.set_place(event.place);
  m.timers.erase({event.leaf.node, TimerKind::kPendingDeadline});
  set_phase(m, event.leaf.node, Phase::kRunning, "");
  start_containers(m, event.leaf.node);
  if (n.body()) {
    set_progress(m, event.leaf.node,
                 n.body()->raw["metadata"]["annotations"][kProgressAnnotation].string_or(""));
  }
  if (is_daemon) become_daemon(m, event.leaf.node);
  return true;
}

bool on_leaf_progress(Machine& m, const LeafProgress& event) {
  if (!is_current(m, event.leaf)) return false;
  const Node& n = m.at(event.leaf.node);
  if (is_fulfilled(n.phase)) return false;
  if (!event.waiting.empty() && n.phase == Phase::kPending && n.message() != event.waiting) {
    set_message(m, event.leaf.node, event.waiting);
    return true;
  }
  return set_progress(m, event.leaf.node, event.progress);
}

bool on_leaf_finished(Machine& m, const LeafFinished& event) {
  if (!is_current(m, event.leaf)) return false;
  const NodeIndex i = event.leaf.node;
  if (is_fulfilled(m.at(i).phase)) return on_daemon_gone(m, i);
  const Verdict verdict = verdict_of(m, m.at(i), event);
  // However short the step: if it ran, it was Running, and hooks on Running hear of it.
  if (m.at(i).phase == Phase::kPending && event.started_at.is_set()) {
    on_leaf_running(m, {.leaf = event.leaf, .started_at = event.started_at});
  }
  Node& n = m.at(i);
  if (is_fulfilled(n.phase)) return true;
  set_outputs(m, n, event);
  n.finished_at = event.finished_at.is_set() ? event.finished_at : m.now;
  m.timers.erase({i, TimerKind::kTemplateDeadline});
  m.timers.erase({i, TimerKind::kPendingDeadline});
  finish_containers(m, i, event.outputs["containers"], verdict.phase);
  if (verdict.phase == Phase::kSucceeded) save_to_cache(m, n);
  if (n.is_timed_out) {
    end_timed_out(m, i);
    return true;
  }
  set_phase(m, i, verdict.phase, verdict.message);
  return true;
}

bool on_timer(Machine& m, const TimerFired& event) {
  if (event.run != m.run || m.timers.erase({event.node, event.kind}) == 0) return false;
  switch (event.kind) {
    case TimerKind::kSuspend:
      end_suspension(m, event.node);
      return true;
    case TimerKind::kBackoff:
      on_backoff_over(m, event.node);
      return true;
    case TimerKind::kTemplateDeadline:
      on_template_deadline(m, event.node);
      return true;
    case TimerKind::kPendingDeadline:
      on_pending_deadline(m, event.node);
      return true;
    case TimerKind::kWorkflowDeadline:
      on_workflow_deadline(m);
      return true;
  }
  return false;
}

}  // namespace tiphys::engine
