// A log that is damaged gives an error or a workflow, never an abort.
#include "engine/event.h"

#include "engine/engine_fixture.h"

namespace tiphys::engine {
namespace {

struct EventTest : EngineTest {
  void start_one_step() {
    start(R"({"entrypoint":"main","templates":[
        {"name":"main","steps":[[{"name":"a","template":"leaf"}]]},
        {"name":"leaf","container":{"image":"x","command":["true"]}}]})");
  }
};

TEST_F(EventTest, ALeafEndsInAPhaseThatIsAnEnd) {
  for (const char* row :
       {R"({"e":0,"r":1,"p":"Running","at":1})", R"({"e":0,"r":1,"p":"x","at":1})",
        R"({"kind":"finished","node":0,"run":1,"phase":"Pending","at":1})",
        R"({"kind":"finished","node":0,"run":1,"at":1})"}) {
    const auto events = parse_events(row);
    ASSERT_FALSE(events) << row;
    EXPECT_EQ(events.error().code, diag::Code::kInternal);
  }
}

TEST_F(EventTest, CollectedArtifactsAreReadAsTheyWereWritten) {
  std::string text;
  append_json(text, {.at = {7},
                     .body = ArtifactsCollected{
                         .run = 2,
                         .strategy = "OnWorkflowCompletion",
                         .results = value::List{value::Map{{"node", 3}, {"name", "a"}}}}});
  const auto events = parse_events(text);
  ASSERT_TRUE(events) << text;
  const auto& collected = std::get<ArtifactsCollected>(events->front().body);
  EXPECT_EQ(collected.run, 2U);
  EXPECT_EQ(collected.strategy, "OnWorkflowCompletion");
  EXPECT_EQ(collected.results.list().at(0)["node"].int_or(0), 3);
}

TEST_F(EventTest, ANumberThatIsTooLargeIsNobodys) {
  const auto events = parse_events(R"({"b":4294967296,"r":4294967297,"at":1})");
  ASSERT_TRUE(events);
  const auto& began = std::get<LeafRunning>(events->front().body);
  EXPECT_EQ(began.leaf.node, kNoNode);
  EXPECT_EQ(began.leaf.run, 0U);
}

TEST_F(EventTest, OnlyLeavesBeginAndEnd) {
  start_one_step();
  for (const NodeIndex i : {0U, 1U, 3U, kNoNode}) {
    EXPECT_FALSE(send(LeafRunning{.leaf = {.run = 1, .node = i}, .started_at = now_})) << i;
    EXPECT_FALSE(send(LeafFinished{.leaf = {.run = 1, .node = i},
                                   .phase = Phase::kFailed,
                                   .message = {},
                                   .exit_code = 1,
                                   .outputs = {},
                                   .started_at = now_,
                                   .finished_at = now_}))
        << i;
  }
  run_all();
  EXPECT_EQ(engine_->phase(), "Succeeded");
}

}  // namespace
}  // namespace tiphys::engine
