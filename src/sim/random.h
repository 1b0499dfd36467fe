// A small seeded generator: the same seed gives the same numbers on every machine (xorshift64*).
//
// Pure.
#pragma once

#include <cstdint>

namespace tiphys::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15ULL + 0x1234567ULL) {}

  [[nodiscard]] std::uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545F4914F6CDD1DULL;
  }
  /// A number from 0 to bound - 1.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return (next() >> 11) % bound; }
  /// True `percent` times out of a hundred.
  [[nodiscard]] bool chance(unsigned percent) { return below(100) < percent; }

 private:
  std::uint64_t state_;
};

}  // namespace tiphys::sim
