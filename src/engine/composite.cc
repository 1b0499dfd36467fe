#include "engine/composite.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/dag.h"
#include "engine/finish.h"
#include "engine/names.h"
#include "engine/transition.h"
#include "expr/when.h"
#include "plan/expand.h"
#include "tag/substitute.h"
#include "value/json.h"

namespace tiphys::engine {

namespace {

using value::Map;
using value::Value;

const tag::Strictness kStepsAndTasks{.prefixes = {"steps", "tasks"}};

Value without(const Value& raw, std::initializer_list<const char*> fields) {
  Map m = raw.map();
  for (const char* field : fields) m.erase(field);
  return m;
}

// A loop resolves every tag of a step strictly, but a hook may also name what is not there yet (its
// own status, outputs): those tags are hidden from the expansion. U+0001 cannot stand in a
// manifest's text.
constexpr char kHidden = '\x01';

bool is_of_item(const tag::Tag& t) {
  return t.is_expression ? t.name.find("item") != std::string::npos
                         : t.name == "item" || t.name.starts_with("item.");
}

std::string hide_in_text(std::string text) {
  for (const tag::Tag& t : tag::find_tags(text)) {
    if (!is_of_item(t)) text[t.offset + 1] = kHidden;
  }
  return text;
}

template <typename Change>
Value map_strings(const Value& v, const Change& change) {
  if (v.is_string()) return change(v.as_string());
  if (v.is_list()) {
    value::List list;
    for (const Value& element : v.list()) list.push_back(map_strings(element, change));
    return list;
  }
  if (!v.is_map()) return v;
  Map m;
  for (const auto& [key, element] : v.map()) m.set(key, map_strings(element, change));
  return m;
}

std::string show_in_text(std::string text) {
  std::ranges::replace(text, kHidden, '{');
  return text;
}

// The steps and tasks whose outputs.result a text reads: `steps.a.outputs.result`, and in
// expressions `steps["a"].outputs.result`.
std::set<std::string, std::less<>> labels_read(std::string_view text) {
  constexpr std::string_view kResult = ".outputs.result";
  constexpr std::string_view kQuotes = "]'\"\\";
  std::set<std::string, std::less<>> labels;
  for (std::size_t at = 0; (at = text.find(kResult, at)) != std::string_view::npos; ++at) {
    std::string_view before = text.substr(0, at);
    while (!before.empty() && kQuotes.find(before.back()) != std::string_view::npos) {
      before.remove_suffix(1);
    }
    const std::size_t start = before.find_last_of(".['\"");
    if (start == std::string_view::npos) continue;
    const std::string_view name = before.substr(start + 1);
    for (const std::string_view kind : {"steps", "tasks"}) {
      const std::size_t last = before.find_last_not_of(".['\"\\", start);
      if (last == std::string_view::npos) break;
      if (before.substr(0, last + 1).ends_with(kind))
        labels.insert(fmt::format("{}.{}", kind, name));
    }
  }
  return labels;
}

}  // namespace

Composite& composite_of(Machine& m, NodeIndex boundary) {
  Composite* c = as_composite(m.at(boundary).frame());
  CHECK(c != nullptr);
  return *c;
}

const Composite& composite_of(const Machine& m, NodeIndex boundary) {
  const Composite* c = as_composite(m.at(boundary).frame());
  CHECK(c != nullptr);
  return *c;
}

bool is_failing_fast(const Machine& m, NodeIndex boundary) {
  if (boundary == kNoNode) return false;
  const Composite& c = composite_of(m, boundary);
  return c.fails_fast && c.has_failure;
}

void set_up_composite(Composite& c, const Machine& m, std::shared_ptr<const spec::Template> body,
                      std::shared_ptr<const TemplateScope> inner_scope) {
  (void)m;
  c.body = std::move(body);
  c.inner_scope = std::move(inner_scope);
  for (const Value& p : c.body->raw["inputs"]["parameters"].list()) {
    if (p["value"].is_string()) {
      c.scope.set(fmt::format("inputs.parameters.{}", p["name"].string_or("")), p["value"]);
    }
  }
  for (const Value& a : c.body->raw["inputs"]["artifacts"].list()) {
    c.artifacts.insert_or_assign(fmt::format("inputs.artifacts.{}", a["name"].string_or("")), a);
  }
  c.fails_fast = c.body->raw["failFast"].bool_or(false);
  c.parallelism = c.body->raw["parallelism"].int_or(0);
  auto has_hooks = [](const spec::Step& s) { return !s.hooks.empty(); };
  c.has_hooks = std::ranges::any_of(c.body->dag.tasks, has_hooks);
  for (const auto& group : c.body->steps) c.has_hooks |= std::ranges::any_of(group, has_hooks);
}

Artifacts artifacts_in_scope(const Composite& c) {
  Artifacts artifacts = c.artifacts;
  for (const auto& [name, artifact] : c.machine->output_artifacts) {
    artifacts.insert_or_assign("workflow.outputs.artifacts." + name, artifact);
  }
  return artifacts;
}

Artifacts with_own_artifacts(const Composite& c, const Node& n) {
  Artifacts artifacts = artifacts_in_scope(c);
  for (const Value& a : n.outputs["artifacts"].list()) {
    artifacts.insert_or_assign(
        fmt::format("{}.outputs.artifacts.{}", n.site->label, a["name"].string_or("")), a);
  }
  return artifacts;
}

bool is_abandoned(const Machine& m, const Node& n) {
  return n.boundary != kNoNode && m.at(n.boundary).frame() == nullptr;
}

void note_phase(Machine& m, NodeIndex i, Phase phase) {
  const Node& n = m.at(i);
  if (n.site->label.empty() || n.boundary == kNoNode || is_abandoned(m, n)) return;
  Composite& c = composite_of(m, n.boundary);
  if (!c.has_hooks) return;
  const std::string kind = n.site->label.substr(0, n.site->label.find('.') + 1);
  c.scope.set(kind + display_name_of(m, n) + ".status", to_string(phase));
}

bool is_result_read(Machine& m, const Node& n) {
  const Node* child = &n;
  while (child->owner_kind == OwnerKind::kRetry) child = &m.at(child->owner);
  if (child->site->label.empty() || child->boundary == kNoNode || is_abandoned(m, *child))
    return false;
  Composite& c = composite_of(m, child->boundary);
  if (!c.results_read) {
    c.results_read = labels_read(value::to_json(c.body->raw, {.escape_html = false}));
  }
  return c.results_read->contains(child->site->label);
}

void on_composite_error(Machine& m, OwnerKind kind, NodeIndex owner, const std::string& error) {
  const NodeIndex around = m.at(owner).boundary;
  if (m.at(around).type == "DAG") {
    // An exit hook of a task that cannot start leaves the DAG as it is (HOOKS.md 6.6).
    if (kind == OwnerKind::kHook) on_task_hook_error(m, around, owner, error);
    return;
  }
  Composite& c = composite_of(m, around);
  if (!c.error.empty()) return;
  c.error = error;
  c.is_exit_hook_error = kind == OwnerKind::kExitHook;
}

diag::Result<ResolvedStep> resolve_step(const std::shared_ptr<const spec::Step>& step,
                                        const Composite& c) {
  if (!step->when.empty()) {
    TRY(const std::string when, tag::substitute(step->when, c.scope, kStepsAndTasks));
    auto proceed = expr::evaluate_when(when);
    if (!proceed && !step->is_loop) return std::unexpected(proceed.error());
    if (proceed && !*proceed) {
      auto skipped = std::make_shared<spec::Step>(*step);
      skipped->when = when;
      Map raw = step->raw.map();
      raw.set("when", when);
      skipped->raw = std::move(raw);
      return ResolvedStep{.step = std::move(skipped), .is_skipped = !step->is_loop};
    }
  }
  if (!tag::has_tags(step->raw) && step->arguments["artifacts"].list().empty()) {
    return ResolvedStep{.step = step};
  }
  Map raw = without(step->raw, {"hooks"}).map();
  if (!step->arguments.is_null()) {
    raw.set("arguments", drop_absent_arguments(step->arguments, c.scope));
  }
  TRY(const Value replaced, tag::substitute(Value(raw), c.scope, kStepsAndTasks));
  auto resolved = std::make_shared<spec::Step>(spec::decode_step(replaced));
  TRY(resolved->arguments,
      resolve_artifact_arguments(resolved->arguments, c.scope, artifacts_in_scope(c)));
  Map with_arguments = resolved->raw.map();
  if (!resolved->arguments.is_null()) with_arguments.set("arguments", resolved->arguments);
  resolved->raw = std::move(with_arguments);
  resolved->hooks = step->hooks;
  return ResolvedStep{.step = std::move(resolved)};
}

diag::Result<std::vector<ExpandedStep>> expand_step(const spec::Step& step, const Composite& c,
                                                    bool is_task) {
  Map raw = step.raw.map();
  Map hooks;
  for (const spec::LifecycleHook& hook : step.hooks) {
    hooks.set(hook.name, Map{{"expression", hook.expression},
                             {"template", hook.template_name},
                             {"arguments", hook.arguments}});
  }
  if (!hooks.empty()) raw.set("hooks", map_strings(Value(hooks), hide_in_text));
  TRY(std::vector<plan::Item> items,
      plan::expand(raw, c.scope, is_task ? plan::Caller::kTask : plan::Caller::kStep));
  std::vector<ExpandedStep> expanded;
  expanded.reserve(items.size());
  const Map* before = nullptr;
  for (plan::Item& item : items) {
    if (&item.step.map() == before) {  // nothing in it depends on the item
      expanded.push_back({.suffix = std::move(item.node_suffix), .step = expanded.back().step});
      continue;
    }
    before = &item.step.map();
    auto made = std::make_shared<spec::Step>(spec::decode_step(item.step));
    made->hooks = step.hooks;
    const Value replaced = map_strings(item.step["hooks"], show_in_text);
    for (spec::LifecycleHook& hook : made->hooks) {
      hook.expression = replaced[hook.name]["expression"].string_or("");
      hook.arguments = replaced[hook.name]["arguments"];
    }
    made->template_ref = made->template_ref.is_set() ? made->template_ref : step.template_ref;
    expanded.push_back({.suffix = std::move(item.node_suffix), .step = std::move(made)});
  }
  return expanded;
}

}  // namespace tiphys::engine
