// What a resource template sends, answer by answer, and how it ends.
#include "kube/resource_run.h"

#include <gtest/gtest.h>

#include "kube/pod_spec.h"
#include "value/json.h"

namespace tiphys::kube {
namespace {

using executor::Outcome;
using value::Value;

constexpr const char* kJobs = R"js({"items": [{"metadata": {"name": "batch"}, "versions": [
    {"version": "v1", "resources": [{"resource": "jobs", "singularResource": "job",
     "scope": "Namespaced",
     "responseKind": {"group": "batch", "version": "v1", "kind": "Job"}}]}]},
    {"metadata": {}, "versions": [{"version": "v1", "resources": [{"resource": "pods",
     "singularResource": "pod", "scope": "Namespaced",
     "responseKind": {"group": "", "version": "v1", "kind": "Pod"}}]}]}]})js";
constexpr const char* kJob = "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: j-}\n";

class ResourceRunTest : public testing::Test {
 protected:
  ResourceRunTest() {
    types_ = resource::own_types(true);
    types_.add_discovered(*value::parse_json(kJobs));
    ports_.has_cluster = true;
    ports_.engine = "e";
    ports_.step_image = "step:1";
  }

  void begin(std::string_view body, std::string manifest, bool is_recovery = false) {
    executor::Task task;
    task.is_recovery = is_recovery;
    task.key = "uid.node";
    task.workflow = "wf";
    task.name_space = "ns";
    task.pod_name = "wf-pod";
    task.template_body = *value::parse_json(body);
    run_ = std::make_unique<ResourceRun>(std::move(task), std::move(manifest), ports_);
    step_ = run_->begin(types_);
  }

  void answer(int status, std::string body) {
    ASSERT_NE(std::get_if<Ask>(&step_), nullptr) << "nothing was asked";
    (void)run_->take_lines();  // as the executor does
    step_ = run_->answered({.status = status, .body = std::move(body)});
  }

  Request asked() {
    const Ask* const ask = std::get_if<Ask>(&step_);
    EXPECT_NE(ask, nullptr);
    return ask == nullptr ? Request{} : ask->request;
  }

  std::string ended() {
    const Outcome* const outcome = std::get_if<Outcome>(&step_);
    return outcome == nullptr ? "it goes on" : outcome->message;
  }

  resource::ObjectTypes types_;
  ResourcePorts ports_;
  std::unique_ptr<ResourceRun> run_;
  ResourceStep step_;
};

constexpr const char* kWaiting = R"js({"resource": {"action": "create",
    "successCondition": "status.succeeded > 0", "failureCondition": "status.failed > 0"},
    "outputs": {"parameters": [{"name": "n", "valueFrom": {"jsonPath": "{.metadata.name}"}}]}})js";

TEST_F(ResourceRunTest, CreatesAndWaitsAndReads) {
  begin(kWaiting, kJob);
  EXPECT_EQ(asked().method, "POST");
  EXPECT_EQ(asked().path,
            "/apis/batch/v1/namespaces/ns/jobs?fieldManager=tiphys&fieldValidation=Strict");
  const auto body = value::parse_json(asked().body);
  const std::string name((*body)["metadata"]["name"].string_or(""));
  EXPECT_TRUE(name.starts_with("j-") && name.size() == 7) << name;
  EXPECT_EQ((*body)["metadata"]["annotations"][kKeyAnnotation], "uid.node");

  const auto job = [&](const std::string& status) {
    return R"({"kind":"Job","metadata":{"name":")" + name + R"("},"status":)" + status + "}";
  };
  answer(201, job("{}"));
  ASSERT_NE(std::get_if<Rest>(&step_), nullptr);
  step_ = run_->rested();
  EXPECT_EQ(asked().method, "GET");
  EXPECT_EQ(asked().path, "/apis/batch/v1/namespaces/ns/jobs/" + name);
  answer(503, "");  // a server that restarts is waited for
  ASSERT_NE(std::get_if<Rest>(&step_), nullptr);
  step_ = run_->rested();
  answer(200, job(R"({"succeeded":1})"));
  const Outcome* const outcome = std::get_if<Outcome>(&step_);
  ASSERT_NE(outcome, nullptr);
  EXPECT_EQ(outcome->phase, Outcome::Phase::kSucceeded);
  EXPECT_EQ(outcome->exit_code, 0);
  EXPECT_EQ(outcome->outputs["parameters"].list().at(0)["value"], name);
}

TEST_F(ResourceRunTest, AFailureConditionFailsIt) {
  begin(kWaiting, kJob);
  answer(201, R"({"kind":"Job","metadata":{"name":"j-1"},"status":{"failed":2}})");
  EXPECT_EQ(
      ended(),
      "main: Error (exit code 64): failure condition '{status.failed gt [0]}' evaluated true");
}

TEST_F(ResourceRunTest, FindsWhatItHasMadeBefore) {
  const char* const taken = R"({"kind":"Status","reason":"AlreadyExists","message":"jobs exist"})";
  begin(R"({"resource":{"action":"create"}})", kJob);
  answer(409, taken);
  EXPECT_EQ(asked().method, "GET");
  answer(200,
         R"({"kind":"Job","metadata":{"name":"j-1","annotations":{"tiphys.dev/key":"uid.node"}}})");
  EXPECT_EQ(ended(), "");

  // A generated name that somebody else has: another one is tried, and the same again later.
  begin(R"({"resource":{"action":"create"}})", kJob);
  const std::string first = asked().body;
  answer(409, taken);
  answer(200, R"({"kind":"Job","metadata":{"name":"j-1"}})");
  const std::string second = asked().body;
  EXPECT_NE(first, second);
  begin(R"({"resource":{"action":"create"}})", kJob);
  EXPECT_EQ(asked().body, first);
  answer(409, taken);
  answer(404, "{}");
  EXPECT_EQ(asked().body, second);

  begin(R"({"resource":{"action":"create"}})",
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j-1}\n");
  answer(409, taken);
  answer(200, R"({"kind":"Job","metadata":{"name":"j-1"}})");
  EXPECT_EQ(ended(),
            "main: Error (exit code 64): no more retries Error from server (AlreadyExists): error "
            "when creating \"/tmp/manifest.yaml\": jobs exist");
}

TEST_F(ResourceRunTest, AsksForKindsThatItDoesNotKnow) {
  begin(R"({"resource":{"action":"create"}})",
        "apiVersion: x.io/v1\nkind: Thing\nmetadata: {name: t}\n");
  ASSERT_NE(std::get_if<Discover>(&step_), nullptr);
  step_ = run_->discovered(types_);
  EXPECT_EQ(ended(),
            "main: Error (exit code 64): no more retries error: resource mapping not found for "
            "name: \"t\" namespace: \"\" from \"/tmp/manifest.yaml\": no matches for kind "
            "\"Thing\" in version \"x.io/v1\"\nensure CRDs are installed first");

  ports_.has_cluster = false;
  begin(R"({"resource":{"action":"get","flags":["thing","t"]}})", "");
  EXPECT_EQ(ended(),
            "main: Error (exit code 64): its objects (thing) are a Kubernetes cluster's, and there "
            "is none here (steps run there with --executor kubernetes)");
}

TEST_F(ResourceRunTest, MakesItsOwnPodWhereItActsOnIt) {
  begin(R"({"resource":{"action":"patch","mergeStrategy":"merge","flags":["pod","wf-pod"]}})",
        "metadata: {annotations: {a: b}}");
  EXPECT_EQ(asked().method, "POST");
  EXPECT_EQ(std::get<Ask>(step_).pod_in, "ns");
  const auto pod = value::parse_json(asked().body);
  EXPECT_FALSE((*pod)["spec"]["schedulingGates"].list().empty());
  answer(201, "{}");
  EXPECT_EQ(run_->own_pod(), "/api/v1/namespaces/ns/pods/wf-pod");
  EXPECT_EQ(asked().method, "PATCH");
  EXPECT_EQ(asked().type, "application/merge-patch+json");
  answer(200, R"({"kind":"Pod","metadata":{"name":"wf-pod"}})");
  EXPECT_EQ(ended(), "");
}

constexpr const char* kAppend = R"js({"resource":{"action":"patch","mergeStrategy":"json",
    "flags":["job","x"]}})js";
constexpr const char* kAppended = R"([{"op":"add","path":"/spec/list/-","value":1}])";

// The object as a server has it that notes who has patched it.
std::string patched_by(const std::string& path) {
  const std::string_view parameter = "fieldManager=";
  const std::size_t at = path.find(parameter) + parameter.size();
  return R"({"kind":"Job","metadata":{"name":"x","managedFields":[{"manager":")" +
         path.substr(at, path.find('&', at) - at) + R"("}]}})";
}

TEST_F(ResourceRunTest, APatchWhoseAnswerIsLostIsNotSentAgainIfItWasDone) {
  for (const bool was_done : {true, false}) {
    begin(kAppend, kAppended);
    const Request patch = asked();
    EXPECT_EQ(patch.method, "PATCH");
    answer(0, "");
    step_ = run_->rested();
    EXPECT_EQ(asked().method, "GET");
    EXPECT_EQ(asked().path, "/apis/batch/v1/namespaces/ns/jobs/x");
    answer(200, patched_by(was_done ? patch.path : "fieldManager=other&"));
    if (!was_done) {
      EXPECT_EQ(asked().path, patch.path);
      EXPECT_EQ(asked().body, patch.body);
      answer(200, patched_by(patch.path));
    }
    EXPECT_EQ(ended(), "");
  }
}

TEST_F(ResourceRunTest, APatchOfAnEngineThatWasKilledIsNotSentAgainIfItWasDone) {
  begin(kAppend, kAppended);
  const std::string patch = asked().path;
  begin(kAppend, kAppended, true);
  EXPECT_EQ(asked().method, "GET");
  answer(200, patched_by(patch));
  EXPECT_EQ(ended(), "");

  begin(kAppend, kAppended, true);
  answer(403, "{}");  // it may not look
  EXPECT_EQ(asked().path, patch);
}

TEST_F(ResourceRunTest, AServerThatStaysAwayEndsAPatch) {
  begin(kAppend, kAppended);
  int requests = 0;
  for (; std::get_if<Outcome>(&step_) == nullptr && requests < 100; ++requests) {
    answer(503, "");
    if (std::get_if<Rest>(&step_) != nullptr) step_ = run_->rested();
  }
  EXPECT_EQ(requests, 8);
}

TEST_F(ResourceRunTest, APatchKeepsTheFieldManagerThatItsTemplateNames) {
  begin(R"js({"resource":{"action":"patch","mergeStrategy":"merge",
      "flags":["job","x","--field-manager=me"]}})js",
        "metadata: {annotations: {a: b}}", true);
  EXPECT_EQ(asked().path,
            "/apis/batch/v1/namespaces/ns/jobs/x?fieldManager=me&fieldValidation=Strict");
}

TEST_F(ResourceRunTest, DeletesAllThatAreMeantAndSeesThemGo) {
  begin(R"({"resource":{"action":"delete","flags":["job","-l","a=b"]}})", "");
  EXPECT_EQ(asked().path, "/apis/batch/v1/namespaces/ns/jobs?labelSelector=a%3Db");
  answer(200, R"({"items":[{"metadata":{"name":"x"}},{"metadata":{"name":"y"}}]})");
  EXPECT_EQ(asked().method, "DELETE");
  answer(200, R"({"metadata":{"name":"x","uid":"1"}})");
  EXPECT_EQ(asked().method, "GET");
  answer(200, R"({"metadata":{"name":"x","uid":"1"}})");  // a finalizer holds it
  ASSERT_NE(std::get_if<Rest>(&step_), nullptr);
  step_ = run_->rested();
  answer(404, "{}");
  EXPECT_EQ(asked().path, "/apis/batch/v1/namespaces/ns/jobs/y");
  answer(404, "{}");  // somebody else was quicker
  EXPECT_EQ(ended(), "");
}

TEST_F(ResourceRunTest, OwnsWhatItIsToOwn) {
  begin(R"({"resource":{"action":"create","setOwnerReference":true}})",
        "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: child}\n");
  const Ask* const ask = std::get_if<Ask>(&step_);
  ASSERT_NE(ask, nullptr);
  EXPECT_TRUE(ask->is_own && ask->is_owned);
  EXPECT_EQ(ask->owned, "/apis/argoproj.io/v1alpha1/namespaces/ns/workflows/child");
  const auto body = value::parse_json(ask->request.body);
  EXPECT_EQ((*body)["metadata"]["ownerReferences"].list().at(0)["uid"], "uid");
}

TEST_F(ResourceRunTest, AWrongConditionLeavesNothingBehind) {
  begin(R"({"resource":{"action":"create","successCondition":"a ~ b"}})", kJob);
  EXPECT_TRUE(ended().starts_with(
      "main: Error (exit code 64): success condition 'a ~ b' failed to parse: "))
      << ended();
}

}  // namespace
}  // namespace tiphys::kube
