// Which artifacts a workflow gives up, that it asks for it once, and what it says of the outcome.
#include "engine/artifact_gc.h"

#include <gtest/gtest.h>

#include "engine/engine_fixture.h"

namespace tiphys::engine {
namespace {

class ArtifactGcTest : public EngineTest {
 protected:
  // Ends the only leaf with three artifacts: one for each strategy.
  void run_with(const std::string& workflow_gc) {
    start(R"({"entrypoint":"main","artifactGC":)" + workflow_gc + R"(,"templates":[
      {"name":"main","container":{"image":"x"},"outputs":{"artifacts":[
        {"name":"a","path":"/a"},
        {"name":"b","path":"/b","artifactGC":{"strategy":"OnWorkflowDeletion"}},
        {"name":"c","path":"/c","artifactGC":{"strategy":"Never"}}]}}]})");
    const auto outputs = value::parse_json(R"({"artifacts":[
        {"name":"a","s3":{"key":"a"}},
        {"name":"b","s3":{"key":"b"},"artifactGC":{"strategy":"OnWorkflowDeletion"}},
        {"name":"c","s3":{"key":"c"},"artifactGC":{"strategy":"Never"}}]})");
    send(LeafFinished{.leaf = {.run = 1, .node = 0},
                      .phase = Phase::kSucceeded,
                      .message = {},
                      .exit_code = 0,
                      .outputs = *outputs,
                      .started_at = now_,
                      .finished_at = now_});
  }

  [[nodiscard]] std::string names(std::string_view strategy) const {
    std::string out;
    for (const auto& g : engine_->garbage(strategy)) out += g["artifact"]["name"].as_string();
    return out;
  }

  bool answer(std::string_view strategy, const std::string& name, const std::string& error,
              std::uint32_t run = 1) {
    value::Map result{{"node", 0}, {"name", name}};
    if (!error.empty()) result.set("error", error);
    return send(ArtifactsCollected{
        .run = run, .strategy = std::string(strategy), .results = value::List{std::move(result)}});
  }

  [[nodiscard]] std::size_t finalizers() const {
    return engine_->metadata()["finalizers"].list().size();
  }
};

TEST_F(ArtifactGcTest, AnArtifactsOwnStrategyBeatsTheWorkflows) {
  run_with(R"({"strategy":"OnWorkflowCompletion"})");
  EXPECT_EQ(names(kOnCompletion), "a");
  EXPECT_EQ(names(kOnDeletion), "b");
  EXPECT_TRUE(engine_->is_collecting());
  ASSERT_EQ(engine_->outstanding().size(), 1U);
  EXPECT_TRUE(std::holds_alternative<CollectArtifacts>(engine_->outstanding()[0]));
}

TEST_F(ArtifactGcTest, WhatIsGoneIsMarkedAndNotAskedForAgain) {
  run_with(R"({"strategy":"OnWorkflowCompletion"})");
  EXPECT_FALSE(answer(kOnCompletion, "a", "", 7)) << "of another run";
  EXPECT_TRUE(answer(kOnCompletion, "a", ""));
  EXPECT_FALSE(engine_->is_collecting());
  EXPECT_TRUE(engine_->outstanding().empty());
  EXPECT_TRUE(status("wf")["outputs"]["artifacts"].list()[0]["deleted"].bool_or(false));
  EXPECT_EQ(finalizers(), 1U) << "b is left until the workflow is deleted";
  EXPECT_TRUE(answer(kOnDeletion, "b", ""));
  EXPECT_EQ(finalizers(), 0U);
}

TEST_F(ArtifactGcTest, AFailureIsAConditionOfTheWorkflow) {
  run_with(R"({"strategy":"OnWorkflowCompletion"})");
  EXPECT_TRUE(answer(kOnCompletion, "a", "no such host"));
  EXPECT_FALSE(engine_->is_collecting());
  const value::Value condition = engine_->workflow_status()["conditions"].list().back();
  EXPECT_EQ(condition["type"].as_string(), "ArtifactGCError");
  EXPECT_EQ(condition["message"].as_string(), "no such host");
  EXPECT_EQ(names(kOnCompletion), "a") << "a deletion tries it again";
  EXPECT_EQ(finalizers(), 1U);
}

TEST_F(ArtifactGcTest, ForcedTheFinalizerGoesInSpiteOfAFailure) {
  run_with(R"({"strategy":"OnWorkflowCompletion","forceFinalizerRemoval":true})");
  EXPECT_TRUE(answer(kOnCompletion, "a", "no such host"));
  EXPECT_EQ(finalizers(), 0U);
}

TEST_F(ArtifactGcTest, WithoutAStrategyNothingGoes) {
  start(R"({"entrypoint":"leaf","templates":[)" + std::string(kLeaf) + "]}");
  run_all();
  EXPECT_FALSE(engine_->is_collecting());
  EXPECT_EQ(finalizers(), 0U);
  EXPECT_TRUE(engine_->workflow_status()["artifactGCStatus"].is_null());
}

}  // namespace
}  // namespace tiphys::engine
