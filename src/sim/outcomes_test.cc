// Each leaf must fail once, also one that only a failure makes; and the list must end.
#include "sim/outcomes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "value/json.h"

namespace tiphys::sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

engine::Definition definition() {
  engine::Definition d;
  d.workflow = *value::parse_json(R"({"metadata": {"name": "w", "uid": "u"}, "spec": {
    "entrypoint": "main", "templates": [
      {"name": "main", "steps": [[{"name": "a", "template": "t", "hooks": {"bad":
        {"expression": "steps.a.status == \"Failed\"", "template": "t"}}}]]},
      {"name": "t", "container": {"image": "i", "command": ["true"]}}]}})");
  return d;
}

TEST(AllOutcomes, FindsLeavesThatOnlyAFailureMakes) {
  const auto outcomes = all_outcomes(definition(), {}, 10);
  ASSERT_THAT(outcomes, SizeIs(3));
  EXPECT_THAT(outcomes[0].fails, IsEmpty());
  EXPECT_EQ(outcomes[0].phase, "Succeeded");
  EXPECT_THAT(outcomes[0].hooks, IsEmpty());
  EXPECT_THAT(outcomes[1].fails, ElementsAre("[0].a"));
  EXPECT_EQ(outcomes[1].phase, "Failed");
  EXPECT_THAT(outcomes[1].hooks, ElementsAre("[0].a.hooks.bad"));
  EXPECT_THAT(outcomes[2].fails, ElementsAre("[0].a", "[0].a.hooks.bad"));
}

TEST(AllOutcomes, AreBounded) { EXPECT_THAT(all_outcomes(definition(), {}, 2), SizeIs(2)); }

}  // namespace
}  // namespace tiphys::sim
