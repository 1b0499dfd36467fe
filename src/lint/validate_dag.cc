// Templates of tasks that depend on each other.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <re2/re2.h>

#include <algorithm>
#include <cctype>

#include "lint/task_graph.h"
#include "lint/validator.h"
#include "plan/depends.h"
#include "spec/schema.h"
#include "tag/substitute.h"

namespace tiphys::lint {

using value::Value;

namespace {

bool is_loop(const Value& task) {
  return !task["withItems"].list().empty() || !text(task, "withParam").empty();
}

bool is_of_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
}

/// Where `word` stands by itself; npos: nowhere.
std::size_t place_of_word(std::string_view logic, std::string_view word) {
  for (std::size_t at = logic.find(word); at != std::string_view::npos && !word.empty();
       at = logic.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool begins = at == 0 || !is_of_word(logic[at - 1]);
    if (begins && (end == logic.size() || !is_of_word(logic[end]))) return at;
  }
  return std::string_view::npos;
}

}  // namespace

/// Checks the tasks of one template.
class DagCheck {
 public:
  DagCheck(Validator& v, const Resolved& found, const std::string& prefix, Names& scope)
      : v_(v),
        found_(found),
        scope_(scope),
        graph_(found.body["dag"]["tasks"]),
        at_(found.place.at("dag")),
        owner_(fmt::format("{}templates.{}", prefix, text(found.body, "name"))) {
    for (const Task& task : graph_.tasks()) {
      uses_depends_ = uses_depends_ || !text(task.body, "depends").empty();
    }
  }

  void run() {
    if (graph_.tasks().empty()) {
      v_.report(at_, owner_ + " must have at least one task");
      return;
    }
    if (!order_is_sound()) return;
    v_.names(owner_ + ".tasks", found_.body["dag"]["tasks"], at_.at("tasks"), false);
    const std::vector<const Task*> sorted = graph_.sorted();
    for (const Task* task : sorted) dependencies(*task);
    targets();
    for (const Task* task : sorted) contents(*task);
  }

 private:
  Place place(const Task& task) const { return at_.at("tasks", task.index); }

  /// Tells of a word in `depends`, or of an element of `dependencies`.
  void report_word(const Task& task, std::string_view word, std::string message, std::string fix) {
    const std::string_view depends = text(task.body, "depends");
    Place at = place(task).at(depends.empty() ? "dependencies" : "depends");
    std::size_t i = 0;
    for (const Value& name : task.body["dependencies"].list()) {
      if (depends.empty() && name.string_or("") == word) at = at.at(std::to_string(i));
      ++i;
    }
    const std::size_t before = v_.findings_.size();
    v_.report(at, std::move(message), std::move(fix));
    const std::size_t offset = place_of_word(depends, word);
    if (v_.findings_.size() == before || offset == std::string_view::npos) return;
    v_.findings_.back().error.at = position_inside(at.position(), depends, offset);
  }

  void wrong_result(const Task& task, const std::string& owner, const std::string& message) {
    static const RE2 kResult(R"(^task result '([^']*)')");
    static const std::vector<std::string_view> kKnown = {"Succeeded",    "Failed",   "Errored",
                                                         "Skipped",      "Omitted",  "Daemoned",
                                                         "AnySucceeded", "AllFailed"};
    std::string result;
    RE2::PartialMatch(message, kResult, &result);
    const std::string near = spec::nearest_name(result, kKnown);
    report_word(task, result, fmt::format("{} {}", owner, message),
                near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
  }

  /// Duplicate names, unknown dependencies, cycles.
  bool order_is_sound() {
    const std::string lead = owner_ + " sorting failed: ";
    std::vector<std::string_view> names;
    std::set<std::string_view> seen;
    bool is_sound = true;
    for (const Task& task : graph_.tasks()) {
      if (!seen.insert(task.name).second) {
        v_.report(place(task).at("name"), fmt::format("{}duplicated nodeName {}", lead, task.name));
        is_sound = false;
      }
      names.push_back(task.name);
    }
    for (const Task& task : graph_.tasks()) {
      for (const auto& [dependency, of_items] : task.dependencies) {
        if (graph_.find(dependency) != nullptr) continue;
        std::string near;
        if (v_.findings_.size() < kSuggestionsMax) near = spec::nearest_name(dependency, names);
        report_word(task, dependency, fmt::format("{}invalid dependency {}", lead, dependency),
                    near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
        is_sound = false;
      }
    }
    if (const std::vector<std::string> cycle = graph_.cycle(); is_sound && !cycle.empty()) {
      const Task* first = graph_.find(cycle.front());
      v_.report(place(*first), lead + "graph with cycle",
                fmt::format("the cycle is {}", fmt::join(cycle, "->")));
      is_sound = false;
    }
    return is_sound;
  }

  /// The rules between `depends`, `dependencies` and `continueOn`, and the task's template.
  void dependencies(const Task& task) {
    const Place at = place(task);
    const std::string owner = fmt::format("{}.tasks.{}", owner_, task.name);
    const bool has_list = !task.body["dependencies"].list().empty();
    const bool begins_with_digit = !task.name.empty() && task.name[0] >= '0' && task.name[0] <= '9';
    if ((uses_depends_ || has_list) && begins_with_digit) {
      v_.report(at.at("name"), owner +
                                   " name cannot begin with a digit when using either 'depends' or "
                                   "'dependencies'");
    }
    if (uses_depends_ && has_list) {
      v_.report(at.at("dependencies"),
                owner_ + " cannot use both 'depends' and 'dependencies' in the same DAG template");
    }
    if (uses_depends_ && task.body["continueOn"].is_map()) {
      v_.report(at.at("continueOn"),
                owner_ +
                    " cannot use 'continueOn' when using 'depends'. Instead use "
                    "'dep-task.Failed'/'dep-task.Errored'");
    }
    bool is_sound = false;
    std::optional<Resolved> resolved =
        v_.holder(task.body, at, {.is_fake = true}, owner + " ", is_sound);
    if (!is_sound) scope_.add(fmt::format("tasks.{}.*", task.name));
    is_sound_[task.name] = is_sound;
    const Value* body = resolved ? &resolved->body : nullptr;
    v_.add_outputs(body, "tasks", task.name, scope_, is_loop(task.body), false);
    if (resolved) bodies_[task.name] = resolved->body;
    if (const auto results = plan::validate_task_results(task.body); !results) {
      wrong_result(task, owner, results.error().message);
    }
    for (const auto& [name, of_items] : task.dependencies) {
      const Task* dependency = graph_.find(name);
      if (dependency == nullptr || !of_items || is_loop(dependency->body) ||
          dependency->body["withSequence"].is_map()) {
        continue;
      }
      v_.report(at.at("depends"),
                fmt::format("{}.tasks.{} dependency '{}' uses an items-based condition such as "
                            ".AnySucceeded or .AllFailed but does not contain any items",
                            owner_, name, name));
    }
  }

  void targets() {
    std::string_view target = text(found_.body["dag"], "target");
    v_.tags_of_text(target, at_.at("target"), scope_, owner_ + ".targets ");
    while (!target.empty()) {
      const std::string_view name = target.substr(0, target.find(' '));
      target.remove_prefix(std::min(name.size() + 1, target.size()));
      if (has_simple_tag(name) || graph_.find(name) != nullptr) continue;
      v_.report(at_.at("target"),
                fmt::format("{}.targets: target '{}' is not defined", owner_, name));
    }
  }

  const Value* body_of(const std::string& task) const {
    const auto it = bodies_.find(task);
    return it == bodies_.end() ? nullptr : &it->second;
  }

  /// Tags, arguments and the template once more, with the arguments.
  void contents(const Task& task) {
    const Place at = place(task);
    const std::string lead = fmt::format("{}.tasks.{} ", owner_, task.name);
    if (task.body["hooks"].is_map()) scope_.add(fmt::format("tasks.{}.status", task.name));
    v_.add_outputs(body_of(task.name), "tasks", task.name, scope_, false, false);
    Names own(&scope_);
    // The outputs of all tasks are in scope already; only the status is the ancestors' own.
    add_status_of_ancestors(own, graph_, task,
                            [this](const std::string& name) { return body_of(name) != nullptr; });
    for (const Value& p : task.body["inline"]["inputs"]["parameters"].list()) {
      own.add(fmt::format("inputs.parameters.{}", text(p, "name")));
    }
    if (!v_.items(task.body, own, at, lead)) return;
    v_.tags(task.body, at, own, lead);
    v_.arguments(fmt::format("{}.tasks.{}.arguments.", owner_, task.name), task.body["arguments"],
                 at.at("arguments"), false);
    argument_dependencies(task, lead);
    bool is_sound = is_sound_[task.name];
    if (is_sound) {
      v_.holder(task.body, at, {.arguments = task.body["arguments"]}, lead, is_sound);
    }
  }

  void argument_dependencies(const Task& task, const std::string& lead) {
    const Value& arguments = task.body["arguments"];
    const auto look = [&](const Value& list, std::string_view kind, std::string_view field,
                          std::string_view word) {
      std::size_t i = 0;
      for (const Value& entry : list.list()) {
        const Place at = place(task).at("arguments").at(kind, i++).at(field);
        std::string_view source = text(entry, field);
        if (!source.starts_with("{{tasks.")) continue;
        source.remove_prefix(8);
        const std::string name(source.substr(0, source.find('.')));
        if (graph_.waits_for(task, name)) continue;
        v_.report(at, fmt::format("{}missing dependency '{}' for {} '{}'", lead, name, word,
                                  text(entry, "name")));
      }
    };
    look(arguments["parameters"], "parameters", "value", "parameter");
    look(arguments["artifacts"], "artifacts", "from", "artifact");
  }

  Validator& v_;
  const Resolved& found_;
  Names& scope_;
  TaskGraph graph_;
  Place at_;
  std::string owner_;
  bool uses_depends_ = false;
  std::map<std::string, Value> bodies_;
  std::map<std::string, bool> is_sound_;
};

void Validator::dag(const Resolved& found, const std::string& prefix, Names& scope) {
  if (!found.body["activeDeadlineSeconds"].is_null()) {
    report(found.place.at("activeDeadlineSeconds"),
           fmt::format("{}templates.{}.activeDeadlineSeconds is only valid for leaf templates",
                       prefix, text(found.body, "name")));
  }
  DagCheck(*this, found, prefix, scope).run();
}

}  // namespace tiphys::lint
