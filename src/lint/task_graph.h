// The tasks of a DAG template and what each depends on, for validation.
//
// Reads `depends` with the pattern that Argo uses: `task`, `task.Result`, operators between. Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "value/value.h"

namespace tiphys::lint {

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
  /// Every task that the task waits for, directly or not.
  [[nodiscard]] std::set<std::string> ancestors(std::string_view name) const;
  /// The tasks so that each comes after those it depends on, else in the manifest's order; those in
  /// or behind a cycle are left out. Cost: O(n log n + arcs).
  [[nodiscard]] std::vector<const Task*> sorted() const;
  /// The names of a cycle, the first again at the end; empty when there is none.
  [[nodiscard]] std::vector<std::string> cycle() const;

 private:
  std::vector<Task> tasks_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

}  // namespace tiphys::lint
