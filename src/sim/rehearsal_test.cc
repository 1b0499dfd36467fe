// Goal: a rehearsal shows what a run with these outcomes would do, in virtual time.
#include "sim/rehearsal.h"

#include <gtest/gtest.h>

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

TEST(Rehearsal, ResumesWhatWaitsForAPerson) {
  Rehearsal r(definition(R"({"entrypoint": "m", "templates": [{"name": "m", "suspend": {}}]})"),
              {});
  r.run();
  EXPECT_EQ(r.workflow()["status"]["phase"].string_or(""), "Succeeded");
}

}  // namespace
}  // namespace tiphys::sim
