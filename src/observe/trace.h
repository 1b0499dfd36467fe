// A timeline in Chrome's trace format (Perfetto, chrome://tracing): one JSON array of events.
//
// Written as it goes, whole lines at a time: the format allows that the array is not closed, so the
// file can be opened also when the program was killed. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "clock/instant.h"
#include "diag/error.h"
#include "value/value.h"

namespace tiphys::observe {

class Trace {
 public:
  /// Makes or empties the file. Errors: kIo.
  [[nodiscard]] static diag::Result<Trace> open(const std::string& path);
  Trace(Trace&& other) noexcept;
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;
  Trace& operator=(Trace&&) = delete;
  /// Closes the array and the file.
  ~Trace();

  /// Where something is drawn: a group (a process, to the format) and a lane in it (a thread).
  struct Place {
    int group = 1;
    int lane = 1;
  };
  void name_group(int group, std::string_view name);
  void name_lane(Place place, std::string_view name);
  /// Something that took a while.
  void slice(Place place, std::string_view name, clock::Instant from, clock::Instant to,
             const value::Map& arguments);
  /// An arrow of this number leaves, or arrives at, the slice that is drawn there at that time.
  void arrow_from(std::uint64_t number, Place place, clock::Instant at);
  void arrow_to(std::uint64_t number, Place place, clock::Instant at);
  /// Hands to the kernel what was added; a full disk is not our caller's trouble.
  void flush();

 private:
  explicit Trace(int file) : file_(file) {}
  void add(value::Map event, Place place);
  void add_at(value::Map event, Place place, clock::Instant at);

  int file_;
  std::string lines_;
  bool has_events_ = false;
};

}  // namespace tiphys::observe
