// Whether a hook's expression can become true: it is evaluated for every phase that its variables
// can have. Phases are few, so this is exact where an expression reads nothing else.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "expr/program.h"
#include "lint/suspicious.h"
#include "vars/scope.h"

namespace tiphys::lint {

namespace {

using Level = HookScope::Level;
using Words = std::vector<std::string>;

constexpr std::size_t kCasesMax = 5000;

/// The texts in quotes inside an expression.
Words literals_in(std::string_view expression) {
  static const RE2 kLiteral(R"re("([^"\\]*)"|'([^'\\]*)')re");
  Words found;
  re2::StringPiece rest(expression.data(), expression.size());
  std::string in_double;
  std::string in_single;
  while (RE2::FindAndConsume(&rest, kLiteral, &in_double, &in_single)) {
    found.push_back(in_double.empty() ? in_single : in_double);
  }
  return found;
}

/// The phases in which hooks of a step or task are looked at.
Words own_phases(std::string_view expression, const HookScope& scope, bool is_exit) {
  if (is_exit) return {"Succeeded", "Failed", "Error"};
  Words phases = {"Pending", "Running", "Succeeded", "Failed", "Error"};
  for (const char* phase : {"Skipped", "Omitted"}) {
    // Only tasks, and only where the expression asks for it by name (docs/DIFFERENCES.md).
    if (scope.level == Level::kTask && expression.find(phase) != std::string_view::npos)
      phases.emplace_back(phase);
  }
  return phases;
}

/// The values that a variable can have; empty: any.
Words values_of(const std::string& name, std::string_view expression, const HookScope& scope,
                bool is_exit) {
  if (name == "workflow.status") {
    if (scope.level != Level::kWorkflow) return {"Running"};
    return {"Pending", "Running", "Succeeded", "Failed", "Error"};
  }
  if (scope.level == Level::kWorkflow) return {};
  const std::string own = fmt::format("{}.{}.", scope.root, scope.self);
  if (name == own + "status") return own_phases(expression, scope, is_exit);
  if (name.ends_with(".outputs.exitCode") || name.ends_with(".exitCode")) {
    Words codes = literals_in(expression);
    codes.insert(codes.end(), {"0", "1", "143"});
    return codes;
  }
  if (!name.starts_with(scope.root + ".") || !name.ends_with(".status")) return {};
  return {"Pending", "Running", "Succeeded", "Failed", "Error", "Skipped", "Omitted"};
}

struct Variable {
  std::string name;
  Words values;
};

/// What came out over all cases.
struct Outcome {
  std::size_t cases = 0;
  std::size_t truths = 0;
  std::string error;     // the first
  std::string not_bool;  // a result that is none
};

Outcome evaluate_all(const expr::Program& program, const std::vector<Variable>& variables) {
  std::size_t count = 1;
  for (const Variable& v : variables) count *= v.values.size();
  Outcome out;
  if (count > kCasesMax) return out;
  for (std::size_t i = 0; i < count; ++i) {
    vars::MapScope scope;
    std::size_t rest = i;
    for (const Variable& v : variables) {
      scope.set(v.name, v.values[rest % v.values.size()]);
      rest /= v.values.size();
    }
    ++out.cases;
    auto result = program.run(scope);
    if (!result) {
      if (out.error.empty()) out.error = result.error().message;
    } else if (!result->is_bool()) {
      out.not_bool = result->string_or("a value");
    } else {
      out.truths += result->as_bool() ? 1 : 0;
    }
  }
  return out;
}

std::string first_line(const std::string& message) {
  std::string line = message.substr(0, message.find('\n'));
  if (const std::size_t place = line.rfind(" ("); place != std::string::npos) line.resize(place);
  return line;
}

}  // namespace

Finding hook_truth(std::string_view expression, const HookScope& scope, bool is_exit) {
  const auto program = expr::Program::parse(expression);
  if (!program || program->reads().empty()) return {};
  std::vector<Variable> variables;
  for (const std::string& name : program->reads()) {
    variables.push_back({name, values_of(name, expression, scope, is_exit)});
    if (variables.back().values.empty()) return {};
  }
  const Outcome out = evaluate_all(*program, variables);
  if (out.cases == 0) return {};
  if (!out.error.empty()) {
    return {.message = "this fails when it is evaluated: " + first_line(out.error)};
  }
  if (!out.not_bool.empty()) {
    return {.message = "this is no condition: it gives a text, not true or false",
            .fix = "compare it, e.g. with == \"Failed\""};
  }
  if (out.truths == 0) {
    const bool has_code = expression.find("exitCode") != std::string_view::npos;
    return {.message = "this never fires: no phase makes it true",
            .fix = has_code ? "exit codes are texts: compare with == \"1\"" : ""};
  }
  if (out.truths == out.cases && !is_exit) {
    return {.message = "this always fires, and at once: it is true in every phase"};
  }
  return {};
}

Finding misspelt_phase(std::string_view expression) {
  static const RE2 kCompared(R"re((\bin\b|==|!=))re");
  static const RE2 kPartly(R"re(\b(matches|startsWith|endsWith|contains|hasPrefix|hasSuffix)\b)re");
  const auto program = expr::Program::parse(expression);
  if (!program || program->reads().empty()) return {};
  const bool only_phases = std::ranges::all_of(
      program->reads(), [](const std::string& name) { return name.ends_with(".status"); });
  const re2::StringPiece piece(expression.data(), expression.size());
  if (!only_phases || expression.find('(') != std::string_view::npos ||
      !RE2::PartialMatch(piece, kCompared) || RE2::PartialMatch(piece, kPartly)) {
    return {};
  }
  for (const std::string& word : literals_in(expression)) {
    if (word.empty() || is_phase(word) ||
        expression.find(fmt::format("[\"{}\"]", word)) != std::string::npos ||
        expression.find(fmt::format("['{}']", word)) != std::string::npos) {
      continue;
    }
    const std::string near = meant_phase(word);
    return {.message = fmt::format("there is no phase \"{}\"", word),
            .fix = near.empty() ? "the phases are Pending, Running, Succeeded, Failed, Error, "
                                  "Skipped, Omitted"
                                : fmt::format("did you mean \"{}\"?", near),
            .word = word};
  }
  return {};
}

}  // namespace tiphys::lint
