// The statements that write a batch: a few, however many rows it has.
//
// Pure.
#pragma once

#include <vector>

#include "store/postgres_connection.h"
#include "store/store.h"

namespace tiphys::store {

/// What writes `batch`, in the order that Store::commit() promises. The parameters are copies.
[[nodiscard]] std::vector<PgCall> calls_of(const Batch& batch);
/// The statements that write events, and those that make a new workflow with its first event.
[[nodiscard]] PgCall events_call(const std::vector<EventRow>& events);
[[nodiscard]] std::vector<PgCall> creation_calls(const WorkflowRow& row, const EventRow& first);

}  // namespace tiphys::store
