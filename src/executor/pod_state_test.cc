// Which container of a pod starts when, who is tried again, and what the pod says in the end.
#include "executor/pod_state.h"

#include <gtest/gtest.h>

#include "value/json.h"

namespace tiphys::executor {
namespace {

class PodStateTest : public testing::Test {
 protected:
  void plan(const std::string& body_json) {
    auto body = value::parse_json(body_json);
    ASSERT_TRUE(body) << body.error().message;
    Task task;
    task.key = "u.0.1";
    task.log_path = "/logs/p.log";
    task.work_path = "/work";
    task.template_body = *body;
    auto made = plan_pod(task);
    ASSERT_TRUE(made) << made.error().message;
    state_ = std::make_unique<PodState>(std::move(*made));
  }
  [[nodiscard]] std::vector<std::string> start() const {
    std::vector<std::string> names;
    for (const std::size_t i : state_->take_startable()) names.push_back(state_->at(i).plan.name);
    return names;
  }
  [[nodiscard]] std::vector<std::string> end() const {
    std::vector<std::string> names;
    for (const std::size_t i : state_->take_endable()) names.push_back(state_->at(i).plan.name);
    return names;
  }
  bool exits(const std::string& name, int code) const {
    for (std::size_t i = 0; i < state_->members().size(); ++i) {
      if (state_->at(i).plan.name != name) continue;
      Outcome outcome;
      outcome.exit_code = code;
      if (code != 0) {
        outcome.phase = Outcome::Phase::kFailed;
        outcome.message = name + ": Error (exit code " + std::to_string(code) + ")";
      }
      return state_->on_ended(i, std::move(outcome));
    }
    ADD_FAILURE() << name;
    return false;
  }

  std::unique_ptr<PodState> state_;
};

using Names = std::vector<std::string>;

TEST_F(PodStateTest, ContainersOfASetWaitForTheirDependencies) {
  plan(R"({"containerSet":{"containers":[{"name":"a"},{"name":"b","dependencies":["a"]},
      {"name":"c","dependencies":["b"]}]}})");
  EXPECT_EQ(start(), Names{"a"});
  EXPECT_FALSE(exits("a", 0));
  EXPECT_EQ(start(), Names{"b"});
  EXPECT_FALSE(exits("b", 3));
  EXPECT_EQ(start(), Names{});
  EXPECT_TRUE(state_->is_over());
  const Outcome outcome = state_->verdict();
  EXPECT_EQ(outcome.phase, Outcome::Phase::kFailed);
  EXPECT_EQ(outcome.message, "b: Error (exit code 3)");
  ASSERT_EQ(outcome.containers.size(), 3U);
  EXPECT_EQ(outcome.containers[1].message, "b: Error (exit code 3): ");
  EXPECT_EQ(outcome.containers[2].phase, "Error");
  EXPECT_EQ(outcome.containers[2].message,
            "c: Error (exit code 64): dependency \"b\" exited with non-zero code: 3");
}

TEST_F(PodStateTest, AFailedContainerIsTriedAgainInTheSameFileSystem) {
  plan(R"({"containerSet":{"retryStrategy":{"retries":"2","duration":"5s"},
      "containers":[{"name":"a"}]}})");
  EXPECT_EQ(start(), Names{"a"});
  EXPECT_TRUE(exits("a", 1));
  EXPECT_EQ(start(), Names{});
  EXPECT_FALSE(state_->is_over());
  state_->on_pause_over(0);
  EXPECT_EQ(start(), Names{"a"});
  EXPECT_EQ(attempt_of(state_->at(0).plan, 2).key, "u.0.1#a#2");
  EXPECT_FALSE(exits("a", 0));
  EXPECT_TRUE(state_->is_over());
  EXPECT_EQ(state_->verdict().phase, Outcome::Phase::kSucceeded);
}

TEST_F(PodStateTest, SidecarsEndWithMain) {
  plan(R"({"container":{"image":"x"},"initContainers":[{"name":"i"}],"sidecars":[{"name":"s"}]})");
  EXPECT_EQ(start(), Names{"i"});
  exits("i", 0);
  EXPECT_EQ(start(), (Names{"main", "s"}));
  EXPECT_EQ(end(), Names{});
  exits("main", 0);
  EXPECT_EQ(end(), Names{"s"});
  EXPECT_EQ(end(), Names{});
  exits("s", 143);
  EXPECT_TRUE(state_->is_over());
  EXPECT_EQ(state_->verdict().phase, Outcome::Phase::kSucceeded);
  EXPECT_EQ(state_->verdict().exit_code, 0);
}

TEST_F(PodStateTest, NothingStartsAfterAFailedInitContainer) {
  plan(R"({"container":{"image":"x"},"initContainers":[{"name":"i"},{"name":"j"}]})");
  EXPECT_EQ(start(), Names{"i"});
  exits("i", 2);
  EXPECT_EQ(start(), Names{});
  EXPECT_TRUE(state_->is_over());
  EXPECT_EQ(state_->verdict().message, "i: Error (exit code 2)");
}

TEST_F(PodStateTest, ACancelledPodEndsWithWhatRuns) {
  plan(R"({"containerSet":{"containers":[{"name":"a"},{"name":"b","dependencies":["a"]}]}})");
  EXPECT_EQ(start(), Names{"a"});
  state_->cancel();
  EXPECT_EQ(end(), Names{"a"});
  EXPECT_FALSE(state_->is_over());
  exits("a", 143);
  EXPECT_EQ(start(), Names{});
  EXPECT_TRUE(state_->is_over());
  EXPECT_EQ(state_->verdict().phase, Outcome::Phase::kFailed);
}

}  // namespace
}  // namespace tiphys::executor
