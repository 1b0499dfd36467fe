// Logs that grow must come once, whole and in the order of their times.
#include "cli/pod_logs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace tiphys::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using value::Map;
using value::Value;

struct PodLogsTest : testing::Test {
  PodLogsTest() {
    std::string name = testing::TempDir() + "tiphys-logs-XXXXXX";
    config.home = mkdtemp(name.data());
    std::filesystem::create_directories(config.run_path("u") + "/logs");
  }
  ~PodLogsTest() override { std::filesystem::remove_all(config.home); }

  static Value pod(const std::string& name, bool is_over) {
    Map node{{"type", "Pod"}, {"name", name}, {"displayName", name}, {"templateName", "t"}};
    if (is_over) node.set("finishedAt", "2026-11-24T10:00:00Z");
    return node;
  }
  static Value workflow(std::initializer_list<Value> pods) {
    Map nodes;
    for (const Value& p : pods) nodes.set("id-" + std::string(p["name"].string_or("")), p);
    return Map{{"metadata", Map{{"uid", "u"}, {"name", "w"}}},
               {"status", Map{{"nodes", std::move(nodes)}}}};
  }
  void append(const Value& node, const std::string& text) const {
    std::ofstream out(config.log_path("u", pod_of("w", node)), std::ios::app | std::ios::binary);
    out << text;
  }
  static std::vector<std::string> texts(const std::vector<LogLine>& lines) {
    std::vector<std::string> out;
    for (const LogLine& l : lines) out.emplace_back(log_text(l.stored));
    return out;
  }

  runtime::Config config;
  LogFilter all;
};

std::string at(int second, const std::string& text) {
  return "2026-11-24T10:00:0" + std::to_string(second) + ".5Z " + text + "\n";
}

TEST_F(PodLogsTest, MergesPodsByTime) {
  const Value a = pod("a", true);
  const Value b = pod("b", true);
  append(a, at(1, "a1") + at(4, "a4"));
  append(b, at(2, "b2") + at(3, "b3"));
  PodLogs logs(config, {});
  logs.look_at(workflow({a, b}));
  EXPECT_EQ(logs.pod_count(), 2);
  EXPECT_THAT(texts(logs.take(all)), ElementsAre("a1", "b2", "b3", "a4"));
  EXPECT_THAT(logs.take(all), IsEmpty());
}

TEST_F(PodLogsTest, GivesWhatWasAddedSinceAndNoHalfLines) {
  const Value a = pod("a", false);
  PodLogs logs(config, {});
  logs.look_at(workflow({a}));
  EXPECT_THAT(logs.take(all), IsEmpty());  // no file yet
  append(a, at(1, "one") + "2026-11-24T10:00:02Z tw");
  EXPECT_THAT(texts(logs.take(all)), ElementsAre("one"));
  append(a, "o\n");
  EXPECT_THAT(texts(logs.take(all)), ElementsAre("two"));
  EXPECT_THAT(logs.take(all), IsEmpty());
}

TEST_F(PodLogsTest, ReadsAFinishedPodToItsEnd) {
  PodLogs logs(config, {});
  logs.look_at(workflow({pod("a", false)}));
  append(pod("a", true), at(1, "one"));
  logs.look_at(workflow({pod("a", true)}));
  EXPECT_THAT(texts(logs.take(all)), ElementsAre("one"));
}

TEST_F(PodLogsTest, TailIsForWhatIsThereAtFirst) {
  const Value a = pod("a", false);
  append(a, at(1, "1") + at(2, "2") + at(3, "3"));
  PodLogs logs(config, {.only = {}, .tail = 1});
  logs.look_at(workflow({a}));
  EXPECT_THAT(texts(logs.take(all)), ElementsAre("3"));
  append(a, at(4, "4") + at(5, "5"));
  EXPECT_THAT(texts(logs.take(all)), ElementsAre("4", "5"));
}

TEST_F(PodLogsTest, OnePodIsFoundByItsNameIdOrDisplayName) {
  const Value a = pod("a", true);
  const Value b = pod("b", true);
  append(a, at(1, "a"));
  append(b, at(1, "b"));
  for (const std::string& only : {pod_of("w", b), std::string("id-b"), std::string("b")}) {
    PodLogs logs(config, {.only = only, .tail = {}});
    logs.look_at(workflow({a, b}));
    EXPECT_THAT(texts(logs.take(all)), ElementsAre("b")) << only;
  }
}

TEST_F(PodLogsTest, AContainerHasALogOfItsOwn) {
  const Value a = pod("a", true);
  const Value b = pod("b", true);
  append(a, at(1, "main"));
  const std::string name = pod_of("w", a);
  std::ofstream(config.log_path("u", name + ".db"), std::ios::binary) << at(2, "up");
  PodLogs logs(config, {.container = "db", .containers_of = [](const Value& node) {
                          return node["name"].string_or("") == "a"
                                     ? std::vector<std::string>{"main", "db"}
                                     : std::vector<std::string>{"main", "cache"};
                        }});
  logs.look_at(workflow({a, b}));
  const std::vector<LogLine> lines = logs.take(all);
  EXPECT_THAT(texts(lines), ElementsAre("up"));
  EXPECT_EQ(lines.front().pod, name) << "as argo shows it";
  EXPECT_EQ(logs.pod_count(), 1);
  EXPECT_THAT(logs.other_containers(), ElementsAre("cache", "main"));
}

TEST_F(PodLogsTest, MainIsNotTheOthersOfAContainerSet) {
  const Value set = pod("set", true);
  const Value member = Map{{"type", "Container"},
                           {"name", "set.second"},
                           {"displayName", "second"},
                           {"boundaryID", "id-set"},
                           {"finishedAt", "2026-11-24T10:00:00Z"}};
  append(set, at(1, "first"));
  std::ofstream(config.log_path("u", pod_of("w", set) + ".second"), std::ios::binary)
      << at(2, "second");
  const auto shown = [&](const PodLogs::Options& options) {
    PodLogs logs(config, options);
    logs.look_at(workflow({set, member}));
    return texts(logs.take(all));
  };
  EXPECT_THAT(shown({}), ElementsAre("first", "second"));
  EXPECT_THAT(shown({.container = "main"}), ElementsAre("first"));
  EXPECT_THAT(shown({.container = "second"}), ElementsAre("second"));
  EXPECT_THAT(shown({.only = "set", .container = "second"}), ElementsAre("second"));
  EXPECT_THAT(shown({.only = "second"}), ElementsAre("second"));
}

}  // namespace
}  // namespace tiphys::cli
