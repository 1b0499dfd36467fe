#include "lint/suspicious.h"

#include <fmt/format.h>

#include <utility>

#include "lint/reach.h"
#include "lint/task_graph.h"
#include "tag/substitute.h"

namespace tiphys::lint {

using diag::Diagnostic;
using value::Value;

namespace {

using Level = HookScope::Level;

/// Looks through the templates of one base.
class Inspector {
 public:
  Inspector(const BasePointer& base, std::vector<Diagnostic>& out) : base_(base), out_(out) {}

  void spec() {
    const Place at{base_, base_->pointer};
    const Value& spec = base_->spec;
    if (spec["workflowTemplateRef"].is_map()) return;  // names belong to the other object
    suspicious_hooks(spec["hooks"], at.at("hooks"), {}, out_);
    for (const auto& [name, hook] : spec["hooks"].map()) {
      tags_of_hook(hook["arguments"], at.at("hooks").at(name).at("arguments"));
    }
    if (spec["hooks"]["exit"].is_map() && !text(spec, "onExit").empty()) {
      warn(at.at("hooks").at("exit"), "hooks.exit has no effect, because spec.onExit is given");
    }
    std::size_t i = 0;
    for (const Value& t : spec["templates"].list()) body(t, at.at("templates", i++));
  }

 private:
  void warn(const Place& at, std::string message, std::string fix = "") {
    out_.push_back(warning_at(at, std::move(message), std::move(fix)));
  }

  /// Tags in a workflow's hook: Argo never looks at them, and an unknown one stays as it is.
  void tags_of_hook(const Value& v, const Place& at) {
    std::size_t i = 0;
    for (const Value& element : v.list()) tags_of_hook(element, at.at(std::to_string(i++)));
    for (const auto& [key, member] : v.map()) tags_of_hook(member, at.at(key));
    if (!v.is_string() || !tag::has_tags(v.as_string())) return;
    suspicious_expressions(v, at, base_, out_);
    for (const tag::Tag& found : tag::find_tags(v.as_string())) {
      std::string fix;
      if (found.is_expression || !found.name.starts_with("workflow.")) continue;
      if (is_workflow_variable(found.name, *base_, fix)) continue;
      out_.push_back({diag::Severity::kWarning,
                      {diag::Code::kMissingVariable,
                       fmt::format("unknown variable '{}': this tag stays as it is", found.name),
                       position_inside(at.position(), v.as_string(), found.offset)},
                      std::move(fix)});
    }
  }

  void body(const Value& t, const Place& at) {
    if (t["steps"].is_list()) steps(t, at);
    if (t["dag"].is_map()) tasks(t, at.at("dag"));
    if (t["suspend"].is_map() && t["retryStrategy"].is_map()) {
      warn(at.at("retryStrategy"), "a suspend template cannot fail, so that it is never retried");
    }
  }

  void steps(const Value& t, const Place& at) {
    Names known;
    std::size_t group_index = 0;
    for (const Value& group : t["steps"].list()) {
      for (const Value& step : group.list()) {
        known.add(fmt::format("steps.{}.status", text(step, "name")));
      }
      std::size_t i = 0;
      for (const Value& step : group.list()) {
        const Place place = at.at("steps", group_index).at(std::to_string(i++));
        called(step, place);
        if (!step["hooks"].is_map()) continue;
        HookScope scope{.level = Level::kStep, .root = "steps", .names = Names(&known)};
        hooks_of(step, t, place, scope);
      }
      ++group_index;
    }
  }

  void tasks(const Value& t, const Place& at) {
    const TaskGraph graph(t["dag"]["tasks"]);
    for (const Task& task : graph.tasks()) {
      const Place place = at.at("tasks", task.index);
      called(task.body, place);
      if (!task.body["hooks"].is_map()) continue;
      HookScope scope{.level = Level::kTask, .root = "tasks"};
      scope.names.add(fmt::format("tasks.{}.status", task.name));
      add_status_of_ancestors(scope.names, graph, task, [](const std::string&) { return true; });
      hooks_of(task.body, t, place, scope);
    }
  }

  /// What a step or task runs: its inline template, or the arguments for another.
  void called(const Value& step, const Place& at) {
    if (step["inline"].is_map()) {
      const bool was_inline = std::exchange(is_inline_, true);
      body(step["inline"], at.at("inline"));
      is_inline_ = was_inline;
    }
    std::string pointer;
    const Value* body = base_->find_template(text(step, "template"), pointer);
    if (body == nullptr) return;
    suspicious_arguments(step["arguments"], *body, at.at("arguments"), false, out_);
  }

  /// `body`: the template around the step.
  void hooks_of(const Value& step, const Value& body, const Place& at, HookScope& scope) {
    scope.self = text(step, "name");
    scope.body = is_inline_ ? nullptr : &body;
    for (const char* items : {"withItems", "withParam", "withSequence"}) {
      scope.is_loop |= !step[items].is_null();
    }
    suspicious_hooks(step["hooks"], at.at("hooks"), scope, out_);
    if (step["hooks"]["exit"].is_map() && !text(step, "onExit").empty()) {
      warn(at.at("hooks").at("exit"), "hooks.exit has no effect, because onExit is given");
    }
    const std::string_view when = text(step, "when");
    if (when == "false" || when == "'false'") {
      warn(at.at("hooks"), "these hooks never fire: `when` is false, and skipped steps have none");
    }
  }

  const BasePointer& base_;
  std::vector<Diagnostic>& out_;
  bool is_inline_ = false;  // what an inline template may read of those around it is not told here
};

}  // namespace

void suspicious(const BasePointer& base, bool is_sound, std::vector<Diagnostic>& out) {
  Inspector(base, out).spec();
  too_deep(base, out);
  suspicious_values(base, out);
  if (!is_sound) return;
  expressions_of_templates(base, out);
  suspicious_metrics(base, out);
}

}  // namespace tiphys::lint
