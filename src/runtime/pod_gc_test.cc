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

// A workflow of two pods: those that go at their own ends, then those that go at its end.
std::vector<std::string> removed_of(bool is_of_another_engine) {
  constexpr clock::Instant at{1'767'225'600'000'000'000};
  engine::Definition d;
  d.workflow = json(R"({"metadata": {"name": "w", "namespace": "n", "uid": "u"},
      "spec": {"entrypoint": "main",
               "podGC": {"strategy": "OnPodCompletion", "deleteDelayDuration": "0s"},
               "templates": [
                 {"name": "main", "steps": [[{"name": "a", "template": "leaf"},
                                             {"name": "b", "template": "leaf"}]]},
                 {"name": "leaf", "container": {"image": "i", "command": ["c"]}}]}})");
  engine::Engine engine(std::move(d));
  engine::Effects effects;
  std::vector<std::string> removed;
  Config config;
  config.executor = executor::ExecutorKind::kKubernetes;
  PodGc gc(config, [&](const std::string&, const std::string& pod) { removed.push_back(pod); });
  engine.apply({.at = at, .body = engine::Begin{}}, effects);
  for (engine::NodeIndex i = 0; i < engine.node_count(); ++i) {
    if (engine.node(i).type != "Pod") continue;
    engine.apply({.at = at,
                  .body = engine::LeafFinished{.leaf = {.run = 1, .node = i},
                                               .message = {},
                                               .exit_code = 0,
                                               .outputs = {},
                                               .started_at = at,
                                               .finished_at = at}},
                 effects);
    if (!is_of_another_engine) gc.leaf_ended("u", engine, i, at);
  }
  EXPECT_EQ(engine.phase(), "Succeeded");
  gc.carry_out(at);
  gc.workflow_ended("u", engine, at);
  gc.carry_out(at);
  return removed;
}

TEST(PodGc, AsksOnceForAPod) { EXPECT_EQ(removed_of(false).size(), 2U); }

TEST(PodGc, FindsAtTheEndWhatAnEngineThatDiedHasLeft) { EXPECT_EQ(removed_of(true).size(), 2U); }

}  // namespace
}  // namespace tiphys::runtime
