#include "view/node_tree.h"

#include <algorithm>
#include <charconv>

namespace tiphys::view {

namespace {

using value::Value;

bool is_group(std::string_view type) { return type == "StepGroup" || type == "Retry"; }

bool is_drawn(std::string_view type) {
  return is_group(type) || type == "DAG" || type == "Steps" || type == "Pod" || type == "Skipped" ||
         type == "Suspend" || type == "HTTP" || type == "Plugin";
}

// The index of a loop's item, "a(3:x)" -> 3; -1 for any other name, "a(3)" of a retry among them.
int item_index(std::string_view name) {
  const std::size_t open = name.find('(');
  const std::size_t colon = name.find(':');
  if (open == std::string_view::npos || colon == std::string_view::npos || colon < open) return -1;
  int index = -1;
  const char* end = name.data() + colon;
  const auto [stop, error] = std::from_chars(name.data() + open + 1, end, index);
  return error == std::errc() && stop == end ? index : -1;
}

}  // namespace

NodeTree::NodeTree(const Value& workflow) {
  const value::Map& all = workflow["status"]["nodes"].map();
  std::map<std::string, std::string> parent_of;
  for (const auto& [id, n] : all) {
    nodes_.emplace(id, &n);
    if (!is_group(n["type"].string_or(""))) continue;
    for (const Value& child : n["children"].list())
      parent_of[std::string(child.string_or(""))] = id;
  }
  for (const auto& [id, n] : nodes_) {
    if (!is_drawn((*n)["type"].string_or(""))) continue;
    auto it = parent_of.find(id);
    const std::string parent =
        it != parent_of.end() ? it->second : std::string((*n)["boundaryID"].string_or(""));
    if (parent.empty()) {
      roots_.push_back(id);
    } else {
      below_[parent].push_back(id);
    }
  }
  for (auto& [parent, ids] : below_) {
    std::ranges::stable_sort(ids, [&](const std::string& a, const std::string& b) {
      return comes_before(*nodes_.at(a), *nodes_.at(b));
    });
  }
}

const Value* NodeTree::node(const std::string& id) const {
  auto it = nodes_.find(id);
  return it == nodes_.end() ? nullptr : it->second;
}

std::string NodeTree::root_named(std::string_view name) const {
  for (const std::string& id : roots_) {
    if ((*nodes_.at(id))["name"].string_or("") == name) return id;
  }
  return "";
}

const std::vector<std::string>& NodeTree::below(const std::string& id) const {
  static const std::vector<std::string> kNone;
  auto it = below_.find(id);
  return it == below_.end() ? kNone : it->second;
}

bool NodeTree::comes_before(const Value& a, const Value& b) const {
  const std::string_view start_a = a["startedAt"].string_or("");
  const std::string_view start_b = b["startedAt"].string_or("");
  if (start_a != start_b) return start_a < start_b;
  const std::string_view name_a = a["displayName"].string_or("");
  const std::string_view name_b = b["displayName"].string_or("");
  const int index_a = item_index(name_a);
  const int index_b = item_index(name_b);
  if (index_a >= 0 && index_b >= 0) return index_a < index_b;
  return name_a < name_b;
}

}  // namespace tiphys::view
