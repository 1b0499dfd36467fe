#include "engine/transition.h"

#include <algorithm>

#include "clock/go_duration.h"
#include "engine/daemon.h"
#include "engine/dag.h"
#include "engine/finish.h"
#include "engine/hooks.h"
#include "engine/limits.h"
#include "engine/locks.h"
#include "engine/manual_retry.h"
#include "engine/retry.h"
#include "engine/start.h"
#include "engine/steps.h"

namespace tiphys::engine {

namespace {

bool counts_in_progress(const Node& n) {
  const spec::NodeType type = n.type;
  return spec::is_leaf(type) || type == "Container" || type == "Suspend";
}

void count(Machine& m, const Node& n, Phase before, bool is_new) {
  if (!counts_in_progress(n)) return;
  if (is_new) ++m.progress_all;
  if (is_fulfilled(n.phase) && (is_new || !is_fulfilled(before)) && is_completed(n.phase) &&
      !is_failure(n.phase)) {
    m.progress_done += n.progress().all - n.progress().done;
  }
}

void uncount(Machine& m, const Node& n) {
  if (!counts_in_progress(n) || !is_completed(n.phase) || is_failure(n.phase)) return;
  m.progress_done -= n.progress().all - n.progress().done;
}

void see(Machine& m, NodeIndex n, Phase phase) {
  if (m.is_suspended) {
    m.held.emplace_back(n, phase);
    return;
  }
  on_phase(m, n, phase);
}

void tell_owner(Machine& m, NodeIndex n) {
  const NodeIndex owner = m.at(n).owner;
  switch (m.at(n).owner_kind) {
    case OwnerKind::kEntry:
      on_entry_settled(m);
      break;
    case OwnerKind::kExitHandler:
      on_exit_settled(m);
      break;
    case OwnerKind::kWorkflowHook:
      on_workflow_hook_settled(m);
      break;
    case OwnerKind::kStepGroup:
      on_step_settled(m, owner);
      break;
    case OwnerKind::kTask:
      on_task_settled(m, owner, n);
      break;
    case OwnerKind::kTaskGroup:
      on_item_settled(m, owner);
      break;
    case OwnerKind::kRetry:
      on_attempt_settled(m, owner);
      break;
    case OwnerKind::kHook:
    case OwnerKind::kExitHook:
      on_hook_settled(m, owner);
      break;
    case OwnerKind::kNone:
      break;
  }
}

// What a retry by hand keeps is made again, but it was told in the run before.
bool was_told(const Machine& m, const Transition& t) {
  const std::optional<Phase> kept = kept_phase(m, m.at(t.node).name);
  return kept && (t.after == *kept || (is_completed(*kept) && !is_fulfilled(t.after)));
}

void note(Machine& m, const Transition& t) {
  if (!m.effects->wants_transitions) return;
  if (t.node == kNoNode || !was_told(m, t)) m.effects->transitions.push_back(t);
}

// A daemon's owner goes on when it is up; only a retry also hears of its end.
bool must_tell(const Node& n) { return !n.is_up_told || n.owner_kind == OwnerKind::kRetry; }

void settle(Machine& m, NodeIndex i) {
  Node& n = m.at(i);
  if (n.is_settled) return;
  const bool has_let_down = n.is_daemon && n.is_up_told && is_failure(n.phase);
  if (has_let_down && n.owner_kind == OwnerKind::kStepGroup) on_step_daemon_failed(m, i);
  if (n.is_daemon && !is_fulfilled(n.phase) && !n.is_up_told && n.open_hooks() == 0) {
    n.is_up_told = true;
    tell_owner(m, i);
    return;
  }
  if (!is_fulfilled(n.phase) || n.open_hooks() > 0) return;
  if (n.caller() && !n.live().exit_hook_decided) {
    n.live().exit_hook_decided = true;
    start_exit_hook(m, i);
    if (n.open_hooks() > 0) return;
  }
  n.is_settled = true;
  if (must_tell(n)) tell_owner(m, i);
  // What only a running node needs goes now; owners have read it.
  n.settle_down(n.is_closing);
}

}  // namespace

void add_child(Machine& m, NodeIndex parent, NodeIndex child) {
  std::vector<NodeIndex>& children = m.at(parent).children;
  // A child is linked soon after it is made, so a repeat is found near the end.
  if (std::find(children.rbegin(), children.rend(), child) != children.rend()) return;
  children.push_back(child);
  m.touch(parent);
}

namespace {

// The node that waited for a lock is the one that runs.
NodeIndex reuse_node(Machine& m, const Start& start, const NodeSpec& spec) {
  const NodeIndex index = start.placeholder;
  Node& n = m.at(index);
  if (spec.type != "Skipped") n.type = spec.type;
  n.phase = spec.phase;
  n.set_message(spec.message);
  n.set_memoization(start.memoization);
  n.set_waits_for_lock("");
  n.started_at = m.now;
  if (is_fulfilled(n.phase)) n.finished_at = m.now;
  if (!start.locks.empty()) m.held_locks.insert_or_assign(index, start.locks);
  m.touch(index);
  return index;
}

}  // namespace

NodeIndex create_node_quietly(Machine& m, const Start& start, const NodeSpec& spec) {
  if (start.placeholder != kNoNode) return reuse_node(m, start, spec);
  const auto index = static_cast<NodeIndex>(m.nodes.size());
  Node& n = m.nodes.emplace_back();
  n.name = start.node_name;
  n.type = spec.type;
  n.phase = spec.phase;
  n.set_message(spec.message);
  n.owner = start.owner;
  n.owner_kind = start.owner_kind;
  n.boundary = start.boundary;
  n.hooked = start.hooked;
  n.has_flag = spec.has_flag || start.hooked;
  n.on_exit = start.on_exit;
  n.late = start.late;
  n.depth = start.depth;
  n.site = start.site;
  if (start.caller) n.live().caller = start.caller;
  n.set_memoization(start.memoization);
  if (!start.locks.empty()) m.held_locks.insert_or_assign(index, start.locks);
  if (start.owner_kind == OwnerKind::kExitHandler) m.exit = index;
  n.started_at = m.now;
  if (is_fulfilled(n.phase)) n.finished_at = m.now;
  for (const NodeIndex parent : start.parents) {
    m.at(parent).children.push_back(index);
    m.touch(parent);
  }
  m.touch(index);
  return index;
}

void entered(Machine& m, NodeIndex i) {
  Node& n = m.at(i);
  count(m, n, Phase::kPending, true);
  note(m, {.node = i, .after = n.phase});
  if (is_failure(n.phase)) m.failed.push_back(i);
  if (is_fulfilled(n.phase)) release_locks(m, i);
  see(m, i, n.phase);
}

NodeIndex create_node(Machine& m, const Start& start, const NodeSpec& spec) {
  const NodeIndex n = create_node_quietly(m, start, spec);
  entered(m, n);
  return n;
}

void set_phase(Machine& m, NodeIndex i, Phase phase, std::optional<std::string> message) {
  Node& n = m.at(i);
  CHECK(!is_fulfilled(n.phase));  // final is final: HOOKS.md 8.3
  const Phase before = n.phase;
  if (is_fulfilled(phase) && !n.hook_error().empty()) {
    phase = Phase::kError;
    message = n.hook_error();
  }
  if (message) n.set_message(std::move(*message));
  m.touch(i);
  if (before == phase) return;
  n.phase = phase;
  if (phase == Phase::kRunning) n.has_run = true;
  if (is_fulfilled(phase)) {
    if (!n.finished_at.is_set()) n.finished_at = m.now;
    n.finished_at = std::max(n.finished_at, n.started_at);  // a clock may have been set back
  }
  count(m, n, before, false);
  note(m, {.node = i, .before = before, .after = phase});
  if (is_failure(phase)) m.failed.push_back(i);
  const spec::NodeType type = n.type;
  if (is_fulfilled(phase)) {
    const bool is_leaf = spec::is_leaf(type);
    if (is_leaf && !n.is_closing) --m.active_leaves;
    if (type == "Steps" || type == "DAG") end_daemons(m, i);
    release_parallelism(m, i);  // before its hooks start: they need room, too
    release_locks(m, i);
  }
  see(m, i, phase);
}

void overrule(Machine& m, NodeIndex i, const std::string& error) {
  Node& n = m.at(i);
  if (!is_fulfilled(n.phase)) {
    if (n.hook_error().empty()) n.live().rare().hook_error = error;
    return;
  }
  // The same transition made the node final and asked its hooks: nobody has seen the other phase.
  std::erase_if(m.effects->transitions,
                [&](const Transition& t) { return t.node == i && is_fulfilled(t.after); });
  note(m, {.node = i, .before = Phase::kRunning, .after = Phase::kError});
  uncount(m, n);
  refail(m, i, Phase::kError, error);
}

void refail(Machine& m, NodeIndex i, Phase phase, const std::string& message) {
  Node& n = m.at(i);
  if (!is_failure(n.phase)) m.failed.push_back(i);
  n.phase = phase;
  n.set_message(message);
  m.touch(i);
}

void set_workflow_phase(Machine& m, Phase phase) {
  m.phase = phase;
  if (m.told_phase == phase) return;
  note(m, {.before = m.told_phase, .after = phase});
  m.told_phase = phase;
}

void note_waiting(Machine& m, NodeIndex n) {
  const Phase phase = n == kNoNode ? m.phase : m.at(n).phase;
  note(m, {.node = n, .before = phase, .after = phase, .waits = true});
}

void set_message(Machine& m, NodeIndex n, std::string message) {
  m.at(n).set_message(std::move(message));
  m.touch(n);
}

void reconsider(Machine& m, NodeIndex n) {
  if (is_fulfilled(m.at(n).phase) || m.at(n).is_daemon) m.settle_queue.push_back(n);
}

void drain(Machine& m) {
  for (;;) {
    while (!m.settle_queue.empty()) {
      const NodeIndex n = m.settle_queue.front();
      m.settle_queue.pop_front();
      settle(m, n);
    }
    if (m.roomy.empty() && !m.has_room) return;
    start_what_has_room(m);
    if (m.settle_queue.empty()) return;
  }
}

bool set_progress(Machine& m, NodeIndex i, std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  const auto done = clock::parse_go_int(text.substr(0, slash));
  const auto all = clock::parse_go_int(text.substr(slash + 1));
  if (!done || !all || *done < 0 || *all <= 0 || *done > *all) return false;
  const Progress before = m.at(i).progress();
  if (before.done == *done && before.all == *all) return false;
  m.at(i).set_progress({.done = *done, .all = *all});
  m.progress_done += *done - before.done;
  m.progress_all += *all - before.all;
  m.touch(i);
  return true;
}

}  // namespace tiphys::engine
