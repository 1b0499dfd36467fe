// Goal: a rehearsal shows what a run with these outcomes would do, in virtual time.
#include "sim/rehearsal.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "value/json.h"

namespace tiphys::sim {
namespace {

engine::Definition definition(const std::string& spec) {
  return {.workflow = *value::parse_json(R"({"metadata": {"name": "w", "namespace": "default",
            "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z"}, "spec": )" +
                                         spec + "}"),
          .templates = {},
          .config_maps = {},
          .invalid = ""};
}

constexpr const char* kSpec = R"({"entrypoint": "m",
  "hooks": {"bad": {"expression": "workflow.status == \"Failed\"", "template": "tell"}},
  "templates": [
    {"name": "m", "steps": [[{"name": "a", "template": "t"}], [{"name": "b", "template": "t"}]]},
    {"name": "t", "container": {"image": "i", "command": ["c"]}},
    {"name": "tell", "http": {"url": "http://x/{{workflow.status}}"}}]})";

std::string text_of(const Rehearsal& r) {
  std::string text;
  for (const Change& c : r.changes()) {
    text += std::to_string(c.at.ns / 1'000'000'000) + " " + c.phase + " " + c.node + "\n";
  }
  return text;
}

TEST(Rehearsal, EndsLeavesAsTheScriptSays) {
  Rehearsal r(definition(kSpec),
              {.fail = {{"b", 3}}, .durations = {{"a", clock::Duration::seconds(30)}}});
  r.run();
  EXPECT_EQ(text_of(r),
            "0 Running w\n0 Pending w[0].a\n0 Running w[0].a\n30 Succeeded w[0].a\n"
            "30 Pending w[1].b\n30 Running w[1].b\n31 Failed w[1].b\n31 Failed w\n"
            "31 Pending w.hooks.bad\n31 Running w.hooks.bad\n32 Succeeded w.hooks.bad\n");
  ASSERT_EQ(r.sent().size(), 1U);
  EXPECT_EQ(r.sent()[0].http["url"].string_or(""), "http://x/Failed");
  EXPECT_EQ(r.workflow()["status"]["phase"].string_or(""), "Failed");
  EXPECT_TRUE(r.unused().empty());
}

TEST(Rehearsal, TellsNamesThatNoLeafHas) {
  Rehearsal r(definition(kSpec), {.fail = {{"nosuch", 1}}, .outputs = {{"a.none", "1"}}});
  r.run();
  EXPECT_EQ(r.unused(), (std::vector<std::string>{"leaf 'a' has no output parameter 'none'",
                                                  "no leaf of the name 'nosuch' was started"}));
  EXPECT_TRUE(r.sent().empty());
}

TEST(Rehearsal, IsTheSameForASeed) {
  const auto once = [](std::uint64_t seed) {
    Rehearsal r(definition(kSpec), {.seed = seed});
    r.run();
    return text_of(r);
  };
  EXPECT_EQ(once(7), once(7));
  EXPECT_NE(once(7), once(8));
}

TEST(Rehearsal, ResultsThatNobodyGaveMakeAListOfTexts) {
  Rehearsal r(definition(R"({"entrypoint": "m", "templates": [
      {"name": "m", "steps": [[{"name": "a", "template": "s", "withItems": [1, 2]}],
          [{"name": "b", "template": "t", "arguments": {"parameters": [
              {"name": "r", "value": "{{steps.a.outputs.result}}"}]}}]]},
      {"name": "s", "retryStrategy": {"limit": 1}, "script": {"image": "i", "source": "x"}},
      {"name": "t", "inputs": {"parameters": [{"name": "r"}]},
       "container": {"image": "i", "command": ["c"]}}]})"),
              {});
  r.run();
  EXPECT_EQ(r.workflow()["status"]["phase"].string_or(""), "Succeeded");
}

TEST(Rehearsal, ResumesWhatWaitsForAPerson) {
  Rehearsal r(definition(R"({"entrypoint": "m", "templates": [{"name": "m", "suspend": {}}]})"),
              {});
  r.run();
  EXPECT_EQ(r.workflow()["status"]["phase"].string_or(""), "Succeeded");
}

constexpr const char* kAsking = R"({"entrypoint": "m", "templates": [
    {"name": "m", "steps": [[{"name": "ask", "template": "ask"},
                             {"name": "all", "template": "ask", "withItems": ["x", "y"]}],
                            [{"name": "show", "template": "t"}]]},
    {"name": "ask", "suspend": {}, "outputs": {"parameters": [
       {"name": "choice", "valueFrom": {"supplied": {}}},
       {"name": "why", "valueFrom": {"supplied": {}, "default": "so"}}]}},
    {"name": "t", "container": {"image": "i", "command": ["c"]}}]})";

TEST(Rehearsal, SuppliesTheOutputsOfWhatWaitsForAPerson) {
  Rehearsal r(definition(kAsking), {.outputs = {{"ask.choice", "YES"}, {"all.choice", "NO"}}});
  r.run();
  EXPECT_EQ(r.workflow()["status"]["phase"].string_or(""), "Succeeded");
  EXPECT_TRUE(r.unused().empty());
  EXPECT_TRUE(r.missing().empty());
  std::string values;
  const value::Value workflow = r.workflow();
  for (const auto& [id, node] : workflow["status"]["nodes"].map()) {
    if (node["type"].string_or("") != "Suspend") continue;
    for (const value::Value& p : node["outputs"]["parameters"].list()) {
      values += fmt::format("{} {}={}\n", node["displayName"].string_or(""),
                            p["name"].string_or(""), p["value"].string_or("none"));
    }
  }
  EXPECT_EQ(values,
            "ask choice=YES\nask why=so\nall(0:x) choice=NO\nall(0:x) why=so\n"
            "all(1:y) choice=NO\nall(1:y) why=so\n");
}

TEST(Rehearsal, LetsWhatWaitsForAPersonFail) {
  Rehearsal r(definition(kAsking), {.fail = {{"all(1:y)", 1}},
                                    .outputs = {{"ask.choice", "YES"}, {"all.choice", "NO"}},
                                    .durations = {{"all(1:y)", clock::Duration::seconds(30)}}});
  r.run();
  const value::Value workflow = r.workflow();
  EXPECT_EQ(workflow["status"]["phase"].string_or(""), "Failed");
  EXPECT_TRUE(r.unused().empty());
  const auto failed = std::ranges::find(r.changes(), "Failed", &Change::phase);
  ASSERT_NE(failed, r.changes().end());
  EXPECT_TRUE(failed->node.ends_with("[0].all(1:y)")) << failed->node;
  EXPECT_EQ(failed->at, clock::Duration::seconds(30));
}

TEST(Rehearsal, TellsOutputsThatNobodySupplies) {
  Rehearsal r(definition(kAsking),
              {.outputs = {{"all(0:x).choice", "YES"}, {"ask.none", "1"}, {"as.why", "1"}}});
  r.run();
  EXPECT_EQ(r.workflow()["status"]["phase"].string_or(""), "Running");
  const std::vector<Missing> missing = r.missing();
  ASSERT_EQ(missing.size(), 2U);
  EXPECT_EQ(missing[0].node + "." + missing[0].parameter, "ask.choice");
  EXPECT_EQ(missing[1].node + "." + missing[1].parameter, "all(1:y).choice");
  EXPECT_EQ(r.unused(),
            (std::vector<std::string>{"no leaf of the name 'as' was started; did you mean \"ask\"?",
                                      "leaf 'ask' has no output parameter 'none'"}));
}

constexpr const char* kDaemon = R"({"entrypoint": "m", "templates": [
    {"name": "m", "steps": [[{"name": "db", "template": "db"}, {"name": "load", "template": "t"}],
                            [{"name": "use", "template": "t"}]]},
    {"name": "db", "daemon": true, "container": {"image": "i", "command": ["c"]}},
    {"name": "t", "container": {"image": "i", "command": ["c"]}}]})";

TEST(Rehearsal, ADaemonLivesUntilItsStepsAreOver) {
  Rehearsal r(definition(kDaemon), {});
  r.run();
  EXPECT_EQ(text_of(r),
            "0 Running w\n0 Pending w[0].db\n0 Pending w[0].load\n0 Running w[0].db\n"
            "0 Running w[0].load\n1 Succeeded w[0].load\n1 Pending w[1].use\n"
            "1 Running w[1].use\n2 Succeeded w[1].use\n2 Succeeded w\n2 Succeeded w[0].db\n");
  EXPECT_EQ(r.workflow()["status"]["phase"].string_or(""), "Succeeded");
}

TEST(Rehearsal, ADaemonIsReadyAfterItsDuration) {
  Rehearsal r(definition(kDaemon), {.durations = {{"db", clock::Duration::seconds(30)}}});
  r.run();
  EXPECT_NE(text_of(r).find("30 Running w[0].db\n30 Pending w[1].use\n"), std::string::npos)
      << text_of(r);
}

TEST(Rehearsal, ADaemonMayFail) {
  Rehearsal r(definition(kDaemon), {.fail = {{"db", 2}}});
  r.run();
  EXPECT_EQ(r.workflow()["status"]["phase"].string_or(""), "Failed");
}

TEST(Rehearsal, ANameOfALoopDoesNotMeanTheHooksOfItsItems) {
  Rehearsal r(definition(R"({"entrypoint": "m", "templates": [
      {"name": "m", "steps": [[{"name": "s", "template": "t", "withItems": [7, 8], "hooks":
        {"exit": {"template": "t"}, "tell": {"template": "t", "expression": "true"}}}]]},
      {"name": "t", "container": {"image": "i", "command": ["c"]}}]})"),
              {.fail = {{"s", 1}}, .durations = {{"s", clock::Duration::seconds(30)}}});
  r.run();
  const std::string text = text_of(r);
  for (const char* change :
       {"30 Failed w[0].s(0:7)\n", "30 Failed w[0].s(1:8)\n",
        "1 Succeeded w[0].s(0:7).hooks.tell\n", "31 Succeeded w[0].s(1:8).onExit\n"}) {
    EXPECT_NE(text.find(change), std::string::npos) << change << text;
  }
}

}  // namespace
}  // namespace tiphys::sim
