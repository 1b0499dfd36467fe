#include "resource/object_type.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include <fmt/format.h>

namespace tiphys::resource {
namespace {

using value::Value;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

bool is_called(const ObjectType& type, std::string_view word) {
  return type.plural == word || type.singular == word || lower(type.kind) == word ||
         std::ranges::find(type.short_names, word) != type.short_names.end();
}

ObjectType discovered_type(const Value& resource, const std::string& group,
                           const std::string& version) {
  const Value& kind = resource["responseKind"];
  ObjectType type{.group = std::string(kind["group"].string_or("")),
                  .version = std::string(kind["version"].string_or("")),
                  .kind = std::string(kind["kind"].string_or("")),
                  .plural = std::string(resource["resource"].string_or("")),
                  .singular = std::string(resource["singularResource"].string_or("")),
                  .is_namespaced = resource["scope"].string_or("") == "Namespaced"};
  // A server leaves out what is the same for all of the group.
  if (type.version.empty()) {
    type.group = group;
    type.version = version;
  }
  for (const Value& name : resource["shortNames"].list()) {
    type.short_names.emplace_back(name.string_or(""));
  }
  return type;
}

}  // namespace

std::string ObjectType::path(std::string_view name_space) const {
  const std::string root = fmt::format("{}/{}", group.empty() ? "/api" : "/apis", api_version());
  if (!is_namespaced || name_space.empty()) return fmt::format("{}/{}", root, plural);
  return fmt::format("{}/namespaces/{}/{}", root, name_space, plural);
}

std::string ObjectType::path(std::string_view name_space, std::string_view name) const {
  return fmt::format("{}/{}", path(name_space), name);
}

std::string ObjectType::title() const {
  return group.empty() ? singular : fmt::format("{}.{}", singular, group);
}

void ObjectTypes::add_discovered(const Value& groups) {
  for (const Value& group : groups["items"].list()) {
    const std::string name(group["metadata"]["name"].string_or(""));
    for (const Value& version : group["versions"].list()) {
      for (const Value& resource : version["resources"].list()) {
        add(discovered_type(resource, name, std::string(version["version"].string_or(""))));
      }
    }
  }
}

const ObjectType* ObjectTypes::of_kind(std::string_view api_version, std::string_view kind) const {
  const auto found = std::ranges::find_if(types_, [&](const ObjectType& type) {
    return type.kind == kind && type.api_version() == api_version;
  });
  return found == types_.end() ? nullptr : &*found;
}

const ObjectType* ObjectTypes::of_word(std::string_view word) const {
  const std::string wanted = lower(word);
  const std::size_t dot = wanted.find('.');
  const std::string name = wanted.substr(0, dot);
  const std::string rest = dot == std::string::npos ? "" : wanted.substr(dot + 1);
  const auto found = std::ranges::find_if(types_, [&](const ObjectType& type) {
    if (!is_called(type, name)) return false;
    return dot == std::string::npos || rest == type.group ||
           rest == fmt::format("{}.{}", type.version, type.group);
  });
  return found == types_.end() ? nullptr : &*found;
}

ObjectTypes own_types(bool has_cluster) {
  ObjectTypes types;
  const auto add_argo = [&](std::string kind, std::string plural,
                            std::vector<std::string> short_names, bool is_namespaced) {
    types.add({.group = "argoproj.io",
               .version = "v1alpha1",
               .kind = kind,
               .plural = std::move(plural),
               .singular = lower(kind),
               .short_names = std::move(short_names),
               .is_namespaced = is_namespaced,
               .is_own = true});
  };
  add_argo("Workflow", "workflows", {"wf"}, true);
  add_argo("WorkflowTemplate", "workflowtemplates", {"wftmpl"}, true);
  add_argo("CronWorkflow", "cronworkflows", {"cwf", "cronwf"}, true);
  add_argo("ClusterWorkflowTemplate", "clusterworkflowtemplates", {"clusterwftmpl", "cwft"}, false);
  if (!has_cluster) {
    types.add({.version = "v1",
               .kind = "ConfigMap",
               .plural = "configmaps",
               .singular = "configmap",
               .short_names = {"cm"},
               .is_own = true});
  }
  return types;
}

}  // namespace tiphys::resource
