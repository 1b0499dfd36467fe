// Lines of log files: their parts, which are wanted, and how `logs` prints them.
//
// A line of a log file is an RFC 3339 time with nanoseconds, a blank and the text
// (executor/step_log.h). Pure.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "clock/instant.h"
#include "diag/error.h"
#include "re2/re2.h"
#include "value/value.h"

namespace tiphys::cli {

struct LogStyle {
  bool color = false;
  bool timestamps = false;
};

/// The name of a node's pod.
[[nodiscard]] std::string pod_of(const std::string& workflow, const value::Value& node);
/// The text of a stored line, without its time.
[[nodiscard]] std::string_view log_text(std::string_view stored);
[[nodiscard]] std::string_view log_time(std::string_view stored);
/// `POD: text`, coloured by the pod's name as argo does (sum of its code points modulo 6, colours
/// 32 to 37).
[[nodiscard]] std::string format_log_line(const std::string& pod, std::string_view stored,
                                          const LogStyle& style);

/// Which lines are wanted.
class LogFilter {
 public:
  /// All of them.
  LogFilter() = default;
  /// Those whose text `grep` (RE2; empty: any) finds, not older than `since` (not set: any).
  /// Errors: kInvalidManifest for a bad pattern.
  [[nodiscard]] static diag::Result<LogFilter> make(const std::string& grep, clock::Instant since);

  [[nodiscard]] bool passes(std::string_view stored) const;

 private:
  std::unique_ptr<re2::RE2> grep_;
  clock::Instant since_;
};

}  // namespace tiphys::cli
