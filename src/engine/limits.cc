#include "engine/limits.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "clock/go_duration.h"
#include "engine/backoff.h"
#include "engine/composite.h"
#include "engine/control.h"
#include "engine/locks.h"
#include "engine/node_error.h"
#include "engine/retry.h"
#include "engine/start.h"
#include "engine/templates.h"
#include "engine/transition.h"

namespace tiphys::engine {

namespace {

constexpr const char* kPodDeadline =
    "Pod was active on the node longer than the specified deadline";
constexpr const char* kStepDeadline = "Step exceeded its deadline";

diag::Result<std::optional<clock::Duration>> timeout_of(const spec::Template& body,
                                                        const char* field) {
  const std::string_view text = body.raw[field].string_or("");
  if (text.empty()) return std::nullopt;
  auto d = clock::parse_duration(text);
  if (!d) return diag::fail(d.error().code, "invalid timeout format " + d.error().message);
  return *d;
}

bool is_pod(const Node& n) { return n.type == "Pod"; }

// Those of whom Argo's `failFast` counts the failures; a Retry stands for its attempts.
bool counts_as_failed_child(const Node& n) {
  return is_failure(n.phase) && !n.hooked && n.owner_kind != OwnerKind::kRetry &&
         (is_pod(n) || n.type == "Steps" || n.type == "DAG" || n.type == "Retry");
}

bool has_capacity(const Machine& m) { return m.parallelism <= 0 || m.active_pods < m.parallelism; }

bool has_capacity(const Composite& c) { return c.parallelism <= 0 || c.active < c.parallelism; }

// The children of a composite that its own limit lets in.
void start_waiting(Machine& m, NodeIndex boundary) {
  while (m.at(boundary).frame() != nullptr) {
    Composite& c = composite_of(m, boundary);
    if (c.waiting.empty() || !has_capacity(c)) return;
    Start next = std::move(c.waiting.front());
    c.waiting.pop_front();
    if (!has_capacity(m)) {
      m.deferred.push_back(std::move(next));
      return;  // the next one is asked for when this one has started or failed to
    }
    begin_template(m, std::move(next));
  }
}

void start_deferred(Machine& m) {
  while (!m.deferred_retries.empty() && has_capacity(m)) {
    const NodeIndex retry = m.deferred_retries.front();
    m.deferred_retries.pop_front();
    on_backoff_over(m, retry);
  }
  while (!m.deferred.empty() && has_capacity(m)) {
    Start next = std::move(m.deferred.front());
    m.deferred.pop_front();
    if (next.boundary != kNoNode) m.roomy.push_back(next.boundary);
    begin_template(m, std::move(next));
  }
}

}  // namespace

bool defer_if_full(Machine& m, Start& start) {
  if (!has_capacity(m)) {
    return_locks(m, start);
    m.deferred.push_back(std::move(start));
    return true;
  }
  if (start.boundary == kNoNode) return false;
  Composite& c = composite_of(m, start.boundary);
  if (has_capacity(c)) return false;
  return_locks(m, start);
  c.waiting.push_back(std::move(start));
  return true;
}

bool defer_retry_if_full(Machine& m, NodeIndex retry) {
  if (!m.is_suspended && has_capacity(m)) return false;
  m.deferred_retries.push_back(retry);
  return true;
}

void start_what_has_room(Machine& m) {
  if (m.is_suspended) return;
  while (!m.roomy.empty() || m.has_room) {
    for (const NodeIndex boundary : std::exchange(m.roomy, {})) start_waiting(m, boundary);
    if (std::exchange(m.has_room, false)) start_deferred(m);
  }
}

void retry_deferred(Machine& m) {
  if (m.is_suspended) return;
  std::deque<Start> all = std::exchange(m.deferred, {});
  const auto count = static_cast<NodeIndex>(m.nodes.size());
  for (NodeIndex i = 0; i < count; ++i) {
    Composite* c = as_composite(m.at(i).frame());
    if (c == nullptr) continue;
    std::ranges::move(c->waiting, std::back_inserter(all));
    c->waiting.clear();
  }
  for (const NodeIndex retry : std::exchange(m.deferred_retries, {})) on_backoff_over(m, retry);
  for (Start& start : all) begin_template(m, std::move(start));
}

void take_parallelism(Machine& m, NodeIndex i, bool of_boundary) {
  Node& n = m.at(i);
  if (is_pod(n)) ++m.active_pods;
  n.counts_parallelism = of_boundary && n.boundary != kNoNode;
  if (n.counts_parallelism) ++composite_of(m, n.boundary).active;
}

void release_parallelism(Machine& m, NodeIndex i) {
  Node& n = m.at(i);
  if (is_pod(n)) --m.active_pods;
  if (n.boundary != kNoNode && counts_as_failed_child(n) && m.at(n.boundary).frame() != nullptr) {
    composite_of(m, n.boundary).has_failure = true;
  }
  // The composite may have settled before an abandoned child.
  if (n.counts_parallelism && m.at(n.boundary).frame() != nullptr) {
    Composite& c = composite_of(m, n.boundary);
    --c.active;
    if (!c.waiting.empty()) m.roomy.push_back(n.boundary);
  }
  n.counts_parallelism = false;
  m.has_room = !m.deferred.empty() || !m.deferred_retries.empty();
}

diag::Result<std::optional<clock::Duration>> longest_pending(const spec::Template& body) {
  if (!body.has_deadline) return std::nullopt;
  TRY(const auto whole, timeout_of(body, "timeout"));
  TRY(const auto pending, timeout_of(body, "pendingTimeout"));
  return whole && pending ? std::min(*whole, *pending) : whole ? whole : pending;
}

diag::Result<void> set_leaf_deadlines(Machine& m, NodeIndex i, const Start& start) {
  const spec::Template& body = *m.at(i).body();
  if (!body.has_deadline) return {};
  const clock::Instant since = start.waiting_since.is_set() ? start.waiting_since : m.now;
  std::optional<clock::Instant> at;
  TRY(const auto seconds, int_or_string(body.raw["activeDeadlineSeconds"]));
  if (seconds && *seconds > 0) at = m.now + clock::Duration::seconds(*seconds);
  TRY(const auto whole, timeout_of(body, "timeout"));
  if (whole && (!at || since + *whole < *at)) at = since + *whole;
  TRY(const auto pending, longest_pending(body));
  if (pending) m.set_timer(i, TimerKind::kPendingDeadline, since + *pending);
  if (at) m.set_timer(i, TimerKind::kTemplateDeadline, *at);
  return {};
}

void on_pending_deadline(Machine& m, NodeIndex i) {
  if (m.at(i).phase == Phase::kPending) time_out(m, i);
}

void on_template_deadline(Machine& m, NodeIndex i) {
  Node& n = m.at(i);
  if (is_fulfilled(n.phase)) return;
  // Both may end at the same instant, and come in any order.
  const auto pending = m.timers.find({i, TimerKind::kPendingDeadline});
  if (n.phase == Phase::kPending && pending != m.timers.end() && pending->second <= m.now) {
    time_out(m, i);
  } else if (is_pod(n)) {
    kill_leaf(m, i, kPodDeadline);
  } else if (n.type == "HTTP") {
    time_out(m, i);  // in Argo it is Pending until it has its answer
  } else {
    m.effects->want(CancelLeaf{{m.run, i}});
    set_phase(m, i, Phase::kFailed, std::string(kTimeout));
  }
}

void on_workflow_deadline(Machine& m) {
  if (m.is_over || m.deadline_passed) return;
  m.deadline_passed = true;
  const auto count = static_cast<NodeIndex>(m.nodes.size());
  for (NodeIndex i = 0; i < count; ++i) {
    const Node& n = m.at(i);
    if (is_fulfilled(n.phase) || n.on_exit || give_up_lock(m, i, kStepDeadline)) continue;
    const spec::NodeType type = n.type;
    if (type == "Pod") {
      kill_leaf(m, i, kStepDeadline);
    } else if (type == "HTTP" || type == "Suspend" || type == "Plugin") {
      if (type != "Suspend") m.effects->want(CancelLeaf{{m.run, i}});
      set_phase(m, i, Phase::kFailed, kStepDeadline);
    } else if (type == "Retry") {
      give_up_waiting(m, i, "retry exceeded workflow deadline");
    }
  }
  retry_deferred(m);
}

}  // namespace tiphys::engine
