// The bucket of tokens, on a clock of the test's own, and the variables that set it.
#include "kube/request_rate.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace tiphys::kube {
namespace {

constexpr std::int64_t kMs = 1'000'000;

int taken_until(RequestRate& rate, std::int64_t from, std::int64_t until) {
  int count = 0;
  for (std::int64_t now = from; now <= until;) {
    const auto later = rate.take(now);
    if (!later) {
      ++count;
      continue;
    }
    EXPECT_GT(*later, now);
    now = *later;
  }
  return count;
}

TEST(RequestRate, ABurstIsFollowedByAnEvenPace) {
  RequestRate rate({.per_second = 20, .burst = 30});
  for (int i = 0; i < 30; ++i) EXPECT_FALSE(rate.take(5 * kMs)) << i;
  EXPECT_EQ(rate.take(5 * kMs), 55 * kMs);
  EXPECT_EQ(rate.take(45 * kMs), 55 * kMs);
  EXPECT_FALSE(rate.take(55 * kMs));
  EXPECT_EQ(taken_until(rate, 55 * kMs, 1055 * kMs), 20);
}

TEST(RequestRate, AQuietTimeSavesNoMoreThanTheBurst) {
  RequestRate rate({.per_second = 10, .burst = 3});
  EXPECT_EQ(taken_until(rate, 0, 0), 3);
  EXPECT_EQ(taken_until(rate, 3600'000 * kMs, 3600'000 * kMs), 3);
}

TEST(RequestRate, WithoutALimitAllMayPass) {
  RequestRate rate({});
  for (int i = 0; i < 10'000; ++i) ASSERT_FALSE(rate.take(0));
}

diag::Result<RateLimit> with(const char* per_second, const char* burst) {
  ::setenv("TIPHYS_KUBE_QPS", per_second, 1);
  ::setenv("TIPHYS_KUBE_BURST", burst, 1);
  auto limit = rate_limit_from_environment();
  ::unsetenv("TIPHYS_KUBE_QPS");
  ::unsetenv("TIPHYS_KUBE_BURST");
  return limit;
}

TEST(RequestRate, TheVariablesSetIt) {
  EXPECT_EQ(with("", "")->per_second, 0);
  EXPECT_EQ(with("20", "30")->per_second, 20);
  EXPECT_EQ(with("20", "30")->burst, 30);
  EXPECT_EQ(with("20.5", "")->burst, 20);
  EXPECT_EQ(with("0.5", "")->burst, 1);
}

TEST(RequestRate, VariablesThatMakeNoSenseAreRefusedInOneLine) {
  for (const char* bad : {"x", "-1", "0", "1 ", "nan", "inf", "1e3", "2000000"}) {
    const auto limit = with(bad, "");
    ASSERT_FALSE(limit) << bad;
    EXPECT_EQ(limit.error().message,
              "TIPHYS_KUBE_QPS is '" + std::string(bad) + "': want a number from 0.1 to 1000000");
  }
  EXPECT_EQ(with("5", "2.5").error().message,
            "TIPHYS_KUBE_BURST is '2.5': want a whole number from 1 to 1000000");
  EXPECT_EQ(with("", "5").error().message, "TIPHYS_KUBE_BURST is set, and TIPHYS_KUBE_QPS is not");
}

}  // namespace
}  // namespace tiphys::kube
