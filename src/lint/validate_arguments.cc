// Arguments, the names of parameters and artifacts, and what a template becomes with its arguments.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "lint/validator.h"
#include "spec/names.h"
#include "tag/substitute.h"
#include "value/json.h"

namespace tiphys::lint {

using value::List;
using value::Map;
using value::Value;

namespace {

/// The location that an artifact names: enough to find it without a repository, or at least a key.
bool has_location_or_key(const Value& a) {
  const auto has = [](const Value& v, std::string_view key) { return !text(v, key).empty(); };
  for (const std::string_view kind : {"s3", "oss", "gcs", "plugin"}) {
    if (has(a[kind], "key")) return true;
  }
  const Value& azure = a["azure"];
  return has(azure, "blob") || has(a["git"], "repo") || has(a["http"], "url") ||
         has(a["artifactory"], "url") || !a["hdfs"]["addresses"].list().empty() ||
         a["raw"].is_map();
}

const Value* find_named(const Value& list, std::string_view name) {
  for (const Value& entry : list.list()) {
    if (text(entry, "name") == name) return &entry;
  }
  return nullptr;
}

/// The input with its default and what was handed over.
Map with_argument(const Value& input, const Value* argument) {
  Map out = input.map();
  if (input["value"].is_null() && !input["default"].is_null()) out.set("value", input["default"]);
  if (argument == nullptr) return out;
  if (!(*argument)["value"].is_null()) {
    out.set("value", (*argument)["value"]);
    out.erase("valueFrom");
    return out;
  }
  out.erase("value");
  out.erase("valueFrom");
  if (!(*argument)["valueFrom"].is_null()) out.set("valueFrom", (*argument)["valueFrom"]);
  return out;
}

/// The argument's artifact at the input's path.
Value artifact_with(const Value& input, const Value& argument) {
  Map out = argument.map();
  for (const char* key : {"path", "mode", "recurseMode"}) {
    out.erase(key);
    if (!input[key].is_null()) out.set(key, input[key]);
  }
  out.set("name", input["name"]);
  return Value(std::move(out));
}

}  // namespace

std::string Validator::placeholder() {
  return fmt::format("__argo__internal__placeholder-{}", placeholders_++);
}

bool Validator::names(const std::string& prefix, const Value& list, const Place& at,
                      bool are_parameters) {
  std::set<std::string_view> seen;
  bool is_sound = true;
  std::size_t i = 0;
  for (const Value& entry : list.list()) {
    const std::size_t index = i++;
    const std::string_view name = text(entry, "name");
    const Place place = at.at(std::to_string(index));
    if (name.empty()) {
      report(place, fmt::format("{}[{}].name is required", prefix, index));
      is_sound = false;
      continue;
    }
    const spec::NameErrors errors =
        are_parameters ? spec::check_parameter_name(name) : spec::check_field_name(name);
    if (!errors.empty()) {
      report(place.at("name"), fmt::format("{}[{}].name: '{}' is invalid: {}", prefix, index, name,
                                           fmt::join(errors, ";")));
      is_sound = false;
    }
    if (!seen.insert(name).second) {
      report(place.at("name"), fmt::format("{}[{}].name '{}' is not unique", prefix, index, name));
      is_sound = false;
    }
  }
  return is_sound;
}

void Validator::argument_parameter(const std::string& prefix, const Value& parameter,
                                   const Place& at, bool allow_empty) {
  const std::string name = prefix + std::string(text(parameter, "name"));
  const Value& from = parameter["valueFrom"];
  const Value& v = parameter["value"];
  if (from.is_null() && v.is_null() && !allow_empty) {
    report(at, fmt::format("{}.value or {}.valueFrom is required", name, name));
    return;
  }
  if (from.is_map()) {
    const bool has_source = !from["configMapKeyRef"].is_null() || !text(from, "event").empty() ||
                            !from["supplied"].is_null();
    bool has_other = false;
    for (const char* key : {"path", "jsonPath", "parameter", "expression"}) {
      has_other = has_other || !text(from, key).empty();
    }
    if (!has_source || has_other) {
      report(at.at("valueFrom"),
             name + ".valueFrom only allows: default, configMapKeyRef and supplied");
    }
  }
  if (!parameter["enum"].is_list()) return;
  const List& allowed = parameter["enum"].list();
  if (allowed.empty()) {
    report(at.at("enum"), name + ".enum should contain at least one value");
  } else if (v.is_null()) {
    if (!allow_empty) report(at, name + ".value is required");
  } else if (std::find(allowed.begin(), allowed.end(), v) == allowed.end()) {
    report(at.at("value"), fmt::format("{}.value should be present in {}.enum list", name, name));
  }
}

void Validator::arguments(const std::string& prefix, const Value& given, const Place& at,
                          bool allow_empty) {
  names(prefix + "parameters", given["parameters"], at.at("parameters"), true);
  names(prefix + "artifacts", given["artifacts"], at.at("artifacts"), true);
  std::size_t i = 0;
  for (const Value& p : given["parameters"].list()) {
    argument_parameter(prefix, p, at.at("parameters", i++), allow_empty);
  }
  i = 0;
  for (const Value& a : given["artifacts"].list()) {
    const Place place = at.at("artifacts", i++);
    const std::string name = prefix + std::string(text(a, "name"));
    if (text(a, "from").empty() && !has_location_or_key(a)) {
      report(place, name + ".from, artifact location, or key is required");
    } else if (!text(a, "from").empty() && !text(a, "fromExpression").empty()) {
      report(place, name + " shouldn't have both `from` and `fromExpression` in Artifact");
    }
  }
}

Value Validator::substituted(const Value& body, const vars::MapScope& names) {
  auto replaced = tag::substitute(body, names, tag::Strictness{});
  return replaced ? std::move(*replaced) : body;
}

std::optional<Value> Validator::process_arguments(const Resolved& found, const Supplied& supplied,
                                                  const std::string& prefix, Names& scope) {
  const std::string name(text(found.body, "name"));
  const std::string lead = fmt::format("{}templates.{} ", prefix, name);
  bool is_sound = true;
  List parameters;
  List artifacts;
  std::size_t i = 0;
  for (const Value& input : found.body["inputs"]["parameters"].list()) {
    const std::string_view input_name = text(input, "name");
    const Value fake(Map{{"name", input_name}, {"value", placeholder()}});
    const Value* argument =
        supplied.is_fake ? &fake : find_named(supplied.arguments["parameters"], input_name);
    Map with = with_argument(input, argument);
    const Place at = found.place.at("inputs").at("parameters", i++);
    const bool has_source = with.find("valueFrom") != nullptr &&
                            !(*with.find("valueFrom"))["configMapKeyRef"].is_null();
    if (!has_source && with.find("value") == nullptr) {
      report(at, fmt::format("{}inputs.parameters.{} was not supplied", lead, input_name));
      is_sound = false;
    }
    parameters.emplace_back(std::move(with));
  }
  i = 0;
  for (const Value& input : found.body["inputs"]["artifacts"].list()) {
    const std::string_view input_name = text(input, "name");
    const Value fake(Map{{"name", input_name}});
    const Value* argument =
        supplied.is_fake ? &fake : find_named(supplied.arguments["artifacts"], input_name);
    const Place at = found.place.at("inputs").at("artifacts", i++);
    if (argument == nullptr && !input["optional"].bool_or(false) && !has_location_or_key(input)) {
      if (!input_name.empty())
        report(at, fmt::format("{}inputs.artifacts.{} was not supplied", lead, input_name));
      is_sound = false;
    }
    artifacts.push_back(argument == nullptr ? input : artifact_with(input, *argument));
  }
  if (!is_sound) return std::nullopt;

  vars::MapScope known(&globals_);
  for (const char* local : {"pod.name", "retries", "lastRetry.exitCode", "lastRetry.status",
                            "lastRetry.duration", "lastRetry.message"}) {
    if (scope.has(local)) known.set(local, Value(placeholder()));
  }
  Map body = found.body.map();
  Map inputs = found.body["inputs"].map();
  if (!parameters.empty()) inputs.set("parameters", Value(parameters));
  if (!artifacts.empty()) inputs.set("artifacts", Value(artifacts));
  if (!inputs.empty()) body.set("inputs", Value(std::move(inputs)));
  Value processed = substituted(Value(std::move(body)), known);
  for (const Value& p : processed["inputs"]["parameters"].list()) {
    if (p["value"].is_null()) continue;
    known.set(fmt::format("inputs.parameters.{}", text(p, "name")), p["value"]);
  }
  known.set("inputs.parameters", Value(value::to_json(processed["inputs"]["parameters"])));
  for (const char* side : {"inputs", "outputs"}) {
    for (const Value& a : processed[side]["artifacts"].list()) {
      if (text(a, "path").empty()) continue;
      known.set(fmt::format("{}.artifacts.{}.path", side, text(a, "name")), a["path"]);
    }
  }
  for (const Value& p : processed["outputs"]["parameters"].list()) {
    const Value& path = p["valueFrom"]["path"];
    if (path.is_string()) {
      known.set(fmt::format("outputs.parameters.{}.path", text(p, "name")), path);
    }
  }
  return substituted(processed, known);
}

}  // namespace tiphys::lint
