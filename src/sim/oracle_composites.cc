// What the oracle knows of steps and DAGs.
#include <fmt/format.h>

#include <algorithm>

#include "sim/depends_logic.h"
#include "sim/oracle.h"

namespace tiphys::sim {

using engine::Phase;

bool is_when_true(const std::string& when,
                  const std::function<std::string(const std::string& name)>& status_of) {
  if (when.empty()) return true;
  const std::size_t middle = when.find(" == ");
  auto value_of = [&](std::string text) {
    const std::size_t status = text.find(".status}}");
    if (status == std::string::npos) return text;
    const std::size_t name = text.find('.') + 1;  // after `{{steps`
    return status_of(text.substr(name, status - name));
  };
  return value_of(when.substr(0, middle)) == value_of(when.substr(middle + 4));
}

Oracle::Place Oracle::place_of(const Place& around, const std::string& name, const CallPlan& call,
                               const std::string& label) {
  return {.name = name,
          .body = &plan_.templates.at(call.template_name),
          .boundary = around.name,
          .around = around.body,
          .hooks = &call.hooks,
          .exit = call.exit ? &*call.exit : nullptr,
          .label = label,
          .on_exit = around.on_exit};
}

void Oracle::walk_steps(const Place& place, Seen& node) {
  std::map<std::string, std::string> statuses;
  for (std::size_t g = 0; g < place.body->groups.size(); ++g) {
    const std::string group_name = fmt::format("{}[{}]", node.name, g);
    Seen* group = sight_.find(group_name);
    if (group == nullptr) {
      if (!is_suspended_) complain(group_name + " should have begun");
      return;
    }
    group->is_expected = true;
    bool all_settled = true;
    bool has_failed = false;
    bool may_wait = false;  // for one that will be dropped
    const bool is_timed_out = std::ranges::any_of(sight_.nodes(), [&](const Seen& n) {
      return n.is_timed_out && !n.is_hook && !n.is_attempt && n.boundary == node.name &&
             n.name.starts_with(group_name + ".");
    });
    for (const CallPlan& step : place.body->groups[g]) {
      const bool is_due =
          is_when_true(step.when, [&](const std::string& name) { return statuses[name]; });
      auto take = [&](const Outcome& o) {
        all_settled = all_settled && (o.is_settled || o.is_dropped);
        may_wait = may_wait || (o.is_dropped && o.is_held);
        has_failed = has_failed || o.is_dropped ||
                     (o.phase == Phase::kFailed && !step.continues_on_failed) ||
                     (o.phase == Phase::kError && !step.continues_on_error);
        statuses[step.name] = engine::to_string(o.phase);
      };
      const bool is_loop = step.items.has_value();
      if (is_loop && step.items->empty()) {
        take(visit_skipped(place_of(place, group_name + "." + step.name, step, ""),
                           Phase::kSkipped));
      }
      for (const std::string& item : is_loop ? *step.items : std::vector<std::string>{""}) {
        Place child = place_of(place, fmt::format("{}.{}{}", group_name, step.name, item), step,
                               fmt::format("steps.{}{}", step.name, item));
        child.is_step = true;
        child.may_miss = is_timed_out;
        take(is_due ? visit(child) : visit_skipped(child, Phase::kSkipped));
      }
    }
    if (!all_settled) {
      must_run(*group);
      return must_run(node);
    }
    if (may_wait && !group->is_final()) return must_run(node);
    has_failed =
        has_failed || is_timed_out || is_failing_fast(*place.body, node.name, group_name + ".");
    must_be(*group, {has_failed ? Phase::kFailed : Phase::kSucceeded});
    if (has_failed) return must_be(node, {Phase::kFailed});
    if (!group->is_final()) return;
  }
  must_be(node, {Phase::kSucceeded});
}

struct Oracle::DagWalk {
  const Place& place;
  std::map<std::string, TaskOutcome> done;  // by task
};

// The items of a loop; the group has the hooks of the task, its items the exit hook.
Oracle::TaskOutcome Oracle::visit_items(const Place& group, const Place& dag,
                                        const CallPlan& task) {
  TaskOutcome o;
  o.is_loop = true;
  Seen* node = sight_.find(group.name);
  if (node == nullptr) {
    if (!is_suspended_) complain(group.name + " should have begun");
    return o;
  }
  node->is_expected = true;
  bool all_settled = true;
  std::set<Phase> failures;
  for (const std::string& item : *task.items) {
    Place one = place_of(dag, group.name + item, task, group.label);
    one.hooks = nullptr;
    const bool is_due = is_when_true(task.when, [](const std::string&) { return ""; });
    const Outcome of_item = is_due ? visit(one) : visit_skipped(one, Phase::kSkipped);
    all_settled = all_settled && of_item.is_settled;
    if (engine::is_failure(of_item.phase)) failures.insert(of_item.phase);
    o.items.push_back(of_item.phase);
  }
  if (failures.empty()) failures.insert(Phase::kSucceeded);
  if (all_settled) {
    must_be(*node, failures);
  } else {
    must_run(*node);
  }
  o.is_there = true;
  o.phase = node->phase;
  Place without_exit = group;
  without_exit.exit = nullptr;
  o.is_settled = hooks_settled(without_exit, *node) && node->is_final();
  return o;
}

Oracle::TaskOutcome Oracle::visit_task(DagWalk& dag, const CallPlan& task) {
  if (auto it = dag.done.find(task.name); it != dag.done.end()) return it->second;
  const std::vector<CallPlan>& tasks = dag.place.body->tasks;
  TaskOutcome o;
  bool is_decidable = true;
  for (const std::string& name : names_in(task.depends)) {
    const TaskOutcome d = visit_task(dag, *std::ranges::find(tasks, name, &CallPlan::name));
    is_decidable = is_decidable && d.is_settled;
    o.is_out = o.is_out || d.is_out;
  }
  const Place place = place_of(dag.place, fmt::format("{}.{}", dag.place.name, task.name), task,
                               "tasks." + task.name);
  if (is_stopped(dag.place.on_exit) && sight_.find(place.name) == nullptr) {
    o.is_out = true;
    o.is_held = is_decidable && !o.is_settled && !place.body->mutex.empty() && is_held(place);
  }
  if (is_decidable && !o.is_out) {
    auto result_of = [&](const std::string& name, const std::string& result) {
      const TaskOutcome& d = dag.done.at(name);
      const CallPlan& other = *std::ranges::find(tasks, name, &CallPlan::name);
      if (result == "Errored") return d.phase == Phase::kError;
      if (result == "AnySucceeded")
        return std::ranges::find(d.items, Phase::kSucceeded) != d.items.end();
      if (result == "AllFailed") {
        return !d.items.empty() &&
               std::ranges::all_of(d.items, [](Phase p) { return p == Phase::kFailed; });
      }
      if (!result.empty()) return result == engine::to_string(d.phase);
      return d.phase == Phase::kSucceeded || d.phase == Phase::kSkipped ||
             (d.phase == Phase::kFailed && other.continues_on_failed) ||
             (d.phase == Phase::kError && other.continues_on_error);
    };
    const bool is_due = is_when_true(task.when, [&](const std::string& name) {
      return std::string(engine::to_string(dag.done.at(name).phase));
    });
    if (!is_met(task.depends, result_of)) {
      static_cast<Outcome&>(o) = visit_skipped(place, Phase::kOmitted);
    } else if (task.items && !task.items->empty()) {
      o = visit_items(place, dag.place, task);
    } else if (!is_due || task.items) {
      static_cast<Outcome&>(o) = visit_skipped(place, Phase::kSkipped);
    } else {
      static_cast<Outcome&>(o) = visit(place);
    }
  }
  return dag.done[task.name] = o;
}

void Oracle::walk_dag(const Place& place, Seen& node) {
  DagWalk dag{.place = place, .done = {}};
  bool all_settled = true;
  bool may_wait = false;  // for the answer about a mutex, which will end it
  for (const CallPlan& task : place.body->tasks) {
    const TaskOutcome o = visit_task(dag, task);
    may_wait = may_wait || (o.is_out && o.is_held);
    all_settled = all_settled && (o.is_settled || o.is_out);
  }
  if (!all_settled) return must_run(node);
  if (may_wait && !node.is_final()) return;
  // The workflow's hooks are children of the entry node, which waits for them.
  if (node.name == plan_.name && !hooks_of_workflow_settled_ && !node.is_final()) return;
  if (is_stopped(place.on_exit)) return must_be(node, {Phase::kFailed});
  close_dag(dag, node);
}

// A target is a task that nobody depends on. One that did not run takes over a failure above it.
void Oracle::close_dag(DagWalk& dag, Seen& node) {
  const std::vector<CallPlan>& tasks = dag.place.body->tasks;
  auto has_dependent = [&](const CallPlan& task) {
    return std::ranges::any_of(tasks, [&](const CallPlan& other) {
      return std::ranges::count(names_in(other.depends), task.name) > 0;
    });
  };
  bool is_unclear = false;  // a composite that succeeded may end in a node that did not
  std::function<std::set<Phase>(const CallPlan&)> failures_of = [&](const CallPlan& task) {
    const TaskOutcome& o = dag.done.at(task.name);
    if (engine::is_failure(o.phase)) return std::set<Phase>{o.phase};
    std::set<Phase> all;
    if (engine::is_completed(o.phase)) return all;
    for (const std::string& name : names_in(task.depends)) {
      is_unclear = is_unclear || dag.done.at(name).phase == Phase::kSucceeded;
      all.merge(failures_of(*std::ranges::find(tasks, name, &CallPlan::name)));
    }
    if (!all.empty()) all = {Phase::kFailed, Phase::kError};  // of the last node above, not asked
    is_unclear = is_unclear || (!all.empty() && task.continues_on_failed);
    return all;
  };
  std::set<Phase> phases;
  for (const CallPlan& task : tasks) {
    if (has_dependent(task)) continue;
    std::set<Phase> failures = failures_of(task);
    if (task.continues_on_failed) failures.erase(Phase::kFailed);
    if (task.continues_on_error) failures.erase(Phase::kError);
    phases.merge(failures);
  }
  if (phases.empty()) phases.insert(Phase::kSucceeded);
  if (is_unclear) phases.insert({Phase::kSucceeded, Phase::kFailed, Phase::kError});
  must_be(node, phases);
}

}  // namespace tiphys::sim
