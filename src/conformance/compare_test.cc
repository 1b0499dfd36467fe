#include "conformance/compare.h"

#include <gtest/gtest.h>

#include "conformance/normal_form.h"
#include "value/json.h"

namespace tiphys::conformance {
namespace {

using value::Value;

Value json(std::string_view text) { return value::parse_json(text).value(); }

// A workflow `w` of two steps; the second has failed.
Value workflow() {
  return json(R"({"metadata": {"name": "w"}, "status": {
    "phase": "Failed", "message": "child 'w-7' failed", "progress": "1/2", "startedAt": "now",
    "nodes": {
      "w": {"id": "w", "name": "w", "type": "Steps", "phase": "Failed", "children": ["w-8", "w-7"],
            "message": "child 'w-7' failed", "startedAt": "x", "inputs": {}},
      "w-7": {"id": "w-7", "name": "w[0].a", "type": "Pod", "phase": "Failed", "boundaryID": "w",
              "outputs": {"result": "5", "exitCode": "1", "artifacts": [
                {"name": "z", "s3": {"key": "w/z.tgz", "bucket": "b"}},
                {"name": "b", "path": "/b", "archive": {"none": {}}}]},
              "inputs": {"parameters": [{"name": "m", "value": "1", "valueFrom": {"path": "/x"}}]}},
      "w-8": {"id": "w-8", "name": "w[1].b", "type": "Pod", "phase": "Succeeded", "message": "",
              "nodeFlag": {"hooked": false}}}}})");
}

Value golden(std::string_view changed = "5") {
  Value form = normal_form(workflow());
  std::string text = value::to_json(form);
  if (const auto at = text.find("\"result\":\"5\""); at != std::string::npos) {
    text.replace(at, 12, "\"result\":\"" + std::string(changed) + "\"");
  }
  return json(text);
}

TEST(NormalForm, KeepsWhatEveryEngineGivesAlike) {
  const Value form = normal_form(workflow());
  EXPECT_EQ(value::to_json(form["nodes"].list()[1]),
            R"({"boundary":"w","inputs":{"parameters":[{"name":"m","value":"1"}]},)"
            R"("name":"w[0].a","outputs":{"artifacts":[{"name":"b","path":"/b"},)"
            R"({"key":"w/z.tgz","name":"z"}],"exitCode":"1","result":"5"},)"
            R"("phase":"Failed","type":"Pod"})");
  EXPECT_EQ(value::to_json(form["nodes"].list()[0]["children"]), R"(["w[0].a","w[1].b"])");
  EXPECT_EQ(form["message"].string_or(""), R"(child '<w[0].a>' failed)");
  EXPECT_TRUE(form["nodes"].list()[0]["inputs"].is_null());
}

TEST(NormalForm, FindsArgosIdsInTheMessagesOfGoldens) {
  const Value form = normal_form_of_golden(json(
      R"({"name": "w", "message": "child 'w-2078810217' failed", "suspendedSnapshots": [1],
          "nodes": [{"name": "w[0].a", "message": ""}]})"));
  EXPECT_EQ(form["message"].string_or(""), "child '<w[0].a>' failed");
  EXPECT_TRUE(form["suspendedSnapshots"].is_null());
  EXPECT_TRUE(form["nodes"].list()[0]["message"].is_null());
}

TEST(Compare, TellsFieldsAndNodes) {
  EXPECT_TRUE(compare(golden(), workflow(), {}).differences.empty());
  const auto one = compare(golden("6"), workflow(), {}).differences;
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].where + " " + one[0].field, "w[0].a outputs");
  const Value fewer = json(R"({"name": "w", "phase": "Failed", "nodes": [{"name": "w[2].c"}]})");
  std::string nodes;
  for (const Difference& d : compare(fewer, workflow(), {}).differences) {
    if (d.field == "node") nodes += d.where + (d.got.is_null() ? "- " : "+ ");
  }
  EXPECT_EQ(nodes, "w+ w[0].a+ w[1].b+ w[2].c- ");
}

TEST(Compare, IgnoresPathsAlsoOfNodesWithBrackets) {
  Record record;
  record.ignored = {"nodes[~[0].a].outputs.result"};
  EXPECT_TRUE(compare(golden("6"), workflow(), record).differences.empty());
  record.ignored = {"nodes[~[1].b].outputs.result"};
  EXPECT_EQ(compare(golden("6"), workflow(), record).differences.size(), 1U);
  const Value other = json(R"({"metadata": {"name": "w"}, "status": {"nodes": {
    "w-7": {"name": "w[0].a", "inputs": {"parameters": [{"name": "m", "value": "2"}]}}}}})");
  const Value same = json(R"({"name": "w", "nodes": [
    {"name": "w[0].a", "inputs": {"parameters": [{"name": "m", "value": "1"}]}}]})");
  EXPECT_EQ(compare(same, other, {}).differences.size(), 1U);
  for (const char* path :
       {"nodes[~[0].a].inputs.parameters[m].value", "nodes[*].inputs.parameters[*].value"}) {
    record.ignored = {path};
    EXPECT_TRUE(compare(same, other, record).differences.empty()) << path;
  }
}

TEST(Compare, ComparesKeysOfArtifactsOnlyWhenAsked) {
  const Value moved = json(
      value::to_json(golden()).replace(value::to_json(golden()).find("w/z.tgz"), 7, "elsewhere"));
  EXPECT_TRUE(compare(moved, workflow(), {}).differences.empty());
  EXPECT_EQ(compare(moved, workflow(), {}, {.compares_keys = true}).differences.size(), 1U);
}

TEST(Compare, TakesTheNearestVariant) {
  const Value heads = json(R"({"name": "w", "nodes": [
    {"name": "w.heads", "phase": "Succeeded"}, {"name": "w.tails", "phase": "Skipped"}]})");
  const Value tails = json(R"({"metadata": {"name": "w"}, "status": {"nodes": {
    "w-1": {"name": "w.heads", "phase": "Skipped"},
    "w-2": {"name": "w.tails", "phase": "Succeeded"}}}})");
  EXPECT_EQ(compare(heads, tails, {}).differences.size(), 2U);
  Record record;
  record.variants = {{{"heads", "tails"}, {"tails", "heads"}}};
  EXPECT_TRUE(compare(heads, tails, record).differences.empty());
}

TEST(Compare, AllowsMoreHooksWhereTheRecordSaysSo) {
  const Value without = json(R"({"name": "w", "progress": "1/1", "nodes": [
    {"name": "w", "children": ["w.a"]}, {"name": "w.a"}]})");
  const Value with = json(R"({"metadata": {"name": "w"}, "status": {"progress": "2/2", "nodes": {
    "w": {"name": "w", "children": ["w-1", "w-2"]}, "w-1": {"name": "w.a"},
    "w-2": {"name": "w.hooks.run", "nodeFlag": {"hooked": true}},
    "w-3": {"name": "w.hooks.run[0].x"}}}})");
  EXPECT_EQ(compare(without, with, {}).differences.size(), 4U);
  Record record;
  record.allows_more_hooks = true;
  const Comparison allowed = compare(without, with, record);
  EXPECT_TRUE(allowed.differences.empty());
  EXPECT_EQ(allowed.more_hooks, std::vector<std::string>{"w.hooks.run"});
}

TEST(Compare, LeavesTheNumberOfAttemptsFree) {
  const Value two = json(R"json({"name": "w", "nodes": [
    {"name": "w", "type": "Retry", "children": ["w(0)", "w(1)"], "phase": "Succeeded"},
    {"name": "w(0)", "nodeFlag": {"retried": true}, "phase": "Failed"},
    {"name": "w(1)", "nodeFlag": {"retried": true}},
    {"name": "w(1).x", "boundary": "w(1)"}]})json");
  const Value one = json(R"json({"metadata": {"name": "w"}, "status": {"nodes": {
    "w": {"name": "w", "type": "Retry", "phase": "Succeeded"},
    "w-1": {"name": "w(0)", "nodeFlag": {"retried": true}}}}})json");
  Record record;
  record.has_free_attempts = true;
  EXPECT_TRUE(compare(two, one, record).differences.empty());
  EXPECT_FALSE(compare(two, one, {}).differences.empty());
}

}  // namespace
}  // namespace tiphys::conformance
