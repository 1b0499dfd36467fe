// DAG nodes: tasks that start when those they depend on have settled.
//
// A task waits on a counter of its dependencies, which is decremented when one of them settles (its
// hooks included); its `depends` logic is evaluated once, at zero. Argo looks at the whole graph in
// each pass instead. Pure.
#pragma once

#include <memory>
#include <string>

#include "engine/machine.h"

namespace tiphys::engine {

/// Makes a DAG node and starts the tasks that depend on nothing.
void begin_dag(Machine& m, const Start& start, std::shared_ptr<const spec::Template> body,
               std::shared_ptr<const TemplateScope> inner_scope);

/// A task's node has settled.
void on_task_settled(Machine& m, NodeIndex dag, NodeIndex task_node);

/// An item of a loop has settled.
void on_item_settled(Machine& m, NodeIndex group);

/// A hook of a task could not be evaluated or started: the task is Error, and so is the DAG if the
/// task is one of its targets. What depends on other tasks is told by its `depends` (HOOKS.md 6.6).
void on_task_hook_error(Machine& m, NodeIndex dag, NodeIndex task_node, const std::string& error);

/// Looks again whether the DAG is done: the workflow's hooks hold an entry DAG.
void recheck_dag(Machine& m, NodeIndex dag);

}  // namespace tiphys::engine
