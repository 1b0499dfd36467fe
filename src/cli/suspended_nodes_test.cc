// The goal: a command that can do nothing to suspended nodes is told so, in Argo's words.
#include "cli/suspended_nodes.h"

#include <gtest/gtest.h>

#include "value/json.h"

namespace tiphys::cli {
namespace {

using value::Value;

Value json(const std::string& text) {
  auto parsed = value::parse_json(text);
  EXPECT_TRUE(parsed);
  return *parsed;
}

std::string refusal(const std::string& verb, const std::string& selector,
                    const std::string& arguments = "{}") {
  const Value workflow = json(R"({"status":{"nodes":{
      "1":{"displayName":"gate","type":"Suspend","phase":"Running","outputs":{"parameters":[
        {"name":"who","valueFrom":{"supplied":{}}},
        {"name":"why","valueFrom":{"supplied":{},"default":"because"}}]}},
      "2":{"displayName":"bare","type":"Suspend","phase":"Running"},
      "3":{"displayName":"over","type":"Suspend","phase":"Succeeded"},
      "4":{"displayName":"pod","type":"Pod","phase":"Running"}}}})");
  const auto nodes = view::NodeFilter::parse("", selector);
  EXPECT_TRUE(nodes);
  const Value given = json(arguments);
  return refusal_of_nodes(workflow, {verb, *nodes, selector, given});
}

TEST(SuspendedNodes, HaveToBeThere) {
  EXPECT_EQ(refusal("resume", "displayName=bare"), "");
  const std::string none =
      "currently, set only targets suspend nodes: no suspend nodes matching nodeFieldSelector: ";
  EXPECT_EQ(refusal("resume", "displayName=over"), none + "displayName=over");
  EXPECT_EQ(refusal("stop", "displayName=pod"), none + "displayName=pod");
  EXPECT_EQ(refusal("set", "displayName=x"), none + "displayName=x");
}

TEST(SuspendedNodes, EndWellOnlyWithTheirOutputs) {
  const std::string missing =
      "raw output parameter 'who' has not been set and does not have a default value";
  EXPECT_EQ(refusal("resume", ""), missing);
  EXPECT_EQ(refusal("resume", "displayName=gate"), missing);
  EXPECT_EQ(refusal("stop", "displayName=gate"), "");
  EXPECT_EQ(refusal("set", "displayName=gate", R"({"phase":"Succeeded"})"), missing);
  EXPECT_EQ(refusal("set", "displayName=gate", R"({"phase":"Failed"})"), "");
  EXPECT_EQ(refusal("set", "displayName=gate",
                    R"({"phase":"Succeeded","outputParameters":{"who":"ann"}})"),
            "");
}

TEST(SuspendedNodes, TakeOnlyOutputsThatTheyExpect) {
  EXPECT_EQ(refusal("set", "displayName=gate", R"({"outputParameters":{"whom":"x"}})"),
            "node is not expecting output parameter 'whom'");
  EXPECT_EQ(refusal("set", "displayName=bare", R"({"outputParameters":{"who":"x"}})"),
            "cannot set output parameters because node is not expecting any raw parameters");
}

TEST(SuspendedNodes, TakeAnOutputOnlyOnce) {
  const Value workflow = json(R"({"status":{"nodes":{
      "1":{"displayName":"gate","type":"Suspend","phase":"Running","outputs":{"parameters":[
        {"name":"who","value":"ann"},
        {"name":"why","value":"so","valueFrom":{"supplied":{}}},
        {"name":"when","valueFrom":{"supplied":{}}}]}}}}})");
  const auto nodes = view::NodeFilter::parse("", "displayName=gate");
  ASSERT_TRUE(nodes);
  const auto told = [&](const std::string& name) {
    const Value given = value::Map{{"outputParameters", value::Map{{name, "x"}}}};
    return refusal_of_nodes(workflow, {"set", *nodes, "displayName=gate", given});
  };
  for (const std::string name : {"who", "why"}) {
    EXPECT_EQ(told(name), "cannot set output parameter '" + name +
                              "' because it does not use valueFrom.raw or it was already set");
  }
  EXPECT_EQ(told("when"), "");
}

}  // namespace
}  // namespace tiphys::cli
