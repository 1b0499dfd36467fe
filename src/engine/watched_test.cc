// Goal: who watches a workflow hears of every change of phase once, in order, with all that a rule
// may ask.
#include "engine/engine_fixture.h"

namespace tiphys::engine {
namespace {

class WatchedTest : public EngineTest {
 protected:
  WatchedTest() { watches_ = true; }
  /// `workflow.running`, `node.failed a` ..., in order; what is not of `kind` is left out.
  [[nodiscard]] std::vector<std::string> told(std::string_view kind = "") const {
    std::vector<std::string> out;
    for (const value::Value& e : events_) {
      std::string text(e["type"].string_or(""));
      if (!text.starts_with(kind)) continue;
      if (e["node"].is_map()) text += " " + std::string(e["node"]["displayName"].string_or(""));
      out.push_back(std::move(text));
    }
    return out;
  }
  [[nodiscard]] const value::Value& last(std::string_view type) const {
    for (auto e = events_.rbegin(); e != events_.rend(); ++e) {
      if ((*e)["type"].string_or("") == type) return *e;
    }
    ADD_FAILURE() << "no event " << type;
    return events_.front();
  }
};

using Words = std::vector<std::string>;

TEST_F(WatchedTest, NobodyPaysForWhatNobodyWatches) {
  watches_ = false;
  start(std::string(R"({"entrypoint":"leaf","templates":[)") + kLeaf + "]}");
  run_all();
  EXPECT_TRUE(events_.empty());
}

TEST_F(WatchedTest, EveryPhaseIsToldOnceInOrder) {
  start(std::string(R"({"entrypoint":"leaf","templates":[)") + kLeaf + "]}");
  run_all();
  EXPECT_EQ(told(), (Words{"workflow.running", "node.pending wf", "node.running wf",
                           "node.succeeded wf", "workflow.succeeded"}));
  const value::Value& end = last("workflow.succeeded");
  EXPECT_EQ(end["previousPhase"], value::Value("Running"));
  EXPECT_EQ(end["workflow"]["phase"], value::Value("Succeeded"));
  EXPECT_GT(end["workflow"]["duration"].as_float(), 0);
  EXPECT_TRUE(end["workflow"]["labels"].is_map());
  EXPECT_EQ(last("workflow.running")["workflow"]["phase"], value::Value("Running"));
  EXPECT_EQ(last("workflow.running")["previousPhase"], value::Value(""));
}

TEST_F(WatchedTest, AnAttemptTellsItsNumberAndItsRetryNodeTheLastOne) {
  start(R"({"entrypoint":"a","templates":[{"name":"a","retryStrategy":{"limit":"1"},
            "container":{"image":"x","command":["true"]}}]})");
  run_all({"(0)", "(1)"});
  EXPECT_EQ(told("node.failed"),
            (Words{"node.failed wf(0)", "node.failed wf(1)", "node.failed wf"}));
  std::vector<std::pair<bool, std::int64_t>> attempts;
  for (const value::Value& e : events_) {
    if (e["type"].string_or("") != "node.failed") continue;
    attempts.emplace_back(e["node"]["isAttempt"].as_bool(), e["attempt"].as_int());
  }
  EXPECT_EQ(attempts, (decltype(attempts){{true, 0}, {true, 1}, {false, 1}}));
  EXPECT_EQ(last("node.failed")["node"]["exitCode"], value::Value("1"));
  EXPECT_EQ(last("workflow.failed")["failures"].list().size(), 3U);
}

TEST_F(WatchedTest, WhatCannotBeginIsInvalid) {
  definition_.invalid = "no such entrypoint";
  start(std::string(R"({"entrypoint":"leaf","templates":[)") + kLeaf + "]}");
  EXPECT_EQ(told(), (Words{"workflow.invalid"}));
  EXPECT_EQ(events_[0]["workflow"]["message"], value::Value("invalid spec: no such entrypoint"));
}

TEST_F(WatchedTest, WaitingForAPersonIsTold) {
  start(std::string(R"({"entrypoint":"main","templates":[{"name":"main","steps":[
      [{"name":"pause","template":"short"}],[{"name":"gate","template":"wait"}]]},
      {"name":"short","suspend":{"duration":"1s"}},{"name":"wait","suspend":{}}]})"));
  EXPECT_TRUE(told("node.waiting").empty());  // a pause ends by itself
  ASSERT_EQ(timers_.size(), 1U);
  send(timers_.front());
  EXPECT_EQ(told("node.waiting"), (Words{"node.waiting gate"}));
  send(Control{.verb = Control::Verb::kSuspend, .arguments = {}});
  EXPECT_EQ(told("workflow.waiting"), (Words{"workflow.waiting"}));
}

TEST_F(WatchedTest, AStopIsKnownAndARetryByHandBeginsAnew) {
  start(std::string(R"({"entrypoint":"wait","templates":[{"name":"wait","suspend":{}}]})"));
  send(Control{.verb = Control::Verb::kStop, .arguments = {}});
  EXPECT_EQ(last("workflow.failed")["shutdown"], value::Value("Stop"));
  events_.clear();
  send(Control{.verb = Control::Verb::kRetry, .arguments = {}});
  EXPECT_EQ(told("workflow"), (Words{"workflow.running"}));
  EXPECT_EQ(events_[0]["previousPhase"], value::Value(""));
}

TEST_F(WatchedTest, WhatARetryByHandKeepsIsNotToldAgain) {
  start(std::string(R"({"entrypoint":"main","templates":[
      {"name":"main","dag":{"tasks":[{"name":"a","template":"inner"},{"name":"b","template":"leaf"},
        {"name":"c","template":"leaf","depends":"a && b"}]}},
      {"name":"inner","steps":[[{"name":"x","template":"leaf"},
        {"name":"skipped","template":"leaf","when":"1 == 2"}]]},)") +
        kLeaf + "]}");
  run_all({"wf.b"});
  events_.clear();
  waiting_.clear();
  send(Control{.verb = Control::Verb::kRetry, .arguments = {}});
  EXPECT_EQ(told("node"), (Words{"node.running wf", "node.pending b"}));
  events_.clear();
  run_all();
  EXPECT_EQ(told("node"), (Words{"node.running b", "node.succeeded b", "node.pending c",
                                 "node.running c", "node.succeeded c", "node.succeeded wf"}));
}

TEST_F(WatchedTest, AWorkflowIsPendingWhileItWaitsForItsLock) {
  start(std::string(R"({"entrypoint":"leaf","synchronization":{"mutexes":[{"name":"m"}]},
                        "templates":[)") +
        kLeaf + "]}");
  EXPECT_EQ(told(), (Words{"workflow.pending"}));
  ASSERT_EQ(wanted_.size(), 1U);
  LocksAnswered answer;
  answer.run = 1;
  answer.ticket = wanted_[0].ticket;
  answer.is_acquired = true;
  send(answer);
  EXPECT_EQ(told("workflow"), (Words{"workflow.pending", "workflow.running"}));
  EXPECT_EQ(last("workflow.running")["previousPhase"], value::Value("Pending"));
}

}  // namespace
}  // namespace tiphys::engine
