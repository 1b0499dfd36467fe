#include "engine/steps.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/composite.h"
#include "engine/finish.h"
#include "engine/limits.h"
#include "engine/memoize.h"
#include "engine/names.h"
#include "engine/node_error.h"
#include "engine/start.h"
#include "engine/templates.h"
#include "engine/transition.h"
#include "expr/when.h"

namespace tiphys::engine {

namespace {

/// A step that was started, or skipped, in the current group.
struct Begun {
  std::string name;  // as in the manifest
  std::string node_name;
  NodeIndex node = kNoNode;
  spec::ContinueOn continue_on;
};

struct StepsFrame final : Composite {
  StepsFrame(const Machine& m, bool late) : Composite(Kind::kSteps, m, late) {}
  std::size_t group = 0;
  NodeIndex group_node = kNoNode;
  NodeIndex previous_group = kNoNode;
  std::uint32_t open =
      0;  // children that have not settled, and one while the group is being started
  bool is_starting = false;           // the steps of the group are being started
  bool is_halted = false;             // one could not be started: the others are not
  Phase error_phase = Phase::kError;  // of the group, when there is an error
};

StepsFrame& frame_of(Machine& m, NodeIndex steps) {
  Frame* frame = m.at(steps).frame();
  CHECK(frame != nullptr && frame->kind == Frame::Kind::kSteps);
  return static_cast<StepsFrame&>(*frame);
}

// A child of the current group without its name, caller and arguments, which each item has its own.
Start child_start(Machine& m, NodeIndex steps, const StepsFrame& frame, const spec::Step& step,
                  const std::string& label) {
  const Node& parent = m.at(steps);
  Start s;
  s.site = m.site({.template_name = step.template_name,
                   .template_ref = step.template_ref,
                   .scope = frame.inner_scope,
                   .label = "steps." + label});
  s.inline_template = step.inline_template;
  s.boundary = steps;
  s.owner = frame.group_node;
  s.owner_kind = OwnerKind::kStepGroup;
  s.parents = {frame.group_node};
  s.on_exit = parent.on_exit;
  s.late = parent.late;
  s.depth = parent.depth;
  return s;
}

void skip(Machine& m, StepsFrame& frame, const Start& s, Phase phase, std::string message) {
  ++frame.open;
  create_node(m, s,
              {.type = "Skipped", .phase = phase, .message = std::move(message), .has_flag = true});
}

// The first step that cannot be started ends the start of the group. Hooks of those before it are
// looked at afterwards in Argo: its error is the one that is told.
void halt(StepsFrame& frame, std::string error, Phase phase = Phase::kError) {
  if (frame.is_starting && !frame.is_halted) frame.error.clear();
  frame.is_halted = true;
  if (!frame.error.empty()) return;
  frame.error = std::move(error);
  frame.error_phase = phase;
  frame.is_exit_hook_error = false;
}

void start_one(Machine& m, NodeIndex steps, Start s, std::string name,
               const std::shared_ptr<const spec::Step>& step) {
  StepsFrame& frame = frame_of(m, steps);
  if (frame.is_halted) return;
  s.node_name = std::move(name);
  s.arguments = step->arguments;
  s.caller = step;
  auto proceed = step->when.empty() ? diag::Result<bool>(true) : expr::evaluate_when(step->when);
  if (!proceed) {
    skip(m, frame, s, Phase::kError, proceed.error().message);
    halt(frame, proceed.error().message);
    return;
  }
  if (!*proceed) {
    skip(m, frame, s, Phase::kSkipped, fmt::format("when '{}' evaluated false", step->when));
    return;
  }
  ++frame.open;
  begin_template(m, std::move(s));
}

/// A step of the group that is about to start.
struct Expanded {
  std::shared_ptr<const spec::Step> step;
  std::vector<ExpandedStep> items;  // of a loop
};

// Expands the loops of the whole group: a fault in one keeps every step from starting.
diag::Result<std::vector<Expanded>> expand_group(Machine& m, NodeIndex steps) {
  StepsFrame& frame = frame_of(m, steps);
  std::vector<Expanded> group;
  for (const spec::Step& step : frame.body->steps[frame.group]) {
    // The step lives as long as the body that holds it.
    auto resolved = resolve_step(std::shared_ptr<const spec::Step>(frame.body, &step), frame);
    if (!resolved) {
      return diag::fail(resolved.error().code,
                        "failed to resolve references: " + resolved.error().message);
    }
    group.push_back({.step = std::move(resolved->step), .items = {}});
  }
  for (Expanded& one : group) {
    if (!one.step->is_loop) continue;
    TRY(one.items, expand_step(*one.step, frame, false));
    if (!one.items.empty()) continue;
    Start none = child_start(m, steps, frame, *one.step, one.step->name);
    none.node_name = m.at(frame.group_node).name + "." + one.step->name;
    none.caller = one.step;
    skip(m, frame, none, Phase::kSkipped, "Skipped, empty params");
  }
  return group;
}

void start_step(Machine& m, NodeIndex steps, const Expanded& expanded) {
  StepsFrame& frame = frame_of(m, steps);
  const spec::Step& step = *expanded.step;
  const std::string name = m.at(frame.group_node).name + "." + step.name;
  if (!step.is_loop) {
    start_one(m, steps, child_start(m, steps, frame, step, step.name), name, expanded.step);
    return;
  }
  const spec::Step* before = nullptr;
  Start base;
  for (const ExpandedStep& item : expanded.items) {
    if (item.step.get() != before) base = child_start(m, steps, frame, *item.step, step.name);
    before = item.step.get();
    start_one(m, steps, base, name + item.suffix, item.step);
  }
}

// The first group hangs below the Steps node; the others below the last nodes of the group before.
std::vector<NodeIndex> group_parents(const Machine& m, NodeIndex steps, const StepsFrame& frame) {
  if (frame.previous_group == kNoNode) return {steps};
  std::vector<NodeIndex> parents;
  for (const NodeIndex child : m.at(frame.previous_group).children)
    append_outbound(m, child, parents);
  if (parents.empty()) parents.push_back(frame.previous_group);
  std::ranges::sort(parents);  // containers of one pod can end in the same one
  parents.erase(std::ranges::unique(parents).begin(), parents.end());
  return parents;
}

void start_group(Machine& m, NodeIndex steps) {
  StepsFrame& frame = frame_of(m, steps);
  const Node& parent = m.at(steps);
  Start s;
  s.node_name = fmt::format("{}[{}]", parent.name, frame.group);
  s.site = m.site({.scope = frame.inner_scope});
  s.boundary = steps;
  s.owner_kind = OwnerKind::kNone;
  s.parents = group_parents(m, steps, frame);
  s.on_exit = parent.on_exit;
  s.late = parent.late;
  s.depth = parent.depth;
  frame.group_node =
      create_node(m, s, {.type = "StepGroup", .phase = Phase::kRunning, .has_flag = true});
  frame.open = 1;
  const NodeIndex group = frame.group_node;
  auto expanded = expand_group(m, steps);
  if (expanded) {
    frame.is_starting = true;
    for (const Expanded& e : *expanded) start_step(m, steps, e);
    frame.is_starting = false;
  } else {
    frame.error = expanded.error().message;
  }
  on_step_settled(m, group);
}

void set_outbound(Machine& m, NodeIndex steps, const StepsFrame& frame) {
  std::vector<NodeIndex> outbound;
  for (const NodeIndex child : m.at(frame.group_node).children) append_outbound(m, child, outbound);
  m.at(steps).set_outbound(std::move(outbound));
}

const spec::Step* step_of(const StepsFrame& frame, const Node& child) {
  // A daemon may be of an earlier group.
  for (std::size_t group = frame.group + 1; group-- > 0;) {
    for (const spec::Step& step : frame.body->steps[group]) {
      if (child.site->label.size() == 6 + step.name.size() &&
          child.site->label.ends_with(step.name)) {
        return &step;
      }
    }
  }
  return nullptr;
}

bool is_forgiven(const StepsFrame& frame, const Node& child) {
  const spec::Step* step = step_of(frame, child);
  if (step == nullptr) return false;
  return (child.phase == Phase::kFailed && step->continue_on.failed) ||
         (child.phase == Phase::kError && step->continue_on.error);
}

// The outputs of the group's steps become variables of those that follow.
diag::Result<void> publish_outputs(Machine& m, StepsFrame& frame) {
  const std::vector<NodeIndex>& children = m.at(frame.group_node).children;
  for (const spec::Step& step : frame.body->steps[frame.group]) {
    const std::string label = "steps." + step.name;
    std::vector<NodeIndex> own;
    for (const NodeIndex c : children) {
      if (m.at(c).site->label == label) own.push_back(c);
    }
    const bool is_plain = own.size() == 1 && display_name_of(m, m.at(own[0])) == step.name;
    if (!is_plain) {
      TRY_VOID(add_aggregate(m, own, label, frame.scope));
      add_node_variables(m, m.at(frame.group_node), label, frame.scope);
      continue;
    }
    const Node& node = m.at(own[0]);
    add_node_variables(m, node, label, frame.scope);
    add_node_artifacts(m, node, label, frame.artifacts);
    if (node.phase != Phase::kSkipped || !node.outputs.is_null()) continue;
    if (auto found = resolve_template(m, step, *frame.inner_scope)) {
      add_skipped_outputs(*found->body, label, frame.scope);
      add_skipped_artifacts(*found->body, label, frame.artifacts);
    }
  }
  return {};
}

void finish_steps(Machine& m, NodeIndex steps) {
  StepsFrame& frame = frame_of(m, steps);
  set_outbound(m, steps, frame);
  auto outputs = composite_outputs(*frame.body, frame.scope, artifacts_in_scope(frame));
  if (!outputs) {
    fail_node(m, steps, outputs.error().message);
    return;
  }
  m.at(steps).outputs = std::move(*outputs);
  export_node_outputs(m, steps);
  save_to_cache(m, m.at(steps));
  set_phase(m, steps, Phase::kSucceeded);
}

void fail_steps(Machine& m, NodeIndex steps, Phase group_phase, const std::string& message) {
  StepsFrame& frame = frame_of(m, steps);
  set_phase(m, frame.group_node, group_phase, message);
  // Argo never comes to end the entrypoint's Steps node then, and says so (HOOKS.md 6.6).
  if (steps == m.entry && frame.is_exit_hook_error) {
    m.entry_error = message;
    set_phase(m, steps, Phase::kError, "Workflow operation error");
    return;
  }
  if (!is_failing_fast(m, steps)) set_outbound(m, steps, frame);
  set_phase(m, steps, Phase::kFailed, message);
}

void finish_group(Machine& m, NodeIndex steps) {
  StepsFrame& frame = frame_of(m, steps);
  if (!frame.error.empty()) {
    fail_steps(m, steps, frame.error_phase, frame.error);
    return;
  }
  if (is_failing_fast(m, steps)) {
    fail_steps(m, steps, Phase::kFailed, std::string(kFailingFast));
    return;
  }
  for (const NodeIndex c : m.at(frame.group_node).children) {
    const Node& child = m.at(c);
    if (!child.hooked && is_failure(child.phase) && !is_forgiven(frame, child)) {
      fail_steps(m, steps, Phase::kFailed, fmt::format("child '{}' failed", id_of(m, child)));
      return;
    }
  }
  set_phase(m, frame.group_node, Phase::kSucceeded);
  if (auto published = publish_outputs(m, frame); !published) {
    fail_node(m, steps, published.error().message);
    return;
  }
  frame.previous_group = frame.group_node;
  ++frame.group;
  if (frame.group < frame.body->steps.size()) {
    start_group(m, steps);
  } else {
    finish_steps(m, steps);
  }
}

}  // namespace

void begin_steps(Machine& m, const Start& start, std::shared_ptr<const spec::Template> body,
                 std::shared_ptr<const TemplateScope> inner_scope) {
  const NodeIndex n = create_node_quietly(m, start, {.type = "Steps", .phase = Phase::kRunning});
  Node& node = m.at(n);
  node.inputs = body->inputs;
  node.retried = node.retried || start.owner_kind == OwnerKind::kRetry;
  auto frame = std::make_unique<StepsFrame>(m, start.late);
  set_up_composite(*frame, m, std::move(body), std::move(inner_scope));
  node.live().frame = std::move(frame);
  take_parallelism(m, n, start.owner_kind != OwnerKind::kRetry);
  entered(m, n);
  if (frame_of(m, n).body->steps.empty()) {
    set_phase(m, n, Phase::kSucceeded);
    return;
  }
  start_group(m, n);
}

void on_step_settled(Machine& m, NodeIndex group) {
  const NodeIndex steps = m.at(group).boundary;
  // An abandoned Steps node still hears of its last steps.
  if (is_fulfilled(m.at(steps).phase) || is_fulfilled(m.at(group).phase)) return;
  StepsFrame& frame = frame_of(m, steps);
  CHECK(frame.open > 0);
  if (--frame.open == 0) finish_group(m, steps);
}

void on_step_error(Machine& m, NodeIndex group, const std::string& node_name,
                   const std::string& error) {
  const NodeIndex steps = m.at(group).boundary;
  StepsFrame& frame = frame_of(m, steps);
  halt(frame, fmt::format("step group deemed errored due to child {} error: {}", node_name, error));
}

bool is_halted(Machine& m, NodeIndex group) { return frame_of(m, m.at(group).boundary).is_halted; }

void on_step_daemon_failed(Machine& m, NodeIndex daemon) {
  const Node& n = m.at(daemon);
  if (is_abandoned(m, n) || is_fulfilled(m.at(n.boundary).phase)) return;
  StepsFrame& frame = frame_of(m, n.boundary);
  if (n.owner == frame.group_node || is_forgiven(frame, n)) return;
  const std::string message = fmt::format("child '{}' failed", id_of(m, n));
  refail(m, n.owner, Phase::kFailed, message);
  halt(frame, message, Phase::kFailed);
}

void on_step_timed_out(Machine& m, NodeIndex group) {
  halt(frame_of(m, m.at(group).boundary), std::string(kTimeout), Phase::kFailed);
}

}  // namespace tiphys::engine
