// What a resource template asks for, and what kubectl says of one that makes no sense.
#include "resource/command.h"

#include <gtest/gtest.h>

#include "resource/object_type.h"
#include "resource/patch.h"
#include "value/json.h"

namespace tiphys::resource {
namespace {

using value::Value;

diag::Result<Command> read(std::string_view resource, std::string_view manifest = "") {
  return read_command(*value::parse_json(resource), manifest);
}

std::string wrong(std::string_view resource, std::string_view manifest = "") {
  const auto command = read(resource, manifest);
  return command ? "nothing" : command.error().message;
}

constexpr const char* kMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\n";

TEST(Command, TakesTheManifest) {
  const auto command = read(R"({"action":"create"})", kMap);
  ASSERT_TRUE(command) << command.error().message;
  ASSERT_EQ(command->targets.size(), 1U);
  EXPECT_EQ(command->targets[0].title(), "m");
  EXPECT_EQ(command->validation, "Strict");
  EXPECT_FALSE(command->is_missing_fine);
}

TEST(Command, TakesNamesAndFlags) {
  auto command = read(R"({"action":"delete","flags":["pod","a","b","-n","x","--wait=false",
                          "--grace-period","5","--cascade=orphan"]})");
  ASSERT_TRUE(command) << command.error().message;
  ASSERT_EQ(command->targets.size(), 2U);
  EXPECT_EQ(command->targets[1].word, "pod");
  EXPECT_EQ(command->targets[1].title(), "b");
  EXPECT_EQ(command->name_space, "x");
  EXPECT_FALSE(command->waits);
  EXPECT_EQ(command->grace_seconds, 5);
  EXPECT_EQ(command->propagation, "Orphan");
  EXPECT_TRUE(command->is_missing_fine);

  command = read(R"({"action":"delete","flags":["configmap","--selector","cleanup=true"]})");
  ASSERT_TRUE(command) << command.error().message;
  EXPECT_EQ(command->targets[0].word, "configmap");
  EXPECT_EQ(command->selector, "cleanup=true");

  command = read(R"({"action":"get","flags":["deployment/d","--ignore-not-found"]})");
  ASSERT_TRUE(command) << command.error().message;
  EXPECT_EQ(command->targets[0].word, "deployment");
  EXPECT_TRUE(command->is_missing_fine);
}

TEST(Command, APatchNamesItsObjectOrIsOne) {
  auto command = read(R"({"action":"patch","mergeStrategy":"json","flags":["pod","p"]})",
                      "- {op: add, path: /metadata/labels/a, value: b}");
  ASSERT_TRUE(command) << command.error().message;
  EXPECT_EQ(command->patch_type, "application/json-patch+json");
  EXPECT_EQ(command->patch, R"([{"op":"add","path":"/metadata/labels/a","value":"b"}])");
  EXPECT_EQ(command->targets[0].title(), "p");

  command = read(R"({"action":"patch","mergeStrategy":"merge","flags":["pod","p"]})",
                 "metadata: {labels: {a: b}}");
  ASSERT_TRUE(command) << command.error().message;
  EXPECT_EQ(command->patch_type, "application/merge-patch+json");

  command = read(R"({"action":"patch"})", kMap);
  ASSERT_TRUE(command) << command.error().message;
  EXPECT_EQ(command->patch_type, "application/strategic-merge-patch+json");
  EXPECT_EQ(command->targets[0].title(), "m");
}

TEST(Command, SaysWhatKubectlWouldSay) {
  EXPECT_EQ(wrong(R"({"action":"create"})"), "Must provide at least one of flags or manifest.");
  // The golden td-resource-templates-failed.
  EXPECT_EQ(wrong(R"({"action":"patch"})", "apiVersion: v1\nmetadata: {name: p}"),
            "no more retries error: unable to decode \"/tmp/manifest.yaml\": Object 'Kind' is "
            "missing in '{\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\"}}'");
  EXPECT_EQ(wrong(R"({"action":"create"})", "apiVersion: v1"),
            "no more retries error: error validating \"/tmp/manifest.yaml\": error validating "
            "data: kind not set; if you choose to ignore these errors, turn validation off with "
            "--validate=false");
  EXPECT_EQ(wrong(R"({"action":"get","flags":["pod","--sort"]})"),
            "no more retries error: unknown flag: --sort");
  EXPECT_EQ(wrong(R"({"action":"get","flags":["pod","p","-n"]})"),
            "no more retries error: flag needs an argument: -n");
  EXPECT_EQ(wrong(R"({"action":"delete","flags":["pod"]})"),
            "no more retries error: resource(s) were provided, but no name was specified");
  EXPECT_EQ(wrong(R"({"action":"scale"})", kMap),
            "unknown action 'scale': want get, create, apply, delete, replace or patch");
  EXPECT_EQ(wrong(R"({"action":"create"})", std::string(kMap) + "---\n" + kMap),
            "a resource template takes one object, and here are 2");
  EXPECT_EQ(wrong(R"({"action":"delete"})", std::string(kMap) + "---\n" + kMap), "nothing");
}

TEST(ObjectTypes, AreFoundByKindAndByWord) {
  ObjectTypes types = own_types(true);
  types.add_discovered(*value::parse_json(R"js({"items": [
      {"metadata": {"name": "apps"}, "versions": [{"version": "v1", "resources": [
          {"resource": "deployments", "singularResource": "deployment", "scope": "Namespaced",
           "responseKind": {"group": "apps", "version": "v1", "kind": "Deployment"},
           "shortNames": ["deploy"]}]}]},
      {"metadata": {}, "versions": [{"version": "v1", "resources": [
          {"resource": "nodes", "singularResource": "node", "scope": "Cluster",
           "responseKind": {"group": "", "version": "", "kind": "Node"}}]}]}]})js"));
  for (const char* word : {"deployments", "deployment", "deploy", "Deployment", "deployments.apps",
                           "deployments.v1.apps"}) {
    const ObjectType* const type = types.of_word(word);
    ASSERT_NE(type, nullptr) << word;
    EXPECT_EQ(type->path("ns", "d"), "/apis/apps/v1/namespaces/ns/deployments/d");
  }
  EXPECT_EQ(types.of_word("deployments.batch"), nullptr);
  ASSERT_NE(types.of_kind("v1", "Node"), nullptr);
  EXPECT_EQ(types.of_kind("v1", "Node")->path("ns", "n"), "/api/v1/nodes/n");
  EXPECT_EQ(types.of_word("cm"), nullptr);  // a cluster's, where there is one
  ASSERT_NE(types.of_word("wf"), nullptr);
  EXPECT_TRUE(types.of_word("wf")->is_own);
  EXPECT_EQ(types.of_word("wf")->title(), "workflow.argoproj.io");
  ASSERT_NE(own_types(false).of_word("cm"), nullptr);
}

Value json_patched(std::string_view object, std::string_view patch) {
  auto done = with_json_patch(*value::parse_json(object), *value::parse_json(patch));
  return done ? *done : Value(done.error().message);
}

TEST(Patch, JsonPatches) {
  EXPECT_EQ(json_patched(R"({"a":{"x~/y":1},"l":[1,2]})",
                         R"([{"op":"replace","path":"/a/x~0~1y","value":2},
                             {"op":"add","path":"/l/1","value":9},
                             {"op":"add","path":"/l/-","value":7},
                             {"op":"remove","path":"/l/0"},
                             {"op":"copy","from":"/l/0","path":"/c"},
                             {"op":"test","path":"/c","value":9},
                             {"op":"move","from":"/c","path":"/d"}])"),
            *value::parse_json(R"({"a":{"x~/y":2},"l":[9,2,7],"d":9})"));
  EXPECT_EQ(json_patched("{}", R"([{"op":"add","path":"/a/b","value":1}])"),
            Value("there is nothing at '/a/b'"));
  EXPECT_EQ(json_patched("{\"a\":1}", R"([{"op":"test","path":"/a","value":2}])"),
            Value("testing value /a failed"));
  EXPECT_EQ(json_patched("{}", R"([{"op":"grow","path":"/a"}])"),
            Value("unknown operation 'grow' of a JSON patch"));
}

TEST(Patch, MergePatches) {
  EXPECT_EQ(with_merge_patch(*value::parse_json(R"({"a":{"b":1,"c":2},"l":[1]})"),
                             *value::parse_json(R"({"a":{"b":null,"d":3},"l":[2]})")),
            *value::parse_json(R"({"a":{"c":2,"d":3},"l":[2]})"));
}

}  // namespace
}  // namespace tiphys::resource
