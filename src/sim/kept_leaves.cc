#include "sim/kept_leaves.h"

#include <algorithm>

namespace tiphys::sim {

using engine::NodeIndex;
using engine::Phase;

namespace {

bool can_run(const Seen& n) { return n.is_leaf() || n.type == "Suspend"; }

// Something that came after it succeeded; a hook that told of it does not count.
bool was_gone_on_from(const std::deque<Seen>& nodes, const Seen& n, std::set<std::string>& asked) {
  if (!asked.insert(n.name).second) return false;
  return std::ranges::any_of(n.children, [&](NodeIndex i) {
    const Seen& child = nodes[i];
    return !child.is_hook &&
           (child.phase == Phase::kSucceeded || was_gone_on_from(nodes, child, asked));
  });
}

// It belongs to an attempt of something that succeeded.
bool was_tried_again(const std::deque<Seen>& nodes, const Seen& n) {
  return std::ranges::any_of(nodes, [&](const Seen& retry) {
    return retry.type == "Retry" && retry.phase == Phase::kSucceeded &&
           n.name.starts_with(retry.name + "(");
  });
}

bool runs_again(const std::deque<Seen>& nodes, const Seen& n) {
  if (!can_run(n) || !engine::is_failure(n.phase) || was_tried_again(nodes, n)) return false;
  const std::string retry = n.name.substr(0, n.name.rfind('('));
  const Seen& tried = n.is_attempt ? *std::ranges::find(nodes, retry, &Seen::name) : n;
  std::set<std::string> asked;
  return !was_gone_on_from(nodes, tried, asked);
}

void forget(const std::deque<Seen>& nodes, const Seen& n, std::set<std::string>& kept,
            std::set<std::string>& forgotten) {
  if (!forgotten.insert(n.name).second) return;
  kept.erase(n.name);
  for (const NodeIndex child : n.children) forget(nodes, nodes[child], kept, forgotten);
}

}  // namespace

std::set<std::string> kept_leaves(const std::deque<Seen>& finished) {
  std::set<std::string> kept;
  for (const Seen& n : finished) {
    const bool is_of_exit_handler = n.name.starts_with(finished.front().name + ".onExit");
    if (can_run(n) && engine::is_completed(n.phase) && !is_of_exit_handler) kept.insert(n.name);
  }
  std::set<std::string> forgotten;
  for (const Seen& n : finished) {
    if (runs_again(finished, n)) forget(finished, n, kept, forgotten);
  }
  return kept;
}

}  // namespace tiphys::sim
