#include "observe/stats.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <cmath>

namespace tiphys::observe {

namespace {

double milliseconds(std::int64_t ns) { return static_cast<double>(ns) / 1e6; }

// Three decimals are more than the buckets hold.
double rounded(double number) { return std::round(number * 1000) / 1000; }

value::Value whole(std::uint64_t number) { return {static_cast<std::int64_t>(number)}; }

void set_times(value::Map& map, const std::string& name, const Histogram& times) {
  map.set(name + "P50", rounded(milliseconds(times.quantile(0.5))));
  map.set(name + "P99", rounded(milliseconds(times.quantile(0.99))));
  map.set(name + "Max", rounded(milliseconds(times.max())));
}

void set_counts(value::Map& map, const std::string& name, const Histogram& counts) {
  map.set(name + "P50", counts.quantile(0.5));
  map.set(name + "P99", counts.quantile(0.99));
  map.set(name + "Max", counts.max());
}

std::string spread_line(const char* what, const Histogram& h, const char* unit) {
  const bool is_time = *unit != '\0';
  const auto text = [is_time](std::int64_t v) {
    return is_time ? fmt::format("{:.3f}", milliseconds(v)) : fmt::format("{}", v);
  };
  return fmt::format("{:<16} {:>9} {:>9} {:>9} {:>9} {}\n", what, h.count(), text(h.quantile(0.5)),
                     text(h.quantile(0.99)), text(h.max()), unit);
}

}  // namespace

Usage own_usage() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return {.cpu_seconds = seconds(used.ru_utime) + seconds(used.ru_stime),
          .wall_seconds = 0,
          .memory_kb_max = used.ru_maxrss};
}

value::Map as_map(const Stats& s, const Usage& u) {
  value::Map map;
  map.set("workflows", whole(s.workflows));
  map.set("events", whole(s.events));
  map.set("commits", whole(s.commit_ns.count()));
  map.set("logRows", whole(s.log_rows));
  map.set("nodeRows", whole(s.node_rows));
  map.set("workflowRows", whole(s.workflow_rows));
  map.set("hooks", whole(s.hooks));
  map.set("hooksTimed", whole(s.hook_ns.count()));
  set_times(map, "commitMs", s.commit_ns);
  set_times(map, "hookMs", s.hook_ns);
  set_counts(map, "eventsACommit", s.events_a_commit);
  set_counts(map, "inboxDepth", s.inbox_depth);
  set_counts(map, "leavesOpen", s.leaves);
  map.set("cpuSeconds", rounded(u.cpu_seconds));
  map.set("wallSeconds", rounded(u.wall_seconds));
  map.set("memoryKbMax", u.memory_kb_max);
  return map;
}

std::string as_table(const Stats& s, const Usage& u) {
  std::string text = fmt::format(
      "{} events, {} commits, rows: {} of the log, {} of nodes, {} of workflows; {} hooks\n"
      "{:.3f} s, CPU of the engine {:.3f} s, memory {:.1f} MB at most\n",
      s.events, s.commit_ns.count(), s.log_rows, s.node_rows, s.workflow_rows, s.hooks,
      u.wall_seconds, u.cpu_seconds, static_cast<double>(u.memory_kb_max) / 1024);
  text += fmt::format("{:<16} {:>9} {:>9} {:>9} {:>9}\n", "", "count", "p50", "p99", "max");
  text += spread_line("commit", s.commit_ns, "ms");
  text += spread_line("exit to hook", s.hook_ns, "ms");
  text += spread_line("events a commit", s.events_a_commit, "");
  text += spread_line("inbox depth", s.inbox_depth, "");
  text += spread_line("leaves open", s.leaves, "");
  return text;
}

}  // namespace tiphys::observe
