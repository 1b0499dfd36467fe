// What a pod's status means: the states of the cluster and the messages that people are told.
#include "kube/pod_view.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "step/report.h"
#include "value/json.h"

namespace tiphys::kube {
namespace {

PodView view_of(std::string_view status, std::string_view more = "") {
  const auto pod =
      value::parse_json(std::string(R"({"metadata":{"name":"p","namespace":"n")") +
                        std::string(more) + R"(},"status":)" + std::string(status) + "}");
  return view_pod(pod.value(), {.mains = {"main"}, .inits = {}, .sidecars = {"s"}});
}

TEST(PodView, WaitsWithoutAWordWhileAllIsWell) {
  const PodView view = view_of(
      R"({"phase":"Pending","containerStatuses":[{"name":"main",
          "state":{"waiting":{"reason":"ContainerCreating"}}}]})");
  EXPECT_EQ(view.state, PodView::State::kWaiting);
  EXPECT_EQ(view.waiting, "");
}

TEST(PodView, SaysWhatHoldsItUp) {
  EXPECT_EQ(view_of(R"({"phase":"Pending","containerStatuses":[{"name":"main",
      "state":{"waiting":{"reason":"ImagePullBackOff","message":"Back-off"}}}]})")
                .waiting,
            "ImagePullBackOff: Back-off");
  EXPECT_EQ(view_of(R"({"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False",
      "reason":"Unschedulable","message":"no room"}]})")
                .waiting,
            "Unschedulable: no room");
}

TEST(PodView, RunsFromTheStartOfItsContainer) {
  const PodView view = view_of(
      R"({"phase":"Running","podIP":"10.0.0.7","containerStatuses":[
          {"name":"main","ready":true,"state":{"running":{"startedAt":"2026-01-02T03:04:05Z"}}},
          {"name":"s","ready":false,"state":{}}]})");
  EXPECT_EQ(view.state, PodView::State::kRunning);
  EXPECT_EQ(view.ip, "10.0.0.7");
  EXPECT_FALSE(view.is_ready);
  ASSERT_TRUE(view.started_at);
  EXPECT_EQ(view.started_at->ns, 1767323045'000'000'000);
}

TEST(PodView, HasALogOnceItHasBegunOnANode) {
  const auto has_log = [](const char* node, const char* state) {
    const auto pod = value::parse_json(
        std::string(R"({"spec":{"nodeName":")") + node +
        R"("},"status":{"containerStatuses":[{"name":"main","state":)" + state + "}]}}");
    return view_pod(pod.value(), {.mains = {"main"}, .inits = {}, .sidecars = {}}).has_log;
  };
  EXPECT_TRUE(has_log("n", R"({"running":{"startedAt":"2026-01-02T03:04:05Z"}})"));
  EXPECT_FALSE(has_log("", R"({"running":{"startedAt":"2026-01-02T03:04:05Z"}})"));
  EXPECT_FALSE(has_log("n", R"({"waiting":{}})"));
}

TEST(PodView, EndsWithItsMainContainerWhateverThePhase) {
  const PodView view = view_of(
      R"({"phase":"Running","containerStatuses":[
          {"name":"s","state":{"running":{"startedAt":"2026-01-02T03:04:05Z"}}},
          {"name":"main","state":{"terminated":{"exitCode":2,"reason":"Error",
           "startedAt":"2026-01-02T03:04:05Z","finishedAt":"2026-01-02T03:04:06Z"}}}]})");
  EXPECT_EQ(view.state, PodView::State::kEnded);
  EXPECT_EQ(view.problem, "");
  ASSERT_EQ(view.mains.size(), 1U);
  EXPECT_EQ(view.mains[0].exit_code, 2);
  ASSERT_TRUE(view.started_at);  // a step is told to have run, however short it was
}

TEST(PodView, AnEvictedPodSpeaksForItself) {
  const PodView view = view_of(R"({"phase":"Failed","reason":"Evicted","message":"low on memory",
      "containerStatuses":[{"name":"main","state":{"terminated":{"exitCode":137,
      "reason":"Error"}}}]})");
  EXPECT_EQ(view.problem, "low on memory");
  EXPECT_FALSE(view.is_error);
}

// The order of blame of Argo's inferFailedReason: init containers, main, sidecars.
TEST(PodView, ASidecarThatFailsIsToldWhenItsMainHasSucceeded) {
  const auto with = [](int main, const char* side) {
    return view_of(std::string(R"({"phase":"Running","containerStatuses":[
        {"name":"main","state":{"terminated":{"reason":"Error","exitCode":)") +
                   std::to_string(main) + R"(}}},{"name":"s","state":)" + side + "}]}");
  };
  EXPECT_EQ(with(0, R"({"running":{}})").state, PodView::State::kRunning);
  EXPECT_EQ(with(1, R"({"running":{}})").state, PodView::State::kEnded);
  const PodView failed =
      with(0, R"({"terminated":{"reason":"Error","exitCode":3,"message":"ah"}})");
  EXPECT_EQ(failed.state, PodView::State::kEnded);
  EXPECT_EQ(failed.problem, "s: Error (exit code 3): ah");
  EXPECT_FALSE(failed.is_error);
  for (const char* code : {"0", "137", "143"}) {
    const PodView view =
        with(0, fmt::format(R"({{"terminated":{{"exitCode":{}}}}})", code).c_str());
    EXPECT_EQ(view.state, PodView::State::kEnded);
    EXPECT_EQ(view.problem, "") << code;
  }
}

TEST(PodView, APodThatFailsWithoutAnEndOfItsContainerIsExplained) {
  EXPECT_EQ(view_of(R"({"phase":"Failed"})").problem,
            "can't find failed message for pod p namespace n");
  const PodView early = view_of(R"({"phase":"Failed","containerStatuses":[{"name":"main",
      "state":{"waiting":{"reason":"CreateContainerError","message":"no such device"}}}]})");
  EXPECT_EQ(early.problem,
            "Pod failed before main container starts due to CreateContainerError: no such device");
  EXPECT_TRUE(early.is_error);
  const PodView lost = view_of(R"({"phase":"Failed","conditions":[{"type":"DisruptionTarget",
      "status":"True","reason":"DeletionByPodGC"}],"containerStatuses":[{"name":"main",
      "state":{"running":{"startedAt":"2026-01-02T03:04:05Z"}}}]})");
  EXPECT_EQ(lost.problem, "pod failed: neither main nor wait container completed successfully");
  EXPECT_FALSE(lost.is_error);
  const PodView unknown = view_of(R"({"phase":"Unknown"})");
  EXPECT_EQ(unknown.problem, "Unexpected pod phase for p: Unknown");
  EXPECT_TRUE(unknown.is_error);
}

TEST(PodView, AFailedInitContainerOfTheUsersIsAFailureAndOursAnError) {
  const auto with = [](const char* name) {
    return view_of(std::string(R"({"phase":"Failed","initContainerStatuses":[{"name":")") + name +
                   R"(","state":{"terminated":{"exitCode":5,"reason":"Error"}}}]})");
  };
  EXPECT_EQ(with("first").problem, "first: Error (exit code 5)");
  EXPECT_FALSE(with("first").is_error);
  EXPECT_EQ(with("init").problem, "init: Error (exit code 5)");
  EXPECT_TRUE(with("init").is_error);
}

TEST(PodView, AReportIsNoMessageForPeople) {
  const std::string report = step::encode({.exit_code = 5});
  const auto pod = value::Value(value::Map{
      {"status",
       value::Map{
           {"phase", "Failed"},
           {"initContainerStatuses",
            value::List{value::Map{
                {"name", "init"},
                {"state", value::Map{{"terminated", value::Map{{"exitCode", 5},
                                                               {"reason", "Error"},
                                                               {"message", report}}}}}}}}}}});
  EXPECT_EQ(view_pod(pod, {.mains = {"main"}, .inits = {}, .sidecars = {}}).problem,
            "init: Error (exit code 5)");
}

TEST(PodView, KnowsThatItIsBeingDeleted) {
  EXPECT_TRUE(view_of("{}", R"(,"deletionTimestamp":"2026-01-02T03:04:05Z")").is_being_deleted);
  EXPECT_FALSE(view_of("{}").is_being_deleted);
}

}  // namespace
}  // namespace tiphys::kube
