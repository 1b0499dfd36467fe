// A hook's request has one row from the commit that decides it to its arrival, over crashes, while
// its node ends when Argo's would.
#include "runtime/hook_requests.h"

#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/definition.h"
#include "store/memory.h"
#include "value/json.h"

namespace tiphys::runtime {
namespace {

namespace fs = std::filesystem;
using clock::Duration;
constexpr clock::Instant kStart{1'767'225'600'000'000'000};

struct HookRequestsTest : testing::Test {
  void SetUp() override {
    char pattern[] = "/tmp/tiphys-hooks-XXXXXX";
    config.home = ::mkdtemp(pattern);
  }
  void TearDown() override { fs::remove_all(config.home); }

  /// A workflow whose hook on Running is an http template; begins it.
  void begin(const std::string& annotations = "{}", const std::string& more = "") {
    engine::Definition definition;
    definition.workflow = *value::parse_json(
        R"({"metadata": {"name": "wf", "namespace": "n", "uid": "u", "annotations": )" +
        annotations + R"(},
            "spec": {"entrypoint": "main", "hooks": {"up": {"template": "tell",
              "expression": "workflow.status == \"Running\""}}, "templates": [
              {"name": "main", "suspend": {}},
              {"name": "tell", )" +
        more + R"("http": {"url": "http://user:pw@host.test:8/a?b"}}]}})");
    ASSERT_TRUE(store.create_workflow({.uid = "u", .name_space = "n", .name = "wf"},
                                      {.uid = "u", .sequence = 1, .payload = to_json(definition)}));
    adopt();
    run->apply({.at = kStart, .body = engine::Begin{}});
  }
  /// As an engine that starts: what was not committed is gone.
  void adopt() {
    requests.reset();
    custody.reset();
    run.reset();
    sent.clear();
    auto lock = Ownership::take(config.run_path("u"));
    CHECK(lock.has_value());
    auto loaded = WorkflowRun::load(*store.another(), "u", std::move(*lock));
    CHECK(loaded.has_value());
    run.emplace(std::move(*loaded));
    custody.emplace(
        config, store, [](const std::string&) { return true; },
        [](const std::string&) { return false; });
    requests.emplace(HookRequests::Ports{
        config,
        store,
        *custody,
        {.secret = [](const std::string&, const std::string&, const std::string&)
             -> diag::Result<std::string> { return diag::fail(diag::Code::kNotFound, "none"); },
         .config_map = {}},
        [this](executor::Task task) { sent.push_back(std::move(task)); }});
    outstanding = run->engine().outstanding();
    ASSERT_TRUE(requests->adopt(*run, outstanding, kStart));
  }
  void commit() {
    store::Batch batch;
    requests->prepare(*run, run->pending_effects(), kStart);
    run->collect(batch, kStart);
    requests->collect(batch);
    ASSERT_TRUE(store.commit(batch));
    for (const engine::Effect& effect : run->take_effects()) {
      if (const auto* start = std::get_if<engine::StartLeaf>(&effect)) {
        key = leaf_key("u", start->leaf);
      }
    }
  }
  [[nodiscard]] std::optional<Ended> answer(const std::string& of, int status,
                                            clock::Instant now = kStart) {
    Ended ended{.key = of, .outcome = {}};
    ended.outcome.http = executor::HttpAnswer{.status = status, .retry_after = ""};
    if (status != 200) ended.outcome.phase = executor::Outcome::Phase::kFailed;
    return requests->settle(std::move(ended), now);
  }
  [[nodiscard]] store::DeliveryRow row() {
    const auto rows = store.load_deliveries({});
    CHECK(rows.has_value() && rows->size() == 1);
    return rows->front();
  }

  Config config;
  store::MemoryStore store;
  std::optional<WorkflowRun> run;
  std::optional<Custody> custody;
  std::optional<HookRequests> requests;
  std::vector<engine::Effect> outstanding;
  std::vector<executor::Task> sent;
  std::string key;
};

TEST_F(HookRequestsTest, ARowIsInTheCommitThatDecidesTheRequest) {
  begin();
  commit();
  EXPECT_EQ(row().id, "msg_" + key);
  EXPECT_EQ(row().state, "pending");
  EXPECT_EQ(row().destination, "host.test:8");  // neither a password nor a path
  requests->carry_out(kStart);
  EXPECT_TRUE(sent.empty());  // the first attempt is the executor's
}

TEST_F(HookRequestsTest, TheFirstAnswerIsTheNodesAndTheRestIsBehindIt) {
  begin();
  commit();
  const auto end = answer(key, 503);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->key, key);
  EXPECT_EQ(end->outcome.phase, executor::Outcome::Phase::kFailed);
  commit();
  EXPECT_EQ(row().state, "pending");
  EXPECT_EQ(row().attempts, 1U);
  requests->carry_out(row().next_at);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].key, "msg_" + key);
  const value::Value& header = sent[0].template_body["http"]["headers"].list().at(0);
  EXPECT_EQ(header["name"].as_string(), "Idempotency-Key");
  EXPECT_EQ(header["value"].as_string(), key);
  EXPECT_FALSE(answer("msg_" + key, 200));  // the node has ended long ago
  commit();
  EXPECT_EQ(row().state, "delivered");
  EXPECT_EQ(store.load_attempts(row().id)->size(), 2U);
}

TEST_F(HookRequestsTest, AnAwaitedOneHoldsItsNode) {
  begin(R"({"notifications.tiphys.dev/http-hooks": "await"})");
  commit();
  EXPECT_FALSE(answer(key, 503));
  commit();
  requests->carry_out(row().next_at);
  const auto end = answer("msg_" + key, 200);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->key, key);
  EXPECT_EQ(end->outcome.phase, executor::Outcome::Phase::kSucceeded);
}

TEST_F(HookRequestsTest, AfterACrashTheFirstAttemptIsTheExecutorsAndOthersTheOutboxs) {
  begin(R"({"notifications.tiphys.dev/http-hooks": "await"})");
  commit();
  adopt();
  const auto starts = [this] {
    return std::ranges::count_if(outstanding, [](const engine::Effect& effect) {
      return std::holds_alternative<engine::StartLeaf>(effect);
    });
  };
  EXPECT_EQ(starts(), 1);
  EXPECT_FALSE(answer(key, 503));
  commit();
  adopt();
  EXPECT_EQ(starts(), 0);
  requests->carry_out(kStart);
  EXPECT_TRUE(sent.empty());  // not before its time
  requests->carry_out(row().next_at);
  EXPECT_EQ(sent.size(), 1U);
  EXPECT_TRUE(answer("msg_" + key, 200));
}

TEST_F(HookRequestsTest, ARefusalIsDeadAndWhatWasNotSentToo) {
  begin();
  commit();
  EXPECT_TRUE(answer(key, 404));
  commit();
  EXPECT_EQ(row().state, "dead");
  EXPECT_EQ(row().status, 404);
  EXPECT_EQ(requests->next(), std::nullopt);
}

TEST_F(HookRequestsTest, WhatIsNotWantedAnyMoreIsDiscarded) {
  begin(R"({"notifications.tiphys.dev/http-hooks": "await"})");
  commit();
  EXPECT_FALSE(answer(key, 503));
  requests->cancel(key, kStart);
  commit();
  EXPECT_EQ(row().state, "discarded");
  EXPECT_EQ(requests->next(), std::nullopt);
}

TEST_F(HookRequestsTest, APersonDiscardsWhatIsWaitedForButNotWhatIsBeingSent) {
  begin(R"({"notifications.tiphys.dev/http-hooks": "await"})");
  commit();
  EXPECT_FALSE(requests->discard("msg_" + key, "by hand", kStart));
  EXPECT_FALSE(answer(key, 503));
  const auto withdrawn = requests->discard("msg_" + key, "by hand", kStart);
  ASSERT_TRUE(withdrawn);
  EXPECT_EQ(withdrawn->leaf, key);
  commit();
  EXPECT_EQ(row().state, "discarded");
  EXPECT_EQ(row().reason, "by hand");
  EXPECT_FALSE(requests->discard("msg_" + key, "by hand", kStart));
}

TEST_F(HookRequestsTest, ALeafThatWentOnDoesNotHearOfADiscardedRequest) {
  begin();
  commit();
  EXPECT_TRUE(answer(key, 503));
  const auto withdrawn = requests->discard("msg_" + key, "by hand", kStart);
  ASSERT_TRUE(withdrawn);
  EXPECT_EQ(withdrawn->leaf, "");
}

TEST_F(HookRequestsTest, ARetryStrategyOrTheWordOnceMakesNoRow) {
  begin("{}", R"("retryStrategy": {"limit": 2}, )");
  commit();
  EXPECT_TRUE(store.load_deliveries({})->empty());
  const auto end = answer(key, 503);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->key, key);
}

TEST_F(HookRequestsTest, OnceMeansOnce) {
  begin(R"({"notifications.tiphys.dev/http-hooks": "once"})");
  commit();
  EXPECT_TRUE(store.load_deliveries({})->empty());
}

}  // namespace
}  // namespace tiphys::runtime
