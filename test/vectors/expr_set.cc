// Runs records of expr.jsonl: an expression's result, its text as a tag, its meaning as a
// condition.
#include "expr/environment.h"
#include "expr/program.h"
#include "tag/substitute.h"
#include "value/json.h"
#include "vars/scope.h"
#include "vectors/set.h"

namespace tiphys::vectors {
namespace {

using value::Value;

vars::MapScope scope_of(const Value& env) {
  constexpr std::int64_t kNow = 1'767'225'600'000'000'000;  // any time: no record depends on it
  vars::MapScope scope;
  for (const auto& [name, v] : env.map()) scope.set(name, v);
  scope.set(std::string(expr::kClockVariable), kNow);
  return scope;
}

std::string_view json_type(const Value& v) {
  switch (v.kind()) {
    case Value::Kind::kNull:
      return "null";
    case Value::Kind::kBool:
      return "bool";
    case Value::Kind::kString:
      return "string";
    case Value::Kind::kList:
      return "array";
    case Value::Kind::kMap:
      return "object";
    default:
      return "number";
  }
}

// Appends "NAME: wanted / got" to the outcome if the two differ.
void compare(Outcome& outcome, std::string_view name, std::string wanted, std::string got) {
  if (wanted == got) return;
  const auto add = [&](std::string& to, const std::string& text) {
    if (!to.empty()) to += "; ";
    to.append(name).append("=").append(text);
  };
  outcome.passed = false;
  add(outcome.wanted, wanted);
  add(outcome.got, got);
}

constexpr const char* kError = "(error)";

void compare_result(Outcome& outcome, const Value& record, const vars::Scope& scope) {
  const auto program = expr::Program::parse(record["input"].as_string());
  const auto result = program ? program->run(scope) : std::unexpected(program.error());
  const auto truth = program ? program->run_bool(scope) : std::unexpected(program.error());
  const bool wants_error = record["error"].bool_or(false);
  const std::string got = result ? value::to_json(*result) : kError;
  compare(outcome, "json", wants_error ? kError : std::string(record["want"]["json"].string_or("")),
          got);
  if (!result && !wants_error) outcome.got += " " + result.error().message;
  if (result && !wants_error) {
    compare(outcome, "type", std::string(record["want"]["type"].string_or("")),
            std::string(json_type(*result)));
  }
  const Value& wanted = record["evalbool"];
  const auto name = [](bool b) { return std::string(b ? "true" : "false"); };
  compare(outcome, "evalbool", wanted.is_bool() ? name(wanted.as_bool()) : kError,
          truth ? name(*truth) : kError);
}

void compare_tag(Outcome& outcome, const Value& record, const char* field, bool strict,
                 const vars::Scope& scope) {
  const Value& wanted = record[field];
  if (wanted.is_null()) return;
  const std::string tag = "{{=" + record["input"].as_string() + "}}";
  const std::string document = value::to_json(value::Map{{"v", tag}});
  const auto replaced = tag::substitute_document(document, scope, {.all = strict});
  std::string got = kError;
  if (replaced) {
    const auto parsed = value::parse_json(*replaced);
    if (parsed) got = std::string((*parsed)["v"].string_or("?"));
  }
  compare(outcome, field,
          wanted["error"].bool_or(false) ? kError : std::string(wanted["text"].string_or("")), got);
  if (!replaced && got == kError && !outcome.passed) outcome.got += " " + replaced.error().message;
}

}  // namespace

Outcome run_expr(const Value& record) {
  Outcome outcome{.passed = true, .wanted = "", .got = ""};
  const vars::MapScope scope = scope_of(record["env"]);
  compare_result(outcome, record, scope);
  compare_tag(outcome, record, "tag", true, scope);
  compare_tag(outcome, record, "tag_lenient", false, scope);
  return outcome;
}

}  // namespace tiphys::vectors
