#include "sim/oracle.h"

#include <fmt/format.h>

#include <algorithm>

#include "expr/program.h"
#include "vars/scope.h"

namespace tiphys::sim {

using engine::Phase;

Oracle::Oracle(const value::Value& workflow, std::function<bool(const std::string&)> is_mutex_free)
    : plan_(read_blueprint(workflow)), is_mutex_free_(std::move(is_mutex_free)) {}

void Oracle::note(const engine::Engine& engine, const engine::Event& event,
                  const std::vector<engine::Effect>& effects) {
  if (engine.run() != run_) {
    run_ = engine.run();
    is_stop_ = is_terminate_ = deadline_passed_ = false;
    backoffs_over_.clear();
    with_failure_.clear();
  }
  if (const auto* control = std::get_if<engine::Control>(&event.body)) {
    is_stop_ = is_stop_ || control->verb == engine::Control::Verb::kStop;
    is_terminate_ = is_terminate_ || control->verb == engine::Control::Verb::kTerminate;
  } else if (const auto* timer = std::get_if<engine::TimerFired>(&event.body)) {
    if (timer->kind == engine::TimerKind::kWorkflowDeadline) deadline_passed_ = true;
    if (timer->kind == engine::TimerKind::kBackoff) ++backoffs_over_[engine.node(timer->node).name];
  }
  sight_.note(event);
  for (const engine::Effect& effect : effects) {
    const auto* start = std::get_if<engine::StartLeaf>(&effect);
    if (start == nullptr) continue;
    sight_.note_started(start->leaf);
    if (engine.is_suspended())
      lasting_ = engine.node(start->leaf.node).name + " was started in a suspended workflow\n";
  }
}

std::string Oracle::check(const engine::Engine& engine) {
  complaints_ = lasting_;
  holders_.clear();
  sight_.look(engine);
  is_suspended_ = engine.is_suspended();
  complaints_ += sight_.complaint_of_retry();
  walk_workflow(engine);
  if (plan_.parallelism > 0 && sight_.active_pods() > plan_.parallelism)
    complain("more pods than the workflow's parallelism");
  for (const auto& [mutex, holders] : holders_) {
    if (holders > 1) complain(fmt::format("{} templates hold the mutex {}", holders, mutex));
  }
  for (const Seen& n : sight_.nodes()) {
    if (n.is_closed && n.below != n.below_when_closed)
      complain(n.name + " was final when something was started below it");
    // What was right when its composite became final needs no second look.
    const Seen* around = sight_.find(n.boundary);
    const Seen* retry = n.is_attempt ? sight_.find(n.name.substr(0, n.name.rfind('('))) : nullptr;
    const bool is_closed =
        (around != nullptr && around->is_closed) || (retry != nullptr && retry->is_closed);
    if (!n.is_expected && !is_closed) complain(n.name + " is there and should not be");
  }
  with_failure_.clear();
  for (const Seen& n : sight_.nodes()) {
    if (is_failed_step(n)) with_failure_.insert(n.boundary);
  }
  if (complaints_.empty()) return "";
  std::string there;
  for (const Seen& n : sight_.nodes()) {
    there += fmt::format("\n  {}{} {} {}", n.is_expected ? "" : "(not expected) ", n.name, n.type,
                         engine::to_string(n.phase));
  }
  return complaints_ + "the nodes are:" + there;
}

void Oracle::complain(const std::string& what) { complaints_ += what + "\n"; }

bool Oracle::is_stopped(bool on_exit) const { return is_terminate_ || (is_stop_ && !on_exit); }

void Oracle::walk_workflow(const engine::Engine& engine) {
  const Place entry{.name = plan_.name, .body = &plan_.templates.at(plan_.entrypoint)};
  hooks_of_workflow_settled_ = true;
  if (Seen* n = sight_.find(entry.name)) {
    for (const HookPlan& hook : plan_.hooks) {
      if (!fires(hook, "workflow", n->ever)) continue;
      const Outcome o = visit({.name = fmt::format("{}.hooks.{}", plan_.name, hook.name),
                               .body = &plan_.templates.at(hook.template_name)});
      hooks_of_workflow_settled_ = hooks_of_workflow_settled_ && o.is_settled;
    }
  }
  check_end(engine, visit(entry), hooks_of_workflow_settled_);
}

void Oracle::check_end(const engine::Engine& engine, const Outcome& entry, bool hooks_settled) {
  bool is_over = entry.is_settled && hooks_settled && !sight_.has_active_leaf();
  Phase phase = entry.phase;
  const std::string name = plan_.name + ".onExit";
  const bool has_exit =
      !plan_.exit_handler.empty() && (!is_terminate_ || sight_.find(name) != nullptr);
  if (entry.is_settled && hooks_settled && has_exit) {
    const Outcome exit =
        visit({.name = name, .body = &plan_.templates.at(plan_.exit_handler), .on_exit = true});
    is_over = is_over && exit.is_settled;
    if (!engine::is_failure(phase)) phase = exit.phase;
  }
  // An exit handler that waits for a mutex hears of the end with the answer.
  const bool may_wait = !plan_.exit_handler.empty() && !has_exit &&
                        is_held({.name = name, .body = &plan_.templates.at(plan_.exit_handler)});
  if (may_wait && !engine.is_finished()) return;
  if (engine.is_finished() && !is_over) complain("the workflow has ended too early");
  if (is_suspended_ || !is_over) return;
  if (!engine.is_finished()) complain("the workflow should have ended");
  const std::string_view wanted =
      engine::to_string(engine::is_failure(phase) ? phase : Phase::kSucceeded);
  if (engine.phase() != wanted)
    complain(fmt::format("the workflow is {}, should be {}", engine.phase(), wanted));
}

Oracle::Outcome Oracle::visit(const Place& place) {
  Seen* n = sight_.find(place.name);
  if (n == nullptr) return missing(place);
  n->is_expected = true;
  check_limits(place, *n);
  if (place.is_step && place.around->fails_fast && n->is_new && n->is_started &&
      with_failure_.contains(place.boundary)) {
    complain(n->name + " was started after another one had failed, in spite of failFast");
  }
  if (!n->is_closed && !n->is_placeholder()) {
    if (place.body->retry && !place.is_attempt) {
      walk_retry(place, *n);
    } else if (place.body->kind == TemplatePlan::Kind::kSteps) {
      walk_steps(place, *n);
    } else if (place.body->kind == TemplatePlan::Kind::kDag) {
      walk_dag(place, *n);
    }
  }
  Outcome o{.is_there = true, .phase = n->phase};
  o.is_settled = hooks_settled(place, *n) && n->is_final();
  return o;
}

Oracle::Outcome Oracle::visit_skipped(const Place& place, Phase phase) {
  Seen* n = sight_.find(place.name);
  if (n == nullptr) {
    if (!is_suspended_) complain(place.name + " should be there, without having run");
    return {};
  }
  n->is_expected = true;
  if (n->type != "Skipped") complain(place.name + " runs, and should not");
  must_be(*n, {phase});
  Outcome o{.is_there = true, .phase = n->phase};
  o.is_settled = hooks_settled(place, *n);
  return o;
}

// Only a limit, a mutex or a suspension may hold back what is due.
bool Oracle::is_held(const Place& place) const {
  const bool is_full = (plan_.parallelism > 0 && sight_.active_pods() >= plan_.parallelism) ||
                       (place.around != nullptr && place.around->parallelism > 0 &&
                        sight_.active_below(place.boundary) >= place.around->parallelism);
  const bool is_locked = !place.body->mutex.empty() && !is_mutex_free_(place.body->mutex);
  return is_suspended_ || (is_full && !is_stopped(place.on_exit)) || is_locked;
}

// What failFast counts: no hook, and no request.
bool Oracle::is_failed_step(const Seen& n) {
  const bool is_hook =
      n.name.find(".hooks.", n.boundary.size()) != std::string::npos || n.name.ends_with(".onExit");
  const bool counts = n.type == "Pod" || n.type == "Steps" || n.type == "DAG" || n.type == "Retry";
  return engine::is_failure(n.phase) && !n.is_attempt && counts && !is_hook;
}

bool Oracle::is_failing_fast(const TemplatePlan& body, const std::string& boundary,
                             const std::string& prefix) const {
  return body.fails_fast && std::ranges::any_of(sight_.nodes(), [&](const Seen& n) {
           return n.boundary == boundary && n.name.starts_with(prefix) && is_failed_step(n);
         });
}

Oracle::Outcome Oracle::missing(const Place& place) {
  const bool is_dropped =
      place.may_miss || (place.is_step && is_failing_fast(*place.around, place.boundary, ""));
  if (!is_held(place) && !is_dropped) complain(place.name + " should have been started");
  return {.is_dropped = is_dropped, .is_held = is_held(place)};
}

void Oracle::check_limits(const Place& place, const Seen& node) {
  if (!place.is_attempt && !place.body->mutex.empty() && !node.is_final() && !node.is_placeholder())
    ++holders_[place.body->mutex];
  if (node.is_placeholder() && is_stopped(place.on_exit))
    complain(node.name + " waits for a mutex though the workflow was stopped");
  if (node.is_placeholder() && (place.body->mutex.empty() || !is_held(place)))
    complain(node.name + " is there and was not started");
  // After a stop what was held back begins all at once, to fail.
  if (place.body->parallelism > 0 && !is_stopped(place.on_exit) &&
      sight_.active_below(node.name) > place.body->parallelism)
    complain(node.name + " has more children than its parallelism");
}

void Oracle::walk_retry(const Place& place, Seen& node) {
  const RetryPlan& retry = *place.body->retry;
  std::size_t attempts = 0;
  Phase last = Phase::kPending;
  for (; sight_.find(fmt::format("{}({})", node.name, attempts)) != nullptr; ++attempts) {
    if (attempts > 0 && !engine::is_failure(last))
      complain(node.name + " was tried again without need");
    Place attempt = place;
    attempt.name = fmt::format("{}({})", node.name, attempts);
    attempt.hooks = nullptr;
    attempt.exit = nullptr;
    attempt.is_attempt = true;
    attempt.is_step = false;
    last = visit(attempt).phase;
  }
  if (attempts == 0) {
    // One that waited for a mutex may have been given up.
    if (place.body->mutex.empty() || node.phase != Phase::kFailed)
      complain(node.name + " has no attempt");
    return;
  }
  if (!engine::is_fulfilled(last)) return must_run(node);
  if (!engine::is_failure(last)) return must_be(node, {Phase::kSucceeded});
  if (is_stopped(place.on_exit) || (deadline_passed_ && !place.on_exit))
    return must_be(node, {last});
  const bool is_exhausted = retry.limit && static_cast<std::int64_t>(attempts) > *retry.limit;
  const bool is_meant =
      retry.policy == "Always" || (last == Phase::kFailed) == (retry.policy == "OnFailure");
  // The waiting comes before the question whether another attempt is meant.
  const bool may_wait = retry.has_backoff && !is_exhausted && backoffs_over_[node.name] < attempts;
  if (may_wait && !node.is_final()) return;
  if (is_exhausted || !is_meant) return must_be(node, {last});
  if (node.is_final()) complain(node.name + " should have been tried again");
  const bool is_full = plan_.parallelism > 0 && sight_.active_pods() >= plan_.parallelism;
  if (!is_suspended_ && !is_full) complain(node.name + " should be tried again");
}

bool Oracle::hooks_settled(const Place& place, const Seen& node) {
  bool all_settled = true;
  auto visit_hook = [&](const std::string& name, const HookPlan& hook, bool on_exit) {
    return visit({.name = name,
                  .body = &plan_.templates.at(hook.template_name),
                  .boundary = place.boundary,
                  .around = place.around,
                  .on_exit = on_exit})
        .is_settled;
  };
  if (place.hooks != nullptr) {
    for (const HookPlan& hook : *place.hooks) {
      std::set<Phase> ever = node.ever;
      // A node that never ran has hooks only for those who name that.
      for (const Phase p : {Phase::kSkipped, Phase::kOmitted}) {
        if (hook.expression.find(engine::to_string(p)) == std::string::npos || place.is_step)
          ever.erase(p);
      }
      if (!fires(hook, place.label, ever)) continue;
      const std::string name = fmt::format("{}.hooks.{}", place.name, hook.name);
      all_settled = visit_hook(name, hook, place.on_exit) && all_settled;
    }
  }
  if (!node.is_final()) return false;
  if (place.exit == nullptr || !all_settled || !engine::is_completed(node.phase))
    return all_settled;
  if (!fires(*place.exit, place.label, {node.phase})) return true;
  const std::string name = place.name + ".onExit";
  if (is_terminate_ && sight_.find(name) == nullptr) return true;
  return visit_hook(name, *place.exit, true);
}

bool Oracle::fires(const HookPlan& hook, const std::string& label, const std::set<Phase>& ever) {
  if (hook.expression.empty()) return !ever.empty();
  return std::ranges::any_of(ever, [&](Phase phase) {
    const std::string status(engine::to_string(phase));
    const std::string key = fmt::format("{}|{}|{}", hook.expression, label, status);
    auto it = truths_.find(key);
    if (it == truths_.end()) {
      vars::MapScope scope;
      scope.set("workflow.name", plan_.name);
      scope.set(label + ".status", status);
      auto program = expr::Program::parse(hook.expression);
      it = truths_.emplace(key, program && program->run_bool(scope).value_or(false)).first;
    }
    return it->second;
  });
}

void Oracle::must_be(Seen& node, const std::set<Phase>& phases) {
  if (!node.is_final()) {
    if (!is_suspended_) {
      complain(fmt::format("{} is {}, should be {}", node.name, engine::to_string(node.phase),
                           engine::to_string(*phases.begin())));
    }
    return;
  }
  if (!phases.contains(node.phase)) {
    complain(fmt::format("{} became {}, should be {}", node.name, engine::to_string(node.phase),
                         engine::to_string(*phases.begin())));
  }
  node.is_closed = true;
  node.below_when_closed = node.below;
}

void Oracle::must_run(const Seen& node) {
  if (node.is_final()) complain(node.name + " became final too early");
}

}  // namespace tiphys::sim
