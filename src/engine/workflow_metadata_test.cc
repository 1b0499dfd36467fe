// Labels of workflowMetadata: their values, their use as variables, Argo's refusals.
#include "engine/workflow_metadata.h"

#include <gtest/gtest.h>

#include "engine/engine_fixture.h"

namespace tiphys::engine {
namespace {

class WorkflowMetadataTest : public EngineTest {
 protected:
  void run_with(const std::string& metadata) {
    start(R"({"entrypoint":"main","workflowMetadata":)" + metadata + R"(,
      "arguments":{"parameters":[{"name":"p","value":"blue"},
                                 {"name":"l","value":"{{workflow.labels.team}}"}]},
      "templates":[{"name":"main","steps":[[{"name":"a","template":"leaf",
        "arguments":{"parameters":[{"name":"x","value":"{{workflow.labels.team}}"},
                                   {"name":"y","value":"{{workflow.parameters.l}}"}]}}]]},
        {"name":"leaf","inputs":{"parameters":[{"name":"x"},{"name":"y"}]},
         "container":{"image":"x"}}]})");
  }
};

TEST_F(WorkflowMetadataTest, AreLabelsAndVariables) {
  run_with(R"({"labels":{"team":"other"},
               "labelsFrom":{"team":{"expression":"workflow.parameters.p + '-team'"}}})");
  EXPECT_EQ(engine_->metadata()["labels"]["team"].as_string(), "blue-team");
  EXPECT_EQ(input("wf[0].a", "x"), "blue-team");
  EXPECT_EQ(input("wf[0].a", "y"), "blue-team");
}

TEST_F(WorkflowMetadataTest, WhatIsNoTextOrNoLabelEndsTheWorkflow) {
  run_with(R"({"labelsFrom":{"team":{"expression":"1 + 1"}}})");
  EXPECT_EQ(engine_->phase(), "Error");
  EXPECT_EQ(message(),
            "failed to evaluate label \"team\" expression \"1 + 1\" evaluted to int but must be a "
            "string");
  run_with(R"({"labelsFrom":{"team":{"expression":"'a b'"}}})");
  EXPECT_EQ(engine_->phase(), "Error");
  EXPECT_TRUE(message().starts_with(
      "invalid label value \"a b\" for label \"team\" and expression \"'a b'\": a valid label"))
      << message();
  run_with(R"({"labels":{"team":"-x"}})");
  EXPECT_TRUE(message().starts_with("invalid label value \"-x\" for label \"team\": a valid label"))
      << message();
  run_with(R"({"labelsFrom":{"team":{"expression":"nothing.here"}}})");
  EXPECT_EQ(engine_->phase(), "Error");
}

}  // namespace
}  // namespace tiphys::engine
