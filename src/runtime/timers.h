// When the engine's timers are due, by the steady clock (clocks.h).
//
// Pure data; used by the loop's thread only.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/event.h"

namespace tiphys::runtime {

class Timers {
 public:
  using Due = std::pair<std::string, engine::TimerFired>;  // uid of the workflow

  void set(const std::string& uid, const engine::TimerFired& timer, clock::Instant at) {
    by_time_.emplace(at, Due{uid, timer});
  }
  /// The earliest one; nullopt when there is none. Timers that no longer matter are still here: the
  /// engine ignores them.
  [[nodiscard]] std::optional<clock::Instant> next() const {
    return by_time_.empty() ? std::nullopt : std::optional(by_time_.begin()->first);
  }
  /// Removes and returns all that are due at `now`, in order.
  [[nodiscard]] std::vector<Due> take_due(clock::Instant now) {
    std::vector<Due> due;
    while (!by_time_.empty() && by_time_.begin()->first <= now) {
      due.push_back(std::move(by_time_.begin()->second));
      by_time_.erase(by_time_.begin());
    }
    return due;
  }
  /// Forgets the timers of a workflow that has ended. Cost: O(all timers).
  void drop(const std::string& uid) {
    std::erase_if(by_time_, [&](const auto& entry) { return entry.second.first == uid; });
  }

 private:
  std::multimap<clock::Instant, Due> by_time_;
};

}  // namespace tiphys::runtime
