// When a finished workflow is deleted: the seconds for its outcome, else those for any.
#include "runtime/expiry.h"

#include <gtest/gtest.h>

#include "value/json.h"

namespace tiphys::runtime {
namespace {

std::int64_t seconds_until(const char* ttl, std::string_view phase) {
  auto spec = value::parse_json(ttl);
  const clock::Instant end{1'000'000'000};
  auto due = expires_at(value::Map{{"ttlStrategy", *spec}}, phase, end);
  return due ? (*due - end).ns / 1'000'000'000 : -1;
}

TEST(Expiry, TakesTheSecondsForTheOutcome) {
  const char* all =
      R"({"secondsAfterCompletion":1,"secondsAfterSuccess":2,"secondsAfterFailure":3})";
  EXPECT_EQ(seconds_until(all, "Succeeded"), 2);
  EXPECT_EQ(seconds_until(all, "Failed"), 3);
  EXPECT_EQ(seconds_until(all, "Error"), 1);
  EXPECT_EQ(seconds_until(all, "Running"), -1);
  EXPECT_EQ(seconds_until(R"({"secondsAfterSuccess":0})", "Succeeded"), 0);
  EXPECT_EQ(seconds_until(R"({"secondsAfterSuccess":0})", "Failed"), -1);
}

TEST(Expiry, GivesThoseThatAreDueInOrder) {
  Expiry expiry;
  expiry.add("b", {20});
  expiry.add("a", {10});
  expiry.add("c", {30});
  EXPECT_EQ(expiry.take_due({25}), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(expiry.take_due({25}).empty());
}

TEST(Expiry, ForgetsATimeThatAnotherOneReplaces) {
  Expiry expiry;
  expiry.add("a", {10});
  expiry.add("a", {30});
  EXPECT_TRUE(expiry.take_due({20}).empty());
  EXPECT_EQ(expiry.take_due({30}), (std::vector<std::string>{"a"}));
  EXPECT_TRUE(expiry.take_due({40}).empty());
}

}  // namespace
}  // namespace tiphys::runtime
