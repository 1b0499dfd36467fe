// What a retry by hand runs again, and what it keeps from before: Argo's FormulateRetryWorkflow.
//
// The workflow runs again from its entrypoint, and each leaf that is kept ends at once with what it
// had given before. That keeps one way of running instead of a second one that patches a finished
// tree. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "engine/machine.h"

namespace tiphys::engine {

/// Begins a new run of a workflow that has ended. Again run failed leaves, unless something behind
/// them had succeeded (`continueOn`), and what comes behind them; with `restartSuccessful` the
/// nodes that match `nodeFieldSelector` and what comes behind these, too; with `parameters` (a list
/// of NAME=VALUE, which change the workflow's) the whole groups in which that is. The exit handler
/// always runs again. Returns false when the workflow's state forbids it: it has to have Failed or
/// be in Error, or Succeeded when both options choose nodes.
bool retry_by_hand(Machine& m, const value::Value& arguments);

/// What the leaf of this name had come to before the retry, if it is kept; else null. Owned by the
/// machine.
[[nodiscard]] const KeptLeaf* kept_leaf(const Machine& m, std::string_view node_name);

/// What a node of this name had come to before the retry, if nothing in it runs again.
[[nodiscard]] std::optional<Phase> kept_phase(const Machine& m, std::string_view node_name);

}  // namespace tiphys::engine
