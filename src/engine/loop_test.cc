// Groups of steps with loops: what starts when a loop cannot be expanded, or an item's hook fails.
#include <gtest/gtest.h>

#include "engine/engine_fixture.h"

namespace tiphys::engine {
namespace {

constexpr const char* kLeafOnly = R"({"name":"leaf","container":{"image":"x","command":["true"]}})";

std::string group(const std::string& steps) {
  return R"({"entrypoint":"main","templates":[{"name":"main","steps":[[)" + steps + "]]}," +
         kLeafOnly + "]}";
}

TEST_F(EngineTest, NoStepOfAGroupStartsWhenALoopOfItCannotBeExpanded) {
  start(group(R"({"name":"first","template":"leaf"},
      {"name":"none","template":"leaf","withParam":"[]"},
      {"name":"bad","template":"leaf","withSequence":{"start":"x","end":"5"}},
      {"name":"later","template":"leaf","withParam":"[]"})"));
  EXPECT_TRUE(waiting_.empty());
  EXPECT_EQ(phase_of("wf[0].first"), "absent");
  EXPECT_EQ(phase_of("wf[0].none"), "Skipped");  // an empty loop is found while expanding
  EXPECT_EQ(phase_of("wf[0].later"), "absent");
  EXPECT_EQ(phase_of("wf[0]"), "Error");
  EXPECT_EQ(node("wf[0]").message(), R"(strconv.Atoi: parsing "x": invalid syntax)");
  EXPECT_EQ(phase_of("wf"), "Failed");
  EXPECT_EQ(node("wf").message(), R"(strconv.Atoi: parsing "x": invalid syntax)");
  EXPECT_EQ(engine_->phase(), "Failed");
}

TEST_F(EngineTest, AllStepsOfAGroupStartBeforeAHookThatCannotBeEvaluatedEndsIt) {
  start(group(R"({"name":"step-2","template":"leaf","withItems":[7,8],"hooks":{"bad":
        {"expression":"steps[\"step-2\"].status == \"Failed\"","template":"leaf"}}},
      {"name":"last","template":"leaf"})"));
  EXPECT_EQ(waiting_.size(), 3U);
  EXPECT_EQ(phase_of("wf[0].step-2(0:7)"), "Pending");
  EXPECT_EQ(phase_of("wf[0].step-2(1:8)"), "Pending");
  EXPECT_EQ(phase_of("wf[0].last"), "Pending");
  run_all();
  EXPECT_EQ(phase_of("wf[0].step-2(1:8)"), "Succeeded");
  EXPECT_EQ(phase_of("wf[0]"), "Error");
  EXPECT_EQ(engine_->phase(), "Failed");
}

TEST_F(EngineTest, AStepThatCannotStartKeepsThoseAfterItFromStarting) {
  start(group(R"({"name":"first","template":"leaf"},
      {"name":"bad","template":"leaf","when":"1 +"},
      {"name":"last","template":"leaf"})"));
  EXPECT_EQ(phase_of("wf[0].last"), "absent");
  run_all();
  EXPECT_EQ(engine_->phase(), "Failed");
}

}  // namespace
}  // namespace tiphys::engine
