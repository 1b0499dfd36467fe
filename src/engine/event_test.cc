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

// Plain events are read without a JSON value of each; the same text with a blank is not plain.
TEST_F(EventTest, PlainEventsAreReadAsJsonIs) {
  const std::vector<std::string> plain = {
      R"({"b":3,"r":1,"s":5,"at":1767225600000000007})",
      R"({"b":3,"r":1,"at":7})",
      R"({"e":3,"r":2,"x":0,"s":9,"f":-2,"at":1767225600000000007})",
      R"({"e":4294967295,"r":1,"x":-1,"at":9})",
      R"({"e":0,"r":1,"f":0,"at":0})",
  };
  std::string row = "[";
  for (const std::string& text : plain) row += (row.size() > 1 ? "," : "") + text;
  std::string spaced = row + "]";
  spaced.insert(1, " ");
  const auto events = parse_events(row + "]");
  const auto as_json = parse_events(spaced);
  ASSERT_TRUE(events && as_json);
  ASSERT_EQ(events->size(), plain.size());
  ASSERT_EQ(as_json->size(), plain.size());
  for (std::size_t i = 0; i < plain.size(); ++i) {
    std::string a;
    std::string b;
    append_json(a, (*events)[i]);
    append_json(b, (*as_json)[i]);
    EXPECT_EQ(a, b) << plain[i];
  }
}

TEST_F(EventTest, AnyEventMayFollowPlainOnes) {
  const auto events =
      parse_events(R"([{"b":1,"r":1,"at":1},{"e":1,"r":1,"p":"Failed","m":"why","x":1,"at":2},)"
                   R"({"e":2,"r":1,"x":0,"o":{"result":"}]"},"at":3},{"b":3,"r":1,"at":4}])");
  ASSERT_TRUE(events);
  ASSERT_EQ(events->size(), 4U);
  EXPECT_EQ(std::get<LeafFinished>((*events)[1].body).message, "why");
  EXPECT_EQ(std::get<LeafFinished>((*events)[2].body).outputs["result"].as_string(), "}]");
  EXPECT_EQ(std::get<LeafRunning>((*events)[3].body).leaf.node, 3U);
}

TEST_F(EventTest, ADamagedRowIsAnError) {
  const std::string good = R"([{"b":1,"r":1,"s":2,"at":3},{"e":1,"r":1,"x":0,"s":2,"f":2,"at":3}])";
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(parse_events(good.substr(0, length))) << length;
  }
  EXPECT_FALSE(parse_events(good + "x"));
  for (const char* row :
       {R"([{"b":1,"r":1,"at":}])", R"([{"b":-,"r":1,"at":1}])", R"([{"b":1,"r":1,"at":1}x])"}) {
    EXPECT_FALSE(parse_events(row)) << row;
  }
}

TEST_F(EventTest, MemoryIsUsedAgain) {
  std::vector<Event> events;
  ASSERT_TRUE(parse_events(R"([{"b":1,"r":1,"at":1},{"b":2,"r":1,"at":1}])", events));
  EXPECT_EQ(events.size(), 2U);
  ASSERT_TRUE(parse_events(R"({"kind":"begin","at":1})", events));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<Begin>(events[0].body));
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
