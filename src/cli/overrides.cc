#include "cli/overrides.h"

#include <fmt/format.h>

#include <set>

#include "cli/command.h"
#include "clock/rfc3339.h"
#include "spec/yaml_reader.h"
#include "value/json.h"

namespace tiphys::cli {

namespace {

using value::List;
using value::Map;
using value::Value;

// `a=b,c=d` into a map.
diag::Result<Map> parse_labels(const std::string& text) {
  Map labels;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const std::string_view pair = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
    const std::size_t eq = pair.find('=');
    if (eq == std::string_view::npos) {
      return wrong_usage(fmt::format(
          "expected labels of the form: NAME1=VALUE2,NAME2=VALUE2. Received: {}", text));
    }
    labels.set(std::string(pair.substr(0, eq)), pair.substr(eq + 1));
  }
  return labels;
}

void merge_into(Map& metadata, const char* field, const Map& more) {
  const Value* have = metadata.find(field);
  Map merged = have == nullptr ? Map() : have->map();
  for (const auto& [key, v] : more) merged.set(key, v);
  metadata.set(field, std::move(merged));
}

diag::Result<Map> metadata_of(const Value& workflow, const Overrides& o) {
  Map metadata = workflow["metadata"].map();
  const bool has_space = !workflow["metadata"]["namespace"].string_or("").empty();
  if (!o.name_space.empty() && !has_space) metadata.set("namespace", o.name_space);
  if (!o.generate_name.empty()) {
    metadata.set("generateName", o.generate_name);
    metadata.erase("name");  // it would win
  }
  if (!o.name.empty()) metadata.set("name", o.name);
  if (!o.labels.empty()) {
    TRY(const Map labels, parse_labels(o.labels));
    merge_into(metadata, "labels", labels);
  }
  if (!o.scheduled_time.empty()) {
    if (!clock::parse_rfc3339(o.scheduled_time)) {
      return wrong_usage(
          "scheduled-time contains invalid time.RFC3339 format. "
          "(e.g.: `2006-01-02T15:04:05-07:00`)");
    }
    merge_into(metadata, "annotations",
               Map{{"workflows.argoproj.io/scheduled-time", o.scheduled_time}});
  }
  return metadata;
}

}  // namespace

void add_override_flags(Command command, Overrides& o) {
  command.add_option("-p,--parameter", o.parameters, "pass an input parameter: NAME=VALUE")
      .one_word_each();
  command.add_option("-f,--parameter-file", o.parameter_file,
                     "a file (YAML or JSON) of input parameters");
  command.add_option("-l,--labels", o.labels, "labels to put on the workflow: a=b,c=d");
  command.add_option("--name", o.name, "override metadata.name");
  command.add_option("--generate-name", o.generate_name, "override metadata.generateName");
  command.add_option("--entrypoint", o.entrypoint, "override the entrypoint");
  command.add_option("--serviceaccount", o.service_account, "run as this service account");
  command.add_option("--scheduled-time", o.scheduled_time,
                     "the time that the workflow was scheduled for (RFC 3339)");
  command.add_option("--priority", o.priority, "workflow priority");
}

diag::Result<std::vector<std::string>> read_parameters(std::string_view text,
                                                       const std::string& file) {
  TRY(const spec::YamlDocument document, spec::read_yaml(text, {.file = file}));
  if (!document.value.is_map() && !document.value.is_null()) {
    return wrong_usage(fmt::format("{}: a parameter file is a map of names to values", file));
  }
  std::vector<std::string> parameters;
  for (const auto& [name, v] : document.value.map()) {
    parameters.push_back(name + "=" + (v.is_string() ? v.as_string() : value::to_json(v)));
  }
  return parameters;
}

diag::Result<Value> with_parameters(const Value& spec, const std::vector<std::string>& given) {
  if (given.empty()) return spec;
  List parameters;
  std::set<std::string> passed;
  for (const std::string& pair : given) {
    const std::size_t eq = pair.find('=');
    if (eq == std::string::npos) {
      return wrong_usage(
          fmt::format("expected parameter of the form: NAME=VALUE. Received: {}", pair));
    }
    const std::string name = pair.substr(0, eq);
    if (!passed.insert(name).second) continue;
    Map parameter{{"name", name}, {"value", pair.substr(eq + 1)}};
    for (const Value& p : spec["arguments"]["parameters"].list()) {
      const bool is_restricted = p["name"].string_or("") == name && p["enum"].is_list();
      if (is_restricted) parameter.set("enum", p["enum"]);
    }
    parameters.emplace_back(std::move(parameter));
  }
  for (const Value& p : spec["arguments"]["parameters"].list()) {
    if (!passed.contains(std::string(p["name"].string_or("")))) parameters.push_back(p);
  }
  Map arguments = spec["arguments"].map();
  arguments.set("parameters", std::move(parameters));
  Map changed = spec.map();
  changed.set("arguments", std::move(arguments));
  return Value(std::move(changed));
}

diag::Result<Value> apply_overrides(const Value& workflow, const Overrides& o) {
  TRY(Map metadata, metadata_of(workflow, o));
  TRY(const Value with_arguments, with_parameters(workflow["spec"], o.parameters));
  Map spec = with_arguments.map();
  if (!o.entrypoint.empty()) spec.set("entrypoint", o.entrypoint);
  if (!o.service_account.empty()) spec.set("serviceAccountName", o.service_account);
  if (o.priority) spec.set("priority", *o.priority);
  Map object = workflow.map();
  object.set("metadata", std::move(metadata));
  object.set("spec", std::move(spec));
  return Value(std::move(object));
}

}  // namespace tiphys::cli
