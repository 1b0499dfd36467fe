#include "engine/globals.h"

#include <fmt/format.h>

#include <algorithm>

#include "clock/rfc3339.h"
#include "clock/strftime.h"
#include "engine/names.h"
#include "value/json.h"

namespace tiphys::engine {

namespace {

using value::Map;
using value::Value;

// Argo marshals the declared parameters in the order of the Go struct, and only these fields.
Value declared_parameters(const Value& parameters) {
  if (!parameters.is_list() || parameters.list().empty()) return {};
  value::List list;
  for (const Value& p : parameters.list()) {
    Map m;
    for (const char* field :
         {"name", "default", "value", "valueFrom", "globalName", "enum", "description"}) {
      if (!p[field].is_null()) m.set(field, p[field]);
    }
    list.emplace_back(std::move(m));
  }
  return list;
}

// `later`: the names of those that get their values later.
void set_map(Machine& m, const std::string& prefix, const Value& map, const Map& later) {
  const std::string json = map.is_map() && !map.map().empty() ? value::to_json(map) : "null";
  m.globals.set(prefix, json);
  m.globals.set(prefix + ".json", json);
  for (const auto& [key, v] : map.map()) {
    if (later.find(key) == nullptr) m.globals.set(prefix + "." + key, v);
  }
}

diag::Result<void> set_parameter(Machine& m, const Value& p) {
  const std::string name(p["name"].string_or(""));
  const std::string key = "workflow.parameters." + name;
  if (p["value"].is_string()) {
    m.globals.set(key, p["value"]);
    return {};
  }
  const Value& ref = p["valueFrom"]["configMapKeyRef"];
  if (!ref.is_map()) {
    return diag::fail(
        diag::Code::kInvalidManifest,
        "either value or valueFrom must be specified in order to set global parameter " + name);
  }
  const std::string map_name(ref["name"].string_or(""));
  const std::string map_key(ref["key"].string_or(""));
  const Value& found = m.definition.config_maps[map_name][map_key];
  if (found.is_string()) {
    m.globals.set(key, found);
    return {};
  }
  if (p["valueFrom"]["default"].is_string()) {
    m.globals.set(key, p["valueFrom"]["default"]);
    return {};
  }
  return diag::fail(
      diag::Code::kInvalidManifest,
      fmt::format(
          "failed to set global parameter {} from configmap with name {} and key {}: {}", name,
          map_name, map_key,
          m.definition.config_maps[map_name].is_null()
              ? fmt::format("ConfigMap '{}' does not exist. Please make sure it has the label "
                            "workflows.argoproj.io/configmap-type: Parameter to be detectable by "
                            "the controller",
                            map_name)
              : fmt::format("ConfigMap '{}' does not have the key '{}'", map_name, map_key)));
}

void set_creation_time(Machine& m) {
  const std::string stamp = clock::rfc3339(m.created_at);
  m.globals.set("workflow.creationTimestamp", stamp);
  m.globals.set("workflow.creationTimestamp.RFC3339", stamp);
  m.globals.set("workflow.creationTimestamp.s", std::to_string(m.created_at.ns / 1'000'000'000));
  for (const char c : std::string_view("BbmAadHIMSYypZzL")) {
    m.globals.set(std::string("workflow.creationTimestamp.") + c,
                  clock::strftime(std::string("%") + c, m.created_at));
  }
}

}  // namespace

diag::Result<void> set_globals(Machine& m) {
  m.globals = vars::MapScope();
  m.globals.set("workflow.name", m.name);
  m.globals.set("workflow.namespace", m.name_space);
  m.globals.set("workflow.mainEntrypoint", m.spec["entrypoint"].string_or(""));
  m.globals.set("workflow.serviceAccountName", m.spec["serviceAccountName"].string_or(""));
  m.globals.set("workflow.uid", m.uid);
  set_creation_time(m);
  const Value& scheduled = m.metadata["annotations"]["workflows.argoproj.io/scheduled-time"];
  if (scheduled.is_string()) m.globals.set("workflow.scheduledTime", scheduled);
  if (m.spec["priority"].is_int()) {
    m.globals.set("workflow.priority", std::to_string(m.spec["priority"].as_int()));
  }
  const Value& parameters = m.spec["arguments"]["parameters"];
  const std::string json =
      value::to_json(declared_parameters(parameters), {.key_order = value::KeyOrder::kAsGiven});
  m.globals.set("workflow.parameters", json);
  m.globals.set("workflow.parameters.json", json);
  for (const Value& p : parameters.list()) TRY_VOID(set_parameter(m, p));
  set_map(m, "workflow.annotations", m.metadata["annotations"], {});
  const Map& made = m.spec["workflowMetadata"]["labelsFrom"].map();
  set_map(m, "workflow.labels", m.metadata["labels"], m.is_labelled ? Map() : made);
  for (const auto& [key, v] : m.spec["workflowMetadata"]["labels"].map()) {
    if (made.find(key) == nullptr) m.globals.set("workflow.labels." + key, v);
  }
  for (const auto& [key, v] : m.spec["workflowMetadata"]["annotations"].map()) {
    m.globals.set("workflow.annotations." + key, v);
  }
  return {};
}

Phase mapped_entry_phase(const Machine& m) {
  if (!m.entry_error.empty()) return Phase::kError;
  if (m.entry == kNoNode) return Phase::kRunning;
  const Phase p = m.asked_about.value_or(m.at(m.entry).phase);
  return p == Phase::kSkipped || p == Phase::kOmitted ? Phase::kSucceeded : p;
}

Value failures_of(const Machine& m) { return failures_of(m, m.failed); }

Value failures_of(const Machine& m, std::vector<NodeIndex> order) {
  std::ranges::sort(order, [&](NodeIndex a, NodeIndex b) {
    const Node& x = m.at(a);
    const Node& y = m.at(b);
    return std::pair(x.finished_at, std::string_view(x.name)) <
           std::pair(y.finished_at, std::string_view(y.name));
  });
  Value list;
  if (!order.empty()) {
    value::List elements;
    for (const NodeIndex i : order) {
      const Node& n = m.at(i);
      elements.emplace_back(Map{
          {"displayName", display_name_of(m, n)},
          {"message", n.message()},
          {"templateName", n.site->own_template_name()},
          {"phase", to_string(n.phase)},
          {"podName", pod_name_of(m, n)},
          {"finishedAt", n.finished_at.is_set() ? Value(clock::rfc3339(n.finished_at)) : Value()}});
    }
    list = std::move(elements);
  }
  return list;
}

std::string failures_text(const Machine& m) {
  std::string quoted;
  value::append_json_string(
      quoted, value::to_json(failures_of(m), {.key_order = value::KeyOrder::kAsGiven}), false);
  return quoted;
}

std::string duration_text(clock::Duration d) { return fmt::format("{:.6f}", d.in_seconds()); }

void export_outputs(Machine& m, const Value& outputs) {
  for (const Value& p : outputs["parameters"].list()) {
    const std::string global(p["globalName"].string_or(""));
    if (global.empty()) continue;
    if (p["value"].is_string()) m.globals.set("workflow.outputs.parameters." + global, p["value"]);
    m.output_parameters.set(global, p["value"]);
  }
  for (const Value& a : outputs["artifacts"].list()) {
    const std::string global(a["globalName"].string_or(""));
    if (global.empty()) continue;
    Map copy = a.map();
    copy.set("name", global);
    copy.erase("globalName");
    copy.erase("path");
    m.output_artifacts.set(global, std::move(copy));
  }
}

std::optional<Value> GlobalScope::find(std::string_view name) const {
  if (name == "workflow.status") {
    return Value(to_string(late_ ? mapped_entry_phase(*machine_) : machine_->phase));
  }
  if (name == "workflow.duration") {
    const clock::Instant now = std::max(machine_->now, machine_->started_at);
    const clock::Instant end = machine_->is_over ? machine_->finished_at : now;
    return Value(duration_text(machine_->started_at.is_set() ? end - machine_->started_at
                                                             : clock::Duration{}));
  }
  if (name == "$now") return Value(machine_->now.ns);  // what now() gives: the time of the event
  if (late_ && name == "workflow.failures") return Value(failures_text(*machine_));
  return machine_->globals.find(name);
}

// Nothing stands below the variables that find() makes.
bool GlobalScope::has_below(std::string_view name) const {
  return machine_->globals.has_below(name);
}

void GlobalScope::each(std::string_view root, const Visit& visit) const {
  machine_->globals.each(root, visit);
  if (!root.empty() && root != "workflow") return;
  visit("workflow.status", *find("workflow.status"));
  visit("workflow.duration", *find("workflow.duration"));
  if (late_) visit("workflow.failures", *find("workflow.failures"));
}

}  // namespace tiphys::engine
