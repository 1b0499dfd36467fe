// What a container of a pod tells the engine when its command has ended: exit, result, files.
//
// Written by tiphys-step inside the pod, read by the Kubernetes executor. It is text, so that
// people who look at a pod can read it: a first line `tiphys 1`, then records `WORD ARGUMENTS` of
// one line each, of which those with a size are followed by so many bytes and a newline, and a last
// line `end`, without which it is only part of one. Small
// reports are the container's termination message; larger ones, and those that are no UTF-8, go
// through the container's log as marked lines (log_lines). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diag/error.h"

namespace tiphys::step {

/// A file, folder or symbolic link, with what is in it.
struct FileEntry {
  enum class Kind : std::uint8_t { kFile, kFolder, kLink };
  Kind kind = Kind::kFile;
  std::string path;       // absolute, as the container sees it
  unsigned mode = 0644;   // permission bits
  std::string text = {};  // of a file; of a link: where it points
};

struct Report {
  int exit_code = 0;
  int exec_error = 0;           // errno with which the command could not be started, or 0
  std::int64_t started_at = 0;  // ns since 1970; 0 when it never ran
  std::int64_t finished_at = 0;
  std::optional<std::string> result = {};  // what it printed on stdout, the last 256 KiB
  std::string message = {};                // what the command itself left as termination message
  std::string problem = {};  // why outputs could not be collected, or inputs not be placed
  std::vector<FileEntry> files = {};
  std::vector<std::string> sent = {};  // artifacts that the object store has already
};

/// Kubernetes cuts a termination message there.
inline constexpr std::size_t kMessageMax = 4096;
/// All files of a report together. What is larger belongs into an object store.
inline constexpr std::size_t kFilesMax = std::size_t{64} << 20U;

[[nodiscard]] std::string encode(const Report& report);
/// Errors: kInvalidManifest when it is none, or only part of one.
[[nodiscard]] diag::Result<Report> decode(std::string_view text);

/// Files alone, as they are brought into a pod.
[[nodiscard]] std::string encode_files(const std::vector<FileEntry>& files);
[[nodiscard]] diag::Result<std::vector<FileEntry>> decode_files(std::string_view text);

/// The text as lines for a log, each with the mark of this pod. The nonce keeps a step from
/// passing its own words off as a report.
[[nodiscard]] std::vector<std::string> log_lines(std::string_view text, std::string_view nonce);
/// The termination message that says how many such lines there are; and back: nullopt for any other
/// message.
[[nodiscard]] std::string log_notice(std::size_t lines);
[[nodiscard]] std::optional<std::size_t> lines_in_log(std::string_view message);

/// What a marked line holds.
struct Marked {
  enum class Kind : std::uint8_t { kReport, kProgress };
  Kind kind = Kind::kReport;
  std::string text;  // decoded
};
/// Nullopt for a line that is the step's own.
[[nodiscard]] std::optional<Marked> marked(std::string_view line, std::string_view nonce);
/// The line that tells a progress (`done/all`).
[[nodiscard]] std::string progress_line(std::string_view progress, std::string_view nonce);

[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace tiphys::step
