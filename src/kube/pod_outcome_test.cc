// How a pod's end becomes a step's outcome, from what tiphys-step and the kubelet have told.
#include "kube/pod_outcome.h"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "executor/path_words.h"
#include "step/report.h"
#include "value/json.h"

namespace tiphys::kube {
namespace {

namespace fs = std::filesystem;
using executor::Outcome;

struct PodOutcome : testing::Test {
  void SetUp() override {
    char pattern[] = "/tmp/tiphys-pod-outcome-XXXXXX";
    folder = ::mkdtemp(pattern);
    task.key = "uid.1.1";
    task.container = "main";
    task.work_path = folder + "/work";
  }
  void TearDown() override { executor::remove_tree(folder); }

  [[nodiscard]] Outcome outcome(std::string_view body, const step::Report& report) {
    task.template_body = *value::parse_json(body);
    PodView view;
    view.state = PodView::State::kEnded;
    view.mains = {
        {.name = "main", .exit_code = report.exit_code, .reason = "Completed", .message = {}}};
    return outcome_of(task, view, step::encode(report), {}, folder + "/artifacts");
  }

  std::string folder;
  executor::Task task;
};

TEST_F(PodOutcome, OfAStepWithoutOutputsTouchesNoFolder) {
  const Outcome done = outcome(R"({"container": {"image": "i"}})", {});
  EXPECT_EQ(done.phase, Outcome::Phase::kSucceeded) << done.message;
  EXPECT_FALSE(fs::exists(task.work_path));
}

TEST_F(PodOutcome, HasTheArtifactsThatThePodHasSentItself) {
  step::Report report;
  report.sent = {"o"};
  const Outcome done = outcome(
      R"({"outputs": {"artifacts": [
            {"name": "p", "path": "/tmp/p", "optional": true},
            {"name": "o", "path": "/tmp/o", "s3": {"endpoint": "s.example", "key": "k"}}]}})",
      report);
  EXPECT_EQ(done.phase, Outcome::Phase::kSucceeded) << done.message;
  ASSERT_EQ(done.outputs["artifacts"].list().size(), 1U);
  EXPECT_EQ(done.outputs["artifacts"].list()[0]["s3"]["key"].string_or(""), "k");
}

TEST_F(PodOutcome, HoldsTheParametersThatThePodHasLeft) {
  step::Report report;
  report.files = {{.path = "/tmp/size", .text = "12\n"}};
  const Outcome done = outcome(
      R"({"outputs": {"parameters": [{"name": "size", "valueFrom": {"path": "/tmp/size"}}]}})",
      report);
  EXPECT_EQ(done.phase, Outcome::Phase::kSucceeded) << done.message;
  EXPECT_EQ(done.outputs["parameters"].list().at(0)["value"].string_or(""), "12");
}

TEST_F(PodOutcome, KeepsWhatMainHasLeftWhenASidecarFails) {
  task.template_body = *value::parse_json(R"({"outputs": {"parameters": [
      {"name": "size", "valueFrom": {"path": "/tmp/size"}}]}})");
  PodView view;
  view.state = PodView::State::kEnded;
  view.problem = "side: Error (exit code 3)";
  view.mains = {{.name = "main", .exit_code = 0, .reason = "Completed", .message = {}}};
  step::Report report;
  report.files = {{.path = "/tmp/size", .text = "12\n"}};
  const Outcome done = outcome_of(task, view, step::encode(report), {}, folder + "/artifacts");
  EXPECT_EQ(done.phase, Outcome::Phase::kFailed);
  EXPECT_EQ(done.message, "side: Error (exit code 3)");
  EXPECT_EQ(done.outputs["parameters"].list().at(0)["value"].string_or(""), "12");
}

// The engine's own machine has such a file.
TEST_F(PodOutcome, NeverReadsAFileOfTheEnginesMachine) {
  step::Report link;
  link.files = {{.kind = step::FileEntry::Kind::kLink, .path = "/tmp/p", .text = "/etc/passwd"}};
  for (const auto& [path, report] :
       {std::pair("/etc/passwd", step::Report{}), std::pair("/tmp/p", link)}) {
    const Outcome done = outcome(fmt::format(R"({{"outputs": {{"parameters": [{{"name": "p",
                                "valueFrom": {{"path": "{}"}}}}]}}}})",
                                             path),
                                 report);
    EXPECT_EQ(done.phase, Outcome::Phase::kError) << path;
    EXPECT_NE(done.message.find("no such file or directory"), std::string::npos) << done.message;
  }
}

// Argo v4.1.2 looks for the exit code of a container `main` alone, and its container nodes have a
// colon even when nothing was said (golden go-functional-test-container-set-retry-success-11).
TEST_F(PodOutcome, OfAContainerSetHasNoExitCodeWithoutAMain) {
  task.template_body = *value::parse_json(R"({"containerSet": {"containers": [{"name": "a"}]}})");
  const std::string silent = step::encode({.exit_code = 1});
  PodView view;
  view.state = PodView::State::kEnded;
  view.mains = {{.name = "a", .exit_code = 1, .reason = "Error", .message = silent}};
  const Outcome done = outcome_of(task, view, silent, {}, folder + "/artifacts");
  EXPECT_EQ(done.phase, Outcome::Phase::kFailed);
  EXPECT_EQ(done.message, "a: Error (exit code 1)");
  EXPECT_FALSE(done.exit_code);
  ASSERT_EQ(done.containers.size(), 1U);
  EXPECT_EQ(done.containers[0].message, "a: Error (exit code 1): ");
}

}  // namespace
}  // namespace tiphys::kube
