#include "runtime/observer.h"

#include <string_view>
#include <utility>

#include "runtime/clocks.h"
#include "runtime/run_log.h"

namespace tiphys::runtime {

namespace {

// The hook that a node is, or is a part of; kNoNode for others.
engine::NodeIndex hook_of(const engine::Engine& engine, engine::NodeIndex i) {
  while (i != engine::kNoNode && !is_hook(engine.node(i))) {
    const engine::Node& node = engine.node(i);
    i = node.owner != engine::kNoNode ? node.owner : node.boundary;
  }
  return i;
}

bool is_request(const engine::Node& node) { return node.type == "HTTP"; }

}  // namespace

Observer::Observer() : begun_at_(wall_now()) {}

void Observer::adopted(const WorkflowRun& run) {
  log_adopted(run);
  const std::scoped_lock lock(mutex_);
  ++stats_.workflows;
}

void Observer::looked_at_inbox(std::size_t messages) {
  if (messages == 0) return;
  const std::scoped_lock lock(mutex_);
  stats_.inbox_depth.add(static_cast<std::int64_t>(messages));
}

void Observer::applied(const WorkflowRun& run, const engine::Event& event, const Before& before) {
  log_applied(run, event, before.nodes);
  if (trace_) draw(run, event);
  const engine::Engine& engine = run.engine();
  const std::scoped_lock lock(mutex_);
  ++stats_.events;
  for (std::size_t i = before.nodes; i < engine.node_count(); ++i) {
    if (is_hook(engine.node(static_cast<engine::NodeIndex>(i)))) ++stats_.hooks;
  }
  const auto* ended = std::get_if<engine::LeafFinished>(&event.body);
  if (ended != nullptr && ended->finished_at.is_set()) note_causes(run, *ended, before);
}

void Observer::draw(const WorkflowRun& run, const engine::Event& event) {
  const auto key_of = [&run](const engine::LeafId& leaf) { return leaf_key(run.uid(), leaf); };
  const auto is_of_hook = [&run](const engine::LeafId& leaf) {
    return hook_of(run.engine(), leaf.node) != engine::kNoNode;
  };
  if (const auto* began = std::get_if<engine::LeafRunning>(&event.body)) {
    trace_->began(key_of(began->leaf), is_of_hook(began->leaf), began->started_at);
  } else if (const auto* ended = std::get_if<engine::LeafFinished>(&event.body)) {
    trace_->ended(key_of(ended->leaf), is_of_hook(ended->leaf), run, *ended);
  }
}

void Observer::note_causes(const WorkflowRun& run, const engine::LeafFinished& ended,
                           const Before& before) {
  for (std::size_t i = before.effects; i < run.pending_effects().size(); ++i) {
    const auto* start = std::get_if<engine::StartLeaf>(&run.pending_effects()[i]);
    if (start == nullptr) continue;
    const engine::NodeIndex hook = hook_of(run.engine(), start->leaf.node);
    // Later leaves of a longer hook wait for leaves of their own.
    if (hook == engine::kNoNode || hook < before.nodes) continue;
    const std::string key = leaf_key(run.uid(), start->leaf);
    if (trace_) trace_->fired(key);
    causes_.emplace(key, ended.finished_at);
  }
}

void Observer::committed(const store::Batch& batch, clock::Instant from, clock::Duration took) {
  log_committed(batch, took);
  if (trace_) trace_->committed(batch, from, took);
  const std::scoped_lock lock(mutex_);
  stats_.commit_ns.add(took.ns);
  stats_.log_rows += batch.events.size();
  stats_.node_rows += batch.nodes.size();
  stats_.workflow_rows += batch.workflows.size();
  const std::uint64_t events = stats_.events - std::exchange(events_at_commit_, stats_.events);
  stats_.events_a_commit.add(static_cast<std::int64_t>(events));
}

void Observer::dispatching(const WorkflowRun& run, const std::vector<engine::Effect>& effects) {
  log_dispatching(run, effects);
  const std::scoped_lock lock(mutex_);
  for (const engine::Effect& effect : effects) {
    const auto* start = std::get_if<engine::StartLeaf>(&effect);
    if (start == nullptr || engine::is_fulfilled(run.engine().node(start->leaf.node).phase)) {
      continue;  // or it ended within the same batch
    }
    stats_.leaves.add(++stats_.leaves_open);
    if (causes_.empty() || is_request(run.engine().node(start->leaf.node))) continue;
    std::string key = leaf_key(run.uid(), start->leaf);
    if (causes_.contains(key)) handed_over_.push_back(std::move(key));
  }
}

void Observer::dispatched() {
  if (handed_over_.empty()) return;
  const clock::Instant at = wall_now();
  const std::scoped_lock lock(mutex_);
  for (const std::string& key : std::exchange(handed_over_, {})) note_latency(key, at);
}

void Observer::sent(const std::string& key, clock::Instant at) {
  const std::scoped_lock lock(mutex_);
  note_latency(key, at);
}

void Observer::note_latency(const std::string& key, clock::Instant at) {
  const auto it = causes_.find(key);
  if (it == causes_.end()) return;
  stats_.hook_ns.add((at - it->second).ns);
  causes_.erase(it);
}

void Observer::leaf_ended(const std::string& key) {
  const std::scoped_lock lock(mutex_);
  --stats_.leaves_open;
  causes_.erase(key);  // it could not be sent
}

void Observer::workflow_ended(const WorkflowRun& run) { log_ended(run); }

observe::Stats Observer::stats() const {
  const std::scoped_lock lock(mutex_);
  return stats_;
}

observe::Usage Observer::usage() const {
  observe::Usage used = observe::own_usage();
  used.wall_seconds = (wall_now() - begun_at_).in_seconds();
  return used;
}

}  // namespace tiphys::runtime
