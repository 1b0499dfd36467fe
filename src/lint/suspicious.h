// What Argo accepts but cannot work, or not as it seems: hooks above all.
//
// All of it is warnings. Every rule here stands for a workflow that someone had to debug: a hook
// that never fires is silent. Pure. Internal to lint/.
#pragma once

#include <vector>

#include "lint/validator.h"

namespace tiphys::lint {

/// Appends warnings about the workflow, its templates and its hooks. `is_sound`: no errors were
/// found, so that names that are not known are worth telling.
void suspicious(const BasePointer& base, bool is_sound, std::vector<diag::Diagnostic>& out);

/// What hooks of one kind may read, and what they compare.
struct HookScope {
  enum class Level { kWorkflow, kStep, kTask };
  Level level = Level::kWorkflow;
  std::string self = {};  // the step's or task's name
  std::string root = {};  // "steps" or "tasks"
  Names names = {};       // of steps and tasks that may be read
};

/// True if `name` (workflow.x.y) is a variable that a workflow has; else `fix` may suggest another.
[[nodiscard]] bool is_workflow_variable(std::string_view name, const Base& base, std::string& fix);
/// The same for what follows a step's or task's name: ".status", ".outputs.result".
[[nodiscard]] bool is_node_variable(std::string_view rest, std::string& fix);
/// The warning for an expression at `offset` of the text at `start` that cannot be parsed.
[[nodiscard]] diag::Diagnostic unreadable(std::string_view error, diag::Position start,
                                          std::string_view text, std::size_t offset);

/// Appends warnings about arguments that a template has no input for and, if `demand`, about inputs
/// that need one and get none.
void suspicious_arguments(const value::Value& arguments, const value::Value& body, const Place& at,
                          bool demand, std::vector<diag::Diagnostic>& out);

/// Appends warnings about one map of hooks.
void suspicious_hooks(const value::Value& hooks, const Place& at, const HookScope& scope,
                      std::vector<diag::Diagnostic>& out);

}  // namespace tiphys::lint
