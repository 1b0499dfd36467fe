// A selector of `logs` must see the labels that the pod would have in a cluster.
#include "runtime/pod_labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "value/json.h"

namespace tiphys::runtime {
namespace {

using testing::Contains;
using testing::Pair;

value::Value json(const char* text) { return *value::parse_json(text); }

engine::Definition definition() {
  engine::Definition d;
  d.workflow = json(R"({"metadata": {"name": "w"}, "spec": {
    "arguments": {"parameters": [{"name": "team", "value": "blue"}]},
    "podMetadata": {"labels": {"team": "{{workflow.parameters.team}}", "app": "all"}},
    "templates": [{"name": "t", "metadata": {"labels": {"app": "{{inputs.parameters.app}}"}}}]}})");
  d.templates = json(R"([{"kind": "ClusterWorkflowTemplate", "metadata": {"name": "lib"},
    "spec": {"templates": [{"name": "t", "metadata": {"labels": {"from": "lib"}}}]}}])");
  return d;
}

TEST(PodLabels, OfTheTemplateGoBeforeThoseOfAllPods) {
  const spec::Labels labels = pod_labels(definition(), json(R"({"templateName": "t",
    "templateScope": "local/w", "inputs": {"parameters": [{"name": "app", "value": "web"}]}})"));
  EXPECT_THAT(labels, Contains(Pair("app", "web")));
  EXPECT_THAT(labels, Contains(Pair("team", "blue")));
  EXPECT_THAT(labels, Contains(Pair("workflows.argoproj.io/workflow", "w")));
  EXPECT_THAT(labels, Contains(Pair("workflows.argoproj.io/completed", "false")));
}

TEST(PodLabels, OfATemplateElsewhere) {
  for (const char* node :
       {R"({"templateRef": {"name": "lib", "template": "t", "clusterScope": true}})",
        R"({"templateScope": "cluster/lib", "templateName": "t"})"}) {
    EXPECT_THAT(pod_labels(definition(), json(node)), Contains(Pair("from", "lib"))) << node;
  }
  EXPECT_THAT(pod_labels(definition(), json(R"({"templateName": "gone"})")),
              Contains(Pair("app", "all")));
}

}  // namespace
}  // namespace tiphys::runtime
