#include "expr/program.h"

#include <algorithm>

#include <fmt/core.h>

#include "expr/ast.h"
#include "expr/builtins.h"
#include "expr/checker.h"
#include "expr/environment.h"
#include "expr/evaluator.h"
#include "expr/optimizer.h"
#include "expr/parser.h"
#include "value/json.h"

namespace tiphys::expr {
namespace {

diag::Result<void> compile(Ast& ast, const Environment& environment) {
  TRY_VOID(check(ast, environment));
  return optimize(ast);
}

// Compiles for what the variables usually are; false if it does not check.
bool compile_usual(Ast& ast) {
  if (!check(ast, *Environment::usual(ast))) return false;
  find_paths(ast);  // before the optimizer drops some: all names must be known
  return optimize(ast).has_value();
}

struct Run {
  Cost* used = nullptr;
  bool is_compiled = false;  // what fails from now on fails at run time
};

diag::Result<RuntimeValue> evaluate_compiled(const Ast& ast, const Environment& environment,
                                             Run& run) {
  run.is_compiled = true;
  return evaluate(ast, environment, run.used);
}

diag::Result<RuntimeValue> run_with(const Ast& ast, const Environment& environment, Run& run) {
  if (ast.usual != nullptr && environment.is_usual(ast)) {
    return evaluate_compiled(*ast.usual, environment, run);
  }
  Ast copy = ast;
  TRY_VOID(compile(copy, environment));
  return evaluate_compiled(copy, environment, run);
}

// True if the value is known without any variable.
bool is_constant(const Ast& ast) {
  return ast.paths_suffice && ast.paths.empty() &&
         ast.nodes[static_cast<std::size_t>(ast.root)].kind == NodeKind::kConstant;
}

diag::Result<RuntimeValue> run_value(const Ast& ast, const vars::Scope& scope, Run& run) {
  if (ast.usual != nullptr && is_constant(*ast.usual)) {
    const bool is_hidden = std::ranges::any_of(
        ast.called, [&](const std::string& name) { return scope.has_root(name); });
    if (!is_hidden) return ast.usual->nodes[static_cast<std::size_t>(ast.usual->root)].constant;
  }
  const Environment environment(ast, scope);
  if (environment.has_leaves()) return evaluate_compiled(*ast.usual, environment, run);
  const bool overridden = std::ranges::any_of(
      ast.called, [&](const std::string& name) { return environment.find(name) != nullptr; });
  if (!overridden) return run_with(ast, environment, run);
  // A variable of a built-in's name hides it, which changes how the source is parsed.
  TRY(Ast other,
      parse(ast.source, [&](std::string_view name) { return environment.find(name) != nullptr; }));
  TRY_VOID(compile(other, environment));
  return evaluate_compiled(other, environment, run);
}

// Go's %s of a value that is no bool.
std::string as_go_string(const RuntimeValue& v) {
  if (v.is_string()) return v.as_string();
  if (v.is_nil()) return "%!s(<nil>)";
  if (is_number(v.type())) return fmt::format("%!s({}={})", go_name(v.type()), sprint(v));
  return sprint(v);
}

}  // namespace

bool Cost::is_exhausted() const {
  return steps > CallContext::kMaxSteps || text > CallContext::kMaxText ||
         memory >= CallContext::kMaxMemoryOfAll;
}

diag::Result<Program> Program::parse(std::string_view source) {
  constexpr std::size_t kMost = 1U << 20U;
  if (source.size() > kMost) {
    return diag::fail(diag::Code::kBadExpression, "the expression is longer than 1 MiB");
  }
  TRY(Ast ast, expr::parse(source, nullptr));
  if (!ast.reads_whole_environment) {
    Ast checked = ast;
    if (compile_usual(checked)) ast.usual = std::make_shared<const Ast>(std::move(checked));
  }
  Program program;
  program.ast_ = std::make_shared<const Ast>(std::move(ast));
  return program;
}

diag::Result<void> Program::check(const KnownVariables& known) const {
  Ast copy = *ast_;
  return expr::check(copy, Environment(copy, vars::MapScope()), &known);
}

diag::Result<value::Value> Program::run(const vars::Scope& scope) const {
  Run run;
  TRY(const RuntimeValue result, run_value(*ast_, scope, run));
  return to_value(result);
}

diag::Result<bool> Program::run_bool(const vars::Scope& scope) const {
  Run run;
  const auto result = run_value(*ast_, scope, run);
  if (!result && run.is_compiled) {
    return diag::fail(
        diag::Code::kBadExpression,
        fmt::format("unable to evaluate expression '{}': {}", source(), result.error().message));
  }
  if (!result) return std::unexpected(result.error());
  if (result->type() == Type::kBool) return result->as_bool();
  return diag::fail(
      diag::Code::kBadExpression,
      fmt::format("unable to cast expression result '{}' to bool", as_go_string(*result)));
}

diag::Result<value::Value> Program::run_for_tag(const vars::Scope& scope, Cost& used) const {
  Run run{.used = &used};
  TRY(const RuntimeValue result, run_value(*ast_, scope, run));
  if (result.is_nil()) {
    return diag::fail(diag::Code::kMissingVariable,
                      fmt::format("failed to evaluate expression \"{}\"", source()));
  }
  auto v = to_value(result);
  if (!v) v.error().code = diag::Code::kInvalidManifest;
  return v;
}

const std::vector<std::string>& Program::reads() const { return ast_->reads; }
const std::vector<std::string>& Program::identifiers() const { return ast_->identifiers; }
const std::string& Program::source() const { return ast_->source; }

}  // namespace tiphys::expr
