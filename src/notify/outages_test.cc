// An outage is told once, however long it lasts, and so is its end.
#include "notify/outages.h"

#include <gtest/gtest.h>

namespace tiphys::notify {
namespace {

using Turn = Outages::Turn;

TEST(Outages, BeginsWithTheNthFailureInARow) {
  Outages outages;
  EXPECT_EQ(outages.note("a", false, 3), Turn::kNone);
  EXPECT_EQ(outages.note("a", false, 3), Turn::kNone);
  EXPECT_EQ(outages.note("b", false, 3), Turn::kNone);
  EXPECT_EQ(outages.note("a", false, 3), Turn::kBegins);
  EXPECT_EQ(outages.note("a", false, 3), Turn::kNone);
}

TEST(Outages, ADeliveryEndsIt) {
  Outages outages;
  EXPECT_EQ(outages.note("a", true, 2), Turn::kNone);
  EXPECT_EQ(outages.note("a", false, 2), Turn::kNone);
  EXPECT_EQ(outages.note("a", true, 2), Turn::kNone);  // one failure is none
  EXPECT_EQ(outages.note("a", false, 2), Turn::kNone);
  EXPECT_EQ(outages.note("a", false, 2), Turn::kBegins);
  EXPECT_EQ(outages.note("a", true, 2), Turn::kEnds);
  EXPECT_EQ(outages.note("a", true, 2), Turn::kNone);
  EXPECT_EQ(outages.note("a", false, 2), Turn::kNone);
  EXPECT_EQ(outages.note("a", false, 2), Turn::kBegins);
}

TEST(Outages, NeverBeginsBeforeTheFirstFailure) {
  Outages outages;
  EXPECT_EQ(outages.note("a", false, 0), Turn::kBegins);
}

}  // namespace
}  // namespace tiphys::notify
