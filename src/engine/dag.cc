#include "engine/dag.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/composite.h"
#include "engine/control.h"
#include "engine/finish.h"
#include "engine/hooks.h"
#include "engine/limits.h"
#include "engine/memoize.h"
#include "engine/node_error.h"
#include "engine/start.h"
#include "engine/templates.h"
#include "engine/transition.h"
#include "expr/when.h"
#include "plan/depends.h"

namespace tiphys::engine {

namespace {

using value::Value;

/// A task while its DAG runs.
struct Task {
  std::shared_ptr<const spec::Step> step;
  plan::Depends depends;
  std::vector<std::size_t> dependencies = {};
  std::vector<std::size_t> dependents = {};
  std::size_t waiting = 0;  // dependencies that have not settled
  bool is_needed = false;   // some target depends on it, or it is one
  bool is_settled = false;
  NodeIndex node = kNoNode;
  plan::TaskState state = {};
  std::uint32_t open_items = 0;
  std::string unreadable = {};  // why results of its items cannot be a list
  std::string refused = {};     // such a reason of a task that it depends on, also indirectly
};

struct DagFrame final : Composite {
  DagFrame(const Machine& m, bool late) : Composite(Kind::kDag, m, late) {}
  std::vector<Task> tasks;
  std::map<std::string, std::size_t, std::less<>> by_name;
  std::vector<std::size_t> targets;  // in the order in which they decide the phase
  std::vector<std::size_t>
      ready;  // to be started; a list, so that a long chain needs no deep stack
  bool is_starting = false;
  std::size_t unsettled = 0;  // needed tasks
  std::uint32_t running = 0;  // tasks that were started and have not settled
};

DagFrame& frame_of(Machine& m, NodeIndex dag) {
  Frame* frame = m.at(dag).frame();
  CHECK(frame != nullptr && frame->kind == Frame::Kind::kDag);
  return static_cast<DagFrame&>(*frame);
}

diag::Result<void> read_tasks(DagFrame& frame) {
  const std::vector<spec::Step>& steps = frame.body->dag.tasks;
  for (std::size_t i = 0; i < steps.size(); ++i) frame.by_name.emplace(steps[i].name, i);
  auto find = [&](std::string_view name) -> const Value* {
    auto it = frame.by_name.find(name);
    return it == frame.by_name.end() ? nullptr : &steps[it->second].raw;
  };
  for (const spec::Step& step : steps) {
    TRY(plan::Depends depends, plan::Depends::read(step.raw, find));
    frame.tasks.push_back({.step = std::shared_ptr<const spec::Step>(frame.body, &step),
                           .depends = std::move(depends)});
  }
  for (std::size_t i = 0; i < frame.tasks.size(); ++i) {
    for (const std::string& name : frame.tasks[i].depends.dependencies()) {
      auto it = frame.by_name.find(name);
      if (it == frame.by_name.end()) {
        return diag::fail(diag::Code::kInvalidManifest,
                          fmt::format("target {} does not exist", name));
      }
      frame.tasks[i].dependencies.push_back(it->second);
      frame.tasks[it->second].dependents.push_back(i);
    }
    frame.tasks[i].waiting = frame.tasks[i].dependencies.size();
  }
  return {};
}

// Targets: those named, or the tasks that nobody depends on, by name.
diag::Result<void> choose_targets(DagFrame& frame) {
  std::string_view named = frame.body->dag.target;
  if (named.empty()) {
    for (const auto& [name, i] : frame.by_name) {
      if (frame.tasks[i].dependents.empty()) frame.targets.push_back(i);
    }
  }
  while (!named.empty()) {
    const std::size_t blank = named.find(' ');
    const std::string_view name = named.substr(0, blank);
    named = blank == std::string_view::npos ? "" : named.substr(blank + 1);
    if (name.empty()) continue;
    auto it = frame.by_name.find(name);
    if (it == frame.by_name.end()) {
      return diag::fail(diag::Code::kInvalidManifest,
                        fmt::format("target {} does not exist", name));
    }
    frame.targets.push_back(it->second);
  }
  std::vector<std::size_t> stack = frame.targets;
  while (!stack.empty()) {
    const std::size_t i = stack.back();
    stack.pop_back();
    if (frame.tasks[i].is_needed) continue;
    frame.tasks[i].is_needed = true;
    ++frame.unsettled;
    stack.insert(stack.end(), frame.tasks[i].dependencies.begin(),
                 frame.tasks[i].dependencies.end());
  }
  return {};
}

std::vector<NodeIndex> parents_of(const Machine& m, NodeIndex dag, const DagFrame& frame,
                                  const Task& task) {
  if (task.dependencies.empty()) return {dag};
  std::vector<NodeIndex> parents;
  for (const std::size_t d : task.dependencies) {
    if (frame.tasks[d].node != kNoNode) append_outbound(m, frame.tasks[d].node, parents);
  }
  // Two dependencies can end in the same node.
  std::ranges::sort(parents);
  parents.erase(std::ranges::unique(parents).begin(), parents.end());
  return parents;
}

Start task_start(Machine& m, NodeIndex dag, const DagFrame& frame, const Task& task) {
  const Node& parent = m.at(dag);
  Start s;
  s.node_name = parent.name + "." + task.step->name;
  s.site = m.site({.template_name = task.step->template_name,
                   .template_ref = task.step->template_ref,
                   .scope = frame.inner_scope,
                   .label = "tasks." + task.step->name});
  s.inline_template = task.step->inline_template;
  s.boundary = dag;
  s.owner = dag;
  s.owner_kind = OwnerKind::kTask;
  s.parents = parents_of(m, dag, frame, task);
  s.caller = task.step;
  s.on_exit = parent.on_exit;
  s.late = parent.late;
  s.depth = parent.depth;
  return s;
}

void end_without_run(Machine& m, Task& task, const Start& s, Phase phase, std::string message) {
  task.node = create_node(
      m, s, {.type = "Skipped", .phase = phase, .message = std::move(message), .has_flag = true});
}

// Runs the body of one task, or of one item; `when` is known by now.
void start_one(Machine& m, const Start& s, const spec::Step& step) {
  auto proceed = step.when.empty() ? diag::Result<bool>(true) : expr::evaluate_when(step.when);
  if (!proceed) {
    create_node(m, s,
                {.type = "Skipped",
                 .phase = Phase::kError,
                 .message = proceed.error().message,
                 .has_flag = true});
  } else if (!*proceed) {
    create_node(m, s,
                {.type = "Skipped",
                 .phase = Phase::kSkipped,
                 .message = fmt::format("when '{}' evaluated false", step.when),
                 .has_flag = true});
  } else {
    begin_template(m, Start(s));
  }
}

void start_items(Machine& m, Task& task, Start s, const std::vector<ExpandedStep>& items) {
  // The hooks belong to the items (and the group fires the task's other hooks once, as in Argo).
  auto group_step = std::make_shared<spec::Step>(*task.step);
  group_step->on_exit.clear();
  std::erase_if(group_step->hooks, [](const spec::LifecycleHook& h) { return h.name == "exit"; });
  s.caller = std::move(group_step);
  const NodeIndex group =
      create_node(m, s, {.type = "TaskGroup", .phase = Phase::kRunning, .has_flag = true});
  task.node = group;
  task.open_items = static_cast<std::uint32_t>(items.size());
  for (const ExpandedStep& item : items) {
    Start one = s;
    one.node_name = s.node_name + item.suffix;
    one.arguments = item.step->arguments;
    one.owner = group;
    one.owner_kind = OwnerKind::kTaskGroup;
    one.parents = {group};
    auto step = std::make_shared<spec::Step>(*item.step);
    step->on_exit = task.step->on_exit;
    std::erase_if(step->hooks, [](const spec::LifecycleHook& h) { return h.name != "exit"; });
    one.caller = step;
    start_one(m, one, *item.step);
  }
}

void run_task(Machine& m, NodeIndex dag, std::size_t index) {
  DagFrame& frame = frame_of(m, dag);
  Task& task = frame.tasks[index];
  Start s = task_start(m, dag, frame, task);
  if (!task.refused.empty()) {
    end_without_run(m, task, s, Phase::kError, task.refused);
    return;
  }
  auto resolved = resolve_step(task.step, frame);
  if (!resolved) {
    end_without_run(m, task, s, Phase::kError, resolved.error().message);
    return;
  }
  const spec::Step& step = *resolved->step;
  if (!step.is_loop) {
    s.arguments = step.arguments;
    s.site = m.site({.template_name = step.template_name,
                     .template_ref = step.template_ref,
                     .scope = s.site->scope,
                     .label = s.site->label});
    s.inline_template = step.inline_template;
    start_one(m, s, step);
    return;
  }
  auto items = expand_step(step, frame, true);
  if (!items) {
    end_without_run(m, task, s, Phase::kError, items.error().message);
  } else if (items->empty()) {
    end_without_run(m, task, s, Phase::kSkipped, "Skipped, empty params");
  } else {
    start_items(m, task, std::move(s), *items);
  }
}

bool is_target(const DagFrame& frame, std::size_t index) {
  return std::ranges::find(frame.targets, index) != frame.targets.end();
}

bool is_shut_down(const Machine& m, NodeIndex dag) {
  return !shutdown_forbids(m, m.at(dag).on_exit).empty();
}

void decide_task(Machine& m, NodeIndex dag, std::size_t index) {
  DagFrame& frame = frame_of(m, dag);
  Task& task = frame.tasks[index];
  // nothing new under a shutdown or after an error; the DAG ends when what runs has ended
  if (is_shut_down(m, dag) || is_failing_fast(m, dag) || !frame.error.empty()) return;
  ++frame.running;
  if (!task.refused.empty() && is_target(frame, index)) frame.error = task.refused;
  auto decision = task.depends.decide([&](std::string_view name) -> const plan::TaskState* {
    auto it = frame.by_name.find(name);
    return it == frame.by_name.end() ? nullptr : &frame.tasks[it->second].state;
  });
  if (!decision) {
    end_without_run(m, task, task_start(m, dag, frame, task), Phase::kError,
                    decision.error().message);
  } else if (*decision == plan::Depends::Decision::kOmit) {
    end_without_run(m, task, task_start(m, dag, frame, task), Phase::kOmitted,
                    "omitted: depends condition not met");
  } else {
    run_task(m, dag, index);
  }
}

void start_ready(Machine& m, NodeIndex dag) {
  DagFrame& frame = frame_of(m, dag);
  if (frame.is_starting) return;
  frame.is_starting = true;
  for (std::size_t i = 0; i < frame.ready.size(); ++i) decide_task(m, dag, frame.ready[i]);
  frame.ready.clear();
  frame.is_starting = false;
}

// The phase that a skipped or omitted target inherits: a failure above it wins (HOOKS.md 9.3).
Phase branch_phase(const Machine& m, const DagFrame& frame, std::size_t index,
                   std::vector<int>& memo) {
  const Task& task = frame.tasks[index];
  if (memo[index] >= 0) return static_cast<Phase>(memo[index]);
  Phase phase = Phase::kSucceeded;
  const Phase own = task.node == kNoNode ? Phase::kOmitted : m.at(task.node).phase;
  if (is_completed(own)) {
    phase = own;
  } else {
    for (const std::size_t d : task.dependencies) {
      Phase above = branch_phase(m, frame, d, memo);
      std::vector<NodeIndex> ends;
      if (frame.tasks[d].node != kNoNode) append_outbound(m, frame.tasks[d].node, ends);
      for (const NodeIndex e : ends) {
        if (is_failure(m.at(e).phase)) above = m.at(e).phase;
      }
      if (is_failure(above) && !is_failure(phase)) phase = above;
    }
  }
  memo[index] = static_cast<int>(phase);
  return phase;
}

bool continues_on(const spec::Step& step, Phase phase) {
  return (phase == Phase::kFailed && step.continue_on.failed) ||
         (phase == Phase::kError && step.continue_on.error);
}

Phase phase_of(const Machine& m, const DagFrame& frame) {
  std::vector<int> memo(frame.tasks.size(), -1);
  Phase result = Phase::kSucceeded;
  for (const std::size_t t : frame.targets) {
    const Phase phase = branch_phase(m, frame, t, memo);
    if (!is_failure(phase) || continues_on(*frame.tasks[t].step, phase)) continue;
    result = phase;
    if (frame.body->dag.fail_fast) break;
  }
  return result;
}

void set_outbound(Machine& m, NodeIndex dag, const DagFrame& frame) {
  std::vector<NodeIndex> outbound;
  for (const std::size_t t : frame.targets) {
    if (frame.tasks[t].node != kNoNode) append_outbound(m, frame.tasks[t].node, outbound);
  }
  m.at(dag).set_outbound(std::move(outbound));
}

void succeed(Machine& m, NodeIndex dag) {
  DagFrame& frame = frame_of(m, dag);
  for (const Task& task : frame.tasks) {
    if (!task.unreadable.empty()) {
      fail_node(m, dag, std::string(task.unreadable));
      return;
    }
    if (task.node != kNoNode) export_node_outputs(m, task.node);
  }
  auto outputs = composite_outputs(*frame.body, frame.scope, artifacts_in_scope(frame));
  if (!outputs) {
    fail_node(m, dag, outputs.error().message);
    return;
  }
  set_outbound(m, dag, frame);
  m.at(dag).outputs = std::move(*outputs);
  export_node_outputs(m, dag);
  save_to_cache(m, m.at(dag));
  set_phase(m, dag, Phase::kSucceeded);
}

void assess(Machine& m, NodeIndex dag) {
  if (is_fulfilled(m.at(dag).phase)) return;
  DagFrame& frame = frame_of(m, dag);
  if (is_failing_fast(m, dag)) {
    if (frame.active > 0 || (dag == m.entry && m.open_hooks > 0)) return;
    set_phase(m, dag, Phase::kFailed, std::string(kFailingFast));
    return;
  }
  if (frame.running > 0) return;
  if (frame.unsettled > 0 && !is_shut_down(m, dag) && frame.error.empty()) return;
  if (dag == m.entry && m.open_hooks > 0) return;  // they are children of the entry node
  if (!frame.error.empty()) {
    fail_node(m, dag, std::string(frame.error));
    return;
  }
  const Phase phase = is_shut_down(m, dag) ? Phase::kFailed : phase_of(m, frame);
  if (is_failure(phase)) {
    set_outbound(m, dag, frame);
    set_phase(m, dag, phase);
  } else {
    succeed(m, dag);
  }
}

void publish_outputs(Machine& m, DagFrame& frame, Task& task, NodeIndex node) {
  const Node& n = m.at(node);
  const std::string label = "tasks." + task.step->name;
  if (n.type == "TaskGroup") {
    std::vector<NodeIndex> items;
    for (const NodeIndex c : n.children) {
      if (!m.at(c).hooked) items.push_back(c);
    }
    auto added = add_aggregate(m, items, label, frame.scope);
    if (!added) task.unreadable = added.error().message;
  }
  add_node_variables(m, n, label, frame.scope);
  add_node_artifacts(m, n, label, frame.artifacts);
  if ((n.phase != Phase::kSkipped && n.phase != Phase::kOmitted) || !n.outputs.is_null()) return;
  if (auto found = resolve_template(m, *task.step, *frame.inner_scope)) {
    add_skipped_outputs(*found->body, label, frame.scope);
  }
}

plan::TaskState state_of(const Machine& m, const Node& n) {
  std::optional<std::vector<std::string>> items;
  if (n.type == "TaskGroup") {
    items.emplace();
    for (const NodeIndex c : n.children) {
      if (!m.at(c).hooked) items->emplace_back(to_string(m.at(c).phase));
    }
  }
  const bool is_up = n.is_daemon && !is_fulfilled(n.phase);
  return plan::task_state({.phase = to_string(n.phase), .daemoned = is_up}, items);
}

}  // namespace

void begin_dag(Machine& m, const Start& start, std::shared_ptr<const spec::Template> body,
               std::shared_ptr<const TemplateScope> inner_scope) {
  const NodeIndex dag = create_node_quietly(m, start, {.type = "DAG", .phase = Phase::kRunning});
  Node& node = m.at(dag);
  node.retried = node.retried || start.owner_kind == OwnerKind::kRetry;
  node.inputs = body->inputs;
  auto made = std::make_unique<DagFrame>(m, start.late);
  set_up_composite(*made, m, std::move(body), std::move(inner_scope));
  node.live().frame = std::move(made);
  take_parallelism(m, dag, start.owner_kind != OwnerKind::kRetry);
  DagFrame& frame = frame_of(m, dag);
  auto ready = read_tasks(frame);
  if (ready) ready = choose_targets(frame);
  entered(m, dag);
  if (!ready) {
    set_phase(m, dag, Phase::kError, ready.error().message);
    return;
  }
  for (std::size_t i = 0; i < frame.tasks.size(); ++i) {
    if (frame.tasks[i].is_needed && frame.tasks[i].waiting == 0) frame.ready.push_back(i);
  }
  start_ready(m, dag);
  assess(m, dag);
}

void on_task_settled(Machine& m, NodeIndex dag, NodeIndex task_node) {
  if (is_fulfilled(m.at(dag).phase)) return;
  DagFrame& frame = frame_of(m, dag);
  const std::string name = m.at(task_node).site->label.substr(std::string_view("tasks.").size());
  Task& task = frame.tasks[frame.by_name.find(name)->second];
  CHECK(!task.is_settled && frame.running > 0 && frame.unsettled > 0);
  task.node = task_node;
  task.is_settled = true;
  --frame.running;
  --frame.unsettled;
  publish_outputs(m, frame, task, task_node);
  task.state = state_of(m, m.at(task_node));
  for (const std::size_t d : task.dependents) {
    if (frame.tasks[d].refused.empty()) {
      frame.tasks[d].refused = task.unreadable.empty() ? task.refused : task.unreadable;
    }
    if (--frame.tasks[d].waiting == 0 && frame.tasks[d].is_needed) frame.ready.push_back(d);
  }
  start_ready(m, dag);
  assess(m, dag);
}

void on_task_hook_error(Machine& m, NodeIndex dag, NodeIndex task_node, const std::string& error) {
  DagFrame& frame = frame_of(m, dag);
  const auto task = frame.by_name.find(m.at(task_node).caller()->name);
  CHECK(task != frame.by_name.end());
  const bool is_final = is_fulfilled(m.at(task_node).phase);
  overrule(m, task_node, error);
  if (is_final) on_phase(m, task_node, Phase::kError);  // its other hooks may wait for that
  if (is_target(frame, task->second) && frame.error.empty()) frame.error = error;
}

void on_item_settled(Machine& m, NodeIndex group) {
  if (is_fulfilled(m.at(group).phase)) return;
  const NodeIndex dag = m.at(group).boundary;
  if (is_fulfilled(m.at(dag).phase)) return;
  DagFrame& frame = frame_of(m, dag);
  const std::string name = m.at(group).site->label.substr(std::string_view("tasks.").size());
  Task& task = frame.tasks[frame.by_name.find(name)->second];
  CHECK(task.open_items > 0);
  --task.open_items;
  if (is_failing_fast(m, dag)) {
    assess(m, dag);  // items that wait are given up
    return;
  }
  if (task.open_items > 0) return;
  Phase phase = Phase::kSucceeded;
  for (const NodeIndex c : m.at(group).children) {
    const Node& item = m.at(c);
    if (!item.hooked && is_failure(item.phase)) phase = item.phase;
  }
  set_phase(m, group, phase);
}

void recheck_dag(Machine& m, NodeIndex dag) {
  if (!is_fulfilled(m.at(dag).phase) && m.at(dag).frame() != nullptr) assess(m, dag);
}

}  // namespace tiphys::engine
