// How values are spread, in fixed memory: counts in buckets whose width grows with the value.
//
// Each power of two has kSlices buckets, so that a quantile is off by at most 1 in 32; values below
// 32 are exact. A list of samples would grow with the run, and a mean hides what a user waits for.
// Pure data.
#pragma once

#include <array>
#include <cstdint>

namespace tiphys::observe {

class Histogram {
 public:
  /// Counts a value; negative ones (a clock that went back) count as 0. Cost: O(1), no allocation.
  void add(std::int64_t value);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// Sum and the largest of the values, exactly.
  [[nodiscard]] std::int64_t sum() const { return sum_; }
  [[nodiscard]] std::int64_t max() const { return max_; }
  /// The value below or at which the fraction `q` (0..1) of the values lies, rounded up to its
  /// bucket's end but never above max(). 0 when there are none.
  [[nodiscard]] std::int64_t quantile(double q) const;

 private:
  static constexpr int kSliceBits = 5;
  static constexpr std::size_t kSlices = 1U << kSliceBits;
  static constexpr std::size_t kBuckets = kSlices * (64 - kSliceBits);
  [[nodiscard]] static std::size_t bucket_of(std::uint64_t value);
  [[nodiscard]] static std::uint64_t last_of(std::size_t bucket);

  std::array<std::uint64_t, kBuckets> counts_ = {};
  std::uint64_t count_ = 0;
  std::int64_t sum_ = 0;
  std::int64_t max_ = 0;
};

}  // namespace tiphys::observe
