// Hooks that cannot be evaluated or started: what the real controller (v4.1.2) made of the same
// workflows, measured.
#include <gtest/gtest.h>

#include "engine/engine_fixture.h"

namespace tiphys::engine {
namespace {

constexpr const char* kLeaf = R"({"name":"leaf","container":{"image":"x","command":["true"]}})";
constexpr const char* kSteps = R"({"name":"main","steps":[[{"name":"a","template":"leaf"}]]})";
constexpr const char* kMissing =
    R"({"s":{"expression":"tasks.a.status == \"Succeeded\"","templateRef":{"name":"nope","template":"t"}}})";

std::string workflow(const std::string& main, const std::string& more = "") {
  return R"({"entrypoint":"main",)" + more + R"("templates":[)" + main + "," + kLeaf + "]}";
}

std::string dag(const std::string& tasks) {
  return R"({"name":"main","dag":{"tasks":[)" + tasks + "]}}";
}

std::string task_a(const std::string& hooks) {
  return R"({"name":"a","template":"leaf","hooks":)" + hooks + "}";
}

TEST_F(EngineTest, ATaskWhoseHookCannotStartIsErrorForThoseThatDependOnIt) {
  watches_ = true;
  start(workflow(dag(task_a(kMissing) + R"(,{"name":"b","template":"leaf","depends":"a"},
      {"name":"c","template":"leaf","depends":"a.Errored"})")));
  run_all();
  EXPECT_EQ(phase_of("wf.a"), "Error");
  EXPECT_EQ(node("wf.a").message(), "workflow template nope not found");
  EXPECT_EQ(phase_of("wf.b"), "Omitted");
  EXPECT_EQ(phase_of("wf.c"), "Succeeded");
  EXPECT_EQ(engine_->phase(), "Error");  // b, a target, inherits it
  EXPECT_EQ(message(), "");
  EXPECT_EQ(engine_->workflow_status()["progress"].string_or(""), "1/2");
  std::size_t told = 0;
  for (const value::Value& e : events_) {
    told += e["node"]["displayName"].string_or("") == "a" &&
            e["node"]["phase"].string_or("") == "Succeeded";
  }
  EXPECT_EQ(told, 0U);  // nobody hears of the phase that did not last
}

TEST_F(EngineTest, AHookThatIsWrongFromTheStartLetsItsTaskRunToItsError) {
  start(workflow(dag(task_a(R"({"s":{"expression":"nope.x == 1","template":"leaf"},
      "e":{"expression":"tasks.a.status == \"Error\"","template":"leaf"}})") +
                     R"(,{"name":"b","template":"leaf","depends":"a"})")));
  EXPECT_EQ(phase_of("wf.a"), "Pending");
  run_all();
  EXPECT_EQ(phase_of("wf.a"), "Error");
  EXPECT_EQ(phase_of("wf.a.hooks.e"), "Succeeded");
  EXPECT_EQ(phase_of("wf.b"), "Omitted");
}

TEST_F(EngineTest, AHookOfATargetThatCannotStartEndsTheDag) {
  start(workflow(dag(task_a(kMissing) + R"(,{"name":"b","template":"leaf"},
      {"name":"c","template":"leaf","depends":"b"})")));
  run_all();
  EXPECT_EQ(phase_of("wf.a"), "Error");
  EXPECT_EQ(phase_of("wf.b"), "Succeeded");
  EXPECT_EQ(phase_of("wf.c"), "absent");  // nothing new
  EXPECT_EQ(engine_->phase(), "Error");
  EXPECT_EQ(message(), "error in entry template execution: workflow template nope not found");
}

TEST_F(EngineTest, TheErrorOfANestedDagIsItsCallersWhateverContinueOnSays) {
  start(workflow(R"({"name":"main","steps":[[{"name":"q","template":"inner",
      "continueOn":{"error":true,"failed":true}}],[{"name":"r","template":"leaf"}]]},
      {"name":"inner","dag":{"tasks":[)" +
                 task_a(kMissing) + "]}}"));
  run_all();
  EXPECT_EQ(phase_of("wf[0].q"), "Error");
  EXPECT_EQ(node("wf[0].q").message(), "workflow template nope not found");
  EXPECT_EQ(phase_of("wf[1].r"), "absent");
  EXPECT_EQ(engine_->phase(), "Failed");
  EXPECT_EQ(
      message(),
      "step group deemed errored due to child wf[0].q error: workflow template nope not found");
}

constexpr const char* kWorkflowHook =
    R"("hooks":{"s":{"expression":"workflow.status == \"Succeeded\"","templateRef":{"name":"nope","template":"t"}}},)";

TEST_F(EngineTest, AWorkflowsHookThatCannotStartAtItsEndLeavesItsPhase) {
  start(workflow(kSteps, kWorkflowHook));
  run_all();
  EXPECT_EQ(phase_of("wf"), "Error");
  EXPECT_EQ(node("wf").message(), "workflow template nope not found");
  EXPECT_EQ(engine_->phase(), "Succeeded");
  EXPECT_EQ(message(), "");
}

TEST_F(EngineTest, WithAnExitHandlerToWaitForItDoesNot) {
  start(workflow(kSteps, std::string(kWorkflowHook) + R"("onExit":"leaf",)"));
  run_all();
  EXPECT_EQ(phase_of("wf.onExit"), "Succeeded");
  EXPECT_EQ(engine_->phase(), "Error");
  EXPECT_EQ(message(), "workflow template nope not found");
}

std::string with_exit_hook(const std::string& before, const std::string& name) {
  return workflow(
      before + R"({"name":")" + name + R"(","steps":[[{"name":"a","template":"leaf","hooks":{"exit":
      {"templateRef":{"name":"nope","template":"t"}}}}],[{"name":"b","template":"leaf"}]]})",
      R"("onExit":"leaf",)");
}

TEST_F(EngineTest, TheErrorOfAnExitHookOfTheEntrypointsStepsIsOneOfTheWorkflow) {
  start(with_exit_hook("", "main"));
  run_all();
  EXPECT_EQ(phase_of("wf[0]"), "Error");
  EXPECT_EQ(node("wf[0]").message(), "workflow template nope not found");
  EXPECT_EQ(phase_of("wf[1]"), "absent");
  EXPECT_EQ(phase_of("wf"), "Error");
  EXPECT_EQ(node("wf").message(), "Workflow operation error");
  EXPECT_EQ(phase_of("wf.onExit"), "Succeeded");
  EXPECT_EQ(engine_->phase(), "Error");
  EXPECT_EQ(message(), "workflow template nope not found");
}

TEST_F(EngineTest, TheErrorOfAnExitHookOfStepsWithinIsTheirFailure) {
  start(with_exit_hook(R"({"name":"main","steps":[[{"name":"i","template":"inner"}]]},)", "inner"));
  run_all();
  EXPECT_EQ(phase_of("wf[0].i[0]"), "Error");
  EXPECT_EQ(phase_of("wf[0].i"), "Failed");
  EXPECT_EQ(engine_->phase(), "Failed");
}

TEST_F(EngineTest, AnExitHookReadsAnOutputThatIsMissingAsNothing) {
  start(workflow(R"({"name":"main","steps":[[{"name":"a","template":"out","hooks":{"exit":
      {"template":"say","arguments":{"parameters":[
        {"name":"m","value":"<{{steps.a.outputs.parameters.p}}>"}]}}}}]]},
      {"name":"out","container":{"image":"x"},
       "outputs":{"parameters":[{"name":"p","valueFrom":{"path":"/tmp/p"}}]}},
      {"name":"say","inputs":{"parameters":[{"name":"m"}]},"container":{"image":"x"}})"));
  ASSERT_EQ(waiting_.size(), 1U);
  send(LeafFinished{.leaf = waiting_[0],
                    .phase = Phase::kFailed,
                    .message = "main: Error (exit code 1)",
                    .exit_code = 1,
                    .outputs = *value::parse_json(R"({"parameters":[{"name":"p"}]})"),
                    .started_at = now_,
                    .finished_at = now_});
  EXPECT_EQ(input("wf[0].a.onExit", "m"), "<>");
  EXPECT_EQ(value::to_json(status("wf[0].a")["outputs"]["parameters"]),
            R"([{"name":"p","valueFrom":{"path":"/tmp/p"}}])");
}

TEST_F(EngineTest, AMemoizedLeafCountsInTheProgress) {
  start(workflow(R"({"name":"main","memoize":{"key":"k","cache":{"configMap":{"name":"c"}}},
      "container":{"image":"x"}})"));
  ASSERT_EQ(questions_.size(), 1U);
  send(CacheAnswered{
      .run = 1,
      .ticket = questions_[0].ticket,
      .entry = *value::parse_json(
          R"({"nodeID":"n","outputs":{},"creationTimestamp":"2026-01-01T00:00:00Z"})"),
      .error = {}});
  EXPECT_EQ(engine_->phase(), "Succeeded");
  EXPECT_EQ(engine_->workflow_status()["progress"].string_or(""), "1/1");
}

}  // namespace
}  // namespace tiphys::engine
