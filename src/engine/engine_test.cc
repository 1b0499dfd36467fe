// The engine by transcripts: given a workflow, when its leaves end in some way, then these nodes
// exist in these phases.
#include "engine/engine.h"

#include <gtest/gtest.h>

#include "engine/engine_fixture.h"

namespace tiphys::engine {
namespace {

TEST_F(EngineTest, RunsTheGroupsOfAStepsTemplateOneAfterTheOther) {
  start(std::string(R"({"entrypoint":"main","templates":[{"name":"main","steps":[
      [{"name":"a","template":"leaf"},{"name":"b","template":"leaf"}],[{"name":"c","template":"leaf"}]]},)") +
        kLeaf + "]}");
  EXPECT_EQ(waiting_.size(), 2U);
  EXPECT_EQ(phase_of("wf[1].c"), "absent");
  run_all();
  EXPECT_EQ(phase_of("wf[1].c"), "Succeeded");
  EXPECT_EQ(engine_->phase(), "Succeeded");
  EXPECT_EQ(status("wf[0].a")["displayName"].as_string(), "a");
}

TEST_F(EngineTest, FiresARunningHookOfAStepWhoseRunningWasNeverReported) {
  start(
      std::string(
          R"({"entrypoint":"main","templates":[{"name":"main","steps":[[{"name":"step-1","template":"leaf",
      "hooks":{"running":{"expression":"steps[\"step-1\"].status == \"Running\"","template":"leaf"}}}]]},)") +
      kLeaf + "]}");
  const LeafId leaf = waiting_.front();
  waiting_.clear();
  send(LeafFinished{.leaf = leaf,
                    .phase = Phase::kSucceeded,
                    .message = "",
                    .exit_code = 0,
                    .outputs = {},
                    .started_at = now_,
                    .finished_at = now_});
  EXPECT_EQ(phase_of("wf[0].step-1.hooks.running"), "Pending");
  EXPECT_EQ(engine_->phase(), "Running");
  run_all();
  EXPECT_EQ(engine_->phase(), "Succeeded");
  EXPECT_TRUE(node("wf[0].step-1.hooks.running").hooked);
}

TEST_F(EngineTest, IgnoresTheSecondEndOfALeaf) {
  start(std::string(R"({"entrypoint":"leaf","templates":[)") + kLeaf + "]}");
  const LeafId leaf = waiting_.front();
  finish(leaf, Phase::kSucceeded);
  EXPECT_FALSE(send(LeafFinished{.leaf = leaf,
                                 .phase = Phase::kFailed,
                                 .message = "",
                                 .exit_code = 1,
                                 .outputs = {},
                                 .started_at = now_,
                                 .finished_at = now_}));
  EXPECT_EQ(engine_->phase(), "Succeeded");
}

TEST_F(EngineTest, TheExitHandlerSeesTheStatusAndTheFailures) {
  start(R"({"entrypoint":"bad","onExit":"bye","templates":[
      {"name":"bad","container":{"image":"x","command":["false"]}},
      {"name":"bye","steps":[[{"name":"tell","template":"say","arguments":{"parameters":[
         {"name":"status","value":"{{workflow.status}}"},{"name":"failures","value":"{{workflow.failures}}"}]}},
        {"name":"party","template":"say","when":"{{workflow.status}} == Succeeded"}]]},
      {"name":"say","inputs":{"parameters":[{"name":"status","value":""},{"name":"failures","value":""}]},
       "container":{"image":"x","command":["true"]}}]})");
  run_all({"wf"});
  EXPECT_EQ(input("wf.onExit[0].tell", "status"), "Failed");
  EXPECT_EQ(
      input("wf.onExit[0].tell", "failures"),
      R"("[{\"displayName\":\"wf\",\"message\":\"main: Error (exit code 1)\",\"templateName\":\"bad\",)"
      R"(\"phase\":\"Failed\",\"podName\":\"wf\",\"finishedAt\":\"2026-01-01T00:00:02Z\"}]")");
  EXPECT_EQ(phase_of("wf.onExit[0].party"), "Skipped");
  EXPECT_EQ(node("wf.onExit[0].party").message(), "when 'Failed == Succeeded' evaluated false");
  EXPECT_EQ(engine_->phase(), "Failed");
  EXPECT_EQ(message(), "main: Error (exit code 1)");
}

TEST_F(EngineTest, ADagTaskWaitsForTheHooksOfItsDependency) {
  start(std::string(R"({"entrypoint":"main","templates":[{"name":"main","dag":{"tasks":[
      {"name":"A","template":"leaf","hooks":{"good":{"expression":"tasks.A.status == \"Succeeded\"","template":"leaf"}}},
      {"name":"B","template":"leaf","dependencies":["A"]}]}},)") +
        kLeaf + "]}");
  finish(waiting_.front(), Phase::kSucceeded);
  EXPECT_EQ(phase_of("wf.A.hooks.good"), "Pending");
  EXPECT_EQ(phase_of("wf.B"), "absent");
  waiting_.erase(waiting_.begin());
  run_all();
  EXPECT_EQ(phase_of("wf.B"), "Succeeded");
}

TEST_F(EngineTest, AFailedHookOfAStepsTaskFiresAlthoughDependentsAreOmitted) {
  // Argo issue 16057: the hook was lost when the task became final inside a pass.
  start(std::string(R"({"entrypoint":"main","templates":[{"name":"main","dag":{"tasks":[
      {"name":"A","template":"inner","hooks":{"evil":{"expression":"tasks.A.status == \"Failed\"","template":"leaf"}}},
      {"name":"B","template":"leaf","dependencies":["A"]}]}},
      {"name":"inner","steps":[[{"name":"x","template":"leaf"}]]},)") +
        kLeaf + "]}");
  run_all({".x"});
  EXPECT_EQ(phase_of("wf.A.hooks.evil"), "Succeeded");
  EXPECT_EQ(phase_of("wf.B"), "Omitted");
  EXPECT_EQ(engine_->phase(), "Failed");
}

TEST_F(EngineTest, RetriesAStepAndFiresItsHooksOnceOnTheRetryNode) {
  start(
      std::string(
          R"({"entrypoint":"main","templates":[{"name":"main","steps":[[{"name":"a","template":"again",
      "hooks":{"running":{"expression":"steps.a.status == \"Running\"","template":"leaf"},
               "exit":{"template":"leaf"}}}]]},
      {"name":"again","retryStrategy":{"limit":2},"container":{"image":"x","command":["false"]}},)") +
      kLeaf + "]}");
  run_all({"a(0)"});
  EXPECT_EQ(phase_of("wf[0].a"), "Succeeded");
  EXPECT_EQ(phase_of("wf[0].a(0)"), "Failed");
  EXPECT_EQ(phase_of("wf[0].a(1)"), "Succeeded");
  EXPECT_EQ(phase_of("wf[0].a(2)"), "absent");
  EXPECT_EQ(phase_of("wf[0].a.hooks.running"), "Succeeded");
  EXPECT_EQ(phase_of("wf[0].a.onExit"), "Succeeded");
}

TEST_F(EngineTest, ARetryOnStepAndHookKeepsTheirAttemptsApart) {
  // Argo issues 13239, 14058, 15163.
  start(
      R"({"entrypoint":"main","retryStrategy":{"limit":1},"templates":[{"name":"main","steps":[[{"name":"a",
      "template":"leaf","hooks":{"running":{"expression":"steps.a.status == \"Running\"","template":"leaf"}}}]]},
      {"name":"leaf","container":{"image":"x","command":["true"]}}]})");
  run_all();
  EXPECT_EQ(engine_->phase(), "Succeeded");
  EXPECT_EQ(phase_of("wf(0)[0].a(1)"), "absent");
  EXPECT_EQ(std::string(node("wf(0)[0].a.hooks.running").type.name()), "Retry");
}

TEST_F(EngineTest, StopKillsPodsRunsExitHooksAndFailsOtherHooks) {
  start(
      std::string(
          R"({"entrypoint":"main","onExit":"leaf","templates":[{"name":"main","steps":[[{"name":"a",
      "template":"leaf","hooks":{"evil":{"expression":"steps.a.status == \"Failed\"","template":"leaf"},
      "exit":{"template":"leaf"}}}]]},)") +
      kLeaf + "]}");
  send(LeafRunning{.leaf = waiting_.front(), .started_at = now_});
  send(Control{.verb = Control::Verb::kStop, .arguments = {}});
  EXPECT_EQ(cancelled_, std::vector<std::string>{"wf[0].a"});
  send(LeafFinished{.leaf = waiting_.front(),
                    .phase = Phase::kFailed,
                    .message = "main: Error (exit code 143)",
                    .exit_code = 143,
                    .outputs = {},
                    .started_at = now_,
                    .finished_at = now_});
  waiting_.erase(waiting_.begin());
  EXPECT_EQ(node("wf[0].a.hooks.evil").message(), "workflow shutdown with strategy: Stop");
  run_all();
  EXPECT_EQ(phase_of("wf[0].a.onExit"), "Succeeded");
  EXPECT_EQ(phase_of("wf.onExit"), "Succeeded");
  EXPECT_EQ(engine_->phase(), "Failed");
  EXPECT_EQ(message(), "Stopped with strategy 'Stop'");
}

TEST_F(EngineTest, ASuspendedWorkflowRunsNothingUntilItIsResumed) {
  start(std::string(R"({"entrypoint":"main","suspend":true,"templates":[{"name":"main","steps":[
      [{"name":"a","template":"leaf"}]]},)") +
        kLeaf + "]}");
  EXPECT_TRUE(waiting_.empty());
  send(Control{.verb = Control::Verb::kResume, .arguments = {}});
  run_all();
  EXPECT_EQ(engine_->phase(), "Succeeded");
}

TEST_F(EngineTest, ASuspendTemplateIsTheApprovalThatItsHookAnnounces) {
  start(
      std::string(
          R"({"entrypoint":"main","templates":[{"name":"main","steps":[[{"name":"gate","template":"wait",
      "hooks":{"waiting":{"expression":"steps.gate.status == \"Running\"","template":"leaf"}}}]]},
      {"name":"wait","suspend":{}},)") +
      kLeaf + "]}");
  run_all();
  EXPECT_EQ(phase_of("wf[0].gate.hooks.waiting"), "Succeeded");
  EXPECT_EQ(phase_of("wf[0].gate"), "Running");
  send(Control{.verb = Control::Verb::kResume, .arguments = {}});
  EXPECT_EQ(engine_->phase(), "Succeeded");
}

TEST_F(EngineTest, AResumeKeepsTheMessageThatTheNodeWasGiven) {
  start(R"({"entrypoint":"gate","templates":[{"name":"gate","suspend":{}}]})");
  send(Control{
      .verb = Control::Verb::kSet,
      .arguments = value::Map{{"nodeFieldSelector", "displayName=wf"}, {"message", "ask ann"}}});
  send(Control{.verb = Control::Verb::kResume, .arguments = {}});
  EXPECT_EQ(phase_of("wf"), "Succeeded");
  EXPECT_EQ(node("wf").message(), "ask ann");
}

TEST_F(EngineTest, ARetryByHandKeepsWhatHadSucceeded) {
  start(std::string(R"({"entrypoint":"main","onExit":"leaf","templates":[{"name":"main","steps":[
      [{"name":"a","template":"leaf"}],[{"name":"b","template":"leaf"}]]},)") +
        kLeaf + "]}");
  run_all({".b"});
  EXPECT_EQ(engine_->phase(), "Failed");
  send(Control{.verb = Control::Verb::kRetry, .arguments = {}});
  EXPECT_EQ(phase_of("wf[0].a"), "Succeeded");
  ASSERT_EQ(waiting_.size(), 1U);
  EXPECT_EQ(engine_->node(waiting_.front().node).name, "wf[1].b");
  run_all();
  EXPECT_EQ(engine_->phase(), "Succeeded");
  EXPECT_EQ(phase_of("wf.onExit"), "Succeeded");
}

TEST_F(EngineTest, AStepsLoopHandsItsItemToEachExitHook) {
  start(R"({"entrypoint":"main","templates":[{"name":"main","steps":[[{"name":"a","template":"leaf",
      "withItems":["x","z"],"hooks":{"exit":{"template":"say","arguments":{"parameters":[
        {"name":"m","value":"{{item}} {{steps.a.status}}"}]}}}}]]},
      {"name":"leaf","container":{"image":"x","command":["true"]}},
      {"name":"say","inputs":{"parameters":[{"name":"m"}]},"container":{"image":"x","command":["true"]}}]})");
  run_all();
  EXPECT_EQ(input("wf[0].a(0:x).onExit", "m"), "x Succeeded");
  EXPECT_EQ(input("wf[0].a(1:z).onExit", "m"), "z Succeeded");
}

TEST_F(EngineTest, ATemplateDeadlineKillsThePod) {
  start(R"({"entrypoint":"slow","templates":[{"name":"slow","activeDeadlineSeconds":1,
      "container":{"image":"x","command":["sleep","9"]}}]})");
  send(LeafRunning{.leaf = waiting_.front(), .started_at = now_});
  ASSERT_EQ(timers_.size(), 1U);
  send(timers_.front());
  EXPECT_EQ(cancelled_, std::vector<std::string>{"wf"});
  send(LeafFinished{.leaf = waiting_.front(),
                    .phase = Phase::kFailed,
                    .message = "main: Error (exit code 143)",
                    .exit_code = 143,
                    .outputs = {},
                    .started_at = now_,
                    .finished_at = now_});
  EXPECT_EQ(message(), "Pod was active on the node longer than the specified deadline");
}

TEST_F(EngineTest, AWorkflowHookWithABadExpressionEndsTheWorkflowWhenItsStepsHaveEnded) {
  start(std::string(
            R"({"entrypoint":"main","hooks":{"x":{"expression":"nosuch == 1","template":"leaf"}},
      "templates":[{"name":"main","steps":[[{"name":"a","template":"leaf",
      "hooks":{"r":{"expression":"steps.a.status == \"Running\"","template":"leaf"}}}]]},)") +
        kLeaf + "]}");
  run_all();
  EXPECT_EQ(engine_->phase(), "Error");
  EXPECT_TRUE(message().starts_with("unknown name nosuch (1:1)")) << message();
  EXPECT_EQ(phase_of("wf"), "Error");
}

TEST_F(EngineTest, AnUndefinedTemplateOfAStepIsAnErrorOfItsGroup) {
  start(
      R"({"entrypoint":"main","templates":[{"name":"main","steps":[[{"name":"a","template":"nowhere"}]]}]})");
  EXPECT_EQ(phase_of("wf[0]"), "Error");
  EXPECT_EQ(engine_->phase(), "Failed");
  EXPECT_EQ(message(),
            "step group deemed errored due to child wf[0].a error: template nowhere not found");
}

TEST_F(EngineTest, ParallelismOfATemplateLetsTheNextOneInWhenOneHasEnded) {
  start(R"({"entrypoint": "main", "templates": [
    {"name": "main", "parallelism": 2, "steps": [[
      {"name": "a", "template": "leaf", "withSequence": {"count": "5"}}]]},
    {"name": "leaf", "container": {"image": "x"}}]})");
  EXPECT_EQ(waiting_.size(), 2U);
  finish(waiting_.front(), Phase::kSucceeded);
  waiting_.erase(waiting_.begin());
  EXPECT_EQ(waiting_.size(), 2U);
  run_all();
  EXPECT_EQ(phase_of("wf"), "Succeeded");
}

TEST_F(EngineTest, OneThatCannotStartDoesNotKeepThoseBehindItWaiting) {
  // Both limits hold steps back, and some of those that wait have an argument that does not
  // resolve.
  start(R"({"entrypoint": "main", "parallelism": 1, "templates": [
    {"name": "main", "parallelism": 2, "dag": {"failFast": false, "tasks": [
      {"name": "a", "template": "leaf"}, {"name": "b", "template": "leaf"},
      {"name": "c", "template": "needs"}, {"name": "d", "template": "needs"},
      {"name": "e", "template": "leaf"}, {"name": "f", "template": "leaf"}]}},
    {"name": "needs", "inputs": {"parameters": [{"name": "p"}]}, "container": {"image": "x"}},
    {"name": "leaf", "container": {"image": "x"}}]})");
  run_all();
  EXPECT_EQ(phase_of("wf.c"), "Error");
  EXPECT_EQ(phase_of("wf.f"), "Succeeded");
  EXPECT_TRUE(engine_->is_finished());
}

// As Argo's controller gives it: a template's failFast has words of its own.
TEST_F(EngineTest, ATemplateThatFailsFastEndsWhenWhatRunsHasEnded) {
  for (const char* body :
       {R"("steps": [[{"name": "a", "template": "leaf"}, {"name": "b", "template": "leaf"}],
                     [{"name": "c", "template": "leaf"}]])",
        R"("dag": {"tasks": [{"name": "a", "template": "leaf"}, {"name": "b", "template": "leaf"},
             {"name": "c", "template": "leaf", "depends": "a.Failed"},
             {"name": "d", "template": "leaf", "depends": "b"}]})"}) {
    start(R"({"entrypoint": "main", "templates": [{"name": "main", "failFast": true, )" +
          std::string(body) + R"(}, {"name": "leaf", "container": {"image": "x"}}]})");
    run_all({"a"});
    const bool is_dag = std::string_view(body).starts_with("\"dag");
    EXPECT_EQ(phase_of("wf"), "Failed");
    EXPECT_EQ(message(), "template has failed or errored children and failFast enabled");
    EXPECT_EQ(phase_of(is_dag ? "wf.b" : "wf[0].b"), "Succeeded");
    EXPECT_EQ(phase_of(is_dag ? "wf.c" : "wf[1].c"), "absent");
    EXPECT_TRUE(engine_->is_finished());
  }
}

TEST_F(EngineTest, AnEmptyListIsNoLoop) {
  start(R"({"entrypoint": "main", "templates": [
    {"name": "main", "steps": [[{"name": "a", "template": "leaf", "withItems": []},
                                {"name": "b", "template": "leaf", "withParam": ""}]]},
    {"name": "leaf", "container": {"image": "x"}}]})");
  run_all();
  EXPECT_EQ(phase_of("wf[0].a"), "Succeeded");
  EXPECT_EQ(phase_of("wf[0].b"), "Succeeded");
}

TEST_F(EngineTest, AnAttemptWithoutExitCodeHasMinusOneInTheExpression) {
  start(R"({"entrypoint": "main", "templates": [
    {"name": "main", "retryStrategy": {"limit": 3, "expression": "lastRetry.exitCode == '-1' && retries != '1'"},
     "steps": [[{"name": "a", "template": "leaf"}]]},
    {"name": "leaf", "container": {"image": "x"}}]})");
  run_all({"a"});
  EXPECT_EQ(phase_of("wf(1)"), "Failed");
  EXPECT_EQ(phase_of("wf(2)"), "absent");
}

TEST_F(EngineTest, AStopEndsThoseWhoWaitForRoom) {
  start(R"({"entrypoint": "main", "templates": [
    {"name": "main", "parallelism": 1, "steps": [[
      {"name": "a", "template": "leaf", "withSequence": {"count": "3"}}]]},
    {"name": "leaf", "container": {"image": "x"}}]})");
  send(Control{.verb = Control::Verb::kStop, .arguments = {}});
  run_all({"a(0:0)"});
  EXPECT_TRUE(engine_->is_finished());
  EXPECT_EQ(phase_of("wf[0].a(2:2)"), "Failed");
}

}  // namespace
}  // namespace tiphys::engine
