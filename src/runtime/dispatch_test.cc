// Only what still belongs to the workflow's run reaches an executor.
#include "runtime/dispatch.h"

#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/definition.h"
#include "store/memory.h"
#include "value/json.h"

namespace tiphys::runtime {
namespace {

struct Recorder : executor::Executor {
  void start(std::vector<executor::Task> tasks) override {
    for (const executor::Task& task : tasks) started.push_back(task.key);
  }
  void cancel(const std::string& /*key*/, clock::Duration /*grace*/) override {}
  void acknowledge(const std::string& /*key*/) override {}
  void forget_workflow(const std::string& /*work_folder*/) override {}
  std::vector<std::string> started;
};

TEST(Dispatch, LeavesOfAnEarlierRunAreNotStarted) {
  char pattern[] = "/tmp/tiphys-dispatch-XXXXXX";
  const std::string folder = ::mkdtemp(pattern);
  store::MemoryStore store;
  engine::Definition definition;
  definition.workflow = *value::parse_json(
      R"({"metadata": {"name": "wf", "namespace": "n", "uid": "u"},
          "spec": {"entrypoint": "main",
                   "templates": [{"name": "main", "http": {"url": "http://127.0.0.1"}}]}})");
  ASSERT_TRUE(store.create_workflow({.uid = "u", .name_space = "n", .name = "wf"},
                                    {.uid = "u", .sequence = 1, .payload = to_json(definition)}));
  auto lock = Ownership::take(folder);
  ASSERT_TRUE(lock);
  auto run = WorkflowRun::load(store, "u", std::move(*lock));
  ASSERT_TRUE(run);
  ASSERT_TRUE(run->apply({.at = {1}, .body = engine::Begin{}}));
  store::Batch batch;
  run->collect(batch, {1});
  ASSERT_TRUE(store.commit(batch));

  Recorder process;
  Recorder http;
  Recorder plugins;
  Recorder resources;
  Inbox inbox;
  Timers timers;
  Locks locks(store, folder);
  Config config;
  config.home = folder;
  ArtifactGc artifact_gc(config, inbox, {});
  Dispatch dispatch(config, process, http, plugins, resources, inbox, timers, store, locks,
                    artifact_gc);
  std::vector<engine::Effect> effects = run->take_effects();
  // Asked for, ended and begun anew by hand within one commit: the node's number is another's now.
  effects.emplace_back(engine::StartLeaf{.leaf = {.run = 7, .node = 0}});
  dispatch.carry_out(*run, effects, false);
  EXPECT_THAT(http.started, testing::ElementsAre(leaf_key("u", {.run = 1, .node = 0})));
  EXPECT_THAT(process.started, testing::IsEmpty());
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace tiphys::runtime
