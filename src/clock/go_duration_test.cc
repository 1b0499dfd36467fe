#include "clock/go_duration.h"

#include <gtest/gtest.h>

#include <limits>

namespace tiphys::clock {
namespace {

// Goal: Go's notation is read and written back as Go does, with its limits.
TEST(GoDuration, ReadsAndWrites) {
  const struct {
    const char* text;
    const char* written;
  } kCases[] = {{"1h30m", "1h30m0s"},   {"-1.5s", "-1.5s"}, {"300ms", "300ms"}, {".5s", "500ms"},
                {"1us", "1\u00b5s"},    {"0", "0s"},        {"-0", "0s"},       {"1h1h", "2h0m0s"},
                {"1000ns", "1\u00b5s"}, {"+1h", "1h0m0s"}};
  for (const auto& c : kCases) {
    const auto d = parse_go_duration(c.text);
    ASSERT_TRUE(d) << c.text;
    EXPECT_EQ(go_duration(*d), c.written) << c.text;
  }
  EXPECT_EQ(go_duration({std::numeric_limits<std::int64_t>::min()}), "-2562047h47m16.854775808s");
}

// Goal: texts that are no durations are refused with Go's words.
TEST(GoDuration, Refuses) {
  EXPECT_EQ(parse_go_duration("").error().message, "time: invalid duration \"\"");
  EXPECT_EQ(parse_go_duration("5").error().message, "time: missing unit in duration \"5\"");
  EXPECT_EQ(parse_go_duration("1d").error().message, "time: unknown unit \"d\" in duration \"1d\"");
  EXPECT_FALSE(parse_go_duration("2562048h"));
  EXPECT_FALSE(parse_go_duration("."));
  EXPECT_FALSE(parse_go_duration("-"));
}

// Goal: a bare number in a manifest is seconds, and too many of them wrap around as in Argo.
TEST(GoDuration, BareNumbersAreSeconds) {
  EXPECT_EQ(parse_duration("90")->ns, 90'000'000'000);
  EXPECT_EQ(parse_duration("2m")->ns, 120'000'000'000);
  EXPECT_EQ(parse_duration("9223372036854775807")->ns, -1'000'000'000);
  EXPECT_EQ(parse_duration("x").error().message,
            "unable to parse x as a duration: time: invalid duration \"x\"");
}

// Goal: durations for people have two units, from the same table as the messages of a back-off.
TEST(GoDuration, ForPeople) {
  EXPECT_EQ(humanize(Duration::seconds(0)), "0 seconds");
  EXPECT_EQ(humanize(Duration::seconds(90)), "1 minute 30 seconds");
  EXPECT_EQ(humanize(Duration::seconds(26 * 3600)), "1 day 2 hours");
  EXPECT_EQ(humanize_short(Duration::seconds(150)), "2m");
  EXPECT_EQ(humanize_short(Duration::seconds(20 * 86400)), "20d");
}

// Goal: Go's Atoi takes one sign and decimal digits only.
TEST(GoDuration, Integers) {
  EXPECT_EQ(*parse_go_int("+3"), 3);
  EXPECT_EQ(*parse_go_int("-03"), -3);
  for (const char* bad : {"", " 3", "3 ", "+-3", "1.5", "0x10", "9223372036854775808"}) {
    EXPECT_FALSE(parse_go_int(bad)) << bad;
  }
}

// Goal: `activeDeadlineSeconds: 99999999999` is a long time, not one that has passed.
TEST(Instant, EndsWhereItsNumbersDo) {
  const Instant now{1'767'225'600'000'000'000};
  EXPECT_EQ((now + Duration::seconds(99'999'999'999)).ns, INT64_MAX);
  EXPECT_EQ((now + Duration::milliseconds(INT64_MAX)).ns, INT64_MAX);
  EXPECT_EQ((now - Duration::seconds(INT64_MIN)).ns, INT64_MAX);
  EXPECT_EQ((Instant{INT64_MIN} - Duration{1}).ns, INT64_MIN);
  EXPECT_EQ((Instant{-2} - Instant{INT64_MAX}).ns, INT64_MIN);
  EXPECT_EQ((Duration::seconds(1) + Duration{INT64_MAX}).ns, INT64_MAX);
}

}  // namespace
}  // namespace tiphys::clock
