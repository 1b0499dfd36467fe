#include "clock/rfc3339.h"

#include <gtest/gtest.h>

#include "clock/strftime.h"

namespace tiphys::clock {
namespace {

// Goal: timestamps survive the way to text and back, whatever their offset.
TEST(Rfc3339, RoundTrips) {
  for (const char* text : {"1970-01-01T00:00:00Z", "2024-02-29T23:59:59Z", "2261-12-31T00:00:00Z",
                           "1900-03-01T12:00:00Z"}) {
    const auto t = parse_rfc3339(text);
    ASSERT_TRUE(t) << text;
    EXPECT_EQ(rfc3339(*t), text);
  }
  EXPECT_EQ(rfc3339(*parse_rfc3339("2024-01-01T01:30:00.5+02:00")), "2023-12-31T23:30:00Z");
  EXPECT_EQ(rfc3339_micro(*parse_rfc3339("2024-01-01T00:00:00.1234567Z")),
            "2024-01-01T00:00:00.123456Z");
}

// Goal: dates that do not exist and half texts are refused.
TEST(Rfc3339, Refuses) {
  for (const char* text :
       {"", "2024-01-01", "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-01T24:00:00Z",
        "2024-01-01T00:00:00", "2024-01-01 00:00:00Z", "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00Zx", "9999-01-01T00:00:00Z"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

// Goal: each letter of workflow.creationTimestamp gives what Argo's strftime gives; the others
// stay.
TEST(Strftime, Letters) {
  const Instant t = *parse_rfc3339("2024-07-04T00:05:09.006Z");
  EXPECT_EQ(strftime("%B %b %m %A %a %d %H %I %M %S %Y %y %p %Z %z %L", t),
            "July Jul 07 Thursday Thu 04 00 12 05 09 2024 24 AM UTC +0000 .006");
  EXPECT_EQ(strftime("100% %Q%%Y %", t), "100% %Q%Y %");
  EXPECT_EQ(strftime("%H:%M %Z %z", t, "Asia/Kolkata"), "05:35 IST +0530");
}

}  // namespace
}  // namespace tiphys::clock
