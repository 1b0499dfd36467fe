#include "engine/manual_retry.h"

#include <set>

#include "engine/control.h"
#include "engine/finish.h"
#include "engine/selector.h"

namespace tiphys::engine {

namespace {

using value::List;
using value::Map;
using value::Value;

bool is_kept_type(const Node& n) { return spec::is_leaf(n.type) || n.type == "Suspend"; }

/// Which nodes of the finished run are forgotten. The others are kept, as far as they are leaves;
/// composites come out as before when nothing in them runs again.
class Selection {
 public:
  Selection(const Machine& m, const std::string& selector)
      : m_(m),
        is_selected_(m.nodes.size()),
        is_forgotten_(m.nodes.size()),
        has_to_change_(m.nodes.size()) {
    if (selector.empty()) return;
    for (NodeIndex i = 0; i < count(); ++i) is_selected_[i] = matches(m, m.at(i), selector);
  }

  /// `whole_groups`: also what stands beside a forgotten node in its step or loop.
  void choose(bool whole_groups) {
    find_successes_behind();
    find_tried_again();
    std::vector<NodeIndex> seeds;
    for (NodeIndex i = 0; i < count(); ++i) {
      if (is_of_exit_handler(i)) {
        is_forgotten_[i] = true;
      } else if (is_selected_[i] || has_to_run_again(i)) {
        seeds.push_back(i);
      }
    }
    std::vector<NodeIndex> open = seeds;
    if (whole_groups) {
      for (const NodeIndex seed : seeds) add_groups_around(seed, open);
    }
    forget(std::move(open));
    find_changes();
  }

  [[nodiscard]] bool is_kept(NodeIndex i) const {
    const Node& n = m_.at(i);
    return !is_forgotten_[i] && is_kept_type(n) && is_completed(n.phase) && !n.is_daemon;
  }

  /// Of a node that is no leaf.
  [[nodiscard]] bool is_unchanged(NodeIndex i) const {
    const Node& n = m_.at(i);
    return !is_forgotten_[i] && !has_to_change_[i] && !is_kept_type(n) && is_fulfilled(n.phase);
  }

 private:
  [[nodiscard]] NodeIndex count() const { return static_cast<NodeIndex>(m_.nodes.size()); }

  [[nodiscard]] bool is_of_exit_handler(NodeIndex i) const {
    return m_.at(i).name.starts_with(m_.name + ".onExit");
  }

  [[nodiscard]] bool has_to_run_again(NodeIndex i) const {
    const Node& n = m_.at(i);
    if (!is_failure(n.phase) || !is_kept_type(n) || is_below_tried_again(n.name)) return false;
    return !has_success_behind_[n.owner_kind == OwnerKind::kRetry ? n.owner : i];
  }

  // A hook that told of a failure is no success of what comes after it, nor is a container's end
  // one of its pod.
  void find_successes_behind() {
    has_success_behind_.assign(m_.nodes.size(), false);
    std::vector<std::vector<NodeIndex>> parents(m_.nodes.size());
    std::vector<NodeIndex> open;
    for (NodeIndex i = 0; i < count(); ++i) {
      const Node& n = m_.at(i);
      for (const NodeIndex child : n.children) parents[child].push_back(i);
      const bool counts = !n.hooked && n.type != "Container" && !is_selected_[i];
      if (n.phase == Phase::kSucceeded && counts) open.push_back(i);
    }
    while (!open.empty()) {
      const NodeIndex i = open.back();
      open.pop_back();
      if (m_.at(i).hooked) continue;
      for (const NodeIndex parent : parents[i]) {
        if (has_success_behind_[parent]) continue;
        has_success_behind_[parent] = true;
        open.push_back(parent);
      }
    }
  }

  // What failed in an attempt is done with when a later attempt has succeeded.
  void find_tried_again() {
    for (NodeIndex i = 0; i < count(); ++i) {
      const Node& n = m_.at(i);
      if (n.type == "Retry" && n.phase == Phase::kSucceeded) tried_again_.insert(n.name);
    }
  }

  [[nodiscard]] bool is_below_tried_again(std::string_view name) const {
    if (tried_again_.empty()) return false;
    for (std::size_t i = name.find('('); i != std::string_view::npos; i = name.find('(', i + 1)) {
      if (tried_again_.contains(name.substr(0, i))) return true;
    }
    return false;
  }

  [[nodiscard]] NodeIndex around(NodeIndex i) const {
    const Node& n = m_.at(i);
    const bool has_owner = n.owner_kind != OwnerKind::kNone && n.owner != kNoNode;
    return has_owner ? n.owner : n.boundary;
  }

  void add_groups_around(NodeIndex i, std::vector<NodeIndex>& out) const {
    for (; i != kNoNode; i = around(i)) {
      const Node& n = m_.at(i);
      if (n.type == "StepGroup" || n.type == "TaskGroup") {
        out.insert(out.end(), n.children.begin(), n.children.end());
      }
    }
  }

  // What is around anything that runs again; a daemon always does.
  void find_changes() {
    for (NodeIndex i = 0; i < count(); ++i) {
      if (!is_forgotten_[i] && !m_.at(i).is_daemon) continue;
      for (NodeIndex j = around(i); j != kNoNode && !has_to_change_[j]; j = around(j)) {
        has_to_change_[j] = true;
      }
    }
  }

  void forget(std::vector<NodeIndex> open) {
    while (!open.empty()) {
      const NodeIndex i = open.back();
      open.pop_back();
      if (is_forgotten_[i]) continue;
      is_forgotten_[i] = true;
      const Node& n = m_.at(i);
      open.insert(open.end(), n.children.begin(), n.children.end());
    }
  }

  const Machine& m_;
  std::vector<bool> is_selected_;
  std::vector<bool> is_forgotten_;
  std::vector<bool> has_to_change_;
  std::vector<bool> has_success_behind_;
  std::set<std::string_view> tried_again_;  // Retry nodes of which an attempt has succeeded
};

void override_parameters(Machine& m, const Value& given) {
  if (given.list().empty()) return;
  List list;
  std::set<std::string_view> passed;
  for (const Value& text : given.list()) {
    const std::string_view pair = text.string_or("");
    const std::size_t eq = pair.find('=');
    if (eq == std::string_view::npos || !passed.insert(pair.substr(0, eq)).second) continue;
    list.emplace_back(Map{{"name", pair.substr(0, eq)}, {"value", pair.substr(eq + 1)}});
  }
  for (const Value& p : m.spec["arguments"]["parameters"].list()) {
    if (!passed.contains(p["name"].string_or(""))) list.push_back(p);
  }
  Map arguments = m.spec["arguments"].map();
  arguments.set("parameters", std::move(list));
  Map spec = m.spec.map();
  spec.set("arguments", std::move(arguments));
  m.set_spec(std::move(spec));
}

}  // namespace

bool retry_by_hand(Machine& m, const Value& arguments) {
  if (!m.is_over) return false;
  const bool restarts = arguments["restartSuccessful"].bool_or(false);
  const std::string selector(restarts ? arguments["nodeFieldSelector"].string_or("") : "");
  if (!is_failure(m.phase) && selector.empty()) return false;
  Selection selection(m, selector);
  selection.choose(!arguments["parameters"].list().empty());
  m.kept.clear();
  m.unchanged.clear();
  for (NodeIndex i = 0; i < m.nodes.size(); ++i) {
    const Node& n = m.at(i);
    if (selection.is_unchanged(i)) m.unchanged.insert_or_assign(n.name, n.phase);
    if (!selection.is_kept(i)) continue;
    m.kept.insert_or_assign(n.name, KeptLeaf{.outputs = n.outputs.get(),
                                             .started_at = n.started_at,
                                             .finished_at = n.finished_at,
                                             .phase = n.phase,
                                             .message = n.message(),
                                             .had_run = n.has_run,
                                             .is_timed_out = n.is_timed_out});
  }
  override_parameters(m, arguments["parameters"]);
  reset_for_retry(m);
  m.effects->nodes_replaced = true;
  begin_workflow(m);
  return true;
}

const KeptLeaf* kept_leaf(const Machine& m, std::string_view node_name) {
  const auto it = m.kept.find(node_name);
  return it == m.kept.end() ? nullptr : &it->second;
}

std::optional<Phase> kept_phase(const Machine& m, std::string_view node_name) {
  if (const KeptLeaf* leaf = kept_leaf(m, node_name)) return leaf->phase;
  const auto it = m.unchanged.find(node_name);
  return it == m.unchanged.end() ? std::nullopt : std::optional(it->second);
}

}  // namespace tiphys::engine
