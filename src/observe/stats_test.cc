// What people read in the table is what programs read in the object, in the same units.
#include "observe/stats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tiphys::observe {
namespace {

using testing::HasSubstr;

Stats some() {
  Stats s;
  s.events = 12;
  s.log_rows = 5;
  s.node_rows = 7;
  s.hooks = 2;
  for (int i = 1; i <= 4; ++i) s.commit_ns.add(i * 250'000);
  s.hook_ns.add(900'000);
  s.inbox_depth.add(3);
  return s;
}

TEST(StatsTest, AreMillisecondsInTheObject) {
  const value::Value v = as_map(some(), {.cpu_seconds = 0.25, .wall_seconds = 2});
  EXPECT_EQ(v["events"].int_or(0), 12);
  EXPECT_EQ(v["commits"].int_or(0), 4);
  EXPECT_EQ(v["nodeRows"].int_or(0), 7);
  EXPECT_NEAR(v["commitMsP50"].as_float(), 0.5, 0.02);
  EXPECT_DOUBLE_EQ(v["commitMsMax"].as_float(), 1.0);
  EXPECT_DOUBLE_EQ(v["hookMsP99"].as_float(), 0.9);
  EXPECT_EQ(v["inboxDepthMax"].int_or(0), 3);
  EXPECT_DOUBLE_EQ(v["cpuSeconds"].as_float(), 0.25);
}

TEST(StatsTest, AreAShortTable) {
  const std::string text = as_table(some(), {.cpu_seconds = 0.25, .wall_seconds = 2});
  EXPECT_THAT(text, HasSubstr("12 events, 4 commits, rows: 5 of the log, 7 of nodes"));
  EXPECT_THAT(text, HasSubstr("exit to hook             1     0.900     0.900     0.900 ms\n"));
  EXPECT_THAT(text, HasSubstr("2.000 s, CPU of the engine 0.250 s"));
}

TEST(StatsTest, TheKernelKnowsWhatWasUsed) {
  EXPECT_GT(own_usage().memory_kb_max, 0);
  EXPECT_GE(own_usage().cpu_seconds, 0);
}

}  // namespace
}  // namespace tiphys::observe
