// What comes of a workflow when each of its leaves fails in turn: which hooks fire, how it ends.
//
// Pure.
#pragma once

#include <string>
#include <vector>

#include "sim/rehearsal.h"

namespace tiphys::sim {

/// How one rehearsal ended. Names are those of nodes, without the workflow's.
struct Outcome {
  std::vector<std::string> fails;  // the leaves that fail; empty: none
  std::string phase;
  std::vector<std::string> hooks;  // those that ran, in the order in which they began
  std::size_t requests = 0;
};

/// The hooks that ran in a Workflow object, exit handlers among them, without the workflow's name.
[[nodiscard]] std::vector<std::string> fired_hooks(const value::Value& workflow);

/// First nothing fails beyond the script; then each leaf does, with those before it without which
/// it is not reached. At most `most` outcomes. Cost: a rehearsal for each.
[[nodiscard]] std::vector<Outcome> all_outcomes(const engine::Definition& definition,
                                                const Script& script, std::size_t most);

}  // namespace tiphys::sim
