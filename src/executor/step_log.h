// Writes what a step prints into its log file, a line each: `2026-11-24T11:00:00.123456789Z text`.
//
// The time is when the supervisor read the line, UTC with nine decimals, then one blank, then the
// line as it came. stdout and stderr share the file. A line without an end gets one when the step
// ends; a line over kLineSizeMax is broken there. A file that would be larger than `size_max` ends
// with a line that says so, and the rest of the output is dropped. The file (and its folder) is
// made at the first output, so silent steps cost nothing. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tiphys::executor {

/// Bytes of a log, when nobody says otherwise: a loud step must not fill the disk.
inline constexpr std::int64_t kLogMax = std::int64_t{1} << 30U;

/// The log file of one step.
class StepLog {
 public:
  static constexpr std::size_t kLineSizeMax = 256U << 10U;

  StepLog(std::string path, std::int64_t size_max) : path_(std::move(path)), left_(size_max) {}
  StepLog(const StepLog&) = delete;
  StepLog& operator=(const StepLog&) = delete;
  ~StepLog();

  /// Adds what was read from `stream` (0 stdout, 1 stderr) at `now` (ns since 1970). Whole lines go
  /// to the file.
  void write(int stream, std::string_view bytes, std::int64_t now);
  /// Writes the lines that have no end yet and closes the file.
  void finish(std::int64_t now);

 private:
  void put(std::string_view lines);
  void put_within_bounds(std::string_view lines, std::string_view stamp);

  std::string path_;
  std::string open_lines_[2];
  std::int64_t left_;  // bytes that may still be written
  int fd_ = -1;
  bool broken_ = false;
  bool is_full_ = false;
};

/// "2026-11-24T11:00:00.123456789Z".
[[nodiscard]] std::string log_timestamp(std::int64_t ns_since_1970);

/// Makes `path` and all folders above it (mode 0700). False when that fails; errno says why.
[[nodiscard]] bool make_folders(const std::string& path);

}  // namespace tiphys::executor
