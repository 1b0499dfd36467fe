// Virtual time: what is to happen, in order. Things of one moment happen as they were noted.
//
// Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "clock/instant.h"

namespace tiphys::sim {

/// When a simulated world begins: 2026-01-01T00:00:00Z.
inline constexpr clock::Instant kBeginning = {1'767'225'600'000'000'000};

class Agenda {
 public:
  [[nodiscard]] clock::Instant now() const { return now_; }
  /// What is due before now happens next.
  void at(clock::Instant when, std::function<void()> what) {
    items_.emplace(std::pair(std::max(when, now_), ++count_), std::move(what));
  }
  void in(clock::Duration time, std::function<void()> what) { at(now_ + time, std::move(what)); }
  /// The next thing happens, and it is then. False when nothing is left.
  bool run_next() {
    if (items_.empty()) return false;
    auto next = items_.extract(items_.begin());
    now_ = next.key().first;
    next.mapped()();
    return true;
  }

 private:
  clock::Instant now_ = kBeginning;
  std::uint64_t count_ = 0;
  std::map<std::pair<clock::Instant, std::uint64_t>, std::function<void()>> items_;
};

}  // namespace tiphys::sim
