// Steps that wait for two things at once: a lock, room, time, a resume. The simulation found these.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "engine/engine_fixture.h"

namespace tiphys::engine {
namespace {

struct LimitsTest : EngineTest {
  /// Ends the leaf of that name, which must have been started.
  void end(const std::string& name, Phase phase) {
    auto it = std::ranges::find_if(
        waiting_, [&](const LeafId& leaf) { return engine_->node(leaf.node).name == name; });
    ASSERT_NE(it, waiting_.end()) << name;
    const LeafId leaf = *it;
    waiting_.erase(it);
    finish(leaf, phase);
  }
  [[nodiscard]] std::vector<std::string> started() const {
    std::vector<std::string> names;
    for (const LeafId& leaf : waiting_) names.push_back(engine_->node(leaf.node).name);
    return names;
  }
};

using Names = std::vector<std::string>;

/// `b` asks for its mutex first, and when it gets it `a` has taken the only place.
std::string locked(const std::string& more, const std::string& leaf) {
  return R"({"entrypoint":"main","templates":[
      {"name":"main",)" +
         more + R"("parallelism":1,"steps":[[
        {"name":"b","template":"locked"},{"name":"a","template":"leaf"}]]},
      {"name":"locked","synchronization":{"mutexes":[{"name":"m"}]},)" +
         leaf + R"(},
      {"name":"leaf","container":{"image":"x","command":["true"]}}]})";
}
constexpr const char* kContainer = R"("container":{"image":"x","command":["true"]})";
constexpr const char* kHttp = R"("http":{"url":"http://localhost/"})";

// Who has the room may need the lock: whoever held one and waited for the other would wait forever.
TEST_F(LimitsTest, AStepThatGetsItsLockAndNoRoomGivesItBackAndAsksAgain) {
  for (const bool has_waited : {false, true}) {
    wanted_.clear();
    returned_.clear();
    waiting_.clear();
    start(locked("", kContainer));
    if (has_waited) answer(false);
    answer(true);
    ASSERT_EQ(returned_.size(), 1U) << has_waited;
    EXPECT_EQ(returned_[0].holder, wanted_[0].holder);
    for (const Effect& e : engine_->outstanding()) {
      if (const auto* leaf = std::get_if<StartLeaf>(&e)) {
        EXPECT_EQ(engine_->node(leaf->leaf.node).name, "wf[0].a");
      }
    }
    end("wf[0].a", Phase::kSucceeded);
    ASSERT_EQ(wanted_.size(), 2U);
    answer(true);
    end("wf[0].b", Phase::kSucceeded);
    EXPECT_EQ(engine_->phase(), "Succeeded");
    EXPECT_EQ(returned_.size(), 2U);
  }
}

TEST_F(LimitsTest, AStepThatGetsItsLockInASuspendedWorkflowGivesItBackAndAsksAgain) {
  start(locked("", kContainer));
  send(Control{.verb = Control::Verb::kSuspend, .arguments = {}});
  answer(true);
  EXPECT_EQ(returned_.size(), 1U);
  end("wf[0].a", Phase::kSucceeded);
  send(Control{.verb = Control::Verb::kResume, .arguments = {}});
  EXPECT_EQ(wanted_.size(), 2U);
}

TEST_F(LimitsTest, AStepThatFailFastDropsGivesItsLockBack) {
  for (const bool has_waited : {false, true}) {
    wanted_.clear();
    returned_.clear();
    waiting_.clear();
    start(locked(R"("failFast":true,)", kContainer));
    if (has_waited) answer(false);
    end("wf[0].a", Phase::kFailed);
    answer(true);
    EXPECT_EQ(phase_of("wf[0].b"), has_waited ? "Failed" : "absent");
    EXPECT_EQ(engine_->phase(), "Failed");
    ASSERT_EQ(returned_.size(), 1U) << has_waited;
    EXPECT_EQ(returned_[0].holder, wanted_[0].holder);
  }
}

// A crash may have lost what it gave back when it ended, and a retry by hand makes it live again.
TEST_F(LimitsTest, AWorkflowThatHasEndedHoldsNoLocks) {
  start(locked("", kContainer));
  end("wf[0].a", Phase::kSucceeded);
  answer(true);
  end("wf[0].b", Phase::kFailed);
  ASSERT_TRUE(engine_->is_finished());
  const std::vector<Effect> effects = engine_->outstanding();
  ASSERT_EQ(effects.size(), 1U);
  const auto* own = std::get_if<OwnLocks>(effects.data());
  ASSERT_NE(own, nullptr);
  EXPECT_TRUE(own->holders.empty());
}

TEST_F(LimitsTest, AStopEndsAWaitForALockOfWhichItHearsLater) {
  start(locked("", kContainer));
  send(Control{.verb = Control::Verb::kStop, .arguments = {}});
  end("wf[0].a", Phase::kFailed);
  EXPECT_FALSE(engine_->is_finished());
  answer(false);
  EXPECT_EQ(phase_of("wf[0].b"), "Failed");
  EXPECT_EQ(returned_.size(), 1U);
  EXPECT_EQ(engine_->phase(), "Failed");
}

TEST_F(LimitsTest, AStopEndsARequestThatHadItsLockAndWaitsForRoom) {
  start(locked("", kHttp));
  answer(false);
  answer(true);
  send(Control{.verb = Control::Verb::kStop, .arguments = {}});
  EXPECT_EQ(phase_of("wf[0].b"), "Failed");
  EXPECT_EQ(returned_.size(), 1U);
  end("wf[0].a", Phase::kFailed);
  EXPECT_EQ(engine_->phase(), "Failed");
  EXPECT_TRUE(engine_->is_finished());
}

constexpr const char* kRetried = R"({"entrypoint":"main","parallelism":1,"templates":[
    {"name":"main","steps":[[{"name":"r","template":"flaky"},{"name":"x","template":"leaf"}]]},
    {"name":"flaky","retryStrategy":{"limit":2,"backoff":{"duration":"5s"}},
     "container":{"image":"x","command":["true"]}},
    {"name":"leaf","container":{"image":"x","command":["true"]}}]})";

TEST_F(LimitsTest, AnAttemptAfterABackoffWaitsForRoom) {
  start(kRetried);
  end("wf[0].r(0)", Phase::kFailed);
  ASSERT_EQ(timers_.size(), 1U);
  EXPECT_EQ(started(), Names{"wf[0].x"});
  send(timers_[0]);
  EXPECT_EQ(started(), Names{"wf[0].x"});
  end("wf[0].x", Phase::kSucceeded);
  EXPECT_EQ(started(), Names{"wf[0].r(1)"});
  run_all();
  EXPECT_EQ(engine_->phase(), "Succeeded");
}

TEST_F(LimitsTest, AStopEndsARetryThatWaitsForRoom) {
  start(kRetried);
  end("wf[0].r(0)", Phase::kFailed);
  send(timers_[0]);
  send(Control{.verb = Control::Verb::kStop, .arguments = {}});
  EXPECT_EQ(phase_of("wf[0].r"), "Failed");
  end("wf[0].x", Phase::kFailed);
  EXPECT_EQ(engine_->phase(), "Failed");
  EXPECT_EQ(phase_of("wf[0].r(1)"), "absent");
}

TEST_F(LimitsTest, ASuspendedWorkflowTriesNothingAgain) {
  start(kRetried);
  end("wf[0].r(0)", Phase::kFailed);
  end("wf[0].x", Phase::kSucceeded);
  send(Control{.verb = Control::Verb::kSuspend, .arguments = {}});
  send(timers_[0]);
  EXPECT_EQ(started(), Names{});
  send(Control{.verb = Control::Verb::kResume, .arguments = {}});
  EXPECT_EQ(started(), Names{"wf[0].r(1)"});
}

TEST_F(LimitsTest, AResumeEndsNoSuspensionThatItBrings) {
  start(R"({"entrypoint":"wait","suspend":true,"templates":[{"name":"wait","suspend":{}}]})");
  send(Control{.verb = Control::Verb::kResume, .arguments = {}});
  EXPECT_EQ(phase_of("wf"), "Running");
  send(Control{.verb = Control::Verb::kResume, .arguments = {}});
  EXPECT_EQ(phase_of("wf"), "Succeeded");
}

TEST_F(LimitsTest, NothingEndsBeforeItBeganThoughAClockIsSetBack) {
  start(R"({"entrypoint":"wait","templates":[{"name":"wait","suspend":{}}]})");
  now_ = now_ - clock::Duration::seconds(3600);
  send(Control{.verb = Control::Verb::kResume, .arguments = {}});
  EXPECT_EQ(engine_->phase(), "Succeeded");
  EXPECT_EQ(node("wf").finished_at, node("wf").started_at);
  const value::Value status = engine_->workflow_status();
  EXPECT_EQ(status["finishedAt"], status["startedAt"]);
}

TEST_F(LimitsTest, AHookHearsOfAPhaseThatASuspendedWorkflowWentThrough) {
  start(R"({"entrypoint":"leaf","hooks":{"h":{"template":"leaf",
      "expression":"workflow.status == \"Running\""}},"templates":[
      {"name":"leaf","container":{"image":"x","command":["true"]}}]})");
  send(Control{.verb = Control::Verb::kSuspend, .arguments = {}});
  end("wf", Phase::kSucceeded);
  send(Control{.verb = Control::Verb::kResume, .arguments = {}});
  EXPECT_EQ(started(), Names{"wf.hooks.h"});
}

TEST_F(LimitsTest, AHookDoesNotTakeTheRoomOfTheFirstAttempt) {
  start(R"({"entrypoint":"main","parallelism":1,"templates":[
      {"name":"main","steps":[[{"name":"r","template":"flaky",
        "hooks":{"h":{"template":"leaf","expression":"true"}}}]]},
      {"name":"flaky","retryStrategy":{"limit":2},"container":{"image":"x","command":["true"]}},
      {"name":"leaf","container":{"image":"x","command":["true"]}}]})");
  EXPECT_EQ(started(), Names{"wf[0].r(0)"});
  end("wf[0].r(0)", Phase::kSucceeded);
  EXPECT_EQ(started(), Names{"wf[0].r.hooks.h"});
  run_all();
  EXPECT_EQ(engine_->phase(), "Succeeded");
}

// Argo counts the entrypoint as the first, and refuses the hundredth.
TEST_F(LimitsTest, TemplatesNestNinetyNineDeep) {
  const auto chain = [](int count) {
    std::string spec = R"({"entrypoint":"t1","templates":[)";
    for (int i = 1; i < count; ++i) {
      spec +=
          fmt::format(R"({{"name":"t{}","steps":[[{{"name":"s","template":"t{}"}}]]}},)", i, i + 1);
    }
    return spec +
           fmt::format(R"({{"name":"t{}","container":{{"image":"x","command":["true"]}}}}]}})",
                       count);
  };
  start(chain(99));
  run_all();
  EXPECT_EQ(engine_->phase(), "Succeeded");
  start(chain(100));
  run_all();
  EXPECT_EQ(engine_->phase(), "Failed");
  std::string refused = "wf";
  for (int i = 1; i < 100; ++i) refused += "[0].s";
  EXPECT_EQ(phase_of(refused), "Error");
  EXPECT_EQ(status(refused)["message"].string_or(""),
            "Maximum recursion depth exceeded. See "
            "https://argo-workflows.readthedocs.io/en/latest/scaling/#maximum-recursion-depth");
}

}  // namespace
}  // namespace tiphys::engine
