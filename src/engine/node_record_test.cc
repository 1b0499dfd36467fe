// The store's form of a node must give back all that Argo's NodeStatus shows, also when an earlier
// version wrote it.
#include "engine/node_record.h"

#include "engine/engine_fixture.h"
#include "value/json.h"

namespace tiphys::engine {

namespace {

value::Value status_of(const std::string& record) {
  auto status = node_status_of_record(record, "wf", [](NodeIndex i) -> std::string_view {
    return i == 0 ? "wf" : i == 1 ? "wf[0]" : "wf[0].a";
  });
  CHECK(status.has_value());
  return *status;
}

}  // namespace

TEST(NodeRecord, GivesAllFieldsOfAStatus) {
  EXPECT_EQ(
      value::to_json(
          status_of(
              R"({"n":"wf[0].a","t":"Pod","p":"Failed","T":"leaf","S":"local/wf","b":0,"m":"no","g":23,
              "h":"here","s":1700000000123,"f":1700000001999,"i":{"parameters":[]},
              "o":{"exitCode":"1"},"w":"lock","M":{"hit":false},"c":[2],"u":[2]})"),
          {.key_order = value::KeyOrder::kAsGiven}),
      R"({"id":"wf-3986212215","name":"wf[0].a","displayName":"a","type":"Pod","templateName":"leaf",)"
      R"("templateScope":"local/wf","phase":"Failed","boundaryID":"wf","message":"no",)"
      R"("hostNodeName":"here","startedAt":"2023-11-14T22:13:20Z","finishedAt":"2023-11-14T22:13:21Z",)"
      R"("progress":"1/1","inputs":{"parameters":[]},"outputs":{"exitCode":"1"},)"
      R"("synchronizationStatus":{"waiting":"lock"},"memoizationStatus":{"hit":false},)"
      R"("children":["wf-3986212215"],"outboundNodes":["wf-3986212215"],)"
      R"("nodeFlag":{"hooked":true,"retried":true}})");
}

TEST(NodeRecord, ReadsTheStatusThatEarlierVersionsKept) {
  const std::string old = R"({"id":"wf-1","name":"wf[0]","phase":"Running"})";
  EXPECT_EQ(status_of(old)["phase"].as_string(), "Running");
  EXPECT_EQ(name_of_record(old), "wf[0]");
  EXPECT_EQ(name_of_record(R"({"n":"wf[1]","t":"Pod"})"), "wf[1]");
}

TEST(NodeRecord, RefusesWhatIsNoRecord) {
  const NameOf nobody = [](NodeIndex) { return std::string_view(); };
  EXPECT_FALSE(node_status_of_record("[]", "wf", nobody));
  EXPECT_FALSE(node_status_of_record("{", "wf", nobody));
}

}  // namespace tiphys::engine
