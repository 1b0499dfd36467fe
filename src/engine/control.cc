#include "engine/control.h"

#include <fmt/format.h>

#include "engine/finish.h"
#include "engine/globals.h"
#include "engine/hooks.h"
#include "engine/limits.h"
#include "engine/locks.h"
#include "engine/manual_retry.h"
#include "engine/node_error.h"
#include "engine/retry.h"
#include "engine/selector.h"
#include "engine/start.h"
#include "engine/transition.h"

namespace tiphys::engine {

namespace {

using value::List;
using value::Map;
using value::Value;

const char* name_of(Shutdown s) { return s == Shutdown::kTerminate ? "Terminate" : "Stop"; }

void stop_node(Machine& m, NodeIndex i, const std::string& message) {
  if (give_up_lock(m, i, message)) return;
  const Node& n = m.at(i);
  const spec::NodeType type = n.type;
  if (type == "Pod") {
    kill_leaf(m, i,
              n.phase == Phase::kPending
                  ? fmt::format("workflow shutdown with strategy: {}", name_of(m.shutdown))
                  : "");
  } else if (type == "HTTP" || type == "Suspend" || type == "Plugin") {
    if (type != "Suspend") m.effects->want(CancelLeaf{{m.run, i}});
    set_phase(m, i, Phase::kFailed, message);
  } else if (type == "Retry") {
    give_up_waiting(m, i, message);
  }
}

bool shut_down(Machine& m, Shutdown how) {
  if (m.is_over || m.shutdown >= how) return false;
  m.shutdown = how;
  Map spec = m.spec.map();
  spec.set("shutdown", name_of(how));
  m.set_spec(std::move(spec));
  m.spec_changed = true;
  if (give_up_workflow_locks(m)) return true;
  const std::string message = fmt::format("Stopped with strategy '{}'", name_of(how));
  const auto count = static_cast<NodeIndex>(m.nodes.size());
  for (NodeIndex i = 0; i < count; ++i) {
    const Node& n = m.at(i);
    if (!is_fulfilled(n.phase) && !shutdown_forbids(m, n.on_exit).empty()) stop_node(m, i, message);
  }
  retry_deferred(m);
  return true;
}

// Suspended outputs that were not supplied take their defaults. Returns what Argo says of the first
// that has none, or "".
std::string fill_defaults(Node& n) {
  List list = n.outputs["parameters"].list();
  for (Value& p : list) {
    if (p["value"].is_string()) continue;
    const Value& fallback = p["valueFrom"]["default"];
    if (!fallback.is_string()) {
      return fmt::format(
          "raw output parameter '{}' has not been set and does not have a default value",
          p["name"].string_or(""));
    }
    Map with_value = p.map();
    with_value.set("value", fallback);
    with_value.erase("valueFrom");
    p = std::move(with_value);
  }
  if (!list.empty()) {
    Map outputs = n.outputs.map();
    outputs.set("parameters", std::move(list));
    n.outputs = std::move(outputs);
  }
  return "";
}

bool is_waiting(const Node& n) { return n.type == "Suspend" && n.phase == Phase::kRunning; }

// spec.suspend is what clients look at.
void set_suspended(Machine& m, bool is_suspended) {
  m.is_suspended = is_suspended;
  Map spec = m.spec.map();
  if (is_suspended) {
    spec.set("suspend", true);
  } else {
    spec.erase("suspend");
  }
  m.set_spec(std::move(spec));
  m.spec_changed = true;
}

void resume_spec(Machine& m) {
  set_suspended(m, false);
  std::vector<std::pair<NodeIndex, Phase>> held;
  held.swap(m.held);
  for (const auto& [n, phase] : held) on_phase(m, n, phase);
  retry_deferred(m);
  maybe_finish(m);
}

bool resume(Machine& m, const Value& arguments) {
  const std::string selector(arguments["nodeFieldSelector"].string_or(""));
  bool changed = false;
  // What the resume itself brings to a suspension waits there, for another one.
  const auto count = static_cast<NodeIndex>(m.nodes.size());
  if (selector.empty() && m.is_suspended) {
    resume_spec(m);
    changed = true;
  }
  for (NodeIndex i = 0; i < count; ++i) {
    Node& n = m.at(i);
    if (!is_waiting(n) || !matches(m, n, selector)) continue;
    if (!fill_defaults(n).empty()) continue;
    const std::string message(arguments["message"].string_or(n.message()));
    export_outputs(m, n.outputs);
    set_phase(m, i, Phase::kSucceeded, message);
    changed = true;
  }
  return changed;
}

// `stop --node-field-selector`: fails suspended nodes; `node set`: their outputs, phase and
// message.
bool set_nodes(Machine& m, const Value& arguments, std::optional<Phase> forced) {
  const std::string selector(arguments["nodeFieldSelector"].string_or(""));
  bool changed = false;
  const auto count = static_cast<NodeIndex>(m.nodes.size());
  for (NodeIndex i = 0; i < count; ++i) {
    Node& n = m.at(i);
    if (!is_waiting(n) || !matches(m, n, selector)) continue;
    changed = true;
    List list = n.outputs["parameters"].list();
    for (Value& p : list) {
      const Value& given = arguments["outputParameters"][p["name"].string_or("")];
      if (!given.is_string()) continue;
      Map with_value = p.map();
      with_value.set("value", given);
      with_value.erase("valueFrom");  // nothing more is expected
      p = std::move(with_value);
    }
    if (!list.empty()) n.outputs = Map{{"parameters", std::move(list)}};
    if (arguments["message"].is_string()) set_message(m, i, arguments["message"].as_string());
    m.touch(i);
    const auto phase = forced ? forced : parse_phase(arguments["phase"].string_or(""));
    if (phase && is_completed(*phase)) {
      if (*phase == Phase::kSucceeded && !fill_defaults(n).empty()) continue;
      export_outputs(m, n.outputs);
      set_phase(m, i, *phase);
    }
  }
  return changed;
}

bool relabel(Machine& m, const Value& changes) {
  Map metadata = m.metadata.map();
  for (const char* field : {"labels", "annotations"}) {
    Map members = m.metadata[field].map();
    for (const auto& [name, text] : changes[field].map()) {
      if (text.is_null()) {
        members.erase(name);
      } else {
        members.set(name, text);
      }
    }
    if (!members.empty() || m.metadata[field].is_map()) metadata.set(field, std::move(members));
  }
  if (Value(metadata) == m.metadata) return false;
  m.metadata = std::move(metadata);
  return true;
}

}  // namespace

void reset_for_retry(Machine& m) {
  ++m.run;
  m.effects->dirty.clear();
  m.nodes.clear();
  m.settle_queue.clear();
  m.held.clear();
  m.deferred.clear();
  m.deferred_retries.clear();
  m.roomy.clear();
  m.asking.clear();
  m.locking.clear();
  m.held_locks.clear();
  m.workflow_ticket = 0;
  m.timers.clear();
  m.failed.clear();
  m.message.clear();
  m.told_phase.reset();
  m.finished_at = {};
  m.is_over = false;
  m.shutdown = Shutdown::kNone;
  Map spec = m.spec.map();
  spec.erase("shutdown");
  if (m.spec["activeDeadlineSeconds"].int_or(1) == 0) spec.erase("activeDeadlineSeconds");
  m.set_spec(std::move(spec));
  m.deadline_passed = false;
  m.entry = m.exit = kNoNode;
  m.exit_started = false;
  m.entry_error.clear();
  m.before_hook_error.reset();
  m.open_hooks = 0;
  m.output_parameters = {};
  m.output_artifacts = {};
  m.progress_done = m.progress_all = m.active_pods = m.active_leaves = 0;
  m.ending.reset();
  m.artifact_gc = {};
}

std::string shutdown_forbids(const Machine& m, bool on_exit) {
  if (m.shutdown == Shutdown::kTerminate || (m.shutdown == Shutdown::kStop && !on_exit)) {
    return name_of(m.shutdown);
  }
  return "";
}

void kill_leaf(Machine& m, NodeIndex i, const std::string& message) {
  Node& n = m.at(i);
  if (n.is_cancelled) return;
  n.is_cancelled = true;
  n.live().rare().kill_message = message;
  m.effects->want(CancelLeaf{{m.run, i}});
}

void end_suspension(Machine& m, NodeIndex i) {
  Node& n = m.at(i);
  if (is_fulfilled(n.phase)) return;
  if (const std::string problem = fill_defaults(n); !problem.empty()) {
    fail_node(m, i, problem);
    return;
  }
  export_outputs(m, n.outputs);
  set_phase(m, i, Phase::kSucceeded, "");
}

bool apply_control(Machine& m, const Control& control) {
  if (control.verb == Control::Verb::kRetry) return retry_by_hand(m, control.arguments);
  if (control.verb == Control::Verb::kRelabel) return relabel(m, control.arguments);
  if (m.is_over) return false;
  switch (control.verb) {
    case Control::Verb::kStop:
      if (control.arguments["nodeFieldSelector"].is_string() &&
          !control.arguments["nodeFieldSelector"].as_string().empty()) {
        return set_nodes(m, control.arguments, Phase::kFailed);
      }
      return shut_down(m, Shutdown::kStop);
    case Control::Verb::kTerminate:
      return shut_down(m, Shutdown::kTerminate);
    case Control::Verb::kSuspend:
      if (m.is_suspended) return false;
      set_suspended(m, true);
      note_waiting(m, kNoNode);
      return true;
    case Control::Verb::kResume:
      return resume(m, control.arguments);
    case Control::Verb::kSet:
      return set_nodes(m, control.arguments, std::nullopt);
    case Control::Verb::kRetry:
    case Control::Verb::kRelabel:
      return false;
  }
  return false;
}

}  // namespace tiphys::engine
