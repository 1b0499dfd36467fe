// What readers see may lag behind the log for a moment, but the log never lags behind an effect,
// and nothing that was left behind by a crash stays so.
#include "runtime/workflow_run.h"

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "runtime/definition.h"
#include "store/memory.h"
#include "value/json.h"

namespace tiphys::runtime {
namespace {

namespace fs = std::filesystem;
constexpr clock::Instant kStart{1'767'225'600'000'000'000};

struct WorkflowRunTest : testing::Test {
  void SetUp() override {
    char pattern[] = "/tmp/tiphys-run-XXXXXX";
    folder = ::mkdtemp(pattern);
    engine::Definition definition;
    definition.workflow = *value::parse_json(
        R"({"metadata": {"name": "wf", "namespace": "n", "uid": "u"},
            "spec": {"entrypoint": "main", "templates": [
              {"name": "main", "steps": [[{"name": "a", "template": "leaf"},
                                          {"name": "b", "template": "leaf"}]]},
              {"name": "leaf", "http": {"url": "http://127.0.0.1"}}]}})");
    ASSERT_TRUE(store.create_workflow({.uid = "u", .name_space = "n", .name = "wf"},
                                      {.uid = "u", .sequence = 1, .payload = to_json(definition)}));
  }
  void TearDown() override { fs::remove_all(folder); }

  [[nodiscard]] WorkflowRun load() const {
    auto lock = Ownership::take(folder);
    CHECK(lock.has_value());
    auto run = WorkflowRun::load(*store.another(), "u", std::move(*lock));
    CHECK(run.has_value());
    return std::move(*run);
  }
  void commit(WorkflowRun& run, clock::Instant now) {
    store::Batch batch;
    run.collect(batch, now);
    ASSERT_TRUE(store.commit(batch));
    (void)run.take_effects();
  }
  [[nodiscard]] std::string shown_phase(std::uint32_t node) {
    const auto rows = store.load_nodes("u");
    for (const store::NodeRow& row : *rows) {
      if (row.index == node) return std::string((*value::parse_json(row.record))["p"].as_string());
    }
    return "absent";
  }
  static engine::Event running(std::uint32_t node, clock::Instant at) {
    return {.at = at,
            .body = engine::LeafRunning{.leaf = {.run = 1, .node = node}, .started_at = at}};
  }

  std::string folder;
  store::MemoryStore store;
};

TEST_F(WorkflowRunTest, WhatStartsSomethingIsUrgentAndWhatOnlyTellsIsNot) {
  WorkflowRun run = load();
  EXPECT_TRUE(run.apply({.at = kStart, .body = engine::Begin{}}));
  EXPECT_TRUE(run.is_urgent());
  commit(run, kStart);
  EXPECT_TRUE(run.apply(running(2, kStart)));
  EXPECT_FALSE(run.is_urgent());
  // An end that nobody repeats after a crash: the request would be sent again.
  EXPECT_TRUE(run.apply({.at = kStart,
                         .body = engine::LeafFinished{.leaf = {.run = 1, .node = 2},
                                                      .message = {},
                                                      .exit_code = {},
                                                      .outputs = {},
                                                      .started_at = kStart,
                                                      .finished_at = kStart}}));
  EXPECT_TRUE(run.is_urgent());
  commit(run, kStart);
  EXPECT_FALSE(run.is_urgent());
}

TEST_F(WorkflowRunTest, RowsFollowTheLogAfterAMoment) {
  WorkflowRun run = load();
  run.apply({.at = kStart, .body = engine::Begin{}});
  commit(run, kStart);
  EXPECT_EQ(shown_phase(2), "Pending");
  run.apply(running(2, kStart));
  commit(run, kStart + clock::Duration::milliseconds(1));
  EXPECT_EQ(store.load_events("u")->size(), 3U);
  EXPECT_EQ(shown_phase(2), "Pending");
  ASSERT_TRUE(run.rows_due());
  commit(run, *run.rows_due());
  EXPECT_EQ(shown_phase(2), "Running");
  EXPECT_FALSE(run.rows_due());
}

TEST_F(WorkflowRunTest, AClockThatGoesBackDoesNotHoldRowsBack) {
  WorkflowRun run = load();
  run.apply({.at = kStart, .body = engine::Begin{}});
  commit(run, kStart);
  run.apply(running(2, kStart));
  commit(run, {kStart.ns - clock::Duration::seconds(3600).ns});
  EXPECT_EQ(shown_phase(2), "Running");
}

TEST_F(WorkflowRunTest, RowsThatACrashLeftBehindAreWrittenByTheNextEngine) {
  {
    WorkflowRun run = load();
    run.apply({.at = kStart, .body = engine::Begin{}});
    commit(run, kStart);
    run.apply(running(2, kStart));
    commit(run, kStart);  // the log, not yet the rows
  }
  WorkflowRun next = load();
  ASSERT_TRUE(next.rows_due());
  commit(next, *next.rows_due());
  EXPECT_EQ(shown_phase(2), "Running");
  EXPECT_EQ(shown_phase(3), "Pending");
  EXPECT_EQ(*store.shown_sequence("u"), 3U);
}

TEST_F(WorkflowRunTest, TheEndIsShownTogetherWithItsEvent) {
  WorkflowRun run = load();
  run.apply({.at = kStart, .body = engine::Begin{}});
  commit(run, kStart);
  for (const std::uint32_t leaf : {2U, 3U}) {
    run.apply({.at = kStart,
               .body = engine::LeafFinished{.leaf = {.run = 1, .node = leaf},
                                            .message = {},
                                            .exit_code = 0,
                                            .outputs = {},
                                            .started_at = kStart,
                                            .finished_at = kStart}});
  }
  EXPECT_TRUE(run.is_urgent());
  commit(run, kStart);
  EXPECT_EQ(store.find_workflow("n", "wf")->phase, "Succeeded");
  EXPECT_EQ(shown_phase(0), "Succeeded");
}

}  // namespace
}  // namespace tiphys::runtime
