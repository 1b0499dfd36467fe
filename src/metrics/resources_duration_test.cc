// The goal: quantities are read as Kubernetes reads them, and durations counted as Argo counts
// them.
#include "metrics/resources_duration.h"

#include <gtest/gtest.h>

#include "value/json.h"

namespace tiphys::metrics {
namespace {

TEST(ResourcesDuration, ReadsQuantities) {
  EXPECT_EQ(milli_quantity("500m"), 500);
  EXPECT_EQ(milli_quantity("1.5"), 1500);
  EXPECT_EQ(milli_quantity("2"), 2000);
  EXPECT_EQ(milli_quantity("1e3"), 1e6);
  EXPECT_EQ(milli_quantity("1Ki"), 1024e3);
  EXPECT_EQ(milli_quantity("100Mi"), 100.0 * 1024 * 1024 * 1000);
  EXPECT_EQ(milli_quantity("2G"), 2e12);
  EXPECT_EQ(milli_quantity("much"), std::nullopt);
  EXPECT_EQ(milli_quantity("5Zi"), std::nullopt);
  EXPECT_EQ(milli_quantity(""), std::nullopt);
}

ResourcesDuration of(const char* body, std::int64_t seconds) {
  const auto parsed = value::parse_json(body);
  EXPECT_TRUE(parsed);
  return resources_duration(*parsed, seconds);
}

TEST(ResourcesDuration, IsByRequestsThenLimitsThenDefaults) {
  const ResourcesDuration plain = of(R"({"container":{}})", 25);
  EXPECT_EQ(plain.cpu, 2);
  EXPECT_EQ(plain.memory, 25);
  const ResourcesDuration asked = of(
      R"({"script":{"resources":{"requests":{"cpu":2},"limits":{"cpu":"8","memory":"1000Mi"}}}})",
      3);
  EXPECT_EQ(asked.cpu, 6);
  EXPECT_EQ(asked.memory, 30);
}

TEST(ResourcesDuration, CountsAllContainers) {
  const ResourcesDuration d =
      of(R"({"containerSet":{"containers":[{"name":"a"},{"name":"b"}]},"sidecars":[{"name":"s"}]})",
         4);
  EXPECT_EQ(d.memory, 12);
}

TEST(ResourcesDuration, IsSummedUpInTheStatus) {
  const auto workflow = value::parse_json(R"({
    "spec": {"templates": [{"name": "m", "steps": []}, {"name": "p", "container": {}}]},
    "status": {"nodes": {
      "w": {"type": "Steps", "templateName": "m", "finishedAt": "2026-01-01T00:01:00Z",
            "children": ["g"]},
      "g": {"type": "StepGroup", "finishedAt": "2026-01-01T00:01:00Z", "children": ["a", "b", "a"]},
      "a": {"type": "Pod", "templateName": "p", "startedAt": "2026-01-01T00:00:00Z",
            "finishedAt": "2026-01-01T00:00:20Z"},
      "b": {"type": "Pod", "templateName": "q", "startedAt": "2026-01-01T00:00:00Z",
            "finishedAt": "2026-01-01T00:00:30Z",
            "templateRef": {"name": "holder", "template": "q"}},
      "c": {"type": "Pod", "templateName": "p", "startedAt": "2026-01-01T00:00:00Z"}}}})");
  ASSERT_TRUE(workflow);
  const FindTemplate find = [](const std::string& kind, const std::string& holder,
                               const std::string& name) {
    EXPECT_EQ(kind + "/" + holder + "/" + name, "WorkflowTemplate/holder/q");
    return *value::parse_json(R"({"script": {"resources": {"requests": {"cpu": "1"}}}})");
  };
  const value::Value status = with_resources_duration(*workflow, find)["status"];
  const auto shown = [](const value::Value& v) { return value::to_json(v["resourcesDuration"]); };
  EXPECT_EQ(shown(status), R"({"cpu":32,"memory":50})");
  EXPECT_EQ(shown(status["nodes"]["a"]), R"({"cpu":2,"memory":20})");
  EXPECT_EQ(shown(status["nodes"]["w"]), shown(status));
  EXPECT_EQ(shown(status["nodes"]["g"]), shown(status));
  EXPECT_TRUE(status["nodes"]["c"]["resourcesDuration"].is_null());
}

TEST(ResourcesDuration, IsNothingForWhatRunsNoContainer) {
  EXPECT_EQ(of(R"({"http":{"url":"x"}})", 100).memory, 0);
}

}  // namespace
}  // namespace tiphys::metrics
