#include "engine/start.h"

#include <fmt/format.h>

#include "clock/go_duration.h"
#include "engine/composite.h"
#include "engine/containers.h"
#include "engine/control.h"
#include "engine/dag.h"
#include "engine/finish.h"
#include "engine/globals.h"
#include "engine/hooks.h"
#include "engine/limits.h"
#include "engine/locks.h"
#include "engine/manual_retry.h"
#include "engine/memoize.h"
#include "engine/names.h"
#include "engine/node_error.h"
#include "engine/retry.h"
#include "engine/steps.h"
#include "engine/templates.h"
#include "engine/transition.h"
#include "spec/node_id.h"

namespace tiphys::engine {

namespace {

using value::List;
using value::Map;
using value::Value;

constexpr std::uint16_t kDepthMax = 99;  // Argo refuses to start the hundredth of nested templates
constexpr const char* kTooDeep =
    "Maximum recursion depth exceeded. See "
    "https://argo-workflows.readthedocs.io/en/latest/scaling/#maximum-recursion-depth";

NodeIndex create_error_node(Machine& m, Start start, const std::string& message) {
  // A hook other than an exit hook that never came to be is no child of anything (measured).
  if (start.owner_kind == OwnerKind::kHook || start.owner_kind == OwnerKind::kWorkflowHook)
    start.parents.clear();
  start.caller.reset();
  return create_node(m, start, {.type = "Skipped", .phase = Phase::kError, .message = message});
}

void on_start_error(Machine& m, const Start& start, const std::string& error) {
  switch (start.owner_kind) {
    case OwnerKind::kStepGroup:
      on_step_error(m, start.owner, start.node_name, error);
      create_error_node(m, start, error);
      return;
    case OwnerKind::kTask:
    case OwnerKind::kTaskGroup:
      create_error_node(m, start, fmt::format("task '{}' errored: {}", start.node_name, error));
      return;
    case OwnerKind::kEntry:
      create_error_node(m, start, error);
      end_workflow(m, Phase::kError, "error in entry template execution: " + error);
      return;
    case OwnerKind::kExitHandler:
      create_error_node(m, start, error);
      end_workflow(m, Phase::kError, "error in exit template execution : " + error);
      return;
    case OwnerKind::kHook:
    case OwnerKind::kExitHook:
    case OwnerKind::kWorkflowHook:
      on_hook_error(m, start.owner_kind, start.owner, error);
      create_error_node(m, start, error);
      return;
    case OwnerKind::kRetry:
    case OwnerKind::kNone:
      create_error_node(m, start, error);
      return;
  }
}

Locals locals_of(const Machine& m, const Start& start, const spec::Template& body) {
  Locals locals = {{"node.name", start.node_name}};
  const bool is_pod = spec::node_type_of(body.kind) == "Pod";
  if (is_pod && !retry_strategy_of(m, body).is_map()) {
    locals.emplace_back("pod.name", spec::pod_name(m.name, start.node_name, body.name));
  }
  const std::string caller(start.caller ? display_name_of(m, start.node_name, start.boundary)
                                        : std::string_view());
  if (start.owner_kind == OwnerKind::kTask || start.owner_kind == OwnerKind::kTaskGroup) {
    locals.emplace_back("tasks.name", caller);
  } else {
    locals.emplace_back("steps.name", caller);  // empty in a hook, as in Argo
  }
  return locals;
}

std::string leaf_refusal(const Machine& m, const Start& start, bool is_pod) {
  if (const std::string why = shutdown_forbids(m, start.on_exit); !why.empty()) {
    return is_pod ? "workflow shutdown with strategy: " + why
                  : fmt::format("Stopped with strategy '{}'", why);
  }
  return m.deadline_passed && !start.on_exit ? "Step exceeded its deadline" : "";
}

// What had succeeded in the workflow that this one was resubmitted from does not run again.
bool begin_original(Machine& m, const Start& start, const spec::Template& body) {
  if (!m.definition.original.is_map()) return false;
  const Value& old = m.definition.original[start.node_name.substr(m.name.size())];
  if (!old.is_map()) return false;
  const NodeIndex n =
      create_node_quietly(m, start,
                          {.type = "Skipped",
                           .phase = Phase::kSkipped,
                           .message = fmt::format("original pod: {}", old["id"].string_or(""))});
  m.at(n).inputs = body.inputs;
  m.at(n).outputs = old["outputs"];
  export_outputs(m, m.at(n).outputs);
  entered(m, n);
  return true;
}

// Through the phases that it had: its hooks are those of before.
void end_as_before(Machine& m, NodeIndex i, const KeptLeaf& before) {
  if (before.had_run) set_phase(m, i, Phase::kRunning);
  Node& n = m.at(i);
  n.outputs = before.outputs;
  n.started_at = before.started_at;
  n.finished_at = before.finished_at;
  export_outputs(m, n.outputs);
  if (before.is_timed_out) {
    end_timed_out(m, i);
    return;
  }
  set_phase(m, i, before.phase, before.message);
}

void begin_leaf(Machine& m, const Start& start, std::shared_ptr<const spec::Template> body) {
  if (begin_original(m, start, *body)) return;
  const spec::NodeType type = spec::node_type_of(body->kind);
  const NodeIndex n = create_node_quietly(m, start, {.type = type});
  Node& node = m.at(n);
  node.retried = node.retried || start.owner_kind == OwnerKind::kRetry;
  node.inputs = body->inputs;
  node.live().body = body;
  node.set_display_name(body->display_name);
  take_parallelism(m, n, start.owner_kind != OwnerKind::kRetry);
  ++m.active_leaves;
  entered(m, n);
  if (const std::string why = leaf_refusal(m, start, type == "Pod"); !why.empty()) {
    set_phase(m, n, Phase::kFailed, why);
    return;
  }
  // Those that still need a daemon need it running.
  const KeptLeaf* before = body->is_daemon ? nullptr : kept_leaf(m, m.at(n).name);
  if (before != nullptr) {
    create_containers(m, n, start);
    finish_containers(m, n, {}, before->phase);
    end_as_before(m, n, *before);
    return;
  }
  if (auto set = set_leaf_deadlines(m, n, start); !set) {
    fail_node(m, n, set.error().message);
    return;
  }
  create_containers(m, n, start);
  m.effects->want(StartLeaf{{m.run, n}});
}

// Outputs that a person will supply; an input of the same name lends its default.
Value supplied_outputs(const spec::Template& body) {
  List list;
  for (const Value& p : body.raw["outputs"]["parameters"].list()) {
    if (p["valueFrom"]["supplied"].is_null()) continue;
    Map declared = p.map();
    Map from = p["valueFrom"].map();
    for (const Value& in : body.raw["inputs"]["parameters"].list()) {
      if (in["name"] == p["name"] && from.find("default") == nullptr && in["default"].is_string()) {
        from.set("default", in["default"]);
      }
    }
    declared.set("valueFrom", std::move(from));
    list.emplace_back(std::move(declared));
  }
  return list.empty() ? Value() : Value(Map{{"parameters", std::move(list)}});
}

void begin_suspend(Machine& m, const Start& start,
                   const std::shared_ptr<const spec::Template>& body) {
  const NodeIndex n = create_node_quietly(m, start, {.type = "Suspend"});
  Node& node = m.at(n);
  node.retried = node.retried || start.owner_kind == OwnerKind::kRetry;
  node.inputs = body->inputs;
  node.outputs = supplied_outputs(*body);
  node.live().body = body;
  node.set_display_name(body->display_name);
  entered(m, n);
  if (const std::string why = leaf_refusal(m, start, false); !why.empty()) {
    set_phase(m, n, Phase::kFailed, why);
    return;
  }
  if (const KeptLeaf* before = kept_leaf(m, m.at(n).name)) {
    end_as_before(m, n, *before);
    return;
  }
  const std::string_view duration = body->raw["suspend"]["duration"].string_or("");
  if (!duration.empty()) {
    auto d = clock::parse_duration(duration);
    if (!d) {
      fail_node(m, n, d.error().message);
      return;
    }
    m.set_timer(n, TimerKind::kSuspend, m.now + *d);
  }
  set_phase(m, n, Phase::kRunning);
  if (duration.empty() && m.at(n).phase == Phase::kRunning) note_waiting(m, n);
}

}  // namespace

void begin_body(Machine& m, const Start& start, std::shared_ptr<const spec::Template> body,
                const std::shared_ptr<const TemplateScope>& inner_scope) {
  switch (body->kind) {
    case spec::TemplateKind::kSteps:
      begin_steps(m, start, std::move(body), inner_scope);
      return;
    case spec::TemplateKind::kDag:
      begin_dag(m, start, std::move(body), inner_scope);
      return;
    case spec::TemplateKind::kSuspend:
      begin_suspend(m, start, body);
      return;
    case spec::TemplateKind::kContainer:
    case spec::TemplateKind::kContainerSet:
    case spec::TemplateKind::kScript:
    case spec::TemplateKind::kResource:
    case spec::TemplateKind::kData:
    case spec::TemplateKind::kHttp:
    case spec::TemplateKind::kPlugin:
      begin_leaf(m, start, std::move(body));
      return;
    case spec::TemplateKind::kNone:
      on_start_error(m, start, fmt::format("Template '{}' missing specification", body->name));
      return;
  }
}

void begin_template(Machine& m, Start&& start) {
  if (m.ending) return;
  if (m.is_suspended) {
    return_locks(m, start);
    m.deferred.push_back(std::move(start));
    return;
  }
  if (start.placeholder != kNoNode && is_fulfilled(m.at(start.placeholder).phase))
    return;  // it was given up while this waited
  if (start.boundary != kNoNode && m.at(start.boundary).frame() == nullptr)
    return;  // it ended while this waited
  ++start.depth;
  if (start.depth > kDepthMax) {
    create_error_node(m, start, kTooDeep);
    return;
  }
  auto found = resolve_template(m, start);
  if (!found) {
    on_start_error(m, start, found.error().message);
    return;
  }
  auto body = found->is_constant()
                  ? found->body
                  : process_arguments(m, *found, start.arguments, GlobalScope(m, start.late),
                                      locals_of(m, start, *found->body));
  if (!body) {
    on_start_error(m, start, body.error().message);
    return;
  }
  const bool is_step = start.owner_kind == OwnerKind::kStepGroup;
  const bool is_too_late = is_step && is_halted(m, start.owner);
  const bool is_fast = is_failing_fast(m, start.boundary);
  if (is_too_late || (is_step && is_fast)) {
    give_up_start(m, start, is_too_late ? "the step group has ended" : std::string(kFailingFast));
    if (start.placeholder == kNoNode) on_step_settled(m, start.owner);
    return;
  }
  if (is_fast) {
    const bool is_item = start.owner_kind == OwnerKind::kTaskGroup;
    if (is_item || start.owner_kind == OwnerKind::kTask) {
      give_up_start(m, start, std::string(kFailingFast));
      return;
    }
  }
  const bool is_stopping = !shutdown_forbids(m, start.on_exit).empty();
  --start.depth;
  if (!is_stopping && defer_if_full(m, start)) return;
  ++start.depth;
  if (ask_for_locks(m, start, **body)) return;
  if (ask_cache(m, start, **body)) return;
  if (!start.memoization.is_null() && start.memoization["hit"].bool_or(false)) {
    begin_cache_hit(m, start, **body);
  } else if (retry_strategy_of(m, **body).is_map()) {
    begin_retry(m, start, std::move(*body), found->inner_scope);
  } else {
    begin_body(m, start, std::move(*body), found->inner_scope);
  }
}

void refuse_start(Machine& m, const Start& start, const std::string& error) {
  on_start_error(m, start, error);
}

}  // namespace tiphys::engine
