// The goal: a retry by hand runs what Argo's FormulateRetryWorkflow would run, and nothing else.
#include "engine/manual_retry.h"

#include <algorithm>

#include "engine/engine_fixture.h"
#include "gtest/gtest.h"

namespace tiphys::engine {
namespace {

using value::List;
using value::Map;
using value::Value;

class ManualRetryTest : public EngineTest {
 protected:
  void run(const std::string& templates, const std::vector<std::string>& failing,
           const std::string& more = "") {
    start(R"({"entrypoint":"main",)" + more + R"("templates":[)" + templates + "," + kLeaf + "]}");
    run_all(failing);
  }

  /// The leaves that a retry starts at once.
  std::vector<std::string> retried(Map arguments = {}) {
    waiting_.clear();
    EXPECT_TRUE(
        send(Control{.verb = Control::Verb::kRetry, .arguments = Value(std::move(arguments))}));
    std::vector<std::string> names;
    for (const LeafId& leaf : waiting_) names.push_back(engine_->node(leaf.node).name);
    std::ranges::sort(names);
    return names;
  }

  static Map restart(const char* selector) {
    return Map{{"restartSuccessful", true}, {"nodeFieldSelector", selector}};
  }
};

using Names = std::vector<std::string>;

constexpr const char* kThree = R"({"name":"main","steps":[[{"name":"a","template":"leaf"}],
    [{"name":"b","template":"leaf"},{"name":"b2","template":"leaf"}],[{"name":"c","template":"leaf"}]]})";
constexpr const char* kDiamond = R"({"name":"main","dag":{"tasks":[{"name":"a","template":"leaf"},
    {"name":"b","template":"leaf","depends":"a"},{"name":"c","template":"leaf","depends":"a"},
    {"name":"d","template":"leaf","depends":"b && c"}]}})";

TEST_F(ManualRetryTest, RunsWhatFailed) {
  run(kThree, {".b"});
  EXPECT_EQ(retried(), Names{"wf[1].b"});
  run_all();
  EXPECT_EQ(engine_->phase(), "Succeeded");
}

TEST_F(ManualRetryTest, RunsTheFailedTaskOfADiamondAndWhatWasOmitted) {
  run(kDiamond, {".b"});
  EXPECT_EQ(phase_of("wf.d"), "Omitted");
  EXPECT_EQ(retried(), Names{"wf.b"});
  run_all();
  EXPECT_EQ(phase_of("wf.d"), "Succeeded");
}

TEST_F(ManualRetryTest, RestartsNothingMoreWithoutASelector) {
  run(kThree, {".c"});
  EXPECT_EQ(retried({{"restartSuccessful", true}}), Names{"wf[2].c"});
}

TEST_F(ManualRetryTest, ASelectorWithoutRestartSuccessfulHasNoEffect) {
  run(kThree, {".c"});
  EXPECT_EQ(retried({{"nodeFieldSelector", "displayName=a"}}), Names{"wf[2].c"});
}

TEST_F(ManualRetryTest, RestartsWhatIsSelectedAndAllThatComesBehindIt) {
  run(kDiamond, {});
  EXPECT_EQ(engine_->phase(), "Succeeded");
  const clock::Instant before = now_;
  EXPECT_EQ(retried(restart("displayName=c")), Names{"wf.c"});
  run_all();
  EXPECT_EQ(phase_of("wf.d"), "Succeeded");
  EXPECT_LT(before, node("wf.c").finished_at);
  EXPECT_LT(before, node("wf.d").finished_at) << "it comes behind c";
  EXPECT_LT(node("wf.b").finished_at, before);
}

TEST_F(ManualRetryTest, AGroupCanBeSelected) {
  run(kThree, {});
  EXPECT_EQ(retried(restart("name=wf[1]")), (Names{"wf[1].b", "wf[1].b2"}));
}

TEST_F(ManualRetryTest, ASucceededWorkflowNeedsBothOptions) {
  run(kThree, {});
  EXPECT_FALSE(send(Control{.verb = Control::Verb::kRetry, .arguments = {}}));
  EXPECT_FALSE(send(Control{.verb = Control::Verb::kRetry,
                            .arguments = Map{{"nodeFieldSelector", "displayName=a"}}}));
}

TEST_F(ManualRetryTest, AFailureThatTheWorkflowWentOnFromStays) {
  run(R"({"name":"main","steps":[[{"name":"a","template":"leaf","continueOn":{"failed":true}}],
      [{"name":"b","template":"leaf"}],[{"name":"c","template":"leaf"}]]})",
      {".a", ".c"});
  EXPECT_EQ(retried(), Names{"wf[2].c"});
  EXPECT_EQ(phase_of("wf[0].a"), "Failed");
  EXPECT_EQ(node("wf[0].a").message(), "main: Error (exit code 1)");
}

TEST_F(ManualRetryTest, ThatFailureRunsAgainWhenWhatComesBehindItIsSelected) {
  run(R"({"name":"main","dag":{"tasks":[{"name":"a","template":"leaf","continueOn":{"failed":true}},
      {"name":"b","template":"leaf","dependencies":["a"]},{"name":"c","template":"leaf"}]}})",
      {".a", ".c"});
  EXPECT_EQ(retried(restart("displayName=b")), (Names{"wf.a", "wf.c"}));
}

TEST_F(ManualRetryTest, AFailedStepRunsAgainAlthoughItsHookSucceeded) {
  run(R"({"name":"main","steps":[[{"name":"a","template":"leaf","hooks":{
      "exit":{"template":"leaf"},"failed":{"expression":"steps.a.status == 'Failed'","template":"leaf"}}}]]})",
      {".a"});
  EXPECT_EQ(phase_of("wf[0].a.onExit"), "Succeeded");
  EXPECT_EQ(retried(), Names{"wf[0].a"});
  finish(waiting_.front(), Phase::kFailed, "again");
  const auto told = std::ranges::count_if(waiting_, [&](const LeafId& l) {
    return engine_->node(l.node).name == "wf[0].a.hooks.failed";
  });
  EXPECT_EQ(told, 1) << "the hook tells of the second failure, too";
}

TEST_F(ManualRetryTest, ANodeThatIsKeptKeepsItsHooks) {
  run(R"({"name":"main","steps":[[{"name":"a","template":"leaf","hooks":{"exit":{"template":"leaf"}}}],
      [{"name":"b","template":"leaf"}]]})",
      {".b"});
  EXPECT_EQ(retried(), Names{"wf[1].b"});
  EXPECT_EQ(phase_of("wf[0].a.onExit"), "Succeeded");
}

TEST_F(ManualRetryTest, AFailureThatStaysKeepsItsHooks) {
  run(R"({"name":"main","steps":[[{"name":"a","template":"leaf","continueOn":{"failed":true},"hooks":{
      "began":{"expression":"steps.a.status == 'Running'","template":"leaf"}}}],
      [{"name":"b","template":"leaf"}],[{"name":"c","template":"leaf"}]]})",
      {".a", ".c"});
  EXPECT_EQ(retried(), Names{"wf[2].c"});
  EXPECT_EQ(phase_of("wf[0].a"), "Failed");
  EXPECT_EQ(phase_of("wf[0].a.hooks.began"), "Succeeded");
}

TEST_F(ManualRetryTest, AFailureThatStaysAndNeverRanDoesNotRunForItsHooks) {
  start(R"({"entrypoint":"main","templates":[{"name":"main","steps":[[
      {"name":"a","template":"leaf","continueOn":{"error":true},"hooks":{
        "began":{"expression":"steps.a.status == 'Running'","template":"leaf"}}}],
      [{"name":"b","template":"leaf"}],[{"name":"c","template":"leaf"}]]},)" +
        std::string(kLeaf) + "]}");
  send(LeafFinished{.leaf = waiting_.front(),
                    .phase = Phase::kError,
                    .message = "no host",
                    .exit_code = {},
                    .outputs = {},
                    .started_at = {},
                    .finished_at = now_});
  waiting_.erase(waiting_.begin());
  run_all({".c"});
  for (int i = 0; i < 2; ++i) {  // the second retry knows it, too
    EXPECT_EQ(retried(), Names{"wf[2].c"});
    EXPECT_EQ(phase_of("wf[0].a"), "Error");
    EXPECT_EQ(phase_of("wf[0].a.hooks.began"), "absent");
    run_all({".c"});
  }
}

TEST_F(ManualRetryTest, AnApprovalIsNotAskedForTwice) {
  start(
      R"({"entrypoint":"main","templates":[{"name":"main","steps":[[{"name":"gate","template":"gate"}],
      [{"name":"b","template":"leaf"}]]},{"name":"gate","suspend":{},"outputs":{"parameters":[
      {"name":"who","valueFrom":{"supplied":{}}}]}},)" +
      std::string(kLeaf) + "]}");
  send(Control{.verb = Control::Verb::kSet,
               .arguments = Map{{"outputParameters", Map{{"who", "ann"}}},
                                {"phase", "Succeeded"},
                                {"nodeFieldSelector", "displayName=gate"}}});
  run_all({".b"});
  EXPECT_EQ(retried(), Names{"wf[1].b"});
  EXPECT_EQ(phase_of("wf[0].gate"), "Succeeded");
  EXPECT_EQ(status("wf[0].gate")["outputs"]["parameters"].list()[0]["value"].string_or(""), "ann");
}

TEST_F(ManualRetryTest, ASelectedApprovalIsAskedForAgain) {
  run(R"({"name":"main","steps":[[{"name":"gate","template":"gate"}],[{"name":"b","template":"leaf"}]]},
      {"name":"gate","suspend":{}})",
      {});
  send(Control{.verb = Control::Verb::kResume, .arguments = {}});
  run_all();
  EXPECT_TRUE(retried(restart("displayName=gate")).empty());
  EXPECT_EQ(phase_of("wf[0].gate"), "Running");
}

TEST_F(ManualRetryTest, AStepThatSucceededAtItsSecondAttemptDoesNotRunAgain) {
  run(R"({"name":"main","steps":[[{"name":"a","template":"flaky"}],[{"name":"b","template":"leaf"}]]},
      {"name":"flaky","retryStrategy":{"limit":2},"container":{"image":"x","command":["true"]}})",
      {".a(0)", ".b"});
  EXPECT_EQ(phase_of("wf[0].a(1)"), "Succeeded");
  EXPECT_EQ(retried(), Names{"wf[1].b"});
  EXPECT_EQ(phase_of("wf[0].a(0)"), "Failed");
  EXPECT_EQ(phase_of("wf[0].a"), "Succeeded");
}

TEST_F(ManualRetryTest, ThoseAttemptsDoNotWaitForTheBackoffAgain) {
  start(
      R"({"entrypoint":"main","templates":[{"name":"main","steps":[[{"name":"a","template":"flaky"}],
      [{"name":"b","template":"leaf"}]]},{"name":"flaky","retryStrategy":{"limit":2,"backoff":{"duration":"5s"}},
      "container":{"image":"x","command":["true"]}},)" +
      std::string(kLeaf) + "]}");
  run_all({".a(0)"});
  send(timers_.at(0));
  run_all({".b"});
  EXPECT_EQ(retried(), Names{"wf[1].b"});
}

TEST_F(ManualRetryTest, NeitherDoAttemptsOfSteps) {
  start(
      R"({"entrypoint":"main","templates":[{"name":"main","steps":[[{"name":"a","template":"inner"}],
      [{"name":"b","template":"leaf"}]]},{"name":"inner","retryStrategy":{"limit":2,"backoff":{"duration":"5s"}},
      "steps":[[{"name":"x","template":"leaf"}]]},)" +
      std::string(kLeaf) + "]}");
  run_all({"a(0)[0].x"});
  send(timers_.at(0));
  run_all({".b"});
  EXPECT_EQ(retried(), Names{"wf[1].b"});
}

TEST_F(ManualRetryTest, AnAttemptOfStepsThatFailedWaitsForTheBackoffAgain) {
  start(R"({"entrypoint":"inner","templates":[{"name":"inner",
      "retryStrategy":{"limit":1,"backoff":{"duration":"5s"}},
      "steps":[[{"name":"x","template":"leaf"}]]},)" +
        std::string(kLeaf) + "]}");
  run_all({".x"});
  send(timers_.at(0));
  run_all({".x"});
  EXPECT_EQ(retried(), Names{"wf(0)[0].x"});
  run_all({".x"});
  EXPECT_EQ(phase_of("wf(1)"), "absent");
  send(timers_.back());
  EXPECT_EQ(phase_of("wf(1)[0].x"), "Pending");
}

TEST_F(ManualRetryTest, WhatFailedInAnAttemptThatWasRepeatedIsKept) {
  run(R"({"name":"main","steps":[[{"name":"a","template":"inner"}],[{"name":"b","template":"leaf"}]]},
      {"name":"inner","retryStrategy":{"limit":2},"steps":[[{"name":"x","template":"leaf"}]]})",
      {"a(0)[0].x", ".b"});
  EXPECT_EQ(phase_of("wf[0].a(1)[0].x"), "Succeeded");
  EXPECT_EQ(retried(), Names{"wf[1].b"});
}

TEST_F(ManualRetryTest, AttemptsThatAllFailedBeginAnew) {
  run(R"({"name":"main","steps":[[{"name":"a","template":"flaky"}]]},
      {"name":"flaky","retryStrategy":{"limit":1},"container":{"image":"x","command":["true"]}})",
      {".a(0)", ".a(1)"});
  EXPECT_EQ(retried(), Names{"wf[0].a(0)"});
}

TEST_F(ManualRetryTest, InNestedTemplatesOnlyTheFailedLeafRuns) {
  run(R"({"name":"main","dag":{"tasks":[{"name":"o","template":"inner"},{"name":"p","template":"inner","depends":"o"}]}},
      {"name":"inner","steps":[[{"name":"x","template":"leaf"}],[{"name":"y","template":"leaf"}]]})",
      {"p[1].y"});
  EXPECT_EQ(retried(), Names{"wf.p[1].y"});
}

TEST_F(ManualRetryTest, ParametersRunTheWholeGroupAgain) {
  run(kThree, {".b"});
  EXPECT_EQ(retried({{"parameters", List{"m=new"}}}), (Names{"wf[1].b", "wf[1].b2"}));
}

TEST_F(ManualRetryTest, ParametersAreSetFirstAndAddedWhenTheyAreNew) {
  run(R"({"name":"main","inputs":{"parameters":[{"name":"m"}]},"container":{"image":"x","command":["true"]}})",
      {"wf"},
      R"("arguments":{"parameters":[{"name":"n","value":"1"},{"name":"m","value":"old"}]},)");
  EXPECT_EQ(retried({{"parameters", List{"m=new", "z=9"}}}), Names{"wf"});
  EXPECT_EQ(input("wf", "m"), "new");
}

TEST_F(ManualRetryTest, ParametersRunALoopOfADagAgain) {
  run(R"({"name":"main","dag":{"tasks":[{"name":"z","template":"leaf"},
      {"name":"a","template":"leaf","withItems":["x","y"]}]}})",
      {"a(1:y)"});
  EXPECT_EQ(retried(), Names{"wf.a(1:y)"});
  run_all({"a(1:y)"});
  EXPECT_EQ(retried({{"parameters", List{"m=new"}}}), (Names{"wf.a(0:x)", "wf.a(1:y)"}));
}

TEST_F(ManualRetryTest, ADaemonIsStartedAgain) {
  start(
      R"({"entrypoint":"main","templates":[{"name":"main","steps":[[{"name":"d","template":"daemon"}],
      [{"name":"a","template":"leaf"}],[{"name":"b","template":"leaf"}]]},
      {"name":"daemon","daemon":true,"container":{"image":"x","command":["true"]}},)" +
      std::string(kLeaf) + "]}");
  const LeafId daemon = waiting_.front();
  waiting_.clear();
  send(LeafRunning{.leaf = daemon, .started_at = now_});
  run_all({".b"});
  finish(daemon, Phase::kSucceeded);
  EXPECT_EQ(engine_->phase(), "Failed");
  EXPECT_EQ(retried(), Names{"wf[0].d"});
  send(LeafRunning{.leaf = waiting_.front(), .started_at = now_});
  EXPECT_EQ(phase_of("wf[1].a"), "Succeeded");
  EXPECT_EQ(phase_of("wf[2].b"), "Pending");
}

TEST_F(ManualRetryTest, AContainerSetRunsAgainAsAWhole) {
  run(R"({"name":"main","steps":[[{"name":"s","template":"set"}]]},
      {"name":"set","containerSet":{"containers":[{"name":"x","image":"i","command":["a"]},
       {"name":"main","image":"i","command":["a"],"dependencies":["x"]}]}})",
      {".s"});
  EXPECT_EQ(retried(), Names{"wf[0].s"});
}

TEST_F(ManualRetryTest, TheExitHandlerRunsAgain) {
  run(kThree, {".c"}, R"("onExit":"leaf",)");
  EXPECT_EQ(phase_of("wf.onExit"), "Succeeded");
  const clock::Instant before = now_;
  EXPECT_EQ(retried(), Names{"wf[2].c"});
  run_all();
  EXPECT_LT(before, node("wf.onExit").finished_at);
}

TEST_F(ManualRetryTest, WhatWasSkippedIsSkippedAgain) {
  run(R"({"name":"main","steps":[[{"name":"s","template":"leaf","when":"1 == 2"},{"name":"a","template":"leaf"}]]})",
      {".a"});
  EXPECT_EQ(retried(), Names{"wf[0].a"});
  EXPECT_EQ(phase_of("wf[0].s"), "Skipped");
}

}  // namespace
}  // namespace tiphys::engine
