// What Argo accepts but cannot work, or not as it seems: hooks above all.
//
// All of it is warnings. Every rule here stands for a workflow that someone had to debug: a hook
// that never fires is silent. Pure. Internal to lint/.
#pragma once

#include <vector>

#include "expr/program.h"
#include "lint/validator.h"

namespace tiphys::lint {

/// Appends warnings about the workflow, its templates and its hooks. `is_sound`: no errors were
/// found, so that names that are not known are worth telling.
void suspicious(const BasePointer& base, bool is_sound, std::vector<diag::Diagnostic>& out);

/// What hooks of one kind may read, and what they compare.
struct HookScope {
  enum class Level { kWorkflow, kStep, kTask };
  Level level = Level::kWorkflow;
  std::string self = {};               // the step's or task's name
  std::string root = {};               // "steps" or "tasks"
  Names names = {};                    // of steps and tasks that may be read
  bool is_loop = false;                // the step or task has items
  const value::Value* body = nullptr;  // the template around it, whose inputs are known
};

/// True if `name` (workflow.x.y) is a variable that a workflow has; else `fix` may suggest another.
[[nodiscard]] bool is_workflow_variable(std::string_view name, const Base& base, std::string& fix);
/// The same for what follows a step's or task's name: ".status", ".outputs.result".
[[nodiscard]] bool is_node_variable(std::string_view rest, std::string& fix);
/// `did you mean "f"?` for the function of expressions, sprig's among them, that looks most like
/// `name`; else empty.
[[nodiscard]] std::string did_you_mean_function(std::string_view name);
/// The warning that something at a place cannot work.
[[nodiscard]] diag::Diagnostic warning_at(const Place& at, std::string message,
                                          std::string fix = "");

/// The warning for an expression at `offset` of the text at `start`, of which `error` tells that it
/// cannot be parsed, or what `lead` says, and where in it.
[[nodiscard]] diag::Diagnostic unreadable(std::string_view error, diag::Position start,
                                          std::string_view text, std::size_t offset,
                                          std::string_view lead = "the expression cannot be read");

/// Appends warnings about arguments that a template has no input for and, if `demand`, about inputs
/// that need one and get none.
void suspicious_arguments(const value::Value& arguments, const value::Value& body, const Place& at,
                          bool demand, std::vector<diag::Diagnostic>& out);

/// Something to tell of an expression; nothing when `message` is empty.
struct Finding {
  std::string message = {};
  std::string fix = {};
  std::string word = {};  // where in the expression; empty: its beginning
};

/// Whether a hook's expression is true in no phase, or in every one; or is no condition. Only for
/// expressions that read phases and exit codes.
[[nodiscard]] Finding hook_truth(std::string_view expression, const HookScope& scope, bool is_exit);
/// What an expression of a hook reads and is not there (an input, an output), or does not fit where
/// it stands: a text that is compared with a number.
[[nodiscard]] Finding hook_names_and_types(const expr::Program& program, const HookScope& scope,
                                           const Base& base);
/// A word that an expression compares phases with and that is none.
[[nodiscard]] Finding misspelt_phase(std::string_view expression);
[[nodiscard]] bool is_phase(std::string_view text);
/// The phase that a wrong word means, as far as it can be told; else empty.
[[nodiscard]] std::string meant_phase(std::string_view word);

/// Appends warnings about values in templates that Argo takes and a run fails on: durations,
/// conditions, URLs, logic of `depends`.
void suspicious_values(const BasePointer& base, std::vector<diag::Diagnostic>& out);

/// Appends warnings about metrics with tags that mean nothing.
void suspicious_metrics(const BasePointer& base, std::vector<diag::Diagnostic>& out);

/// Appends warnings about templates, inputs and arguments that nothing uses, deprecated fields, and
/// values that look like secrets.
void unused(const BasePointer& base, std::vector<diag::Diagnostic>& out);

/// Appends warnings about the expressions in `v`, which stand outside of templates.
void suspicious_expressions(const value::Value& v, const Place& at, const BasePointer& base,
                            std::vector<diag::Diagnostic>& out);
/// The same for all templates, whose inputs, steps and tasks are known, and for what the spec holds
/// beside them. Not for hooks, which have suspicious_hooks().
void expressions_of_templates(const BasePointer& base, std::vector<diag::Diagnostic>& out);

/// Appends warnings about Secrets and ConfigMaps, or keys in them, that `find_keys` does not find.
void missing_references(const BasePointer& base, const FindKeys& find_keys,
                        std::vector<diag::Diagnostic>& out);
/// Appends warnings about hostPath volumes that `problem` tells something of.
void refused_host_paths(const BasePointer& base, const HostPathProblem& problem,
                        std::vector<diag::Diagnostic>& out);

/// Appends warnings about one map of hooks.
void suspicious_hooks(const value::Value& hooks, const Place& at, const HookScope& scope,
                      std::vector<diag::Diagnostic>& out);

}  // namespace tiphys::lint
