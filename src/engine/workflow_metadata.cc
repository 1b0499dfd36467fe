#include "engine/workflow_metadata.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <string_view>

#include "expr/program.h"
#include "spec/names.h"

namespace tiphys::engine {

namespace {

using value::Map;
using value::Value;

std::unexpected<diag::Error> refused(std::string message) {
  return diag::fail(diag::Code::kInvalidManifest, std::move(message));
}

// As Go's %T shows what an expression gave.
std::string_view go_type(const Value& v) {
  if (v.is_null()) return "<nil>";
  if (v.is_bool()) return "bool";
  if (v.is_int()) return "int";
  if (v.is_list()) return "[]interface {}";
  return v.is_map() ? "map[string]interface {}" : "float64";
}

diag::Result<void> set_label(Machine& m, Map& labels, const std::string& name, std::string text,
                             const std::string& source) {
  const auto errors = spec::check_label_value(text);
  if (!errors.empty()) {
    return refused(fmt::format("invalid label value \"{}\" for label \"{}\"{}: {}", text, name,
                               source, fmt::join(errors, ";")));
  }
  m.globals.set("workflow.labels." + name, text);
  labels.set(name, std::move(text));
  return {};
}

diag::Result<void> set_label_from(Machine& m, Map& labels, const std::string& name,
                                  const std::string& source) {
  const auto program = expr::Program::parse(source);
  if (!program) {
    return refused(fmt::format("failed to compile function for expression \"{}\": {}", source,
                               program.error().message));
  }
  const auto made = program->run(m.globals);
  const std::string what =
      fmt::format("failed to evaluate label \"{}\" expression \"{}\"", name, source);
  if (!made) return refused(fmt::format("{}: {}", what, made.error().message));
  if (!made->is_string()) {  // "evaluted" is Argo's
    return refused(fmt::format("{} evaluted to {} but must be a string", what, go_type(*made)));
  }
  return set_label(m, labels, name, made->as_string(),
                   fmt::format(" and expression \"{}\"", source));
}

}  // namespace

diag::Result<void> apply_workflow_metadata(Machine& m) {
  const Value wanted = m.spec["workflowMetadata"];
  if (!wanted.is_map()) return {};
  Map metadata = m.metadata.map();
  Map labels = m.metadata["labels"].map();
  Map annotations = m.metadata["annotations"].map();
  for (const auto& [key, v] : wanted["labels"].map()) {
    TRY_VOID(set_label(m, labels, key, std::string(v.string_or("")), ""));
  }
  for (const auto& [key, v] : wanted["annotations"].map()) {
    m.globals.set("workflow.annotations." + key, v);
    annotations.set(key, v);
  }
  for (const auto& [key, from] : wanted["labelsFrom"].map()) {
    const std::string source(from["expression"].string_or(""));
    TRY_VOID(set_label_from(m, labels, key, source));
  }
  if (!labels.empty()) metadata.set("labels", std::move(labels));
  if (!annotations.empty()) metadata.set("annotations", std::move(annotations));
  m.metadata = std::move(metadata);
  m.is_labelled = true;
  return {};
}

}  // namespace tiphys::engine
