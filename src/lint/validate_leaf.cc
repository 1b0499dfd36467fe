// Templates that run something: containers, scripts, container sets, resources.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lint/manifest_text.h"
#include "lint/task_graph.h"
#include "lint/validator.h"
#include "spec/yaml_reader.h"
#include "tag/substitute.h"

namespace tiphys::lint {

using value::Value;

namespace {

bool is_reserved_container(std::string_view name) {
  return name == "wait" || name == "supervisor" || name.starts_with("artifact-plugin-");
}

bool is_number(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

void Validator::mounts(const Value& list, const std::string& owner, std::string_view inner,
                       const Place& at, MountPaths& taken) {
  std::size_t i = 0;
  for (const Value& mount : list.list()) {
    const std::size_t index = i++;
    const std::string_view path = text(mount, "mountPath");
    if (const auto it = taken.find(path); it != taken.end()) {
      report(at.at("volumeMounts", index),
             fmt::format("{}{}volumeMounts[{}].mountPath '{}' already mounted in {}", owner, inner,
                         index, path, it->second));
    }
    taken[path] = fmt::format("{}volumeMounts.{}", inner, text(mount, "name"));
  }
}

void Validator::container_mounts(const Resolved& found, const std::string& prefix) {
  const std::string owner = fmt::format("{}templates.{}.", prefix, text(found.body, "name"));
  MountPaths taken;
  mounts(found.body["container"]["volumeMounts"], owner, "container.", found.place.at("container"),
         taken);
  std::size_t i = 0;
  for (const Value& artifact : found.body["inputs"]["artifacts"].list()) {
    const std::size_t index = i++;
    const std::string_view path = text(artifact, "path");
    if (const auto it = taken.find(path); it != taken.end()) {
      report(found.place.at("inputs").at("artifacts", index),
             fmt::format("{}inputs.artifacts[{}].path '{}' already mounted in {}", owner, index,
                         path, it->second));
    }
    taken[path] = fmt::format("inputs.artifacts.{}", text(artifact, "name"));
  }
}

void Validator::image(const Resolved& found, const std::string& prefix, std::string_view kind) {
  if (!text(found.body[kind], "image").empty()) return;
  const Base& base = *found.place.base;
  const bool may_default = base.kind != "ClusterWorkflowTemplate";
  if (may_default && !text(base.spec["templateDefaults"][kind], "image").empty()) return;
  report(found.place.at(kind), fmt::format("{}templates.{}.{}.image may not be empty", prefix,
                                           text(found.body, "name"), kind));
}

void Validator::container_set(const Resolved& found, const std::string& prefix) {
  const std::string owner =
      fmt::format("{}templates.{}.containerSet.", prefix, text(found.body, "name"));
  const Value& set = found.body["containerSet"];
  const Place at = found.place.at("containerSet");
  const value::List& containers = set["containers"].list();
  if (containers.empty()) {
    report(at, owner + "containers must have at least one container");
    return;
  }
  names(owner + "containers", set["containers"], at.at("containers"), false);
  MountPaths taken;
  mounts(set["volumeMounts"], owner, "", at, taken);
  bool has_main = false;
  std::set<std::string_view> known;
  for (const Value& c : containers) {
    known.insert(text(c, "name"));
    has_main = has_main || text(c, "name") == "main";
  }
  std::size_t i = 0;
  for (const Value& c : containers) {
    const Place place = at.at("containers", i++);
    for (const Value& dependency : c["dependencies"].list()) {
      if (known.contains(dependency.string_or(""))) continue;
      report(place.at("dependencies"),
             fmt::format("{}containers.{} dependency '{}' not defined", owner, text(c, "name"),
                         dependency.string_or("")));
    }
    if (is_reserved_container(text(c, "name"))) {
      report(place, fmt::format("{}containers: \"{}\" is a reserved Argo container name", owner,
                                text(c, "name")));
    }
  }
  container_order(set, owner, at);
  const bool has_io = !found.body["inputs"]["artifacts"].list().empty() ||
                      !found.body["outputs"]["parameters"].list().empty() ||
                      !found.body["outputs"]["artifacts"].list().empty();
  if (has_io && !has_main) {
    report(at, owner + "containers must have a container named \"main\" for input or output");
  }
}

void Validator::container_order(const Value& set, const std::string& owner, const Place& at) {
  const TaskGraph graph(set["containers"]);
  const std::vector<std::string> cycle = graph.cycle();
  if (cycle.empty()) return;
  const Task* first = graph.find(cycle.front());
  report(at.at("containers", first->index).at("dependencies"),
         fmt::format("{}containers dependency cycle detected: {}", owner, fmt::join(cycle, "->")));
}

void Validator::resource(const Resolved& found, const std::string& prefix) {
  const Value& r = found.body["resource"];
  const Place at = found.place.at("resource");
  const std::string owner =
      fmt::format("{}templates.{}.resource", prefix, text(found.body, "name"));
  const std::string_view action = text(r, "action");
  static constexpr std::string_view kActions[] = {"get",    "create",  "apply",
                                                  "delete", "replace", "patch"};
  bool is_known = is_placeholder(action);
  for (const std::string_view a : kActions) is_known = is_known || a == action;
  if (!is_known) {
    report(at.at("action"),
           owner + ".action must be one of: get, create, apply, delete, replace, patch");
  }
  if (action == "delete" || action == "get") return;
  const std::string_view manifest = text(r, "manifest");
  const Value& from = r["manifestFrom"];
  if (manifest.empty() && !from.is_map()) {
    report(at, fmt::format("{}either {}.manifest or {}.manifestFrom must be specified", prefix,
                           owner.substr(prefix.size()), owner.substr(prefix.size())));
  } else if (!manifest.empty() && from.is_map()) {
    report(at, prefix +
                   "shouldn't have both `manifest` and `manifestFrom` specified in `Manifest` for "
                   "resource template");
  }
  if (from["artifact"].is_map()) {
    bool is_there = false;
    for (const Value& a : found.body["inputs"]["artifacts"].list()) {
      is_there = is_there || text(a, "name") == text(from["artifact"], "name");
    }
    if (!is_there) {
      report(at.at("manifestFrom"),
             fmt::format("{}artifact {} in `manifestFrom` refer to a non-exist artifact", prefix,
                         text(from["artifact"], "name")));
    }
  }
  if (manifest.empty() || is_placeholder(manifest)) return;
  const std::string readable = without_expressions(manifest);
  if (!spec::read_yaml(readable, {.file = "", .is_strict = false})) {
    report(at.at("manifest"), owner + ".manifest must be a valid yaml");
  }
}

void Validator::leaf(const Resolved& found, const std::string& prefix, const Names& scope) {
  const std::string owner = fmt::format("{}templates.{}", prefix, text(found.body, "name"));
  tags(found.body, found.place, scope, owner + ": ");
  const BasePointer& base = found.place.base;  // its podMetadata goes into each of its templates
  tags(base->spec["podMetadata"], Place{base, base->pointer}.at("podMetadata"), scope,
       owner + ": ");
  if (found.body["container"].is_map()) {
    container_mounts(found, prefix);
    image(found, prefix, "container");
  }
  if (found.body["containerSet"].is_map()) container_set(found, prefix);
  if (const Value& plugin = found.body["plugin"]; plugin.is_map() && plugin.map().size() != 1) {
    report(found.place.at("plugin"),
           fmt::format("expected exactly one key, got {}", plugin.map().size()));
  } else if (!plugin.is_null() && !plugin.is_map()) {
    report(found.place.at("plugin"),
           "a plugin is one key, its name, with what it is given: {name: {}}");
  }
  for (const Value& sidecar : found.body["sidecars"].list()) {
    if (!is_reserved_container(text(sidecar, "name"))) continue;
    report(found.place.at("sidecars"),
           fmt::format("{}.sidecars: \"{}\" is a reserved Argo container name", owner,
                       text(sidecar, "name")));
  }
  if (found.body["resource"].is_map()) resource(found, prefix);
  if (found.body["script"].is_map()) image(found, prefix, "script");
  const Value& deadline = found.body["activeDeadlineSeconds"];
  const std::string_view deadline_text = deadline.string_or("");
  const bool is_tag = deadline_text.starts_with("{{") && deadline_text.ends_with("}}");
  const bool is_wrong = deadline.is_string() && !is_number(deadline_text) && !is_tag &&
                        !is_placeholder(deadline_text);
  const bool is_negative =
      deadline.int_or(0) < 0 || (is_number(deadline_text) && deadline_text.starts_with('-'));
  if (is_wrong || is_negative) {
    report(found.place.at("activeDeadlineSeconds"),
           owner + ".activeDeadlineSeconds must be a positive integer > 0 or an argo variable");
  }
  if (!found.body["parallelism"].is_null()) {
    report(found.place.at("parallelism"),
           owner + ".parallelism is only valid for steps and dag templates");
  }
}

}  // namespace tiphys::lint
