// What an engine process has spent: events, commits, rows, depths of queues, latencies.
//
// Always counted, as that costs a few additions an event; shown by `tiphys run --stats` and in the
// server's log. Pure data.
#pragma once

#include <cstdint>
#include <string>

#include "observe/histogram.h"
#include "value/value.h"

namespace tiphys::observe {

struct Stats {
  std::uint64_t workflows = 0;  // adopted
  std::uint64_t events = 0;     // that changed something
  std::uint64_t log_rows = 0;   // events of one workflow in one commit are one row
  std::uint64_t node_rows = 0;
  std::uint64_t workflow_rows = 0;
  std::uint64_t hooks = 0;       // that fired
  std::int64_t leaves_open = 0;  // handed to executors, not ended
  Histogram events_a_commit;
  Histogram inbox_depth;  // messages that had come when the loop looked
  Histogram leaves;       // leaves_open at the start of each
  Histogram commit_ns;
  /// From a step's exit, as the supervisor saw it, to the start of the hook that it fired: its
  /// process handed over, or its request on its connection.
  Histogram hook_ns;
};

/// What the process itself has used since it began.
struct Usage {
  double cpu_seconds = 0;
  double wall_seconds = 0;
  std::int64_t memory_kb_max = 0;
};
/// Asks the kernel; `wall_seconds` is left to the caller.
[[nodiscard]] Usage own_usage();

/// All of it as a flat object: `{"events": 12, ..., "commitMsP99": 0.41}`; times in milliseconds.
[[nodiscard]] value::Map as_map(const Stats& stats, const Usage& usage);
/// A short table for people, with a line feed at the end.
[[nodiscard]] std::string as_table(const Stats& stats, const Usage& usage);

}  // namespace tiphys::observe
