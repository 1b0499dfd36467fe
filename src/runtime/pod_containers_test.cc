// Each container that a pod can have has a name by which its log is found, and no other has.
#include "runtime/pod_containers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "value/json.h"

namespace tiphys::runtime {
namespace {

using testing::ElementsAre;
using value::Map;

engine::Definition definition() {
  return {.workflow = *value::parse_json(R"({"spec": {
            "templateDefaults": {"sidecars": [{"name": "probe"}]},
            "templates": [
              {"name": "plain", "script": {}},
              {"name": "helped", "container": {}, "initContainers": [{"name": "wait-for-db"}],
               "sidecars": [{"name": "db"}, {"name": "probe"}]},
              {"name": "set", "containerSet": {"containers": [{"name": "a"}, {"name": "b"}]}},
              {"name": "outer", "steps": [[{"name": "s", "inline":
                {"container": {}, "sidecars": [{"name": "cache"}]}}]]}]}})"),
          .templates = *value::parse_json(R"([{"kind": "WorkflowTemplate",
            "metadata": {"name": "wt"}, "spec": {"templates": [
              {"name": "t", "container": {}, "sidecars": [{"name": "far"}]}]}}])"),
          .config_maps = {}};
}

std::vector<std::string> of_template(const std::string& name) {
  return pod_containers(definition(),
                        Map{{"type", "Pod"}, {"templateName", name}, {"templateScope", "local/w"}});
}

TEST(PodContainers, AreThoseOfItsTemplateAndOfTheDefaults) {
  EXPECT_THAT(of_template("plain"), ElementsAre("main", "probe"));
  EXPECT_THAT(of_template("helped"), ElementsAre("main", "wait-for-db", "db", "probe"));
  EXPECT_THAT(of_template("set"), ElementsAre("a", "b", "probe"));
}

TEST(PodContainers, OfATemplateElsewhere) {
  const Map node{{"templateRef", Map{{"name", "wt"}, {"template", "t"}}}};
  EXPECT_THAT(pod_containers(definition(), node), ElementsAre("main", "far", "probe"));
}

TEST(PodContainers, OfATemplateWithoutANameAreAllOfTheWorkflows) {
  EXPECT_THAT(of_template(""),
              ElementsAre("main", "a", "b", "cache", "db", "far", "probe", "wait-for-db"));
}

}  // namespace
}  // namespace tiphys::runtime
