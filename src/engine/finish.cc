#include "engine/finish.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/artifact_gc.h"
#include "engine/control.h"
#include "engine/dag.h"
#include "engine/globals.h"
#include "engine/hooks.h"
#include "engine/locks.h"
#include "engine/outputs.h"
#include "engine/start.h"
#include "engine/templates.h"
#include "engine/transition.h"
#include "engine/workflow_metadata.h"
#include "tag/substitute.h"

namespace tiphys::engine {

namespace {

using value::Map;
using value::Value;

// Argo replaces the globals in the whole spec but its templates, and keeps the result
// (HOOKS.md 5.5).
diag::Result<void> substitute_spec(Machine& m) {
  Map spec = m.spec.map();
  for (auto& [key, v] : spec.entries()) {
    if (key == "templates") continue;
    TRY(v, tag::substitute(v, m.globals, {}));
  }
  m.set_spec(std::move(spec));
  m.spec_changed = true;
  return {};
}

void decode_hooks(Machine& m) {
  m.hooks.clear();
  for (spec::LifecycleHook& hook : spec::decode_hooks(m.spec["hooks"])) {
    if (hook.name != "exit") m.hooks.push_back({.hook = std::move(hook)});
  }
}

struct Ending {
  Phase phase = Phase::kSucceeded;
  std::string message;
};

// HOOKS.md 9.4.
Ending ending_of(const Machine& m) {
  const Node& entry = m.at(m.entry);
  // Argo infers the phase from what the entry node was before its hooks, unless it has to wait for
  // another hook or an exit handler: then it looks again.
  if (m.before_hook_error && m.exit == kNoNode) {
    return {m.before_hook_error->first, m.before_hook_error->second};
  }
  if (!m.entry_error.empty()) return {Phase::kError, m.entry_error};
  if (is_failure(entry.phase)) {
    const bool is_stopped = m.shutdown != Shutdown::kNone;
    return {entry.phase, is_stopped
                             ? fmt::format("Stopped with strategy '{}'",
                                           m.shutdown == Shutdown::kStop ? "Stop" : "Terminate")
                             : entry.message()};
  }
  if (m.exit != kNoNode && is_failure(m.at(m.exit).phase))
    return {m.at(m.exit).phase, m.at(m.exit).message()};
  return {};
}

// The exit handler: onExit beats the hook named exit, whose expression counts for nothing here
// (HOOKS.md 2).
std::optional<spec::LifecycleHook> exit_handler_of(const Machine& m) {
  std::optional<spec::LifecycleHook> handler;
  if (const std::string_view on_exit = m.spec["onExit"].string_or(""); !on_exit.empty()) {
    handler.emplace();
    handler->template_name = on_exit;
  } else {
    for (const spec::LifecycleHook& hook : spec::decode_hooks(m.spec["hooks"])) {
      if (hook.name == "exit") handler = hook;
    }
  }
  if (handler && has_no_arguments(handler->arguments)) handler->arguments = m.spec["arguments"];
  return handler;
}

bool start_exit_handler(Machine& m) {
  m.exit_started = true;
  if (m.shutdown == Shutdown::kTerminate) return false;
  const auto handler = exit_handler_of(m);
  if (!handler) return false;
  Start s;
  s.node_name = m.name + ".onExit";
  s.site = m.site({.template_name = handler->template_name,
                   .template_ref = handler->template_ref,
                   .scope = m.local.scope});
  s.owner_kind = OwnerKind::kExitHandler;
  s.hooked = true;
  s.on_exit = true;
  s.late = true;
  auto arguments = tag::substitute(handler->arguments, GlobalScope(m, true), {});
  s.arguments = arguments ? std::move(*arguments) : handler->arguments;
  begin_template(m, std::move(s));
  return true;
}

bool has_waiting_starts(const Machine& m) {
  return !m.deferred.empty() || !m.asking.empty() || !m.locking.empty();
}

// Composite nodes that were abandoned get a final phase, too: a finished workflow has nothing
// unfinished.
void close_nodes(Machine& m, const std::string& why) {
  const auto count = static_cast<NodeIndex>(m.nodes.size());
  for (NodeIndex i = count; i-- > 0;) {
    if (is_fulfilled(m.at(i).phase) || give_up_lock(m, i, why)) continue;
    set_phase(m, i, Phase::kError, why);
  }
}

void conclude(Machine& m, Ending ending) {
  m.phase = ending.phase;
  m.message = std::move(ending.message);
  m.finished_at = std::max(m.now, m.started_at);
  m.is_over = true;
  m.deferred.clear();
  m.deferred_retries.clear();
  m.asking.clear();
  m.timers.clear();
  close_nodes(m, m.message);
  m.locking.clear();
  release_workflow_locks(m);
  set_workflow_phase(m, m.phase);  // those outside hear of it after its nodes
  ask_for_artifact_gc(m);
}

bool has_open_workflow_hook(const Machine& m) {
  const auto count = static_cast<NodeIndex>(m.nodes.size());
  for (NodeIndex i = 0; i < count; ++i) {
    if (m.at(i).owner_kind == OwnerKind::kWorkflowHook && !is_fulfilled(m.at(i).phase)) return true;
  }
  return false;
}

bool is_part_of_entry(const Node& n) { return !n.late; }

void cancel_leaves(Machine& m) {
  const auto count = static_cast<NodeIndex>(m.nodes.size());
  for (NodeIndex i = 0; i < count; ++i) {
    const Node& n = m.at(i);
    if (is_fulfilled(n.phase) || !is_part_of_entry(n)) continue;
    const spec::NodeType type = n.type;
    if (give_up_lock(m, i, "workflow ended")) continue;
    if (spec::is_leaf(type)) kill_leaf(m, i, "");
    if (type == "Suspend") set_phase(m, i, Phase::kFailed, "workflow ended");
  }
}

}  // namespace

void fail_before_start(Machine& m, Phase phase, std::string message) {
  m.message = std::move(message);
  m.finished_at = std::max(m.now, m.started_at);
  m.is_over = true;
  set_workflow_phase(m, phase);
}

void begin_workflow(Machine& m) {
  m.has_begun = true;
  m.phase = Phase::kRunning;
  m.started_at = m.now;
  if (!m.definition.unresolved.empty()) {
    fail_before_start(m, Phase::kError, m.definition.unresolved);
    return;
  }
  if (!m.definition.invalid.empty()) {
    fail_before_start(m, Phase::kFailed, "invalid spec: " + m.definition.invalid);
    return;
  }
  auto globals = set_globals(m);
  if (globals) globals = substitute_spec(m);
  if (globals) globals = set_globals(m);  // arguments may have named other globals
  if (!globals) {
    fail_before_start(m, Phase::kFailed,
                      "failed to set global parameters: " + globals.error().message);
    return;
  }
  auto labelled = apply_workflow_metadata(m);
  if (labelled && m.spec["workflowMetadata"].is_map()) {  // others may have named the labels
    labelled = substitute_spec(m);
    if (labelled) labelled = set_globals(m);
  }
  if (!labelled) {
    fail_before_start(m, Phase::kError, labelled.error().message);
    return;
  }
  m.artifact_gc.is_wanted = wants_artifact_gc(m);
  decode_hooks(m);
  if (!ask_for_workflow_locks(m)) enter_workflow(m);
}

void enter_workflow(Machine& m) {
  m.started_at = m.now;
  set_workflow_phase(m, Phase::kRunning);
  if (m.is_suspended) note_waiting(m, kNoNode);
  if (const auto s = integer_of(m.spec["activeDeadlineSeconds"]); s && *s > 0) {
    m.set_timer(kNoNode, TimerKind::kWorkflowDeadline, m.started_at + clock::Duration::seconds(*s));
  }
  Start s;
  s.node_name = m.name;
  s.site = m.site(
      {.template_name = std::string(m.spec["entrypoint"].string_or("")), .scope = m.local.scope});
  s.arguments = m.spec["arguments"];
  s.owner_kind = OwnerKind::kEntry;
  m.entry = 0;
  begin_template(m, std::move(s));
}

void on_entry_settled(Machine& m) { maybe_finish(m); }

void on_exit_settled(Machine& m) { maybe_finish(m); }

void on_workflow_hooks_done(Machine& m) {
  if (m.entry == kNoNode) return;
  if (m.at(m.entry).type == "DAG") recheck_dag(m, m.entry);
  maybe_finish(m);
}

void fail_entry(Machine& m, const std::string& error) {
  if (!m.entry_error.empty()) return;
  if (is_fulfilled(m.at(m.entry).phase)) {
    if (!has_open_workflow_hook(m)) {
      Ending ending = ending_of(m);
      m.before_hook_error.emplace(ending.phase, std::move(ending.message));
    }
    m.entry_error = error;
    overrule(m, m.entry, error);
    return;
  }
  m.entry_error = error;
  set_phase(m, m.entry, Phase::kError, error);
  cancel_leaves(m);
}

void end_workflow(Machine& m, Phase phase, std::string message) {
  m.ending.emplace(phase, std::move(message));
  cancel_leaves(m);
  maybe_finish(m);
}

void maybe_finish(Machine& m) {
  if (m.is_over || m.is_suspended) return;
  if (m.ending) {
    if (m.active_leaves == 0) conclude(m, {m.ending->first, m.ending->second});
    return;
  }
  if (m.nodes.empty() || !m.at(m.entry).is_settled || m.open_hooks > 0) return;
  if (!m.exit_started) {
    // Steps that an error has left behind end before the exit handler may speak of them.
    if (m.active_leaves > 0) return;
    if (start_exit_handler(m)) return;
  }
  if (m.exit != kNoNode && !m.at(m.exit).is_settled) return;
  if (m.exit == kNoNode && has_waiting_starts(m)) return;
  if (m.active_leaves > 0) return;
  conclude(m, ending_of(m));
}

void export_node_outputs(Machine& m, NodeIndex n) { export_outputs(m, m.at(n).outputs); }

}  // namespace tiphys::engine
