#include "engine/labels_from.h"

#include <fmt/format.h>

#include "tag/go_quote.h"

namespace tiphys::engine {

namespace {

using value::Value;

std::string quoted_text(std::string_view text) {
  std::string out = "\"";
  tag::append_go_quoted(out, text);
  return out + '"';
}

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// What Kubernetes says of a label's value, or "".
std::string problem_of(std::string_view text) {
  constexpr std::size_t kMax = 63;
  std::string problem;
  if (text.size() > kMax) problem = "must be no more than 63 bytes";
  bool is_valid = text.empty() || (is_alphanumeric(text.front()) && is_alphanumeric(text.back()));
  for (const char c : text) is_valid &= is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
  if (is_valid) return problem;
  if (!problem.empty()) problem += ';';
  return problem +
         "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
         "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or "
         "'my_value',  or '12345', regex used for validation is "
         "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
}

const char* go_type_of(const Value& v) {
  if (v.is_bool()) return "bool";
  if (v.is_int()) return "int";
  if (v.is_list()) return "[]interface {}";
  if (v.is_map()) return "map[string]interface {}";
  return v.is_null() ? "<nil>" : "float64";
}

}  // namespace

diag::Result<void> evaluate_labels_from(Machine& m) {
  const Value& metadata = m.spec["workflowMetadata"];
  m.labels_from = {};
  for (const auto& [name, label] : metadata["labels"].map()) {
    if (const std::string problem = problem_of(label.string_or("")); !problem.empty()) {
      return diag::fail(diag::Code::kInvalidManifest,
                        fmt::format("invalid label value {} for label {}: {}",
                                    quoted_text(label.string_or("")), quoted_text(name), problem));
    }
  }
  for (const auto& [name, from] : metadata["labelsFrom"].map()) {
    const std::string source(from["expression"].string_or(""));
    const std::string quoted = quoted_text(source);
    auto program = m.program(source);
    if (!program) {
      return diag::fail(program.error().code,
                        fmt::format("failed to compile function for expression {}: {}", quoted,
                                    program.error().message));
    }
    auto result = program->run(m.globals);
    const std::string lead =
        fmt::format("failed to evaluate label {} expression {}", quoted_text(name), quoted);
    if (!result) {
      return diag::fail(result.error().code, fmt::format("{}: {}", lead, result.error().message));
    }
    if (!result->is_string()) {
      return diag::fail(
          diag::Code::kBadExpression,
          fmt::format("{} evaluted to {} but must be a string", lead, go_type_of(*result)));
    }
    if (const std::string problem = problem_of(result->as_string()); !problem.empty()) {
      return diag::fail(
          diag::Code::kInvalidManifest,
          fmt::format("invalid label value {} for label {} and expression {}: {}",
                      quoted_text(result->as_string()), quoted_text(name), quoted, problem));
    }
    m.labels_from.set(name, std::move(*result));
  }
  return {};
}

}  // namespace tiphys::engine
