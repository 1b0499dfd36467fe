#include "runtime/pod_containers.h"

#include <algorithm>
#include <set>

#include "kube/pod_spec.h"
#include "runtime/pod_labels.h"

namespace tiphys::runtime {

namespace {

using value::Value;

constexpr const char* kMain = "main";

template <typename Take>
void each_name(const Value& containers, const Take& take) {
  for (const Value& c : containers.list()) take(std::string(c["name"].string_or("")));
}

// Wherever they are: templates may be written inside of steps and tasks.
void add_below(const Value& v, std::set<std::string>& names) {
  const auto take = [&](std::string name) { names.insert(std::move(name)); };
  for (const Value& element : v.list()) add_below(element, names);
  for (const auto& [key, member] : v.map()) {
    if (key == "sidecars" || key == "initContainers") each_name(member, take);
    if (key == "containerSet") each_name(member["containers"], take);
    add_below(member, names);
  }
}

}  // namespace

std::vector<std::string> all_containers(const engine::Definition& definition) {
  std::set<std::string> names;
  add_below(definition.workflow["spec"], names);
  add_below(definition.templates, names);
  names.erase("");
  names.erase(kMain);
  std::vector<std::string> all = {kMain};
  all.insert(all.end(), names.begin(), names.end());
  return all;
}

std::vector<std::string> pod_containers(const engine::Definition& definition, const Value& node) {
  const Value& body = template_of(definition, node);
  if (body.is_null()) return all_containers(definition);
  std::vector<std::string> names;
  const auto take = [&](const std::string& name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  const kube::PodContainers own = kube::containers_of(body);
  const kube::PodContainers of_all =
      kube::containers_of(definition.workflow["spec"]["templateDefaults"]);
  for (const auto* list :
       {&own.mains, &own.inits, &own.sidecars, &of_all.inits, &of_all.sidecars}) {
    std::ranges::for_each(*list, take);
  }
  return names;
}

}  // namespace tiphys::runtime
