// Nodes that cannot go on for a reason that is not their process's: what the real controller
// (v4.1.2) made of the same workflows, measured.
#include <gtest/gtest.h>

#include "engine/engine_fixture.h"

namespace tiphys::engine {
namespace {

constexpr const char* kLeaf = R"({"name":"leaf","container":{"image":"x","command":["true"]}})";
constexpr const char* kGroupError = "step group deemed errored due to child wf[0].a error: ";

std::string workflow(const std::string& templates) {
  return R"({"entrypoint":"main","templates":[)" + templates + "," + kLeaf + "]}";
}

std::string steps_of(const std::string& body) {
  return workflow(R"({"name":"main","steps":[[{"name":"a","template":"t"}]]},{"name":"t",)" + body +
                  "}");
}

std::string dag_of(const std::string& body) {
  return workflow(R"({"name":"main","dag":{"tasks":[{"name":"a","template":"t"},
      {"name":"b","template":"leaf","depends":"a.Errored"}]}},{"name":"t",)" +
                  body + "}");
}

class NodeErrorTest : public EngineTest {
 protected:
  // A step whose template has this body makes its group Error, with this text.
  void expect_group_error(const std::string& body, const std::string& text) {
    start(steps_of(body));
    run_all({"(0)"});
    EXPECT_EQ(phase_of("wf[0].a"), "Error");
    EXPECT_EQ(node("wf[0].a").message(), text);
    EXPECT_EQ(phase_of("wf[0]"), "Error");
    EXPECT_EQ(engine_->phase(), "Failed");
    EXPECT_EQ(message(), kGroupError + text);
  }

  // Ends a leaf with this result.
  void finish_with(const std::string& result) {
    const LeafId leaf = waiting_.front();
    waiting_.erase(waiting_.begin());
    send(LeafFinished{.leaf = leaf,
                      .phase = Phase::kSucceeded,
                      .message = "",
                      .exit_code = 0,
                      .outputs = value::Map{{"result", result}},
                      .started_at = now_,
                      .finished_at = now_});
  }
};

TEST_F(NodeErrorTest, ALimitThatIsNoNumberEndsTheRetry) {
  expect_group_error(R"("retryStrategy":{"limit":"abc"},"container":{"image":"x"})",
                     "value 'abc' cannot be resolved to an int");
}

TEST_F(NodeErrorTest, ARetryExpressionThatFailsIsAnErrorOfTheGroup) {
  start(steps_of(R"("retryStrategy":{"limit":1,"expression":"lastRetry.nope > 1"},
      "container":{"image":"x"})"));
  run_all({"(0)"});
  EXPECT_EQ(phase_of("wf[0]"), "Error");
  EXPECT_NE(message().find("unable to evaluate expression 'lastRetry.nope > 1'"), std::string::npos)
      << message();
}

TEST_F(NodeErrorTest, ABackoffWithoutDurationIsAnErrorOfTheGroup) {
  expect_group_error(
      R"("retryStrategy":{"limit":1,"backoff":{"factor":2}},"container":{"image":"x"})",
      "no base duration specified for retryStrategy");
}

TEST_F(NodeErrorTest, ASuspensionWithoutADurationIsAnErrorOfTheGroup) {
  expect_group_error(R"("suspend":{"duration":"2 apples"})",
                     "unable to parse 2 apples as a duration: time: unknown unit \" apples\" in "
                     "duration \"2 apples\"");
}

TEST_F(NodeErrorTest, ADeadlineThatIsNoneKeepsAPodFromStarting) {
  expect_group_error(R"("timeout":"abc","container":{"image":"x"})",
                     "invalid timeout format unable to parse abc as a duration: time: invalid "
                     "duration \"abc\"");
  EXPECT_TRUE(waiting_.empty());
  expect_group_error(R"("activeDeadlineSeconds":"abc","container":{"image":"x"})",
                     "value 'abc' cannot be resolved to an int");
}

constexpr const char* kBadOutputs = R"("steps":[[{"name":"x","template":"leaf"}]],
    "outputs":{"parameters":[{"name":"p","valueFrom":{"expression":"steps.x.nope.p + 1"}}]})";

TEST_F(NodeErrorTest, OutputsThatCannotBeMadeAreAnErrorOfTheTask) {
  start(dag_of(kBadOutputs));
  run_all();
  EXPECT_EQ(phase_of("wf.a"), "Error");
  EXPECT_TRUE(node("wf.a").message().starts_with("task 'wf.a' errored: "));
  EXPECT_EQ(phase_of("wf.b"), "Succeeded");
}

TEST_F(NodeErrorTest, ARetryThatDoesNotTryErrorsAgainTellsThemToItsTask) {
  start(dag_of(R"("retryStrategy":{"limit":1},)" + std::string(kBadOutputs)));
  run_all();
  EXPECT_TRUE(node("wf.a").message().starts_with("task 'wf.a' errored: "));
  start(
      dag_of(R"("retryStrategy":{"limit":1,"retryPolicy":"Always"},)" + std::string(kBadOutputs)));
  run_all();
  EXPECT_EQ(node("wf.a").message(), "No more retries left");
}

TEST_F(NodeErrorTest, AHookWhoseOutputsCannotBeMadeIsAnErrorOfTheGroup) {
  start(workflow(R"({"name":"main","steps":[[{"name":"a","template":"leaf",
      "hooks":{"exit":{"template":"t"}}}],[{"name":"b","template":"leaf"}]]},{"name":"t",)" +
                 std::string(kBadOutputs) + "}"));
  run_all();
  EXPECT_EQ(phase_of("wf[0].a"), "Succeeded");
  EXPECT_EQ(phase_of("wf[0]"), "Error");
  EXPECT_EQ(phase_of("wf[1]"), "absent");
}

constexpr const char* kLoop = R"({"name":"a","template":"s","withItems":[1,2]})";
constexpr const char* kScript = R"({"name":"s","script":{"image":"x","source":"x"}})";
constexpr const char* kFault = "invalid character 'h' looking for beginning of value";

TEST_F(NodeErrorTest, ResultsOfALoopAreJson) {
  start(workflow(R"({"name":"main","steps":[[)" + std::string(kLoop) +
                 R"(],[{"name":"b","template":"leaf"}]]},)" + kScript));
  finish_with("hello");
  finish_with("7");
  EXPECT_EQ(phase_of("wf[0]"), "Succeeded");
  EXPECT_EQ(phase_of("wf[1]"), "absent");
  EXPECT_EQ(phase_of("wf"), "Error");
  EXPECT_EQ(node("wf").message(), kFault);
  EXPECT_EQ(engine_->phase(), "Error");
  EXPECT_EQ(message(), std::string("error in entry template execution: ") + kFault);
}

TEST_F(NodeErrorTest, ALoopWithoutJsonIsAnErrorOfAllThatDependOnIt) {
  start(workflow(R"({"name":"main","dag":{"tasks":[)" + std::string(kLoop) +
                 R"(,{"name":"b","template":"leaf","depends":"a"},
                     {"name":"c","template":"leaf","depends":"b"},
                     {"name":"d","template":"leaf","depends":"b.Errored"}]}},)" +
                 kScript));
  finish_with("hello");
  finish_with("world");
  EXPECT_EQ(phase_of("wf.a"), "Succeeded");
  EXPECT_EQ(phase_of("wf.b"), "Error");
  EXPECT_EQ(node("wf.b").message(), kFault);
  EXPECT_EQ(phase_of("wf.c"), "Omitted");
  EXPECT_EQ(phase_of("wf.d"), "absent");  // c, a target, has ended the DAG
  EXPECT_EQ(node("wf").message(), kFault);
}

TEST_F(NodeErrorTest, ADagWhoseOutputsCannotBeMadeHasNoOutboundNodes) {
  start(workflow(R"({"name":"main","dag":{"tasks":[)" + std::string(kLoop) + "]}}," + kScript));
  finish_with("hello");
  finish_with("world");
  EXPECT_EQ(node("wf").message(), kFault);
  EXPECT_TRUE(status("wf")["outboundNodes"].is_null());
}

TEST_F(NodeErrorTest, ACacheThatRefusesLeavesNoMemoization) {
  start(steps_of(R"("memoize":{"key":"k","maxAge":"5","cache":{"configMap":{"name":"c"}}},
      "container":{"image":"x"})"));
  ASSERT_EQ(questions_.size(), 1U);
  send(CacheAnswered{.run = 1, .ticket = questions_[0].ticket, .entry = {}, .error = {}});
  EXPECT_EQ(node("wf[0].a").message(), "invalid maxAge: time: missing unit in duration \"5\"");
  EXPECT_TRUE(node("wf[0].a").memoization().is_null());
}

}  // namespace
}  // namespace tiphys::engine
