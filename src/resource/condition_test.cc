// Conditions over objects, as Argo's executor judges and prints them.
#include "resource/condition.h"

#include <gtest/gtest.h>

#include "value/json.h"

namespace tiphys::resource {
namespace {

const char* const kJob = R"js({"status": {"phase": "Failed", "replicas": 3, "is": true,
    "conditions": [{"type": "Complete", "status": "True"}], "none": null}})js";

bool holds(std::string_view text) {
  const auto condition = Condition::parse(text);
  EXPECT_TRUE(condition) << text;
  return condition && condition->holds(*value::parse_json(kJob));
}

std::string first(std::string_view text) {
  return Condition::parse(text)->first_that_holds(*value::parse_json(kJob)).value_or("none");
}

TEST(Condition, LooksAtMembersAndPlacesInLists) {
  EXPECT_TRUE(holds("status.phase == Failed"));
  EXPECT_TRUE(holds("status.phase in (Succeeded, Failed), status.replicas > 2"));
  EXPECT_FALSE(holds("status.phase == Failed, status.replicas > 3"));
  EXPECT_TRUE(holds("status.conditions.0.type = Complete"));
  EXPECT_FALSE(holds("status.conditions.1.type = Complete"));
  EXPECT_TRUE(holds("status.is = true"));
  EXPECT_TRUE(holds("status.none"));
  EXPECT_TRUE(holds("!status.other"));
  EXPECT_TRUE(holds("status.other != x"));
  EXPECT_TRUE(holds(""));
}

TEST(Condition, IsPrintedAsArgoPrintsIt) {
  EXPECT_EQ(first("status.phase == Failed"), "{status.phase == [Failed]}");
  EXPECT_EQ(first("status.phase in (b, Failed)"), "{status.phase in [Failed b]}");
  EXPECT_EQ(first("status.phase = x, status.replicas > 1"), "{status.replicas gt [1]}");
  EXPECT_EQ(first("!status.gone"), "{status.gone ! []}");
  EXPECT_EQ(first("status.phase == Succeeded"), "none");
  EXPECT_FALSE(Condition::parse("status.phase ~ x"));
}

}  // namespace
}  // namespace tiphys::resource
