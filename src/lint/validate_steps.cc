// Templates of steps, in groups.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lint/validator.h"
#include "spec/names.h"

namespace tiphys::lint {

using value::Value;

/// Checks the steps of one template, in order; `scope` grows by each.
class StepsCheck {
 public:
  StepsCheck(Validator& v, const Resolved& found, std::string prefix, Names& scope)
      : v_(v),
        prefix_(std::move(prefix)),
        scope_(scope),
        owner_(fmt::format("{}templates.{}", prefix_, text(found.body, "name"))) {}

  void step(const Value& step, const Place& at, std::size_t group) {
    const std::string name(text(step, "name"));
    if (!name_is_sound(name, at, group)) return;
    scope_.add(fmt::format("steps.{}.status", name));
    const std::string lead = fmt::format("{}.steps[{}].{} ", owner_, group, name);
    if (!v_.items(step, scope_, at, lead)) return;
    v_.arguments(fmt::format("{}.steps[{}].{}.arguments.", owner_, group, name), step["arguments"],
                 at.at("arguments"), false);
    bool is_sound = false;
    const auto resolved = v_.holder(step, at, {.is_fake = true}, lead, is_sound);
    if (!is_sound) scope_.add(fmt::format("steps.{}.*", name));  // told already
    const Value* body = resolved ? &resolved->body : nullptr;
    const bool has_exit_hook = step["hooks"]["exit"].is_map() || !text(step, "onExit").empty();
    if (has_exit_hook) v_.add_outputs(body, "steps", name, scope_, false, false);
    v_.hooks(step["hooks"], at.at("hooks"), "",
             fmt::format("{}.steps[{}].{}", owner_, group, name));
    Names own(&scope_);
    for (const Value& p : step["inline"]["inputs"]["parameters"].list()) {
      own.add(fmt::format("inputs.parameters.{}", text(p, "name")));
    }
    v_.tags(step, at, own, owner_ + ".steps ");
    const bool is_loop = !step["withItems"].list().empty() || !text(step, "withParam").empty();
    v_.add_outputs(body, "steps", name, scope_, is_loop, false);
    if (is_sound) {
      v_.holder(step, at, {.arguments = step["arguments"]}, lead, is_sound);
    }
  }

 private:
  bool name_is_sound(const std::string& name, const Place& at, std::size_t group) {
    if (name.empty()) {
      v_.report(at, fmt::format("{}.steps[{}].name is required", owner_, group));
      return false;
    }
    if (!names_.insert(name).second) {
      v_.report(at.at("name"),
                fmt::format("{}.steps[{}].name '{}' is not unique", owner_, group, name));
      return false;
    }
    const spec::NameErrors errors = spec::check_step_name(name);
    if (errors.empty()) return true;
    v_.report(at.at("name"), fmt::format("{}.steps[{}].name '{}' is invalid: {}", owner_, group,
                                         name, fmt::join(errors, ";")));
    return false;
  }

  Validator& v_;
  std::string prefix_;
  Names& scope_;
  std::string owner_;
  std::set<std::string> names_;
};

void Validator::steps(const Resolved& found, const std::string& prefix, Names& scope) {
  if (!found.body["activeDeadlineSeconds"].is_null()) {
    report(found.place.at("activeDeadlineSeconds"),
           fmt::format("{}templates.{}.activeDeadlineSeconds is only valid for leaf templates",
                       prefix, text(found.body, "name")));
  }
  StepsCheck check(*this, found, prefix, scope);
  std::size_t group = 0;
  for (const Value& steps : found.body["steps"].list()) {
    const Place at = found.place.at("steps", group);
    std::size_t i = 0;
    for (const Value& step : steps.list()) {
      check.step(step, at.at(std::to_string(i++)), group);
    }
    ++group;
  }
}

}  // namespace tiphys::lint
