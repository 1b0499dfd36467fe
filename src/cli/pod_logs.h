// The logs of a workflow's pods, as they grow.
//
// Each pod's log is a file which the supervisor appends to; what was added since the last call is
// read and given in the order of its times. Used by one thread.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/log_lines.h"
#include "diag/error.h"
#include "runtime/config.h"
#include "value/value.h"

namespace tiphys::cli {

/// A stored line of a pod's log.
struct LogLine {
  std::string pod;
  std::string stored;
};

class PodLogs {
 public:
  struct Options {
    std::string only = {};  // a pod, or the id or display name of its node; empty: all
    std::optional<std::size_t> tail = {};  // of what is there at first, for each pod
    std::function<bool(const value::Value& node)> is_wanted = {};  // null: every pod
    std::string container = {};  // whose log; empty: main, and each one of a containerSet
    /// Which containers the pod of a node has; null: as many as are asked for.
    std::function<std::vector<std::string>(const value::Value& node)> containers_of = {};
  };

  PodLogs(runtime::Config config, Options options)
      : config_(std::move(config)), options_(std::move(options)) {}

  /// Learns of the workflow's pods. Cost: O(nodes).
  void look_at(const value::Value& workflow);
  /// How many pods it knows.
  [[nodiscard]] std::size_t pod_count() const { return pods_.size(); }
  /// The containers of the pods that do not have the wanted one.
  [[nodiscard]] const std::set<std::string>& other_containers() const { return others_; }
  /// What passes the filter and was added since the last call, oldest first.
  [[nodiscard]] std::vector<LogLine> take(const LogFilter& filter);

 private:
  struct Pod {
    std::string shown;  // before its lines
    std::string path;
    std::size_t offset = 0;
    bool has_begun = false;    // lines were read before
    bool is_over = false;      // its node has ended
    bool is_read_out = false;  // and all of the file was read after that
  };

  void look_at_node(const value::Value& nodes, const std::string& id, const value::Value& node,
                    const value::Value& metadata);
  [[nodiscard]] bool has_container(const value::Value& node);
  void read(Pod& pod, const LogFilter& filter, std::vector<LogLine>& lines) const;

  runtime::Config config_;
  Options options_;
  std::map<std::string, Pod> pods_;  // by the name of the log file
  std::set<std::string> others_;
};

}  // namespace tiphys::cli
