#include "engine/node_error.h"

#include <fmt/format.h>

#include "engine/composite.h"
#include "engine/control.h"
#include "engine/finish.h"
#include "engine/hooks.h"
#include "engine/locks.h"
#include "engine/retry.h"
#include "engine/steps.h"
#include "engine/transition.h"

namespace tiphys::engine {

void fail_node(Machine& m, NodeIndex i, const std::string& error) {
  const OwnerKind kind = m.at(i).owner_kind;
  const bool is_task = kind == OwnerKind::kTask || kind == OwnerKind::kTaskGroup;
  if (kind == OwnerKind::kStepGroup && !is_abandoned(m, m.at(i))) {
    on_step_error(m, m.at(i).owner, m.at(i).name, error);
  }
  const bool is_hook =
      kind == OwnerKind::kHook || kind == OwnerKind::kExitHook || kind == OwnerKind::kWorkflowHook;
  if (is_hook) on_hook_error(m, kind, m.at(i).owner, error);
  if (kind == OwnerKind::kRetry) note_attempt_error(m, m.at(i).owner, error);
  set_phase(m, i, Phase::kError,
            is_task ? fmt::format("task '{}' errored: {}", m.at(i).name, error) : error);
  if (kind == OwnerKind::kEntry) {
    end_workflow(m, Phase::kError, "error in entry template execution: " + error);
  } else if (kind == OwnerKind::kExitHandler) {
    end_workflow(m, Phase::kError, "error in exit template execution : " + error);
  }
}

void time_out(Machine& m, NodeIndex i) {
  Node& n = m.at(i);
  if (n.is_cancelled) return;
  if (n.type == "Pod" && n.waits_for_lock().empty()) {
    n.is_timed_out = true;
    kill_leaf(m, i, std::string(kTimeout));
    return;
  }
  if (n.waits_for_lock().empty()) m.effects->want(CancelLeaf{{m.run, i}});
  end_timed_out(m, i);
}

void end_timed_out(Machine& m, NodeIndex i) {
  const std::string message(kTimeout);
  m.at(i).is_timed_out = true;
  if (m.at(i).owner_kind == OwnerKind::kStepGroup && !is_abandoned(m, m.at(i))) {
    on_step_timed_out(m, m.at(i).owner);
  }
  if (!give_up_lock(m, i, message)) set_phase(m, i, Phase::kFailed, message);
}

}  // namespace tiphys::engine
