#include "engine/facts.h"

#include <algorithm>
#include <cctype>

#include "clock/rfc3339.h"
#include "engine/globals.h"
#include "engine/names.h"
#include "engine/status.h"

namespace tiphys::engine {

namespace {

using value::Map;
using value::Value;

// The node whose hook or exit hook `i` is or belongs to; kNoNode when it is the workflow's, or
// none.
NodeIndex told_of(const Machine& m, NodeIndex i) {
  while (i != kNoNode) {
    const Node& n = m.at(i);
    if (n.owner_kind == OwnerKind::kHook || n.owner_kind == OwnerKind::kExitHook) return n.owner;
    i = n.owner != kNoNode ? n.owner : n.boundary;
  }
  return kNoNode;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

void set_time(Map& map, const char* key, clock::Instant t) {
  if (t.is_set()) map.set(key, clock::rfc3339(t));
}

Value workflow_of(const Machine& m, Phase phase) {
  Map w{{"name", m.name}, {"namespace", m.name_space}, {"uid", m.uid}, {"phase", to_string(phase)}};
  if (!m.message.empty()) w.set("message", m.message);
  w.set("progress", workflow_status_of(m)["progress"]);
  set_time(w, "startedAt", m.started_at);
  set_time(w, "finishedAt", m.finished_at);
  if (m.started_at.is_set()) {
    w.set("duration", ((m.is_over ? m.finished_at : m.now) - m.started_at).in_seconds());
  }
  for (const char* key : {"labels", "annotations"}) {
    if (m.metadata[key].is_map()) w.set(key, m.metadata[key]);
  }
  return w;
}

Value node_of(const Machine& m, NodeIndex i) {
  const Node& n = m.at(i);
  Map node{{"name", n.name},
           {"displayName", display_name_of(m, n)},
           {"id", id_of(m, n)},
           {"type", n.type.name()},
           {"templateName", n.site->own_template_name()},
           {"phase", to_string(n.phase)}};
  if (!n.message().empty()) node.set("message", n.message());
  set_time(node, "startedAt", n.started_at);
  set_time(node, "finishedAt", n.finished_at);
  return node;
}

// The whole of a workflow for rules: every member is there, so that an expression need not ask.
Map whole_workflow_of(const Machine& m, Phase phase) {
  Map w = workflow_of(m, phase).map();
  for (const char* key : {"message", "startedAt", "finishedAt"}) {
    if (w.find(key) == nullptr) w.set(key, "");
  }
  if (w.find("duration") == nullptr) w.set("duration", 0.0);
  for (const char* key : {"labels", "annotations"}) {
    if (w.find(key) == nullptr) w.set(key, Map());
  }
  const Value& labels = m.metadata["labels"];
  w.set("template", m.spec["workflowTemplateRef"]["name"].string_or(""));
  w.set("cronWorkflow", labels["workflows.argoproj.io/cron-workflow"].string_or(""));
  w.set("generateName", m.metadata["generateName"].string_or(""));
  return w;
}

const char* word_of(Shutdown s) {
  return s == Shutdown::kNone ? "" : s == Shutdown::kStop ? "Stop" : "Terminate";
}

// Which attempt of its Retry node this is, or the last one of a Retry node; from 0.
std::int64_t attempt_of(const Machine& m, NodeIndex i) {
  const Node& n = m.at(i);
  const bool is_attempt = n.owner_kind == OwnerKind::kRetry;
  if (!is_attempt && n.type != "Retry") return 0;
  std::int64_t attempts = 0;
  for (const NodeIndex child : m.at(is_attempt ? n.owner : i).children) {
    if (is_attempt && child == i) return attempts;
    if (m.at(child).owner_kind == OwnerKind::kRetry) ++attempts;
  }
  return is_attempt ? attempts : std::max<std::int64_t>(attempts - 1, 0);
}

Map whole_node_of(const Machine& m, const Transition& t) {
  const Node& n = m.at(t.node);
  Map node = node_of(m, t.node).map();
  node.set("phase", to_string(t.after));
  for (const char* key : {"message", "startedAt", "finishedAt"}) {
    if (node.find(key) == nullptr) node.set(key, "");
  }
  const bool is_final = is_fulfilled(t.after);
  if (!is_final) node.set("finishedAt", "");
  const clock::Instant end = is_final && n.finished_at.is_set() ? n.finished_at : m.now;
  node.set("duration", n.started_at.is_set() ? (end - n.started_at).in_seconds() : 0.0);
  node.set("exitCode", n.outputs["exitCode"].string_or(""));
  node.set("attempt", attempt_of(m, t.node));
  node.set("isAttempt", n.owner_kind == OwnerKind::kRetry);
  node.set("isHook", told_of(m, t.node) != kNoNode || n.late);
  return node;
}

Map whole_event_of(const Machine& m, std::string type, Phase phase) {
  Map event;
  event.set("type", std::move(type));
  event.set("previousPhase", "");
  event.set("attempt", 0);
  event.set("shutdown", word_of(m.shutdown));
  event.set("workflow", whole_workflow_of(m, phase));
  return event;
}

std::string type_of(const Machine& m, const Transition& t) {
  const std::string_view subject = t.node == kNoNode ? "workflow." : "node.";
  std::string word = t.waits ? "waiting" : lower(to_string(t.after));
  // It has failed before it ran, and nobody wanted that.
  const bool never_ran = t.node == kNoNode && t.before != Phase::kRunning;
  if (never_ran && is_failure(t.after) && m.shutdown == Shutdown::kNone) word = "invalid";
  return std::string(subject) + word;
}

}  // namespace

Value facts_of(const Machine& m, const Transition& t) {
  const bool is_of_workflow = t.node == kNoNode;
  Map event = whole_event_of(m, type_of(m, t), is_of_workflow ? t.after : m.phase);
  if (t.before) event.set("previousPhase", to_string(*t.before));
  Value failures;
  if (is_of_workflow) {
    if (is_failure(t.after)) failures = failures_of(m);
  } else {
    event.set("node", whole_node_of(m, t));
    event.set("attempt", attempt_of(m, t.node));
    if (is_failure(t.after)) failures = failures_of(m, {t.node});
  }
  event.set("failures", failures.is_list() ? failures : Value(value::List()));
  return event;
}

Value overdue_facts_of(const Machine& m, clock::Instant now) {
  Map event = whole_event_of(m, "workflow.overdue", Phase::kRunning);
  Map workflow = event.find("workflow")->map();
  if (m.started_at.is_set()) workflow.set("duration", (now - m.started_at).in_seconds());
  workflow.set("finishedAt", "");
  event.set("workflow", std::move(workflow));
  event.set("previousPhase", to_string(Phase::kRunning));
  event.set("failures", value::List());
  return event;
}

Value facts_of(const Machine& m, NodeIndex leaf) {
  const NodeIndex told = told_of(m, leaf);
  // A hook of the workflow sees what has become of it, though its status still says Running.
  const Phase phase = m.at(leaf).late ? mapped_entry_phase(m) : m.phase;
  Map event;
  event.set("type", told == kNoNode ? "workflow." + lower(to_string(phase))
                                    : "node." + lower(to_string(m.at(told).phase)));
  event.set("workflow", workflow_of(m, phase));
  if (told != kNoNode) event.set("node", node_of(m, told));
  if (Value failures = failures_of(m); !failures.list().empty()) {
    event.set("failures", std::move(failures));
  }
  return event;
}

}  // namespace tiphys::engine
