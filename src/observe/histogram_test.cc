// Quantiles are what they would be of the sorted list of values, up to the width of a bucket.
#include "observe/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace tiphys::observe {
namespace {

TEST(HistogramTest, IsEmptyAtFirst) {
  const Histogram h;
  EXPECT_EQ(h.count(), 0U);
  EXPECT_EQ(h.quantile(0.5), 0);
  EXPECT_EQ(h.max(), 0);
}

TEST(HistogramTest, KeepsSmallValuesExactly) {
  Histogram h;
  for (int i = 1; i <= 31; ++i) h.add(i);
  EXPECT_EQ(h.quantile(0.5), 16);
  EXPECT_EQ(h.quantile(1.0), 31);
  EXPECT_EQ(h.quantile(0.0), 1);
  EXPECT_EQ(h.sum(), 31 * 16);
}

TEST(HistogramTest, TakesAClockThatWentBackForZero) {
  Histogram h;
  h.add(-5);
  EXPECT_EQ(h.count(), 1U);
  EXPECT_EQ(h.quantile(0.99), 0);
}

TEST(HistogramTest, HoldsTheLargestValue) {
  Histogram h;
  h.add(std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(h.quantile(0.5), std::numeric_limits<std::int64_t>::max());
}

TEST(HistogramTest, IsOffByOneIn32AtMost) {
  std::mt19937_64 random(7);  // NOLINT: the same values in every run
  std::lognormal_distribution<double> times(13, 2);
  std::vector<std::int64_t> all(20'000);
  Histogram h;
  for (std::int64_t& value : all) {
    value = static_cast<std::int64_t>(times(random));
    h.add(value);
  }
  std::ranges::sort(all);
  for (const double q : {0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(q * 20'000)) - 1;
    const std::int64_t exact = all[rank];
    EXPECT_GE(h.quantile(q), exact) << q;
    EXPECT_LE(h.quantile(q), exact + exact / 32 + 1) << q;
  }
}

}  // namespace
}  // namespace tiphys::observe
