// Single features of templates: memoize, suspend, containerSet, daemons, locks; each by a small
// transcript.
#include <gtest/gtest.h>

#include "engine/engine_fixture.h"

namespace tiphys::engine {
namespace {

constexpr const char* kMemoized = R"({"entrypoint":"main","templates":[
    {"name":"main","steps":[[{"name":"a","template":"memo"}],[{"name":"b","template":"leaf"}]]},
    {"name":"memo","memoize":{"key":"k","maxAge":"1h","cache":{"configMap":{"name":"c"}}},
     "steps":[[{"name":"x","template":"leaf"}]]},
    {"name":"leaf","container":{"image":"x","command":["true"]}}]})";

TEST_F(EngineTest, AMemoizedTemplateAsksItsCacheFirst) {
  start(kMemoized);
  ASSERT_EQ(questions_.size(), 1U);
  EXPECT_EQ(questions_[0].cache, "c");
  EXPECT_EQ(questions_[0].key, "k");
  EXPECT_EQ(phase_of("wf[0].a"), "absent");
  send(CacheAnswered{.run = 1, .ticket = questions_[0].ticket, .entry = {}, .error = {}});
  EXPECT_EQ(phase_of("wf[0].a"), "Running");
  run_all();
  EXPECT_EQ(engine_->phase(), "Succeeded");
  ASSERT_EQ(saved_.size(), 1U);
  EXPECT_EQ(saved_[0].node_id, status("wf[0].a")["id"].as_string());
}

TEST_F(EngineTest, ACacheHitRunsNothing) {
  start(kMemoized);
  send(CacheAnswered{
      .run = 1,
      .ticket = questions_[0].ticket,
      .entry = value::Map{{"nodeID", "other"}, {"creationTimestamp", "2026-01-01T00:00:00Z"}},
      .error = {}});
  EXPECT_EQ(phase_of("wf[0].a"), "Succeeded");
  EXPECT_EQ(phase_of("wf[0].a[0].x"), "absent");
  EXPECT_TRUE(node("wf[0].a").memoization()["hit"].bool_or(false));
  run_all();
  EXPECT_EQ(engine_->workflow_status()["progress"].string_or(""), "1/1");
}

TEST_F(EngineTest, AnOldCacheEntryIsNoHit) {
  start(kMemoized);
  send(CacheAnswered{
      .run = 1,
      .ticket = questions_[0].ticket,
      .entry = value::Map{{"nodeID", "other"}, {"creationTimestamp", "2025-12-31T00:00:00Z"}},
      .error = {}});
  EXPECT_EQ(phase_of("wf[0].a"), "Running");
}

TEST_F(EngineTest, ASuspensionThatEndsWithoutAnOutputIsAnError) {
  start(R"({"entrypoint":"main","templates":[
      {"name":"main","steps":[[{"name":"a","template":"wait"}]]},
      {"name":"wait","suspend":{"duration":"5s"},
       "outputs":{"parameters":[{"name":"m","valueFrom":{"supplied":{}}}]}}]})");
  ASSERT_EQ(timers_.size(), 1U);
  send(timers_[0]);
  EXPECT_EQ(phase_of("wf[0].a"), "Error");
  EXPECT_EQ(engine_->phase(), "Failed");
  EXPECT_EQ(message(),
            "step group deemed errored due to child wf[0].a error: raw output parameter 'm' has "
            "not been set and does not have a default value");
}

TEST_F(EngineTest, AnOutputThatIsSetIsNoLongerWaitedFor) {
  start(R"({"entrypoint":"wait","templates":[{"name":"wait","suspend":{},
      "outputs":{"parameters":[{"name":"m","valueFrom":{"supplied":{}}},
                               {"name":"d","valueFrom":{"supplied":{},"default":"x"}}]}}]})");
  const auto parsed = value::parse_json(R"({"outputParameters":{"m":"v"}})");
  send(Control{.verb = Control::Verb::kSet, .arguments = *parsed});
  EXPECT_EQ(value::to_json(status("wf")["outputs"]["parameters"]),
            R"([{"name":"m","value":"v"},{"name":"d","valueFrom":{"default":"x","supplied":{}}}])");
  send(Control{.verb = Control::Verb::kResume, .arguments = {}});
  EXPECT_EQ(value::to_json(status("wf")["outputs"]["parameters"]),
            R"([{"name":"m","value":"v"},{"name":"d","value":"x"}])");
  EXPECT_EQ(engine_->phase(), "Succeeded");
}

constexpr const char* kContainerSet = R"({"entrypoint":"main","templates":[
    {"name":"main","steps":[[{"name":"a","template":"set"}],[{"name":"b","template":"leaf"}]]},
    {"name":"set","containerSet":{"containers":[{"name":"x","image":"i"},
     {"name":"main","image":"i","dependencies":["x"]}]}},
    {"name":"leaf","container":{"image":"x","command":["true"]}}]})";

TEST_F(EngineTest, TheContainersOfASetAreNodesBelowTheirPod) {
  start(kContainerSet);
  EXPECT_EQ(phase_of("wf[0].a.x"), "Pending");
  send(LeafRunning{.leaf = waiting_.front(), .started_at = now_});
  EXPECT_EQ(phase_of("wf[0].a.main"), "Running");
  run_all();
  EXPECT_EQ(phase_of("wf[0].a.main"), "Succeeded");
  EXPECT_EQ(engine_->phase(), "Succeeded");
  // The next group hangs below the last container.
  const Node& last = node("wf[0].a.main");
  ASSERT_EQ(last.children.size(), 1U);
  EXPECT_EQ(engine_->node(last.children[0]).name, "wf[1]");
  EXPECT_EQ(engine_->workflow_status()["progress"].string_or(""), "4/4");
}

TEST_F(EngineTest, AContainerOfASetMayFailAlone) {
  start(kContainerSet);
  const LeafId leaf = waiting_.front();
  send(LeafFinished{
      .leaf = leaf,
      .phase = Phase::kFailed,
      .message = "x: Error (exit code 1)",
      .exit_code = {},
      .outputs = value::Map{{"containers",
                             value::List{value::Map{{"name", "x"},
                                                    {"phase", "Failed"},
                                                    {"message", "x: Error (exit code 1): "}}}}},
      .started_at = now_,
      .finished_at = now_});
  EXPECT_EQ(phase_of("wf[0].a"), "Failed");
  EXPECT_EQ(node("wf[0].a.x").message(), "x: Error (exit code 1): ");
  EXPECT_EQ(node("wf[0].a.main").message(), "Pod Failed whilst container running");
}

TEST_F(EngineTest, ADaemonIsUpWhileWhatDependsOnItRuns) {
  start(R"({"entrypoint":"main","templates":[
      {"name":"main","dag":{"tasks":[{"name":"d","template":"daemon"},
       {"name":"b","template":"leaf","dependencies":["d"],
        "arguments":{"parameters":[{"name":"ip","value":"{{tasks.d.ip}}"}]}}]}},
      {"name":"daemon","daemon":true,"container":{"image":"x","command":["sleep","60"]}},
      {"name":"leaf","inputs":{"parameters":[{"name":"ip"}]},
       "container":{"image":"x","command":["true"]}}]})");
  const LeafId daemon = waiting_.front();
  EXPECT_EQ(phase_of("wf.b"), "absent");
  waiting_.clear();
  send(LeafRunning{.leaf = daemon, .started_at = now_});
  EXPECT_EQ(phase_of("wf.b"), "Pending");
  EXPECT_EQ(input("wf.b", "ip"), "127.0.0.1");
  run_all();
  EXPECT_EQ(phase_of("wf"), "Succeeded");
  EXPECT_EQ(phase_of("wf.d"), "Succeeded");
  EXPECT_EQ(cancelled_, std::vector<std::string>{"wf.d"});
  EXPECT_FALSE(engine_->is_finished());  // its process still ends
  finish(daemon, Phase::kFailed, "main: Error (exit code 143)");
  EXPECT_EQ(engine_->phase(), "Succeeded");
  EXPECT_EQ(phase_of("wf.d"), "Succeeded");
}

std::string with_daemon(const std::string& more) {
  return R"({"entrypoint":"main","templates":[
      {"name":"main","steps":[[{"name":"d","template":"daemon")" +
         more + R"(}],[{"name":"b","template":"leaf"}],[{"name":"c","template":"leaf"}]]},
      {"name":"daemon","daemon":true,"container":{"image":"x","command":["true"]}},
      {"name":"leaf","container":{"image":"x","command":["true"]}}]})";
}

// So does the real controller (v4.1.2, measured), but it does not wait for `b`.
TEST_F(EngineTest, ADaemonThatEndsByItselfHasFailedAndItsStepsWithIt) {
  start(with_daemon(""));
  run_all();
  EXPECT_EQ(phase_of("wf[0].d"), "Failed");
  EXPECT_EQ(phase_of("wf[0]"), "Failed");
  EXPECT_EQ(phase_of("wf[1].b"), "Succeeded");
  EXPECT_EQ(phase_of("wf[2]"), "absent");
  EXPECT_EQ(engine_->phase(), "Failed");
  EXPECT_TRUE(message().starts_with("child 'wf-")) << message();
}

TEST_F(EngineTest, ADaemonThatEndsByItselfCanBeForgiven) {
  start(with_daemon(R"(,"continueOn":{"failed":true})"));
  run_all();
  EXPECT_EQ(phase_of("wf[0].d"), "Failed");
  EXPECT_EQ(phase_of("wf[2].c"), "Succeeded");
  EXPECT_EQ(engine_->phase(), "Succeeded");
}

LocksAnswered answer_to(const AcquireLocks& wanted, bool is_acquired) {
  return {.run = wanted.run,
          .ticket = wanted.ticket,
          .is_acquired = is_acquired,
          .waiting = is_acquired ? "" : wanted.locks[0].name,
          .message = is_acquired ? "" : "Waiting for default/Mutex/m lock. Lock status: 0/1",
          .error = {}};
}

constexpr const char* kLocked = R"({"entrypoint":"main","templates":[
    {"name":"main","steps":[[{"name":"a","template":"locked"}]]},
    {"name":"locked","synchronization":{"mutexes":[{"name":"m"}]},
     "container":{"image":"x","command":["true"]}}]})";

TEST_F(EngineTest, ATemplateWaitsForItsMutexAsAPendingNode) {
  start(kLocked);
  ASSERT_EQ(wanted_.size(), 1U);
  EXPECT_EQ(wanted_[0].locks[0].name, "default/Mutex/m");
  EXPECT_EQ(wanted_[0].holder.substr(0, 14), "default/wf/wf-");
  send(answer_to(wanted_[0], false));
  EXPECT_EQ(phase_of("wf[0].a"), "Pending");
  EXPECT_EQ(node("wf[0].a").message(), "Waiting for default/Mutex/m lock. Lock status: 0/1");
  EXPECT_TRUE(waiting_.empty());
  send(answer_to(wanted_[0], true));
  EXPECT_EQ(node("wf[0].a").message(), "");
  EXPECT_TRUE(returned_.empty());
  run_all();
  EXPECT_EQ(engine_->phase(), "Succeeded");
  EXPECT_EQ(engine_->node_count(), 3U);
  ASSERT_EQ(returned_.size(), 1U);
  EXPECT_EQ(returned_[0].holder, wanted_[0].holder);
  EXPECT_EQ(engine_->workflow_status()["progress"].string_or(""), "1/1");
}

TEST_F(EngineTest, AWaitForAMutexEndsWithTheWorkflow) {
  start(kLocked);
  send(answer_to(wanted_[0], false));
  send(Control{.verb = Control::Verb::kStop, .arguments = {}});
  EXPECT_EQ(node("wf[0].a").message(), "Stopped with strategy 'Stop'");
  EXPECT_EQ(engine_->phase(), "Failed");
  EXPECT_EQ(returned_.size(), 1U);
}

TEST_F(EngineTest, AWorkflowWaitsForItsSemaphore) {
  start(R"({"entrypoint":"leaf","synchronization":{"semaphores":[
      {"configMapKeyRef":{"name":"c","key":"k"}}]},
      "templates":[{"name":"leaf","container":{"image":"x","command":["true"]}}]})");
  ASSERT_EQ(wanted_.size(), 1U);
  EXPECT_EQ(wanted_[0].locks[0].name, "default/ConfigMap/c/k");
  EXPECT_EQ(engine_->phase(), "Pending");
  send(answer_to(wanted_[0], false));
  EXPECT_EQ(engine_->phase(), "Pending");
  EXPECT_EQ(message(), "Waiting for default/Mutex/m lock. Lock status: 0/1");
  send(answer_to(wanted_[0], true));
  EXPECT_EQ(engine_->phase(), "Running");
  EXPECT_EQ(message(), "");
  run_all();
  EXPECT_EQ(engine_->phase(), "Succeeded");
  EXPECT_EQ(returned_.size(), 1U);
}

TEST_F(EngineTest, ALockThatCannotBeMadeFailsTheWorkflow) {
  start(R"({"entrypoint":"leaf","synchronization":{"mutexes":[{"name":"m"},{"name":"m"}]},
      "templates":[{"name":"leaf","container":{"image":"x","command":["true"]}}]})");
  EXPECT_EQ(engine_->phase(), "Failed");
  EXPECT_EQ(message(),
            "Failed to acquire the synchronization lock. requested configuration is invalid: "
            "duplicate synchronization item found");
}

TEST_F(EngineTest, AMemoizedResubmissionSkipsWhatHadSucceeded) {
  definition_.original = value::Map{
      {"[0].a",
       value::Map{{"id", "old-1"}, {"outputs", value::Map{{"result", "x"}, {"exitCode", "0"}}}}}};
  start(R"({"entrypoint":"main","templates":[
      {"name":"main","steps":[[{"name":"a","template":"leaf"}],[{"name":"b","template":"in",
       "arguments":{"parameters":[{"name":"p","value":"{{steps.a.outputs.result}}"}]}}]]},
      {"name":"leaf","script":{"image":"x","command":["sh"],"source":"echo x"}},
      {"name":"in","inputs":{"parameters":[{"name":"p"}]},
       "container":{"image":"x","command":["true"]}}]})");
  EXPECT_EQ(phase_of("wf[0].a"), "Skipped");
  EXPECT_EQ(node("wf[0].a").message(), "original pod: old-1");
  EXPECT_EQ(input("wf[1].b", "p"), "x");
  run_all();
  EXPECT_EQ(engine_->phase(), "Succeeded");
}

TEST_F(EngineTest, AFailedPluginEndsTheWorkflow) {
  start(R"({"entrypoint":"p","templates":[{"name":"p","plugin":{"x":{}}}]})");
  ASSERT_EQ(waiting_.size(), 1U);
  finish(waiting_.front(), Phase::kError, "no such plugin");
  EXPECT_EQ(engine_->phase(), "Error");
}

TEST_F(EngineTest, LabelsAreMadeByExpressionsAndReadByTags) {
  start(R"({"entrypoint":"main","arguments":{"parameters":[{"name":"p","value":"bar"}]},
      "workflowMetadata":{"labels":{"a":"1"},"annotations":{"b":"two words"},
        "labelsFrom":{"c":{"expression":"workflow.parameters.p + '-' + workflow.labels.a"}}},
      "templates":[{"name":"main","inputs":{"parameters":[{"name":"in",
        "value":"{{workflow.labels.c}} {{workflow.annotations.b}}"}]},"container":{"image":"x"}}]})");
  run_all();
  const value::Value metadata = engine_->metadata();
  EXPECT_EQ(metadata["labels"]["c"].string_or(""), "bar-1");
  EXPECT_EQ(metadata["labels"]["a"].string_or(""), "1");
  EXPECT_EQ(metadata["annotations"]["b"].string_or(""), "two words");
  EXPECT_EQ(status("wf")["inputs"]["parameters"].list()[0]["value"].string_or(""),
            "bar-1 two words");
}

TEST_F(EngineTest, ALabelThatIsNoTextOrNoLabelIsAnError) {
  const auto message_of = [&](const std::string& metadata) {
    start(R"({"entrypoint":"main","workflowMetadata":)" + metadata +
          R"(,"templates":[{"name":"main","container":{"image":"x"}}]})");
    EXPECT_EQ(engine_->phase(), "Error");
    return std::string(engine_->workflow_status()["message"].string_or(""));
  };
  EXPECT_EQ(message_of(R"({"labelsFrom":{"c":{"expression":"1 + 1"}}})"),
            "failed to evaluate label \"c\" expression \"1 + 1\" evaluted to int but must be a "
            "string");
  EXPECT_TRUE(
      message_of(R"({"labelsFrom":{"c":{"expression":"'a b'"}}})")
          .starts_with("invalid label value \"a b\" for label \"c\" and expression \"'a b'\": "
                       "a valid label must be"));
  EXPECT_TRUE(message_of(R"({"labels":{"c":"-"}})")
                  .starts_with("invalid label value \"-\" for label \"c\": a valid label"));
  EXPECT_TRUE(message_of(R"({"labelsFrom":{"c":{"expression":"1 +"}}})")
                  .starts_with("failed to compile function for expression \"1 +\": "));
}

TEST_F(EngineTest, ALeafTellsItsProgress) {
  start(R"({"entrypoint":"main","templates":[
    {"name":"main","steps":[[{"name":"a","template":"leaf"},{"name":"b","template":"leaf"}]]},
    {"name":"leaf","metadata":{"annotations":{"workflows.argoproj.io/progress":"0/10"}},
     "container":{"image":"x"}}]})");
  const auto progress = [this] {
    return std::string(engine_->workflow_status()["progress"].string_or(""));
  };
  const LeafId a = waiting_[0];
  EXPECT_EQ(progress(), "0/2");
  send(LeafRunning{.leaf = a, .started_at = now_});
  EXPECT_EQ(progress(), "0/11");
  EXPECT_TRUE(send(LeafProgress{.leaf = a, .progress = "50/100"}));
  EXPECT_EQ(progress(), "50/101");
  EXPECT_EQ(status("wf[0].a")["progress"].as_string(), "50/100");
  for (const char* none : {"", "x", "101/100", "-1/100", "1/0", "50/100", "1/2/3"}) {
    EXPECT_FALSE(send(LeafProgress{.leaf = a, .progress = none})) << none;
  }
  run_all();
  EXPECT_EQ(status("wf[0].a")["progress"].as_string(), "100/100");
  EXPECT_EQ(progress(), "110/110");
  EXPECT_FALSE(send(LeafProgress{.leaf = a, .progress = "60/100"}));
}

TEST_F(EngineTest, TheStatusTellsWhatIsHeldAndWaitedFor) {
  start(R"({"entrypoint":"leaf","synchronization":{"mutexes":[{"name":"w"}]},"templates":[
    {"name":"leaf","synchronization":{"semaphores":[
       {"configMapKeyRef":{"name":"c","key":"k"}}]},"container":{"image":"x"}}]})");
  const auto shown = [this] {
    return value::to_json(engine_->workflow_status()["synchronization"]);
  };
  EXPECT_EQ(shown(), R"({"mutex":{"waiting":[{"mutex":"default/Mutex/w"}]}})");
  send(LocksAnswered{.run = 1,
                     .ticket = wanted_[0].ticket,
                     .is_acquired = true,
                     .waiting = {},
                     .message = {},
                     .error = {}});
  const std::string held =
      R"("mutex":{"holding":[{"holder":"default/wf","mutex":"default/Mutex/w"}]})";
  EXPECT_EQ(shown(), "{" + held + "}");
  send(LocksAnswered{.run = 1,
                     .ticket = wanted_[1].ticket,
                     .is_acquired = false,
                     .waiting = "default/ConfigMap/c/k",
                     .message = "Waiting",
                     .error = {}});
  EXPECT_EQ(shown(),
            "{" + held + R"(,"semaphore":{"waiting":[{"semaphore":"default/ConfigMap/c/k"}]}})");
  send(LocksAnswered{.run = 1,
                     .ticket = wanted_[1].ticket,
                     .is_acquired = true,
                     .waiting = {},
                     .message = {},
                     .error = {}});
  EXPECT_EQ(shown(), "{" + held + R"(,"semaphore":{"holding":[)" +
                         R"({"holders":["default/wf/wf"],"semaphore":"default/ConfigMap/c/k"}]}})");
  run_all();
  EXPECT_TRUE(engine_->workflow_status()["synchronization"].is_null());
}

TEST_F(EngineTest, WhatFollowsALoopFollowsItsHooksToo) {
  start(R"({"entrypoint":"main","templates":[
      {"name":"main","dag":{"tasks":[{"name":"a","template":"leaf","withItems":[1,2],
         "hooks":{"r":{"template":"leaf","expression":"tasks.a.status == 'Running'"}}}]}},
      {"name":"leaf","container":{"image":"x"}}]})");
  run_all();
  EXPECT_EQ(engine_->phase(), "Succeeded");
  EXPECT_EQ(status("wf.a")["children"].list().size(), 3U);
  EXPECT_EQ(status("wf")["outboundNodes"].list().size(), 3U);  // two items and the hook
}

}  // namespace
}  // namespace tiphys::engine
