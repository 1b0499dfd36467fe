// The Pod of a Task: names, labels, which field stands over which, and what runs under tiphys-step.
#include "kube/pod_spec.h"

#include <gtest/gtest.h>

#include "value/json.h"

namespace tiphys::kube {
namespace {

using value::Value;

Value json(std::string_view text) { return value::parse_json(text).value(); }

executor::Task task_of(std::string_view body, std::string_view spec = "{}") {
  executor::Task task;
  task.key = "uid.node";
  task.workflow = "wf";
  task.name_space = "steps";
  task.node_name = "wf.a";
  task.pod_name = "wf-a-1";
  task.template_body = json(body);
  task.workflow_spec = json(spec);
  return task;
}

Value pod_of(const executor::Task& task) {
  const executor::Images images;
  auto pod = make_pod(task, {}, {.engine = "e1", .step_image = "step:1", .images = images});
  EXPECT_TRUE(pod) << pod.error().message;
  return pod.value_or(Value());
}

constexpr const char* kPlain = R"js({"container":{"image":"app:1","command":["run","$(X)"]}})js";

TEST(PodSpec, IsMarkedAsArgosAndAsOurs) {
  const Value pod = pod_of(task_of(kPlain));
  const Value& metadata = pod["metadata"];
  EXPECT_EQ(metadata["name"], "wf-a-1");
  EXPECT_EQ(metadata["labels"][kWorkflowLabel], "wf");
  EXPECT_EQ(metadata["labels"][kCompletedLabel], "false");
  EXPECT_EQ(metadata["labels"][kEngineLabel], "e1");
  EXPECT_EQ(metadata["annotations"][kKeyAnnotation], "uid.node");
  EXPECT_EQ(metadata["annotations"]["workflows.argoproj.io/node-name"], "wf.a");
  EXPECT_EQ(metadata["finalizers"].list()[0], kFinalizer);
  EXPECT_EQ(pod["spec"]["restartPolicy"], "Never");
}

TEST(PodSpec, TellsWhoFetchesAndSendsWhat) {
  const executor::Task task = task_of(
      R"js({"container":{"image":"a:1","command":["x"]},
          "outputs":{"artifacts":[{"name":"o","path":"/tmp/o"},{"name":"p","path":"/tmp/p"}]}})js");
  const executor::Images images;
  PodInput input{.name = "in", .path = "/in/d", .files = {}};
  input.transfers = {
      {.transfer = {.artifact = "in", .path = "/in/d/sub/x", .url = "https://s/$(X)"},
       .certificates = "PEM"}};
  const auto pod =
      make_pod(task, {input},
               {.engine = "e1",
                .step_image = "step:1",
                .images = images,
                .sends = {{.transfer = {.artifact = "o", .path = "/tmp/o", .url = "https://s/o"},
                           .certificates = ""}}});
  ASSERT_TRUE(pod);
  const Value& init = (*pod)["spec"]["initContainers"].list()[0];
  EXPECT_EQ(init["command"].list().back(), "transfers");
  EXPECT_EQ(init["env"].list()[0]["value"],
            "artifact in\npath /var/run/argo/inputs/in/sub/x\nurl https://s/$$(X)\ntrusted 0\n");
  EXPECT_EQ(init["env"].list()[1]["value"], "PEM");
  const Value& main = (*pod)["spec"]["containers"].list()[0];
  EXPECT_EQ(main["env"].list()[0]["value"], "/tmp/p");
  EXPECT_EQ(main["env"].list()[1]["value"], "artifact o\npath /tmp/o\nurl https://s/o\n");
  EXPECT_EQ(main["volumeMounts"].list().back()["mountPath"], "/in/d");
}

TEST(PodSpec, ClaimsDevicesAndSharesOfAPod) {
  const Value pod = pod_of(task_of(
      R"js({"container":{"image":"a:1","command":["x"],"resources":{"claims":[{"name":"gpu"}]}},
          "resourceClaims":[{"name":"gpu","resourceClaimTemplateName":"large"}]})js",
      R"js({"resourceClaims":[{"name":"gpu","resourceClaimTemplateName":"small"},
                             {"name":"net","resourceClaimName":"n"}],
          "podResources":{"limits":{"cpu":"1"}}})js"));
  const value::List claims = pod["spec"]["resourceClaims"].list();
  ASSERT_EQ(claims.size(), 2U);
  EXPECT_EQ(claims[0]["resourceClaimTemplateName"], "large");
  EXPECT_EQ(claims[1]["name"], "net");
  EXPECT_EQ(pod["spec"]["resources"]["limits"]["cpu"], "1");
}

TEST(PodSpec, ItsCommandRunsUnderTiphysStep) {
  const Value pod = pod_of(task_of(kPlain));
  const Value& main = pod["spec"]["containers"].list().at(0);
  EXPECT_EQ(main["name"], "main");
  EXPECT_EQ(main["image"], "app:1");
  const value::List words = main["command"].list();
  ASSERT_GE(words.size(), 3U);
  EXPECT_TRUE(words[0].as_string().ends_with("tiphys-step")) << words[0].as_string();
  EXPECT_EQ(words[1], "run");
  EXPECT_EQ(words[2], "--");
  EXPECT_EQ(pod["spec"]["initContainers"].list().at(0)["image"], "step:1");
}

TEST(PodSpec, TheTemplateStandsOverTheWorkflow) {
  const Value pod = pod_of(task_of(
      R"({"container":{"image":"app:1","command":["run"]},"serviceAccountName":"own",
          "tolerations":[{"key":"a"}],"metadata":{"labels":{"x":"own"}}})",
      R"({"serviceAccountName":"all","nodeSelector":{"disk":"ssd"},"tolerations":[{"key":"b"}],
          "podMetadata":{"labels":{"x":"all","y":"all"}},"imagePullSecrets":[{"name":"s"}]})"));
  EXPECT_EQ(pod["spec"]["serviceAccountName"], "own");
  EXPECT_EQ(pod["spec"]["nodeSelector"]["disk"], "ssd");
  EXPECT_EQ(pod["spec"]["tolerations"].list().size(), 2U);
  EXPECT_EQ(pod["spec"]["imagePullSecrets"].list().at(0)["name"], "s");
  EXPECT_EQ(pod["metadata"]["labels"]["x"], "own");
  EXPECT_EQ(pod["metadata"]["labels"]["y"], "all");
}

TEST(PodSpec, APatchIsTheLastWord) {
  const Value pod = pod_of(task_of(
      R"({"container":{"image":"app:1","command":["run"]},
          "podSpecPatch":"containers: [{name: main, resources: {limits: {memory: 1Gi}}}]"})",
      R"({"podSpecPatch":"{\"terminationGracePeriodSeconds\": 7}"})"));
  EXPECT_EQ(pod["spec"]["terminationGracePeriodSeconds"].int_or(0), 7);
  const Value& main = pod["spec"]["containers"].list().at(0);
  EXPECT_EQ(main["resources"]["limits"]["memory"], "1Gi");
  EXPECT_EQ(main["image"], "app:1");
}

TEST(PodSpec, RefusesAPatchThatIsNone) {
  const executor::Images images;
  const auto task =
      task_of(R"({"container":{"image":"app:1","command":["run"]},"podSpecPatch":"- no map"})");
  const auto pod = make_pod(task, {}, {.engine = "e", .step_image = "s", .images = images});
  ASSERT_FALSE(pod);
  EXPECT_EQ(pod.error().message, "Error applying PodSpecPatch");
}

TEST(PodSpec, ClaimsOfTheWorkflowAreVolumes) {
  const Value pod = pod_of(
      task_of(kPlain, R"({"volumeClaimTemplates":[{"metadata":{"name":"data"},"spec":{}}]})"));
  bool found = false;
  for (const Value& volume : pod["spec"]["volumes"].list()) {
    found |= volume["persistentVolumeClaim"]["claimName"].string_or("") == "wf-data";
  }
  EXPECT_TRUE(found);
}

TEST(PodSpec, AClaimIsMadeForItsWorkflow) {
  const auto task = task_of(kPlain);
  const Value claim = claim_of(task, json(R"({"metadata":{"name":"data","labels":{"x":"y"}},
      "spec":{"accessModes":["ReadWriteOnce"]}})"),
                               "e1");
  EXPECT_EQ(claim["kind"], "PersistentVolumeClaim");
  EXPECT_EQ(claim["metadata"]["name"], "wf-data");
  EXPECT_EQ(claim["metadata"]["namespace"], "steps");
  EXPECT_EQ(claim["metadata"]["labels"]["x"], "y");
  EXPECT_EQ(claim["metadata"]["labels"][kEngineLabel], "e1");
  EXPECT_EQ(claim["metadata"]["annotations"][kKeyAnnotation], "uid.node");
  EXPECT_EQ(claim["spec"]["accessModes"].list().size(), 1U);
}

TEST(PodSpec, ScriptsKeepTheirSidecarsAndInitContainers) {
  const Value pod = pod_of(task_of(
      R"({"script":{"image":"sh:1","command":["sh"],"source":"echo"},
          "initContainers":[{"name":"first","image":"i:1"}],
          "sidecars":[{"name":"web","image":"w:1","command":["serve"]}]})"));
  EXPECT_EQ(pod["spec"]["initContainers"].list().size(), 2U);
  ASSERT_EQ(pod["spec"]["containers"].list().size(), 2U);
  EXPECT_EQ(pod["spec"]["containers"].list()[1]["name"], "web");
}

// Golden fn-dag-empty-param: what follows the arguments would be another argument of the program.
TEST(PodSpec, AScriptWithoutSourceGetsNoFile) {
  const Value pod =
      pod_of(task_of(R"({"script":{"image":"sh:1","command":["sh"],"args":["echo","[]"]}})"));
  const Value& main = pod["spec"]["containers"].list().at(0);
  EXPECT_EQ(value::to_json(main["args"]).find("/argo/staging"), std::string::npos);
  EXPECT_EQ(value::to_json(main["volumeMounts"]).find("/argo/staging"), std::string::npos);
}

}  // namespace
}  // namespace tiphys::kube
