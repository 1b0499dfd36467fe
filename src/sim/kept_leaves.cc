#include "sim/kept_leaves.h"

#include <algorithm>

namespace tiphys::sim {

using engine::NodeIndex;
using engine::Phase;

namespace {

bool can_run(const Seen& n) { return n.is_leaf() || n.type == "Suspend"; }

class Choice {
 public:
  Choice(const std::deque<Seen>& nodes, const value::Value& options) : nodes_(nodes) {
    const std::string_view selector = options["nodeFieldSelector"].string_or("");
    if (options["restartSuccessful"].bool_or(false) && selector.starts_with("name="))
      selected_ = selector.substr(selector.find('=') + 1);
  }

  [[nodiscard]] bool runs_again(const Seen& n) const {
    if (is_of_exit_handler(n)) return false;  // that is begun anew, whatever became of it
    if (n.name == selected_) return true;
    if (!can_run(n) || !engine::is_failure(n.phase) || was_tried_again(n)) return false;
    const std::string retry = n.name.substr(0, n.name.rfind('('));
    const Seen& tried = n.is_attempt ? *std::ranges::find(nodes_, retry, &Seen::name) : n;
    std::set<std::string> asked;
    return !was_gone_on_from(tried, asked);
  }

  [[nodiscard]] bool is_of_exit_handler(const Seen& n) const {
    return n.name.starts_with(nodes_.front().name + ".onExit");
  }

  /// The node, and all that came after it.
  void forget(const Seen& n, std::set<std::string>& forgotten) const {
    if (!forgotten.insert(n.name).second) return;
    for (const NodeIndex child : n.children) forget(nodes_[child], forgotten);
  }

  /// The steps and items beside the node and beside what is around it.
  void forget_groups_around(const Seen& n, std::set<std::string>& forgotten) const {
    for (const Seen& group : nodes_) {
      const bool is_around =
          (group.type == "StepGroup" && n.name.starts_with(group.name + ".")) ||
          (group.type == "TaskGroup" &&
           (n.name.starts_with(group.name + "(") || n.name.starts_with(group.name + ".hooks.")));
      if (!is_around) continue;
      for (const NodeIndex child : group.children) forget(nodes_[child], forgotten);
    }
  }

 private:
  // Something that came after it succeeded; a hook that told of it does not count.
  bool was_gone_on_from(const Seen& n, std::set<std::string>& asked) const {
    if (!asked.insert(n.name).second) return false;
    return std::ranges::any_of(n.children, [&](NodeIndex i) {
      const Seen& child = nodes_[i];
      const bool counts = child.phase == Phase::kSucceeded && child.name != selected_;
      return !child.is_hook && (counts || was_gone_on_from(child, asked));
    });
  }

  // It belongs to an attempt of something that succeeded.
  [[nodiscard]] bool was_tried_again(const Seen& n) const {
    return std::ranges::any_of(nodes_, [&](const Seen& retry) {
      return retry.type == "Retry" && retry.phase == Phase::kSucceeded &&
             n.name.starts_with(retry.name + "(");
    });
  }

  const std::deque<Seen>& nodes_;
  std::string selected_;  // empty: none
};

}  // namespace

std::set<std::string> kept_leaves(const std::deque<Seen>& finished, const value::Value& options) {
  const Choice choice(finished, options);
  std::set<std::string> forgotten;
  for (const Seen& n : finished) {
    if (!choice.runs_again(n)) continue;
    choice.forget(n, forgotten);
    if (!options["parameters"].list().empty()) choice.forget_groups_around(n, forgotten);
  }
  std::set<std::string> kept;
  for (const Seen& n : finished) {
    const bool is_done = can_run(n) && engine::is_completed(n.phase);
    if (is_done && !choice.is_of_exit_handler(n) && !forgotten.contains(n.name))
      kept.insert(n.name);
  }
  return kept;
}

}  // namespace tiphys::sim
