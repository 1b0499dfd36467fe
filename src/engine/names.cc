#include "engine/names.h"

#include "spec/node_id.h"

namespace tiphys::engine {

std::string id_of(const Machine& m, const Node& n) { return spec::node_id(m.name, n.name); }

std::string id_of(const Machine& m, NodeIndex n) { return id_of(m, m.at(n)); }

std::string display_name_of(const Machine& m, const Node& n) {
  if (!n.given_display_name().empty()) return n.given_display_name();
  return std::string(display_name_of(m, n.name, n.boundary));
}

std::string_view display_name_of(const Machine& m, std::string_view node_name, NodeIndex boundary) {
  if (boundary == kNoNode) return node_name;
  return display_name_below(node_name, m.at(boundary).name);
}

std::string_view display_name_below(std::string_view name, std::string_view around) {
  std::string_view rest = name;
  if (rest.starts_with(around)) rest.remove_prefix(around.size());
  if (rest.starts_with('[')) {
    const std::size_t close = rest.find("].");
    if (close != std::string_view::npos) return rest.substr(close + 2);
  }
  if (rest.starts_with('.')) rest.remove_prefix(1);
  return rest;
}

std::string pod_name_of(const Machine& m, const Node& n) {
  return spec::pod_name(m.name, n.name, n.site->own_template_name());
}

}  // namespace tiphys::engine
