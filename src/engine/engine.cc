#include "engine/engine.h"

#include <type_traits>
#include <utility>

#include "engine/artifact_gc.h"
#include "engine/composite.h"
#include "engine/control.h"
#include "engine/facts.h"
#include "engine/finish.h"
#include "engine/globals.h"
#include "engine/leaf.h"
#include "engine/locks.h"
#include "engine/machine.h"
#include "engine/memoize.h"
#include "engine/names.h"
#include "engine/node_record.h"
#include "engine/status.h"
#include "engine/transition.h"

namespace tiphys::engine {

namespace {

template <typename T>
constexpr bool kUnknown = false;

bool dispatch(Machine& m, const Event& event) {
  return std::visit(
      [&](const auto& body) {
        using Body = std::decay_t<decltype(body)>;
        if constexpr (std::is_same_v<Body, Begin>) {
          if (m.has_begun) return false;
          begin_workflow(m);
          return true;
        } else if constexpr (std::is_same_v<Body, LeafRunning>) {
          return on_leaf_running(m, body);
        } else if constexpr (std::is_same_v<Body, LeafProgress>) {
          return on_leaf_progress(m, body);
        } else if constexpr (std::is_same_v<Body, LeafFinished>) {
          return on_leaf_finished(m, body);
        } else if constexpr (std::is_same_v<Body, TimerFired>) {
          return on_timer(m, body);
        } else if constexpr (std::is_same_v<Body, CacheAnswered>) {
          return on_cache_answer(m, body);
        } else if constexpr (std::is_same_v<Body, LocksAnswered>) {
          return on_locks_answer(m, body);
        } else if constexpr (std::is_same_v<Body, ArtifactsCollected>) {
          return on_artifacts_collected(m, body);
        } else if constexpr (std::is_same_v<Body, Control>) {
          return apply_control(m, body);
        } else {
          static_assert(kUnknown<Body>, "an event without a rule");
        }
      },
      event.body);
}

// A template's own word on archiveLogs beats the workflow's.
value::Value with_log_archive(const Machine& m, const value::Value& body) {
  const value::Value& all = m.spec["archiveLogs"];
  if (!all.is_bool() || body["archiveLocation"]["archiveLogs"].is_bool()) return body;
  value::Map location = body["archiveLocation"].map();
  location.set("archiveLogs", all);
  value::Map changed = body.map();
  changed.set("archiveLocation", std::move(location));
  return changed;
}

}  // namespace

Engine::Engine(Definition definition)
    : machine_(std::make_unique<Machine>(std::move(definition))) {}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

bool Engine::apply(const Event& event, Effects& effects) {
  Machine& m = *machine_;
  m.effects = &effects;
  m.now = event.at;
  const bool changed = dispatch(m, event);
  drain(m);
  maybe_finish(m);
  drain(m);
  for (const NodeIndex i : effects.dirty) {
    if (i < m.nodes.size()) m.at(i).is_dirty = false;
  }
  m.effects = nullptr;
  return changed;
}

std::string Engine::phase() const {
  return machine_->has_begun ? std::string(to_string(machine_->phase)) : "";
}
bool Engine::is_finished() const { return machine_->is_over; }
const Definition& Engine::definition() const { return machine_->definition; }
std::size_t Engine::node_count() const { return machine_->nodes.size(); }
const Node& Engine::node(NodeIndex index) const { return machine_->at(index); }
value::Value Engine::facts(NodeIndex leaf) const { return facts_of(*machine_, leaf); }
value::Value Engine::facts(const Transition& transition) const {
  return facts_of(*machine_, transition);
}
value::Value Engine::overdue_facts(clock::Instant now) const {
  return overdue_facts_of(*machine_, now);
}
clock::Instant Engine::started_at() const { return machine_->started_at; }
std::uint32_t Engine::run() const { return machine_->run; }

Leaf Engine::leaf(NodeIndex index) const {
  const Node& n = machine_->at(index);
  return {.node_name = n.name,
          .node_id = id_of(*machine_, n),
          .type = std::string(n.type.name()),
          .pod_name = pod_name_of(*machine_, n),
          .body = n.body() ? with_log_archive(*machine_, n.body()->raw) : value::Value(),
          .volumes = machine_->spec["volumes"],
          .wants_result = is_result_read(*machine_, n)};
}

std::vector<Effect> Engine::outstanding() const {
  const Machine& m = *machine_;
  std::vector<Effect> effects;
  if (m.is_over) {
    ask_for_locks_again(m, effects);  // it holds none, whatever a lost release has left
    if (engine::is_collecting(m)) {
      effects.emplace_back(CollectArtifacts{.run = m.run, .strategy = std::string(kOnCompletion)});
    }
    return effects;
  }
  for (NodeIndex i = 0; i < m.nodes.size(); ++i) {
    const Node& n = m.at(i);
    // A node without a body has not begun: it waits for a lock, or has it and waits for room.
    if (!spec::is_leaf(n.type) || !n.body() || (is_fulfilled(n.phase) && !n.is_closing)) continue;
    effects.emplace_back(StartLeaf{{m.run, i}});
    if (n.is_cancelled) effects.emplace_back(CancelLeaf{{m.run, i}});
  }
  for (const auto& [key, at] : m.timers) {
    effects.emplace_back(
        SetTimer{.timer = {.run = m.run, .node = key.first, .kind = key.second}, .at = at});
  }
  ask_again(m, effects);
  ask_for_locks_again(m, effects);
  return effects;
}

std::string Engine::node_id(NodeIndex index) const { return id_of(*machine_, index); }
std::string Engine::display_name(NodeIndex index) const {
  return display_name_of(*machine_, machine_->at(index));
}
void Engine::append_node_record(std::string& out, NodeIndex index) const {
  engine::append_node_record(out, *machine_, index);
}
value::Value Engine::node_status(NodeIndex index) const { return node_status_of(*machine_, index); }
value::Value Engine::workflow_status() const { return workflow_status_of(*machine_); }
value::Value Engine::metadata() const { return metadata_of(*machine_); }
const vars::Scope& Engine::globals() const { return machine_->globals; }
value::Value Engine::spec() const { return machine_->spec; }
bool Engine::take_spec_changed() { return std::exchange(machine_->spec_changed, false); }
bool Engine::is_collecting() const { return engine::is_collecting(*machine_); }
value::List Engine::garbage(std::string_view strategy) const {
  return garbage_of(*machine_, strategy);
}
bool Engine::is_suspended() const { return machine_->is_suspended; }

}  // namespace tiphys::engine
