// Which pods podGC takes, and that their logs go when it is time, not before.
#include "runtime/pod_gc.h"

#include <gtest/gtest.h>

#include "value/json.h"

namespace tiphys::runtime {
namespace {

value::Value json(const std::string& text) { return *value::parse_json(text); }

bool takes(const std::string& gc, const char* pod_phase, std::string_view workflow_phase) {
  engine::Definition d;
  d.workflow = json(R"({"metadata": {"name": "w"}, "spec": {"podGC": )" + gc + R"(,
      "templates": [{"name": "t", "metadata": {"labels": {"app": "x"}}}]}})");
  const auto rules = PodGcRules::from_spec(d.workflow["spec"]);
  const value::Value node = value::Map{{"type", "Pod"},
                                       {"phase", pod_phase},
                                       {"finishedAt", "2026-01-01T00:00:00Z"},
                                       {"templateName", "t"},
                                       {"templateScope", "local/w"}};
  return rules && rules->takes(d, node, workflow_phase);
}

TEST(PodGc, TakesPodsByStrategy) {
  EXPECT_TRUE(takes(R"({"strategy": "OnPodCompletion"})", "Failed", "Running"));
  EXPECT_TRUE(takes(R"({"strategy": "OnPodSuccess"})", "Succeeded", "Running"));
  EXPECT_FALSE(takes(R"({"strategy": "OnPodSuccess"})", "Failed", "Failed"));
  EXPECT_FALSE(takes(R"({"strategy": "OnWorkflowCompletion"})", "Succeeded", "Running"));
  EXPECT_TRUE(takes(R"({"strategy": "OnWorkflowCompletion"})", "Succeeded", "Error"));
  EXPECT_FALSE(takes(R"({"strategy": "OnWorkflowSuccess"})", "Succeeded", "Failed"));
  EXPECT_TRUE(takes(R"({"strategy": "OnWorkflowSuccess"})", "Failed", "Succeeded"));
  EXPECT_FALSE(takes("{}", "Succeeded", "Succeeded"));
}

TEST(PodGc, TakesOnlyPodsThatItsSelectorMatches) {
  const std::string gc = R"({"strategy": "OnPodCompletion", "labelSelector": )";
  EXPECT_TRUE(takes(gc + R"({"matchLabels": {"app": "x"}}})", "Succeeded", "Running"));
  EXPECT_FALSE(takes(gc + R"({"matchLabels": {"app": "y"}}})", "Succeeded", "Running"));
}

TEST(PodGc, HasADelayOfItsOwn) {
  const auto rules = PodGcRules::from_spec(
      json(R"({"podGC": {"strategy": "OnPodCompletion", "deleteDelayDuration": "1m30s"}})"));
  ASSERT_TRUE(rules && rules->delay);
  EXPECT_EQ(rules->delay->ns, clock::Duration::seconds(90).ns);
}

}  // namespace
}  // namespace tiphys::runtime
