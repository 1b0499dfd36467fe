// The logs of a workflow's pods, as they grow.
//
// Each pod's log is a file which the supervisor appends to; what was added since the last call is
// read and given in the order of its times. Used by one thread.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
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
  };

  PodLogs(runtime::Config config, Options options)
      : config_(std::move(config)), options_(std::move(options)) {}

  /// Learns of the workflow's pods. Cost: O(nodes).
  void look_at(const value::Value& workflow);
  /// How many pods it knows.
  [[nodiscard]] std::size_t pod_count() const { return pods_.size(); }
  /// What passes the filter and was added since the last call, oldest first.
  [[nodiscard]] std::vector<LogLine> take(const LogFilter& filter);

 private:
  struct Pod {
    std::string path;
    std::size_t offset = 0;
    bool has_begun = false;    // lines were read before
    bool is_over = false;      // its node has ended
    bool is_read_out = false;  // and all of the file was read after that
  };

  void read(const std::string& name, Pod& pod, const LogFilter& filter,
            std::vector<LogLine>& lines) const;

  runtime::Config config_;
  Options options_;
  std::map<std::string, Pod> pods_;  // by name
};

}  // namespace tiphys::cli
