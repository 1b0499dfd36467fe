// What the supervisor has started and how it ended, in a file that outlives it.
//
// A line that says "started" is in the file before the process exists, so a later supervisor never
// starts a step twice: it reports the exit that it finds, or that the step was lost. The file is
// written at once (a kill -9 loses nothing) and synced soon after (20 ms, more on a slow disk), so
// a power cut can forget the last starts only. Format, a record: u32 size, u32 FNV-1a of the rest,
// u8 kind, payload (see wire.h). A torn tail is cut off. One thread; the caller holds the
// supervisor's lock.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "diag/error.h"
#include "executor/wire.h"

namespace tiphys::executor {

/// The append-only file and what it holds.
class Journal {
 public:
  /// What an earlier supervisor left: with an exit it has ended, without it is lost.
  using Entries = std::map<std::string, std::optional<wire::Exit>, std::less<>>;

  Journal() = default;
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  ~Journal();

  /// Reads the file, rewrites it without what was acknowledged, and opens it. Errors: kIo.
  [[nodiscard]] diag::Result<Entries> open(const std::string& path);

  // Each adds a record to the batch; nothing is in the file before flush().
  void started(std::string_view key);
  void ended(const wire::Exit& exit);
  void acknowledged(std::string_view key);
  /// Writes the batch with one call. False when the disk refuses it; the batch is kept for the
  /// next.
  [[nodiscard]] bool flush();
  /// Syncs what flush() wrote since the last time.
  void sync();
  [[nodiscard]] bool is_dirty() const { return dirty_; }
  /// Nothing is kept for anybody: the file may start anew. Done only when it has grown.
  void forget_all();

 private:
  enum class Kind : std::uint8_t { kStarted = 1, kEnded, kAcknowledged };
  static void add(std::string& out, Kind kind, std::string_view payload);
  static Entries parse(std::string_view text);

  int fd_ = -1;
  std::string batch_;
  std::int64_t size_ = 0;
  bool dirty_ = false;
};

}  // namespace tiphys::executor
