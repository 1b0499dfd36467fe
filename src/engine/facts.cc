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

}  // namespace

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
