// The program's own log lines, kept back while a tree is on the screen: written straight to the
// terminal they would spoil it.
//
// Thread-safe: lines may be logged from any thread; take() is for the one that draws.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace spdlog {
class logger;
}

namespace tiphys::cli {

/// Catches what goes to the default logger while it lives; what nobody took goes to stderr then.
class LogNotes {
 public:
  LogNotes();
  LogNotes(const LogNotes&) = delete;
  LogNotes& operator=(const LogNotes&) = delete;
  ~LogNotes();

  /// The lines that came since the last call.
  [[nodiscard]] std::vector<std::string> take();

 private:
  class Sink;
  std::shared_ptr<Sink> sink_;
  std::shared_ptr<spdlog::logger> before_;
};

}  // namespace tiphys::cli
