#include "observe/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace tiphys::observe {

std::size_t Histogram::bucket_of(std::uint64_t value) {
  if (value < kSlices) return value;
  const auto shift = static_cast<std::size_t>(std::bit_width(value)) - 1 - kSliceBits;
  return (shift * kSlices) + (value >> shift);
}

std::uint64_t Histogram::last_of(std::size_t bucket) {
  if (bucket < 2 * kSlices) return bucket;
  const std::size_t shift = (bucket / kSlices) - 1;
  const std::uint64_t slice = bucket - (shift * kSlices);
  return ((slice + 1) << shift) - 1;
}

void Histogram::add(std::int64_t value) {
  value = std::max<std::int64_t>(value, 0);
  ++counts_[bucket_of(static_cast<std::uint64_t>(value))];
  ++count_;
  sum_ += value;
  max_ = std::max(max_, value);
}

std::int64_t Histogram::quantile(double q) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i];
    if (seen > 0 && seen >= wanted) {
      return static_cast<std::int64_t>(std::min(last_of(i), static_cast<std::uint64_t>(max_)));
    }
  }
  return 0;
}

}  // namespace tiphys::observe
