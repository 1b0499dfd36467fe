// Whether a DAG task may start: `depends`, or `dependencies` with the `continueOn` of the tasks
// that they name.
//
// The logic is parsed when it is decided, once a task: a graph whose tasks wait keeps names and
// texts only. The rules are Argo's, measured with its own code: a task's bare name stands for
// `(T.Succeeded || T.Skipped || T.Daemoned)`, and nothing is decided before every dependency is
// fulfilled. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diag/error.h"
#include "value/value.h"

namespace tiphys::plan {

/// What a fulfilled task is to `depends`. The last two only say something about loops.
struct TaskState {
  bool succeeded = false;
  bool failed = false;
  bool errored = false;
  bool skipped = false;
  bool omitted = false;
  bool daemoned = false;
  bool any_succeeded = false;
  bool all_failed = false;
};

/// A node as far as `depends` looks at it. Phases have their names of Argo: "Succeeded", "Error"
/// ...
struct NodeView {
  std::string_view phase;
  bool daemoned = false;
  bool outputs_synced = true;  // false: declared outputs have not arrived yet
};
/// True when nothing more will happen to the node: final with its outputs, skipped, omitted, or a
/// daemon that is up.
[[nodiscard]] bool is_fulfilled(const NodeView& node);
/// The state of a task without a loop. `children` are the phases of a loop's items; nullopt when
/// the task is no loop, an empty phase for an item that has no node.
[[nodiscard]] TaskState task_state(const NodeView& node,
                                   const std::optional<std::vector<std::string>>& children = {});

/// `depends` of one task, ready to be asked.
class Depends {
 public:
  /// How the other tasks of the DAG are found: the DAGTask in Argo's JSON form, or null.
  using FindTask = std::function<const value::Value*(std::string_view name)>;
  /// The state of a task whose node is fulfilled and all of whose hooks are; null: it is not there
  /// yet.
  using FindState = std::function<const TaskState*(std::string_view task)>;
  enum class Decision { kRun, kOmit, kWait };

  /// Reads `depends`, or `dependencies`, of a DAGTask. Logic that does not parse is an error of
  /// decide() only, as in Argo. Errors: kNotFound `target X does not exist` for a bare name, or one
  /// in `dependencies`, that is no task.
  [[nodiscard]] static diag::Result<Depends> read(const value::Value& task,
                                                  const FindTask& find_task);

  /// The tasks that have to be fulfilled first, sorted.
  [[nodiscard]] const std::vector<std::string>& dependencies() const { return dependencies_; }
  /// The logic with bare names spelled out; empty when the task depends on nothing.
  [[nodiscard]] const std::string& logic() const { return logic_; }

  /// Errors: kBadExpression `unable to evaluate expression '...': ...`.
  [[nodiscard]] diag::Result<Decision> decide(const FindState& find_state) const;

 private:
  std::vector<std::string> dependencies_;
  std::string logic_;
};

/// What is wrong with the results that `depends` asks for: `task result 'X' for task 'T' is
/// invalid`.
[[nodiscard]] diag::Result<void> validate_task_results(const value::Value& task);

}  // namespace tiphys::plan
