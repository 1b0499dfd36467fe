// Templates that are Pending for longer than their `timeout` or `pendingTimeout`: as the real
// controller (v4.1.2) has them.
#include <gtest/gtest.h>

#include "engine/engine_fixture.h"

namespace tiphys::engine {
namespace {

constexpr const char* kSteps =
    R"({"name":"main","steps":[[{"name":"a","template":"t","continueOn":{"failed":true}}],
        [{"name":"b","template":"leaf"}]]},)";
constexpr const char* kDag =
    R"({"name":"main","dag":{"tasks":[{"name":"a","template":"t"},
        {"name":"b","template":"leaf","depends":"a.Failed"}]}},)";
constexpr const char* kLocked =
    R"("synchronization":{"mutexes":[{"name":"m"}]},"container":{"image":"x"})";

class TimeoutTest : public EngineTest {
 protected:
  /// `main` calls `t`, whose fields are `body`.
  void start_main(const std::string& main, const std::string& body) {
    start(R"({"entrypoint":"main","templates":[)" + main + R"({"name":"t",)" + body + "}," + kLeaf +
          "]}");
  }
  void fire(TimerKind kind) {
    const auto timer =
        std::ranges::find_if(timers_, [kind](const TimerFired& t) { return t.kind == kind; });
    ASSERT_NE(timer, timers_.end());
    now_ = now_ + clock::Duration::seconds(5);
    send(*timer);
  }
  /// The first leaf is gone, and never ran.
  void end_killed() {
    send(LeafFinished{.leaf = waiting_.at(0),
                      .phase = Phase::kFailed,
                      .message = "killed",
                      .exit_code = {},
                      .outputs = {},
                      .started_at = {},
                      .finished_at = now_});
  }
  void expect_timed_out_group() {
    EXPECT_EQ(node("wf[0].a").message(), "timeout");
    EXPECT_EQ(phase_of("wf[0].a"), "Failed");
    EXPECT_EQ(phase_of("wf[0]"), "Failed");
    EXPECT_EQ(node("wf[0]").message(), "timeout");
    EXPECT_EQ(phase_of("wf[1]"), "absent");
    EXPECT_EQ(engine_->phase(), "Failed");
    EXPECT_EQ(message(), "timeout");
  }
};

TEST_F(TimeoutTest, OfAStepThatWaitsForItsLockFailsItsGroupInSpiteOfContinueOn) {
  for (const char* field : {R"("timeout":"5s",)", R"("pendingTimeout":"5s",)",
                            R"("timeout":"5s","retryStrategy":{"limit":2},)"}) {
    timers_.clear();
    start_main(kSteps, field + std::string(kLocked));
    answer(false);
    fire(TimerKind::kPendingDeadline);
    expect_timed_out_group();
  }
}

TEST_F(TimeoutTest, OfATaskIsAFailureOfTheTask) {
  start_main(kDag, R"("timeout":"5s",)" + std::string(kLocked));
  answer(false);
  fire(TimerKind::kPendingDeadline);
  EXPECT_EQ(node("wf.a").message(), "timeout");
  run_all();
  EXPECT_EQ(phase_of("wf.b"), "Succeeded");
  EXPECT_EQ(engine_->phase(), "Succeeded");
}

// In Argo it is an error of the workflow, and its exit handler never runs.
TEST_F(TimeoutTest, OfTheEntrypointIsAFailureThatTheExitHandlerHearsOf) {
  start(R"({"entrypoint":"t","onExit":"leaf","templates":[{"name":"t","timeout":"5s",)" +
        std::string(kLocked) + "}," + kLeaf + "]}");
  answer(false);
  fire(TimerKind::kPendingDeadline);
  run_all();
  EXPECT_EQ(phase_of("wf.onExit"), "Succeeded");
  EXPECT_EQ(engine_->phase(), "Failed");
  EXPECT_EQ(message(), "timeout");
}

TEST_F(TimeoutTest, RunsOnWhenTheLockIsThere) {
  start_main(kSteps, R"("timeout":"5s",)" + std::string(kLocked));
  answer(false);
  answer(true);
  ASSERT_EQ(waiting_.size(), 1U);
  fire(TimerKind::kTemplateDeadline);
  EXPECT_EQ(cancelled_, std::vector<std::string>{"wf[0].a"});
  finish(waiting_.at(0), Phase::kFailed);
  expect_timed_out_group();
}

TEST_F(TimeoutTest, OfALeafThatDoesNotComeToRunKillsIt) {
  start_main(kSteps, R"("pendingTimeout":"5s","container":{"image":"x"})");
  fire(TimerKind::kPendingDeadline);
  EXPECT_EQ(phase_of("wf[0].a"), "Pending");
  EXPECT_EQ(cancelled_, std::vector<std::string>{"wf[0].a"});
  end_killed();
  expect_timed_out_group();
}

TEST_F(TimeoutTest, OfAnHttpRequestEndsItAtOnce) {
  for (const bool is_sent : {false, true}) {
    timers_.clear();
    waiting_.clear();
    cancelled_.clear();
    start_main(kSteps, R"("timeout":"5s","http":{"url":"http://localhost/"})");
    if (is_sent) send(LeafRunning{.leaf = waiting_.at(0), .started_at = now_});
    fire(is_sent ? TimerKind::kTemplateDeadline : TimerKind::kPendingDeadline);
    EXPECT_EQ(cancelled_, std::vector<std::string>{"wf[0].a"});
    expect_timed_out_group();
  }
}

TEST_F(TimeoutTest, AsPendingIsNoneOfALeafThatRuns) {
  start_main(kSteps, R"("pendingTimeout":"5s","container":{"image":"x"})");
  send(LeafRunning{.leaf = waiting_.at(0), .started_at = now_});
  fire(TimerKind::kPendingDeadline);
  EXPECT_EQ(cancelled_, std::vector<std::string>{});
  EXPECT_EQ(phase_of("wf[0].a"), "Running");
}

TEST_F(TimeoutTest, OfAnAttemptIsTriedAgain) {
  start_main(kSteps,
             R"("pendingTimeout":"5s","retryStrategy":{"limit":1},"container":{"image":"x"})");
  fire(TimerKind::kPendingDeadline);
  end_killed();
  EXPECT_EQ(node("wf[0].a(0)").message(), "timeout");
  EXPECT_EQ(phase_of("wf[0].a(1)"), "Pending");
}

TEST_F(TimeoutTest, OfAnExitHandlerIsItsFailure) {
  start(R"({"entrypoint":"leaf","onExit":"t","templates":[{"name":"t","timeout":"5s",)" +
        std::string(kLocked) + "}," + kLeaf + "]}");
  run_all();
  answer(false);
  fire(TimerKind::kPendingDeadline);
  EXPECT_EQ(phase_of("wf.onExit"), "Failed");
  EXPECT_EQ(engine_->phase(), "Failed");
  EXPECT_EQ(message(), "timeout");
}

TEST_F(TimeoutTest, KeepsStepsOfTheGroupFromStarting) {
  start(R"({"entrypoint":"main","templates":[{"name":"main","parallelism":1,"steps":[[
      {"name":"a","template":"t"},{"name":"b","template":"leaf"}],
      [{"name":"c","template":"leaf"}]]},{"name":"t","timeout":"5s","container":{"image":"x"}},)" +
        std::string(kLeaf) + "]}");
  fire(TimerKind::kPendingDeadline);
  end_killed();
  EXPECT_EQ(phase_of("wf[0].b"), "absent");
  EXPECT_EQ(engine_->phase(), "Failed");
  EXPECT_EQ(message(), "timeout");
}

TEST_F(TimeoutTest, IsWhatItWasAfterARetryByHand) {
  start(R"({"entrypoint":"main","templates":[{"name":"main","steps":[[
      {"name":"r","template":"again"}],[{"name":"z","template":"leaf"}]]},
      {"name":"again","retryStrategy":{"limit":1},"steps":[[
        {"name":"a","template":"t","continueOn":{"failed":true}}]]},
      {"name":"t","timeout":"5s","container":{"image":"x"}},)" +
        std::string(kLeaf) + "]}");
  fire(TimerKind::kPendingDeadline);
  end_killed();
  waiting_.erase(waiting_.begin());
  EXPECT_EQ(phase_of("wf[0].r(0)"), "Failed");
  run_all({".z"});
  EXPECT_EQ(engine_->phase(), "Failed");
  send(Control{.verb = Control::Verb::kRetry, .arguments = value::Map{}});
  EXPECT_EQ(phase_of("wf[0].r(0)[0].a"), "Failed");
  EXPECT_EQ(phase_of("wf[0].r(0)"), "Failed");
  run_all();
  EXPECT_EQ(engine_->phase(), "Succeeded");
}

TEST_F(TimeoutTest, ThatIsNoDurationIsToldWhenTheLeafStarts) {
  start_main(kSteps, R"("pendingTimeout":"5x","container":{"image":"x"})");
  EXPECT_EQ(phase_of("wf[0].a"), "Error");
  EXPECT_TRUE(node("wf[0].a").message().starts_with("invalid timeout format "));
}

}  // namespace
}  // namespace tiphys::engine
