#include "runtime/outcome.h"

#include <utility>

namespace tiphys::runtime {

namespace {

engine::Phase phase_of(executor::Outcome::Phase p) {
  switch (p) {
    case executor::Outcome::Phase::kSucceeded:
      return engine::Phase::kSucceeded;
    case executor::Outcome::Phase::kFailed:
      return engine::Phase::kFailed;
    case executor::Outcome::Phase::kError:
      return engine::Phase::kError;
  }
  return engine::Phase::kError;
}

// What the containers of a containerSet came to travels beside the outputs.
value::Value with_containers(const executor::Outcome& outcome) {
  if (outcome.containers.empty()) return outcome.outputs;
  value::List list;
  for (const executor::ContainerOutcome& c : outcome.containers) {
    list.push_back(value::Map{{"name", c.name}, {"phase", c.phase}, {"message", c.message}});
  }
  value::Map outputs = outcome.outputs.map();
  outputs.set("containers", std::move(list));
  return outputs;
}

}  // namespace

engine::LeafFinished finished_of(const engine::LeafId& leaf, executor::Outcome outcome) {
  value::Value outputs = with_containers(outcome);
  return {.leaf = leaf,
          .phase = phase_of(outcome.phase),
          .message = std::move(outcome.message),
          .exit_code = outcome.exit_code,
          .outputs = std::move(outputs),
          .started_at = outcome.started_at,
          .finished_at = outcome.finished_at};
}

}  // namespace tiphys::runtime
