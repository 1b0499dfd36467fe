#include "expr/program.h"

#include <algorithm>

#include <fmt/core.h>

#include "expr/ast.h"
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

diag::Result<RuntimeValue> run_with(const Ast& ast, const Environment& environment) {
  if (ast.for_maps != nullptr && environment.has_types_of_maps(ast)) {
    return evaluate(*ast.for_maps, environment);
  }
  Ast copy = ast;
  TRY_VOID(compile(copy, environment));
  return evaluate(copy, environment);
}

diag::Result<RuntimeValue> run_value(const Ast& ast, const vars::Scope& scope) {
  const Environment environment(ast, scope);
  const bool overridden = std::ranges::any_of(
      ast.called, [&](const std::string& name) { return environment.find(name) != nullptr; });
  if (!overridden) return run_with(ast, environment);
  // A variable of a built-in's name hides it, which changes how the source is parsed.
  TRY(Ast other,
      parse(ast.source, [&](std::string_view name) { return environment.find(name) != nullptr; }));
  TRY_VOID(compile(other, environment));
  return evaluate(other, environment);
}

// Go's %s of a value that is no bool.
std::string as_go_string(const RuntimeValue& v) {
  if (v.is_string()) return v.as_string();
  if (v.is_nil()) return "%!s(<nil>)";
  if (is_number(v.type())) return fmt::format("%!s({}={})", go_name(v.type()), sprint(v));
  return sprint(v);
}

}  // namespace

diag::Result<Program> Program::parse(std::string_view source) {
  TRY(Ast ast, expr::parse(source, nullptr));
  if (!ast.reads_whole_environment) {
    Ast checked = ast;
    if (compile(checked, Environment::of_maps(ast))) {
      ast.for_maps = std::make_shared<const Ast>(std::move(checked));
    }
  }
  Program program;
  program.ast_ = std::make_shared<const Ast>(std::move(ast));
  return program;
}

diag::Result<value::Value> Program::run(const vars::Scope& scope) const {
  TRY(const RuntimeValue result, run_value(*ast_, scope));
  return to_value(result);
}

diag::Result<bool> Program::run_bool(const vars::Scope& scope) const {
  TRY(const RuntimeValue result, run_value(*ast_, scope));
  if (result.type() == Type::kBool) return result.as_bool();
  return diag::fail(
      diag::Code::kBadExpression,
      fmt::format("unable to cast expression result '{}' to bool", as_go_string(result)));
}

diag::Result<std::string> Program::run_text(const vars::Scope& scope) const {
  TRY(const RuntimeValue result, run_value(*ast_, scope));
  if (result.is_nil()) {
    return diag::fail(diag::Code::kMissingVariable,
                      fmt::format("failed to evaluate expression \"{}\"", source()));
  }
  if (result.is_string()) return result.as_string();
  TRY(const value::Value v, to_value(result));
  return v.is_string() ? v.as_string() : value::to_json(v);
}

const std::vector<std::string>& Program::reads() const { return ast_->reads; }
const std::string& Program::source() const { return ast_->source; }

}  // namespace tiphys::expr
