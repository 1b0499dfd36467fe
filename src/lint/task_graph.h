// The tasks of a DAG template and what each depends on, for validation.
//
// Reads `depends` with the pattern that Argo uses: `task`, `task.Result`, operators between. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "value/value.h"

namespace tiphys::lint {

class Names;

struct Task {
  value::Value body;
  std::size_t index = 0;  // in the manifest
  std::string name;
  /// Task -> true when its items are asked for (`.AnySucceeded`, `.AllFailed`).
  std::map<std::string, bool> dependencies;
};

class TaskGraph {
 public:
  explicit TaskGraph(const value::Value& tasks);

  [[nodiscard]] const std::vector<Task>& tasks() const { return tasks_; }
  /// The last task of that name, or null.
  [[nodiscard]] const Task* find(std::string_view name) const;
  /// True if the task waits for the other one, directly or not; true for all if it is in or behind
  /// a cycle. The first call works it out for all tasks: O(n * arcs / 64).
  [[nodiscard]] bool waits_for(const Task& task, std::string_view other) const;
  /// The tasks so that each comes after those it depends on, else in the manifest's order; those in
  /// or behind a cycle are left out. Cost: O(n log n + arcs).
  [[nodiscard]] std::vector<const Task*> sorted() const;
  /// The names of a cycle, the first again at the end; empty when there is none.
  [[nodiscard]] std::vector<std::string> cycle() const;

 private:
  std::vector<Task> tasks_;
  void find_ancestors() const;

  std::map<std::string, std::size_t, std::less<>> by_name_;
  /// For each task its place in sorted(), and for each place a bit for each place in front.
  static constexpr std::size_t kNoPlace = static_cast<std::size_t>(-1);
  mutable std::vector<std::size_t> places_;
  mutable std::vector<std::vector<std::uint64_t>> ancestors_;
};

/// Adds `tasks.X.status` to `names` for every task X that `task` waits for and that `is_known`
/// takes. The graph is borrowed.
void add_status_of_ancestors(Names& names, const TaskGraph& graph, const Task& task,
                             std::function<bool(const std::string&)> is_known);

}  // namespace tiphys::lint
