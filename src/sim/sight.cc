#include "sim/sight.h"

#include <algorithm>

#include "sim/kept_leaves.h"

namespace tiphys::sim {

using engine::NodeIndex;
using engine::Phase;

// A retry by hand.
void Sight::begin_run(const engine::Engine& engine) {
  const std::set<std::string> kept = kept_leaves(nodes_, retry_options_);
  before_.clear();
  for (const Seen& n : nodes_) {
    if (!n.is_leaf() && n.type != "Suspend") continue;
    before_.emplace(n.name, Before{.phase = n.phase,
                                   .finished_at = n.finished_at,
                                   .had_run = n.ever.contains(Phase::kRunning),
                                   .stays = kept.contains(n.name)});
  }
  run_ = engine.run();
  nodes_.clear();
  by_name_.clear();
}

void Sight::add(const engine::Engine& engine, NodeIndex index) {
  const engine::Node& node = engine.node(index);
  Seen& n = nodes_.emplace_back();
  n.name = node.name;
  n.type = node.type.name();
  n.is_hook = node.hooked;
  if (node.boundary != engine::kNoNode) n.boundary = engine.node(node.boundary).name;
  if (Seen* around = find(n.boundary)) ++around->below;
  by_name_.emplace(n.name, &n);
  const std::size_t open = n.name.rfind('(');
  if (n.name.ends_with(')')) {
    Seen* retry = find(n.name.substr(0, open));
    n.is_attempt = retry != nullptr && retry->type == "Retry";
    if (n.is_attempt) ++retry->below;
  }
}

bool Sight::is_as_before(NodeIndex index) const {
  const Seen& n = nodes_[index];
  const auto before = before_.find(n.name);
  return before != before_.end() && n.is_final() && n.phase == before->second.phase &&
         n.finished_at == before->second.finished_at && !started_.contains({run_, index});
}

std::string Sight::complaint_of_retry() const {
  for (NodeIndex i = 0; i < nodes_.size(); ++i) {
    const Seen& n = nodes_[i];
    const auto before = before_.find(n.name);
    if (before == before_.end()) continue;
    if (before->second.stays && started_.contains({run_, i}))
      return n.name + " runs again, and a retry by hand should keep it\n";
    if (!before->second.stays && is_as_before(i))
      return n.name + " is as it was, and a retry by hand should run it again\n";
  }
  return "";
}

void Sight::look(const engine::Engine& engine) {
  if (engine.run() != run_) begin_run(engine);
  const auto known = static_cast<NodeIndex>(nodes_.size());
  for (NodeIndex i = known; i < engine.node_count(); ++i) add(engine, i);
  for (NodeIndex i = 0; i < engine.node_count(); ++i) {
    Seen& n = nodes_[i];
    n.type = engine.node(i).type.name();
    n.phase = engine.node(i).phase;
    // A Steps node takes over the message of its group.
    const bool can_time_out = n.is_leaf() || (n.type == "Retry" && n.below == 0);
    n.is_timed_out =
        can_time_out && n.phase == Phase::kFailed && engine.node(i).message() == "timeout";
    n.finished_at = engine.node(i).finished_at;
    if (engine.is_finished()) n.children = engine.node(i).children;
    n.is_expected = false;
    n.is_new = i >= known;
    n.is_kept = is_as_before(i) && before_.at(n.name).stays;
    const bool kept_ran = n.is_kept && before_.at(n.name).had_run;
    n.is_started = started_.contains({run_, i}) || (n.is_kept && n.is_leaf());
    if (n.is_placeholder()) continue;  // it has not begun
    n.ever.insert(n.phase);
    const bool was_given_up = n.type == "Retry" && n.is_final() && n.below == 0;
    if (n.is_leaf() || n.type == "Suspend" || was_given_up) n.ever.insert(Phase::kPending);
    const bool is_made_running =
        !n.is_leaf() && n.type != "Suspend" && n.type != "Skipped" && !was_given_up;
    if (is_made_running || ran_.contains({run_, i}) || kept_ran) n.ever.insert(Phase::kRunning);
  }
}

void Sight::note(const engine::Event& event) {
  if (const auto* running = std::get_if<engine::LeafRunning>(&event.body)) {
    ran_.insert({running->leaf.run, running->leaf.node});
  } else if (const auto* ended = std::get_if<engine::LeafFinished>(&event.body)) {
    if (ended->started_at.is_set()) ran_.insert({ended->leaf.run, ended->leaf.node});
  } else if (const auto* control = std::get_if<engine::Control>(&event.body)) {
    if (control->verb == engine::Control::Verb::kRetry) retry_options_ = control->arguments;
  }
}

void Sight::note_started(const engine::LeafId& leaf) { started_.insert({leaf.run, leaf.node}); }

Seen* Sight::find(const std::string& name) {
  auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : it->second;
}

std::int64_t Sight::active_pods() const {
  return std::ranges::count_if(nodes_, [](const Seen& n) {
    return n.type == "Pod" && !n.is_final() && !n.is_placeholder();
  });
}

std::int64_t Sight::active_below(const std::string& boundary) const {
  return std::ranges::count_if(nodes_, [&](const Seen& n) {
    const bool counts = n.is_leaf() || n.type == "Steps" || n.type == "DAG" || n.type == "Retry";
    return counts && n.boundary == boundary && !n.is_attempt && !n.is_final() &&
           !n.is_placeholder();
  });
}

bool Sight::has_active_leaf() const {
  return std::ranges::any_of(
      nodes_, [](const Seen& n) { return n.is_leaf() && !n.is_final() && !n.is_placeholder(); });
}

}  // namespace tiphys::sim
