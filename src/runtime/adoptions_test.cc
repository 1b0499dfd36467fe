// Those with something to deliver come first, and nobody is taken twice.
#include "runtime/adoptions.h"

#include <gtest/gtest.h>

namespace tiphys::runtime {

TEST(Adoptions, UrgentOnesFirstThenInOrder) {
  Adoptions a;
  a.set({"a", "b", "c", "d"}, {"c", "elsewhere"});
  EXPECT_TRUE(a.waits("a"));
  EXPECT_FALSE(a.waits("elsewhere"));
  std::vector<std::string> order;
  while (const auto uid = a.take()) {
    EXPECT_FALSE(a.waits(*uid));
    order.push_back(*uid);
  }
  EXPECT_EQ(order, (std::vector<std::string>{"c", "a", "b", "d"}));
  EXPECT_TRUE(a.empty());
}

TEST(Adoptions, ANewListReplacesTheOld) {
  Adoptions a;
  a.set({"a", "b"}, {});
  EXPECT_EQ(a.take(), "a");
  a.set({"b", "c"}, {});
  EXPECT_EQ(a.take(), "c");  // it is new
  EXPECT_EQ(a.take(), "b");
  EXPECT_EQ(a.take(), std::nullopt);
}

}  // namespace tiphys::runtime
