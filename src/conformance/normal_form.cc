#include "conformance/normal_form.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "spec/node_id.h"

namespace tiphys::conformance {

namespace {

using value::List;
using value::Map;
using value::Value;

constexpr std::array kNodeFields = {"name",        "displayName",   "type",  "templateName",
                                    "templateRef", "templateScope", "phase", "message",
                                    "nodeFlag",    "daemoned"};
constexpr std::array kParameterFields = {"name", "value", "globalName", "description", "enum"};
constexpr std::array kArtifactFields = {"name", "path",       "from", "optional",
                                        "mode", "globalName", "key"};

bool is_empty(const Value& v) {
  if (v.is_null()) return true;
  if (v.is_string()) return v.as_string().empty();
  if (v.is_list()) return v.list().empty();
  return v.is_map() && v.map().empty();
}

void set_unless_empty(Map& map, const char* key, Value v) {
  if (!is_empty(v)) map.set(key, std::move(v));
}

template <typename Fields>
Map picked(const Value& from, const Fields& fields) {
  Map out;
  for (const char* field : fields) {
    if (!from[field].is_null()) out.set(field, from[field]);
  }
  return out;
}

List sorted_by_name(List list) {
  std::ranges::stable_sort(list, {}, [](const Value& v) { return v["name"].string_or(""); });
  return list;
}

Value parameters_form(const Value& parameters) {
  List out;
  for (const Value& p : parameters.list()) out.emplace_back(picked(p, kParameterFields));
  return sorted_by_name(std::move(out));
}

Value artifacts_form(const Value& artifacts) {
  List out;
  for (const Value& a : artifacts.list()) {
    Map form = picked(a, kArtifactFields);
    if (a["s3"].is_map()) form.set("key", a["s3"]["key"]);
    out.emplace_back(std::move(form));
  }
  return sorted_by_name(std::move(out));
}

// Inputs or outputs of a node, or the outputs of the workflow.
Value exchange_form(const Value& exchange) {
  Map out;
  for (const auto& [key, v] : exchange.map()) {
    if (key == "parameters") {
      out.set(key, parameters_form(v));
    } else if (key == "artifacts") {
      out.set(key, artifacts_form(v));
    } else {
      out.set(key, v);
    }
  }
  return out;
}

// Ids and the names of their nodes, the longest id first: one may begin another.
using Names = std::vector<std::pair<std::string, std::string>>;

std::string_view name_of(const Names& names, std::string_view id) {
  const auto it = std::ranges::find(names, id, &Names::value_type::first);
  return it == names.end() ? id : std::string_view(it->second);
}

Value names_of(const Names& names, const Value& ids) {
  std::set<std::string> unique;
  for (const Value& id : ids.list()) unique.emplace(name_of(names, id.string_or("")));
  List out;
  for (const std::string& name : unique) out.emplace_back(name);
  return out;
}

Value message_form(const Value& message, const Names& names, std::string_view root) {
  if (!message.is_string()) return message;
  std::string text = message.as_string();
  for (const auto& [id, name] : names) {
    if (id == root) continue;  // the workflow's name, which is no riddle
    const std::string shown = "<" + name + ">";
    for (std::size_t at = 0; (at = text.find(id, at)) != std::string::npos; at += shown.size()) {
      text.replace(at, id.size(), shown);
    }
  }
  return text;
}

void sort_for_search(Names& names) {
  std::ranges::stable_sort(names, std::ranges::greater(),
                           [](const auto& pair) { return pair.first.size(); });
}

Value node_form(const Value& node, const Names& names, std::string_view root) {
  Map out;
  for (const char* field : kNodeFields) set_unless_empty(out, field, node[field]);
  set_unless_empty(out, "message", message_form(node["message"], names, root));
  set_unless_empty(out, "inputs", exchange_form(node["inputs"]));
  set_unless_empty(out, "outputs", exchange_form(node["outputs"]));
  if (const std::string_view id = node["boundaryID"].string_or(""); !id.empty()) {
    out.set("boundary", name_of(names, id));
  }
  set_unless_empty(out, "children", names_of(names, node["children"]));
  set_unless_empty(out, "outboundNodes", names_of(names, node["outboundNodes"]));
  constexpr std::array kMemoFields = {"hit", "key", "cacheName"};
  set_unless_empty(out, "memoization", picked(node["memoizationStatus"], kMemoFields));
  return out;
}

}  // namespace

Value normal_form(const Value& workflow) {
  const Value& status = workflow["status"];
  const std::string_view root = workflow["metadata"]["name"].string_or("");
  Names names;
  for (const auto& [id, node] : status["nodes"].map()) {
    names.emplace_back(id, node["name"].string_or(""));
  }
  sort_for_search(names);
  List nodes;
  for (const auto& [id, node] : status["nodes"].map()) {
    nodes.push_back(node_form(node, names, root));
  }
  Map form;
  set_unless_empty(form, "name", root);
  set_unless_empty(form, "phase", status["phase"]);
  set_unless_empty(form, "message", message_form(status["message"], names, root));
  set_unless_empty(form, "progress", status["progress"]);
  set_unless_empty(form, "outputs", exchange_form(status["outputs"]));
  form.set("nodes", sorted_by_name(std::move(nodes)));
  return form;
}

Value normal_form_of_golden(const Value& golden) {
  const std::string_view root = golden["name"].string_or("");
  Names names;
  for (const Value& node : golden["nodes"].list()) {
    const std::string_view name = node["name"].string_or("");
    names.emplace_back(spec::node_id(root, name), name);
  }
  sort_for_search(names);
  List nodes;
  for (const Value& node : golden["nodes"].list()) {
    Map out;
    for (const auto& [key, v] : node.map()) set_unless_empty(out, key.c_str(), v);
    set_unless_empty(out, "message", message_form(node["message"], names, root));
    for (const char* key : {"inputs", "outputs"}) {
      if (!is_empty(node[key])) out.set(key, exchange_form(node[key]));
    }
    nodes.emplace_back(std::move(out));
  }
  Map form;
  for (const auto& [key, v] : golden.map()) {
    if (key != "suspendedSnapshots" && key != "nodes") set_unless_empty(form, key.c_str(), v);
  }
  set_unless_empty(form, "message", message_form(golden["message"], names, root));
  if (!is_empty(golden["outputs"])) form.set("outputs", exchange_form(golden["outputs"]));
  form.set("nodes", sorted_by_name(std::move(nodes)));
  return form;
}

}  // namespace tiphys::conformance
