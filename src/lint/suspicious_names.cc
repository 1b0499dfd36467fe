// Variables of workflows and nodes, and the names of arguments.
#include <fmt/format.h>
#include <re2/re2.h>

#include "expr/builtin_table.h"
#include "expr/sprig.h"
#include "lint/suspicious.h"
#include "spec/schema.h"

namespace tiphys::lint {

using diag::Diagnostic;
using value::Value;

namespace {

bool contains(const std::vector<std::string_view>& words, std::string_view word) {
  for (const std::string_view w : words) {
    if (w == word) return true;
  }
  return false;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& words) {
  const std::string near = spec::nearest_name(word, words);
  return near.empty() ? "" : fmt::format("did you mean \"{}\"?", near);
}

std::string_view segment(std::string_view& rest) {
  const std::string_view head = rest.substr(0, rest.find('.'));
  rest.remove_prefix(std::min(head.size() + 1, rest.size()));
  return head;
}

}  // namespace

bool is_workflow_variable(std::string_view name, const Base& base, std::string& fix) {
  static const std::vector<std::string_view> kMembers = {"name",
                                                         "namespace",
                                                         "uid",
                                                         "status",
                                                         "failures",
                                                         "duration",
                                                         "parameters",
                                                         "labels",
                                                         "annotations",
                                                         "creationTimestamp",
                                                         "priority",
                                                         "outputs",
                                                         "serviceAccountName",
                                                         "mainEntrypoint",
                                                         "scheduledTime"};
  segment(name);
  const std::string_view member = segment(name);
  if (member.empty()) return true;  // the whole map
  if (!contains(kMembers, member)) {
    fix = did_you_mean(member, kMembers);
    return false;
  }
  const bool has_own_parameters =
      base.kind == "Workflow" && !base.spec["workflowTemplateRef"].is_map();
  if (member != "parameters" || name.empty() || !has_own_parameters) return true;
  std::vector<std::string_view> declared{"json"};
  for (const Value& p : base.spec["arguments"]["parameters"].list()) {
    declared.push_back(text(p, "name"));
  }
  const std::string_view parameter = segment(name);
  if (contains(declared, parameter)) return true;
  fix = did_you_mean(parameter, declared);
  return false;
}

bool is_node_variable(std::string_view rest, std::string& fix) {
  static const std::vector<std::string_view> kMembers = {
      "status",   "outputs",      "id",   "ip",      "startedAt", "finishedAt",
      "exitCode", "hostNodeName", "name", "message", "result"};
  if (rest.starts_with('.')) rest.remove_prefix(1);
  const std::string_view member = segment(rest);
  if (member.empty() || contains(kMembers, member)) return true;
  fix = member == "phase" ? "did you mean \"status\"?" : did_you_mean(member, kMembers);
  return false;
}

std::string did_you_mean_function(std::string_view name) {
  const bool is_sprig = name.starts_with("sprig.");
  if (is_sprig) name.remove_prefix(6);
  std::vector<std::string_view> known;
  const auto add = [&](std::span<const expr::Builtin> rows) {
    for (const expr::Builtin& row : rows) known.push_back(row.name);
  };
  if (is_sprig) {
    add(expr::sprig_functions());
  } else {
    for (const auto rows : {expr::string_builtins(), expr::number_builtins(),
                            expr::aggregate_builtins(), expr::list_builtins(), expr::map_builtins(),
                            expr::time_builtins(), expr::argo_functions()}) {
      add(rows);
    }
  }
  const std::string near = spec::nearest_name(name, known);
  return near.empty() ? "" : fmt::format("did you mean \"{}{}\"?", is_sprig ? "sprig." : "", near);
}

Diagnostic warning_at(const Place& at, std::string message, std::string fix) {
  return {diag::Severity::kWarning,
          {diag::Code::kInvalidManifest, std::move(message), at.position()},
          std::move(fix)};
}

Diagnostic unreadable(std::string_view error, diag::Position start, std::string_view text,
                      std::size_t offset, std::string_view lead) {
  Diagnostic d;
  d.severity = diag::Severity::kWarning;
  std::string message(error.substr(0, error.find('\n')));
  static const RE2 kPlace(R"( \((\d+):(\d+)\)$)");
  int line = 0;
  int column = 0;
  if (RE2::PartialMatch(message, kPlace, &line, &column)) {
    message.resize(message.rfind(" ("));
    for (; line > 1; --line) {
      const std::size_t end = text.find('\n', offset);
      if (end == std::string_view::npos) break;
      offset = end + 1;
    }
    offset = std::min(offset + static_cast<std::size_t>(column - 1), text.size());
  }
  d.error = {diag::Code::kBadExpression, fmt::format("{}: {}", lead, message),
             position_inside(std::move(start), text, offset)};
  if (message == "unexpected token Operator(\"=\")") d.suggestion = "compare with ==";
  return d;
}

void suspicious_arguments(const Value& arguments, const Value& body, const Place& at, bool demand,
                          std::vector<Diagnostic>& out) {
  const std::string_view owner = text(body, "name");
  const auto tell = [&](const Place& place, std::string message, std::string fix) {
    out.push_back(warning_at(place, std::move(message), std::move(fix)));
  };
  for (const std::string_view kind : {"parameters", "artifacts"}) {
    std::vector<std::string_view> inputs;
    for (const Value& input : body["inputs"][kind].list()) inputs.push_back(text(input, "name"));
    const std::string_view one = kind == "parameters" ? "parameter" : "artifact";
    std::vector<std::string_view> given;
    std::size_t i = 0;
    for (const Value& argument : arguments[kind].list()) {
      const Place place = at.at(kind, i++).at("name");
      given.push_back(text(argument, "name"));
      if (contains(inputs, given.back()) || given.back().empty()) continue;
      tell(place, fmt::format("template '{}' has no input {} '{}'", owner, one, given.back()),
           did_you_mean(given.back(), inputs));
    }
    if (!demand || kind != "parameters") continue;
    for (const Value& input : body["inputs"][kind].list()) {
      const bool has_own =
          !input["value"].is_null() || !input["default"].is_null() || !input["valueFrom"].is_null();
      if (has_own || contains(given, text(input, "name"))) continue;
      tell(at,
           fmt::format("inputs.parameters.{} of template '{}' was not supplied: this hook "
                       "fails when it fires",
                       text(input, "name"), owner),
           "");
    }
  }
}

}  // namespace tiphys::lint
