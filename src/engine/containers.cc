#include "engine/containers.h"

#include <algorithm>
#include <map>
#include <set>

#include "engine/names.h"
#include "engine/transition.h"

namespace tiphys::engine {

namespace {

using value::Value;

bool is_container(const Node& n) { return n.type == "Container"; }

template <typename Act>
void for_each_container(Machine& m, NodeIndex pod, const Act& act) {
  std::set<NodeIndex> seen;
  std::vector<NodeIndex> open = m.at(pod).children;
  while (!open.empty()) {
    const NodeIndex i = open.back();
    open.pop_back();
    if (!is_container(m.at(i)) || m.at(i).boundary != pod || !seen.insert(i).second) continue;
    open.insert(open.end(), m.at(i).children.begin(), m.at(i).children.end());
  }
  for (const NodeIndex i : seen) {
    if (!is_fulfilled(m.at(i).phase)) act(i);
  }
}

}  // namespace

void create_containers(Machine& m, NodeIndex pod, const Start& start) {
  const std::shared_ptr<const spec::Template> body = m.at(pod).body();
  if (body->kind != spec::TemplateKind::kContainerSet) return;
  const Value& containers = body->raw["containerSet"]["containers"];
  const Site* site = m.site({.template_name = start.site->template_name,
                             .template_ref = start.site->template_ref,
                             .scope = start.site->scope});
  std::map<std::string, NodeIndex> made;
  for (const Value& c : containers.list()) {
    const std::string name(c["name"].string_or(""));
    Start s;
    s.node_name = m.at(pod).name + "." + name;
    s.site = site;
    s.boundary = pod;
    s.owner_kind = OwnerKind::kNone;
    s.hooked = start.hooked;
    s.on_exit = start.on_exit;
    s.late = start.late;
    s.depth = start.depth;
    const NodeIndex i = create_node(m, s, {.type = "Container"});
    m.at(i).retried = m.at(pod).retried;
    made.emplace(name, i);
  }
  for (const Value& c : containers.list()) {
    const NodeIndex child = made.at(std::string(c["name"].string_or("")));
    if (c["dependencies"].list().empty()) add_child(m, pod, child);
    for (const Value& d : c["dependencies"].list()) {
      auto it = made.find(std::string(d.string_or("")));
      if (it != made.end()) add_child(m, it->second, child);
    }
  }
}

void start_containers(Machine& m, NodeIndex pod) {
  for_each_container(m, pod, [&](NodeIndex i) {
    if (m.at(i).phase == Phase::kPending) set_phase(m, i, Phase::kRunning);
  });
}

void finish_containers(Machine& m, NodeIndex pod, const Value& outcomes, Phase otherwise) {
  for_each_container(m, pod, [&](NodeIndex i) {
    Phase phase = otherwise;
    std::string message = is_failure(otherwise) ? "Pod Failed whilst container running" : "";
    for (const Value& outcome : outcomes.list()) {
      if (outcome["name"].string_or("") != display_name_of(m, m.at(i))) continue;
      const auto told = parse_phase(outcome["phase"].string_or(""));
      phase = told && is_fulfilled(*told) ? *told : otherwise;
      message = outcome["message"].string_or("");
    }
    set_phase(m, i, phase, message);
  });
}

bool has_containers(const Machine& m, const Node& n) {
  return n.type == "Pod" &&
         std::ranges::any_of(n.children, [&](NodeIndex c) { return is_container(m.at(c)); });
}

}  // namespace tiphys::engine
