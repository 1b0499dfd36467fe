// The nodes of a workflow as the tree that `argo get` draws: which node hangs below which, and in
// which order.
//
// Composite nodes own those whose boundary they are; StepGroup and Retry nodes own their children.
// Siblings are ordered by start, then by list index, then by display name (Argo's cmd/argo get,
// measured). Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "value/value.h"

namespace tiphys::view {

class NodeTree {
 public:
  /// Borrows the workflow's nodes.
  explicit NodeTree(const value::Value& workflow);

  /// The node of an id; null when there is none.
  [[nodiscard]] const value::Value* node(const std::string& id) const;
  /// The id of the node of this name that hangs below no other; empty when there is none.
  [[nodiscard]] std::string root_named(std::string_view name) const;
  /// What is drawn below a node, in order.
  [[nodiscard]] const std::vector<std::string>& below(const std::string& id) const;

 private:
  [[nodiscard]] bool comes_before(const value::Value& a, const value::Value& b) const;

  std::map<std::string, const value::Value*> nodes_;
  std::vector<std::string> roots_;
  std::map<std::string, std::vector<std::string>> below_;
};

}  // namespace tiphys::view
