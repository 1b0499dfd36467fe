// Goal: times, layouts, zones and durations behave as Go's time package does.
#include "expr/gotime.h"

#include <gtest/gtest.h>

namespace tiphys::expr {
namespace {

std::string reformatted(std::string_view layout, std::string_view text,
                        const std::shared_ptr<const Location>& where = nullptr) {
  const auto t = parse_time(layout, text, where);
  return t ? format_time(*t, kRfc3339Nano) : "error: " + t.error().message;
}

TEST(GoTime, ParsesLayouts) {
  EXPECT_EQ(reformatted(kRfc3339, "2024-02-29T10:20:30.5+02:00"), "2024-02-29T10:20:30.5+02:00");
  EXPECT_EQ(reformatted("Jan _2 06 3:04PM", "Feb  9 70 1:05PM"), "1970-02-09T13:05:00Z");
  EXPECT_EQ(reformatted("Monday, 02-Jan-06 15:04:05 MST", "Friday, 01-Mar-24 00:00:00 UTC"),
            "2024-03-01T00:00:00Z");
  EXPECT_EQ(reformatted("2006-002", "2024-060"), "2024-02-29T00:00:00Z");
  EXPECT_EQ(reformatted("15:04:05,000", "01:02:03,004"), "0000-01-01T01:02:03.004Z");
}

TEST(GoTime, RejectsWhatDoesNotFit) {
  EXPECT_EQ(reformatted("2006-01-02", "2023-02-29"),
            "error: parsing time \"2023-02-29\": day out of range");
  EXPECT_EQ(reformatted("2006-01-02", "2023-13-01"),
            "error: parsing time \"2023-13-01\": month out of range");
  EXPECT_EQ(reformatted("2006", "2023x"), "error: parsing time \"2023x\": extra text: \"x\"");
  EXPECT_EQ(reformatted("2006-01", "2023/01"),
            "error: parsing time \"2023/01\" as \"2006-01\": cannot parse \"/01\" as \"-\"");
}

TEST(GoTime, ZonesAndGaps) {
  const auto berlin = load_location("Europe/Berlin");
  ASSERT_TRUE(berlin);
  EXPECT_EQ(reformatted("2006-01-02 15:04", "2024-07-01 12:00", *berlin),
            "2024-07-01T12:00:00+02:00");
  EXPECT_EQ(reformatted("2006-01-02 15:04", "2024-03-31 02:30", *berlin),
            "2024-03-31T03:30:00+02:00");
  EXPECT_FALSE(load_location("Nowhere/City"));
}

TEST(GoTime, Durations) {
  EXPECT_EQ(parse_duration("1h15m30.918s").value(), 4'530'918'000'000);
  EXPECT_EQ(parse_duration("-1.5ms").value(), -1'500'000);
  EXPECT_EQ(parse_duration("0").value(), 0);
  for (const char* bad : {"", "1", "1x", "s", "1h-1m", "9999999h", "."}) {
    EXPECT_FALSE(parse_duration(bad)) << bad;
  }
  EXPECT_EQ(duration_to_text(0), "0s");
  EXPECT_EQ(duration_to_text(1'500), "1.5µs");
  EXPECT_EQ(duration_to_text(-90'000'000'000), "-1m30s");
  EXPECT_EQ(duration_to_text(3'600'000'000'000), "1h0m0s");
}

}  // namespace
}  // namespace tiphys::expr
