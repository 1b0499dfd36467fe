#include "engine/backoff.h"

#include <gtest/gtest.h>

#include <limits>

#include "value/json.h"

namespace tiphys::engine {
namespace {

using clock::Duration;
using clock::Instant;

value::Value json(std::string_view text) { return *value::parse_json(text); }

// Goal: waits grow by the factor, stop at the cap and never overflow.
TEST(Backoff, Waits) {
  const auto doubling = json(R"({"duration":"5s","factor":"2","cap":"1m"})");
  EXPECT_EQ(backoff_wait(doubling, 1)->ns, Duration::seconds(5).ns);
  EXPECT_EQ(backoff_wait(doubling, 4)->ns, Duration::seconds(40).ns);
  EXPECT_EQ(backoff_wait(doubling, 60)->ns, Duration::seconds(60).ns);
  EXPECT_EQ(backoff_wait(json(R"({"duration":"10","factor":10})"), 64)->ns,
            std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(backoff_wait(json(R"({"duration":7})"), 9)->ns, Duration::seconds(7).ns);
}

// Goal: bad numbers are errors with Argo's words.
TEST(Backoff, Errors) {
  EXPECT_EQ(backoff_wait(json(R"({"factor":2})"), 1).error().message,
            "no base duration specified for retryStrategy");
  EXPECT_EQ(backoff_wait(json(R"({"duration":"5","factor":"x"})"), 1).error().message,
            "value 'x' cannot be resolved to an int");
}

// Goal: waiting, going on and giving up are told apart by the time that has passed.
TEST(Backoff, Decides) {
  const Instant start{Duration::seconds(1000).ns};
  const Attempts attempts{2, start, start + Duration::seconds(8), 5};
  const auto backoff = json(R"({"duration":"5","factor":2,"maxDuration":"30"})");
  const auto waits = next_backoff(backoff, attempts, start + Duration::seconds(9));
  ASSERT_TRUE(waits);
  EXPECT_EQ(waits->verdict, Backoff::Verdict::kWait);
  EXPECT_EQ(waits->message, "Backoff for 10 seconds");
  EXPECT_EQ(waits->until, start + Duration::seconds(18));
  const auto goes = next_backoff(backoff, attempts, start + Duration::seconds(18));
  EXPECT_EQ(goes->verdict, Backoff::Verdict::kGo);
  EXPECT_EQ(goes->deadline, start + Duration::seconds(30));
  EXPECT_EQ(next_backoff(backoff, attempts, start + Duration::seconds(31))->message,
            "Max duration limit exceeded");
  const Attempts late{3, start, start + Duration::seconds(20), 5};
  EXPECT_EQ(next_backoff(backoff, late, start + Duration::seconds(21))->message,
            "Backoff would exceed max duration limit");
}

}  // namespace
}  // namespace tiphys::engine
