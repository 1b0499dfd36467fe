// What a notification may tell: the workflow, the node whose hook it is, and the failed steps.
//
// Pure.
#pragma once

#include "engine/machine.h"

namespace tiphys::engine {

/// The event of notify/notice.h for a leaf of a hook, of an exit handler or of neither, without
/// `trigger`, `workflow.url` and the logs of failures.
[[nodiscard]] value::Value facts_of(const Machine& m, NodeIndex leaf);

/// The event of a change of phase, with all members that rules may read; what does not apply is
/// empty: notify/event_fields.h lists them.
[[nodiscard]] value::Value facts_of(const Machine& m, const Transition& t);
/// The event of a workflow that is still running: `workflow.overdue`.
[[nodiscard]] value::Value overdue_facts_of(const Machine& m, clock::Instant now);

}  // namespace tiphys::engine
