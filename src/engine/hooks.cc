#include "engine/hooks.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "engine/composite.h"
#include "engine/finish.h"
#include "engine/globals.h"
#include "engine/names.h"
#include "engine/outputs.h"
#include "engine/start.h"
#include "engine/transition.h"
#include "tag/substitute.h"

namespace tiphys::engine {

namespace {

// What a step or task is known as: by its name, and by the one that is shown (`a(0:x)`).
struct OwnLabels {
  std::string declared;
  std::string shown;
};
OwnLabels own_labels(const Machine& m, const Node& n) {
  const std::string& label = n.site->label;
  return {label, label.substr(0, label.find('.') + 1) + display_name_of(m, n)};
}

// The variables that a node's own hooks see: those of its composite, and its own under its names.
// An item of a steps loop is known as `a(0:x)`; in arguments, where nothing else could be meant,
// also as plain `a`.
vars::MapScope hook_scope(const Machine& m, const Node& n, Phase phase, const vars::Scope& outer,
                          bool for_arguments) {
  vars::MapScope scope(&outer);
  const auto [declared, shown] = own_labels(m, n);
  const bool is_shown_only = !for_arguments && shown.starts_with("steps.");
  for (const std::string& label : {declared, shown}) {
    if (is_shown_only && label != shown) continue;
    add_node_variables(m, n, label, scope);
    scope.set(label + ".status", to_string(phase));
    if (!n.message().empty()) scope.set(label + ".message", n.message());
  }
  return scope;
}

// An exit hook can name an output parameter that the node did not leave: it is empty.
void add_missing_outputs(const Machine& m, const Node& n, vars::MapScope& scope) {
  const auto [declared, shown] = own_labels(m, n);
  for (const value::Value& p : with_outputs(m, n).outputs["parameters"].list()) {
    if (!p["value"].is_null()) continue;
    for (const std::string& label : {declared, shown}) {
      scope.set(fmt::format("{}.outputs.parameters.{}", label, p["name"].string_or("")), "");
    }
  }
}

// A hook that names Skipped or Omitted wants to hear of them; for the others a node that never ran
// has no hooks.
bool wants_phase(const Node& n, const spec::LifecycleHook& hook, Phase phase) {
  if (phase != Phase::kSkipped && phase != Phase::kOmitted) return true;
  return n.site->label.starts_with("tasks.") &&
         hook.expression.find(to_string(phase)) != std::string::npos;
}

// While the node runs, its outputs do not exist yet: an expression that reads them is undecided,
// not wrong.
bool reads_own_outputs(const expr::Program& program, const Node& n) {
  return std::ranges::any_of(program.reads(), [&](const std::string& name) {
    return name.starts_with(n.site->label + ".outputs") || name == n.site->label + ".exitCode" ||
           name == n.site->label + ".finishedAt";
  });
}

// Makes the arguments' tags and artifact references into values; what is unknown stays
// (HOOKS.md 6.4).
diag::Result<value::Value> resolve_arguments(const value::Value& arguments,
                                             const vars::Scope& scope, const Artifacts& artifacts) {
  if (arguments.is_null()) return arguments;
  const value::Value marked = drop_absent_arguments(arguments, scope);
  TRY(value::Value replaced, tag::substitute(marked, scope, {}));
  return resolve_artifact_arguments(replaced, scope, artifacts);
}

Start hook_start(Machine& m, NodeIndex parent, const spec::LifecycleHook& hook, bool is_exit) {
  const Node& n = m.at(parent);
  Start s;
  s.node_name = n.name + (is_exit ? ".onExit" : ".hooks." + hook.name);
  s.site = m.site({.template_name = hook.template_name,
                   .template_ref = hook.template_ref,
                   .scope = composite_of(m, n.boundary).inner_scope});
  s.boundary = n.boundary;
  s.owner = parent;
  s.owner_kind = is_exit ? OwnerKind::kExitHook : OwnerKind::kHook;
  s.parents = {parent};
  s.hooked = true;
  s.on_exit = is_exit || n.on_exit;
  s.late = n.late;
  s.depth = n.depth;
  return s;
}

void fire(Machine& m, NodeIndex i, const spec::LifecycleHook& hook, bool is_exit, Phase phase) {
  Start s = hook_start(m, i, hook, is_exit);
  const Composite& around = composite_of(m, m.at(i).boundary);
  vars::MapScope scope = hook_scope(m, m.at(i), phase, around.scope, true);
  if (is_exit) add_missing_outputs(m, m.at(i), scope);
  auto arguments = resolve_arguments(hook.arguments, scope, with_own_artifacts(around, m.at(i)));
  if (!arguments) {
    on_hook_error(m, s.owner_kind, i, arguments.error().message);
    return;
  }
  s.arguments = std::move(*arguments);
  ++m.at(i).live().open_hooks;
  begin_template(m, std::move(s));
}

void fire_true_hooks(Machine& m, NodeIndex i, Phase phase) {
  if (!m.at(i).caller() || m.at(i).caller()->hooks.empty() || is_abandoned(m, m.at(i))) return;
  const std::shared_ptr<const spec::Step> caller = m.at(i).caller();  // the node may settle
  m.at(i).live().rare().fired_hooks.resize(caller->hooks.size());
  std::optional<vars::MapScope> scope;  // the same for all, until one has fired
  for (std::size_t h = 0; h < caller->hooks.size(); ++h) {
    const spec::LifecycleHook& hook = caller->hooks[h];
    Node& n = m.at(i);
    if (hook.name == "exit" || n.live().rare().fired_hooks[h] || !wants_phase(n, hook, phase))
      continue;
    if (hook.expression.empty()) {
      n.live().rare().fired_hooks[h] = true;
      on_hook_error(m, OwnerKind::kHook, i,
                    "Expression required for hook " + n.name + ".hooks." + hook.name);
      continue;
    }
    if (!scope) scope = hook_scope(m, n, phase, composite_of(m, n.boundary).scope, false);
    auto program = m.program(hook.expression);
    auto truth =
        program ? program->run_bool(*scope) : diag::Result<bool>(std::unexpected(program.error()));
    if (!truth) {
      if (program && !is_fulfilled(phase) && reads_own_outputs(*program, n)) continue;
      n.live().rare().fired_hooks[h] = true;  // told once, not at every transition
      scope.reset();
      on_hook_error(m, OwnerKind::kHook, i, truth.error().message);
      continue;
    }
    if (!*truth) continue;
    n.live().rare().fired_hooks[h] = true;
    scope.reset();
    fire(m, i, hook, false, phase);
  }
}

bool shutdown_allows_exit(const Machine& m) { return m.shutdown != Shutdown::kTerminate; }

// `onExit` beats the hook named exit; it gets the arguments of the workflow, and so does an exit
// hook without any.
std::optional<spec::LifecycleHook> exit_hook_of(const Machine& m, const spec::Step& caller) {
  if (caller.on_exit.empty() && caller.hooks.empty()) return std::nullopt;
  std::optional<spec::LifecycleHook> hook;
  if (!caller.on_exit.empty()) {
    hook.emplace();
    hook->template_name = caller.on_exit;
  } else if (const spec::LifecycleHook* declared = caller.exit_hook()) {
    hook = *declared;
  }
  if (hook && has_no_arguments(hook->arguments)) hook->arguments = m.spec["arguments"];
  return hook;
}

Start workflow_hook_start(Machine& m, const spec::LifecycleHook& hook) {
  Start s;
  s.node_name = m.name + ".hooks." + hook.name;
  s.site = m.site({.template_name = hook.template_name,
                   .template_ref = hook.template_ref,
                   .scope = m.local.scope});
  s.owner_kind = OwnerKind::kWorkflowHook;
  s.parents = {m.entry};
  s.hooked = true;
  s.late = true;
  return s;
}

// Tags in the text of the expression itself see the globals only (HOOKS.md 5.5).
diag::Result<bool> is_true(Machine& m, WorkflowHook& h) {
  if (!h.program) {
    if (h.hook.expression.empty()) {
      return diag::fail(diag::Code::kBadExpression,
                        "Expression required for hook " + m.name + ".hooks." + h.hook.name);
    }
    TRY(const std::string source, tag::substitute(h.hook.expression, m.globals, {}));
    TRY(const expr::Program program, m.program(source));
    if (tag::has_tags(h.hook.expression)) return program.run_bool(GlobalScope(m, true));
    h.program = program;
  }
  return h.program->run_bool(GlobalScope(m, true));
}

void fire_workflow_hook(Machine& m, WorkflowHook& h) {
  auto truth = is_true(m, h);
  if (truth && !*truth) return;
  h.has_fired = true;
  Start s = workflow_hook_start(m, h.hook);
  if (!truth) {
    on_hook_error(m, OwnerKind::kWorkflowHook, kNoNode, truth.error().message);
    return;
  }
  auto arguments = resolve_arguments(h.hook.arguments, GlobalScope(m, true), {});
  if (!arguments) {
    on_hook_error(m, OwnerKind::kWorkflowHook, kNoNode, arguments.error().message);
    return;
  }
  s.arguments = std::move(*arguments);
  ++m.open_hooks;
  begin_template(m, std::move(s));
}

}  // namespace

void on_phase(Machine& m, NodeIndex n, Phase phase) {
  note_phase(m, n, phase);
  fire_true_hooks(m, n, phase);
  if (m.at(n).owner_kind == OwnerKind::kEntry) {
    m.asked_about = phase;
    evaluate_workflow_hooks(m);
    m.asked_about.reset();
  }
  if (is_fulfilled(phase)) m.settle_queue.push_back(n);
}

void evaluate_workflow_hooks(Machine& m) {
  if (m.is_over) return;
  for (WorkflowHook& h : m.hooks) {
    if (!h.has_fired) fire_workflow_hook(m, h);
  }
}

void start_exit_hook(Machine& m, NodeIndex i) {
  const std::shared_ptr<const spec::Step>& caller = m.at(i).caller();
  if (!caller || !is_completed(m.at(i).phase) || !shutdown_allows_exit(m)) return;
  if (is_abandoned(m, m.at(i))) return;
  const std::optional<spec::LifecycleHook> hook = exit_hook_of(m, *caller);
  if (!hook) return;
  if (!hook->expression.empty()) {
    const Composite& around = composite_of(m, m.at(i).boundary);
    auto program = m.program(hook->expression);
    auto truth = program
                     ? program->run_bool(hook_scope(m, m.at(i), m.at(i).phase, around.scope, false))
                     : diag::Result<bool>(std::unexpected(program.error()));
    if (!truth) {
      on_hook_error(m, OwnerKind::kExitHook, i, truth.error().message);
      return;
    }
    if (!*truth) return;
  }
  fire(m, i, *hook, true, m.at(i).phase);
}

void on_hook_settled(Machine& m, NodeIndex parent) {
  Node& n = m.at(parent);
  CHECK(n.live().open_hooks > 0);
  if (--n.live().open_hooks == 0) reconsider(m, parent);
}

void on_workflow_hook_settled(Machine& m) {
  CHECK(m.open_hooks > 0);
  --m.open_hooks;
  // A DAG entry holds its phase until the workflow's hooks, which are its children, are final.
  if (m.open_hooks == 0) on_workflow_hooks_done(m);
}

void on_hook_error(Machine& m, OwnerKind kind, NodeIndex owner, const std::string& error) {
  switch (kind) {
    case OwnerKind::kWorkflowHook:
      fail_entry(m, error);
      return;
    case OwnerKind::kHook:
    case OwnerKind::kExitHook:
      on_composite_error(m, kind, owner, error);
      return;
    case OwnerKind::kEntry:
    case OwnerKind::kExitHandler:
    case OwnerKind::kStepGroup:
    case OwnerKind::kTask:
    case OwnerKind::kTaskGroup:
    case OwnerKind::kRetry:
    case OwnerKind::kNone:
      CHECK(false);  // these are no hooks
  }
}

}  // namespace tiphys::engine
