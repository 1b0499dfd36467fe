// Hooks that cannot fire, or fail when they are looked at.
#include <fmt/format.h>
#include <re2/re2.h>

#include "expr/program.h"
#include "lint/suspicious.h"
#include "spec/schema.h"
#include "tag/substitute.h"

namespace tiphys::lint {

using diag::Diagnostic;
using value::Value;

namespace {

using Level = HookScope::Level;

constexpr std::string_view kPhases[] = {"Pending", "Running", "Succeeded", "Failed",
                                        "Error",   "Skipped", "Omitted"};

/// The place of a warning, in the hook's expression.
struct Told {
  const Place& at;
  std::string_view expression;
  std::vector<Diagnostic>& out;

  void operator()(std::string message, std::string_view word = "", std::string fix = "") const {
    Diagnostic d;
    d.severity = diag::Severity::kWarning;
    d.error = {diag::Code::kBadExpression, std::move(message), at.position()};
    const std::size_t offset = word.empty() ? std::string_view::npos : expression.find(word);
    if (offset != std::string_view::npos) {
      d.error.at = position_inside(d.error.at, expression, offset);
    }
    d.suggestion = std::move(fix);
    out.push_back(std::move(d));
  }
};

/// `a - b.status` is what the parser makes of `steps.a-b.status`. True if it is so.
bool check_dashes(std::string_view expression, const HookScope& scope, const Told& tell) {
  static const RE2 kDashed(R"(\b(steps|tasks)\.([A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)+)\.)");
  re2::StringPiece rest(expression.data(), expression.size());
  std::string root;
  std::string name;
  bool is_dashed = false;
  while (RE2::FindAndConsume(&rest, kDashed, &root, &name)) {
    if (!scope.names.has(fmt::format("{}.{}.status", root, name))) continue;
    tell(fmt::format("'{}.{}' is read as a subtraction, because of the dash", root, name),
         fmt::format("{}.{}", root, name), fmt::format("write {}[\"{}\"]", root, name));
    is_dashed = true;
  }
  return is_dashed;
}

/// Comparisons of workflow.status that its level rules out.
void check_phases(std::string_view expression, const HookScope& scope, const Told& tell) {
  static const RE2 kComparison(R"re(([A-Za-z][A-Za-z0-9_.]*(?:\[['"][^'"]+['"]\])?)\.status)re"
                               R"re(\s*(==|!=)\s*["']([^"']*)["'])re");
  re2::StringPiece rest(expression.data(), expression.size());
  std::string subject;
  std::string operation;
  std::string phase;
  while (RE2::FindAndConsume(&rest, kComparison, &subject, &operation, &phase)) {
    if (tag::has_tags(std::string_view(phase))) continue;
    if (!is_phase(phase)) continue;
    const bool is_workflow = subject == "workflow";
    const bool is_equal = operation == "==";
    if (is_workflow && scope.level != Level::kWorkflow && is_equal && phase != "Running") {
      tell(fmt::format("this never fires: workflow.status is \"Running\" while steps run, not "
                       "\"{}\"",
                       phase),
           "workflow.status",
           fmt::format("use {}.status, or a hook of the workflow",
                       scope.self.empty() ? scope.root + ".NAME"
                                          : fmt::format("{}[\"{}\"]", scope.root, scope.self)));
    }
    if (is_workflow && scope.level == Level::kWorkflow && is_equal &&
        (phase == "Skipped" || phase == "Omitted")) {
      tell(fmt::format("this never fires: a workflow is never \"{}\"", phase), "workflow.status");
    }
  }
}

/// A name that expressions of this kind don't have.
void unknown_word(const std::string& root, const HookScope& scope, const Told& tell) {
  std::vector<std::string_view> known{"workflow"};
  if (scope.level != Level::kWorkflow) {
    for (const char* word : {"inputs", "node", "pod", "item", "retries", "lastRetry"}) {
      known.emplace_back(word);
    }
    known.emplace_back(scope.root);
  }
  for (const std::string_view word : known) {
    if (word == root) return;
  }
  const std::string near = spec::nearest_name(root, known);
  if (is_phase(root)) {
    return tell(fmt::format("unknown name '{}', which fails when this is evaluated", root), root,
                fmt::format("write \"{}\", in quotes", root));
  }
  tell(fmt::format("unknown name '{}', which fails when this is evaluated", root), root,
       near.empty() ? did_you_mean_function(root) : fmt::format("did you mean \"{}\"?", near));
}

void check_reads(const expr::Program& program, const HookScope& scope, const Told& tell) {
  const Place& at = tell.at;
  for (const std::string& name : program.reads()) {
    const std::string root = name.substr(0, name.find('.'));
    const bool is_nodes = root == "steps" || root == "tasks";
    if (root == "workflow") {
      std::string fix;
      if (!is_workflow_variable(name, *at.base, fix)) {
        tell(fmt::format("unknown variable '{}'", name), name, std::move(fix));
      }
      continue;
    }
    if (scope.level == Level::kWorkflow) {
      if (is_nodes || root == "inputs" || root == "outputs" || root == "item") {
        tell(fmt::format("'{}' is unknown in hooks of the workflow, which fails when this is "
                         "evaluated",
                         name),
             root);
      } else {
        unknown_word(root, scope, tell);
      }
      continue;
    }
    if (!is_nodes) {
      unknown_word(root, scope, tell);
      continue;
    }
    if (root != scope.root) {
      tell(fmt::format("'{}' is unknown here, which fails when this is evaluated", name), root,
           fmt::format("did you mean \"{}\"?", scope.root));
      continue;
    }
    const std::size_t begin = root.size() + 1;
    if (name.size() <= begin) continue;
    const std::string node = name.substr(begin, name.find('.', begin) - begin);
    if (node.find('(') != std::string::npos) continue;  // an item of a loop
    if (scope.names.has(fmt::format("{}.{}.status", root, node))) {
      std::string fix;
      if (is_node_variable(name.substr(begin + node.size()), fix)) continue;
      tell(fmt::format("unknown variable '{}'", name), name.substr(begin + node.size()),
           std::move(fix));
      continue;
    }
    std::string near;
    if (tell.out.size() < kSuggestionsMax) {
      near = scope.names.nearest(fmt::format("{}.{}.status", root, node));
    }
    if (near.ends_with(".status")) near = near.substr(begin, near.size() - begin - 7);
    const char* what = root == "steps" ? "step" : "task";
    tell(fmt::format("this never fires: there is no {} '{}' before or at this one", what, node),
         node, near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
  }
}

void check_expression(const Value& hook, const Place& at, const HookScope& scope, bool is_exit,
                      std::vector<Diagnostic>& out) {
  const std::string_view expression = text(hook, "expression");
  const Told tell{at, expression, out};
  if (tag::has_tags(expression)) {  // what it is, is known only when the tags are replaced
    check_phases(expression, scope, tell);
    return;
  }
  const auto program = expr::Program::parse(expression);
  if (!program) {
    out.push_back(unreadable(program.error().message, at.position(), expression, 0));
    return;
  }
  const std::size_t told = out.size();
  check_phases(expression, scope, tell);
  if (const Finding f = misspelt_phase(expression); !f.message.empty()) {
    tell(f.message, f.word, f.fix);
  }
  if (check_dashes(expression, scope, tell)) return;
  check_reads(*program, scope, tell);
  if (expression == "true" && !is_exit) {
    tell("this always fires, and at once: it is true in every phase");
  } else if (program->reads().empty() && expression != "true") {
    tell(fmt::format("'{}' reads no variable: it is the same at any time", expression));
  }
  if (out.size() > told) return;  // that says it better
  const Finding f = hook_truth(expression, scope, is_exit);
  if (!f.message.empty()) return tell(f.message, f.word, f.fix);
  const Finding misfit = hook_names_and_types(*program, scope, *at.base);
  if (!misfit.message.empty()) tell(misfit.message, misfit.word, misfit.fix);
}

void check_template(const Value& hook, const Place& at, bool is_exit,
                    std::vector<Diagnostic>& out) {
  // An exit hook without arguments of its own gets those of the workflow.
  const bool gets_workflow_arguments = is_exit && hook["arguments"].is_null();
  const std::string_view name = text(hook, "template");
  Place place = at;
  const Value& ref = hook["templateRef"];
  const auto tell = [&](std::string message, std::string fix) {
    out.push_back({diag::Severity::kWarning,
                   {diag::Code::kNotFound, std::move(message), place.position()},
                   std::move(fix)});
  };
  if (ref.is_map()) return;
  if (name.empty()) {
    tell("this hook names no template and fails when it fires", "");
    return;
  }
  place = at.at("template");
  if (tag::has_tags(name)) return;
  std::string pointer;
  if (const Value* body = at.base->find_template(name, pointer)) {
    suspicious_arguments(hook["arguments"], *body, at.at("arguments"), !gets_workflow_arguments,
                         out);
    return;
  }
  std::string near;
  if (out.size() < kSuggestionsMax) near = at.base->nearest_template(name);
  tell(fmt::format("template name '{}' undefined: this hook fails when it fires", name),
       near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
}

}  // namespace

bool is_phase(std::string_view text) {
  for (const std::string_view phase : kPhases) {
    if (phase == text) return true;
  }
  return false;
}

std::string meant_phase(std::string_view word) {
  std::string small;
  for (const char c : word) small += static_cast<char>(c | 0x20);
  if (small.starts_with("complete") || small.starts_with("done")) return "Succeeded";
  for (const std::string_view phase : kPhases) {
    std::string start(phase.substr(0, 3));
    start[0] = static_cast<char>(start[0] | 0x20);
    if (small.starts_with(start)) return std::string(phase);
  }
  return spec::nearest_name(word, {std::begin(kPhases), std::end(kPhases)});
}

void suspicious_hooks(const Value& hooks, const Place& at, const HookScope& scope,
                      std::vector<Diagnostic>& out) {
  for (const auto& [name, hook] : hooks.map()) {
    const Place place = at.at(name);
    const bool is_exit = name == "exit";
    check_template(hook, place, is_exit, out);
    const std::string_view expression = text(hook, "expression");
    if (expression.empty()) {
      if (is_exit || scope.level != Level::kTask) continue;  // an error elsewhere
      Place key = place;
      key.is_key = true;
      out.push_back({diag::Severity::kWarning,
                     {diag::Code::kInvalidManifest,
                      fmt::format("Expression required for hook '{}': the workflow fails when the "
                                  "task runs",
                                  name),
                      key.position()},
                     ""});
      continue;
    }
    if (is_exit && scope.level == Level::kWorkflow) {
      out.push_back({diag::Severity::kWarning,
                     {diag::Code::kInvalidManifest,
                      "the expression of the workflow's exit hook has no effect",
                      place.at("expression").position()},
                     "use another name for a hook with a condition"});
      continue;
    }
    check_expression(hook, place.at("expression"), scope, is_exit, out);
  }
}

}  // namespace tiphys::lint
