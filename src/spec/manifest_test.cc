// Manifests must be held to Argo's fields and types, and come back in Argo's JSON form.
#include "spec/manifest.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "value/json.h"

namespace tiphys::spec {
namespace {

struct Loaded {
  std::vector<Manifest> manifests;
  std::string findings;  // "LINE:COLUMN MESSAGE[ SUGGESTION]\n" each
};

Loaded load(std::string_view text, UnknownFields unknown = UnknownFields::kError) {
  Loaded out;
  std::vector<diag::Diagnostic> findings;
  out.manifests = load_manifests(text, "f.yaml", findings, unknown);
  for (const diag::Diagnostic& d : findings) {
    out.findings +=
        fmt::format("{}{}:{} {}{}{}\n", d.severity == diag::Severity::kWarning ? "warning " : "",
                    d.error.at.line, d.error.at.column, d.error.message,
                    d.suggestion.empty() ? "" : " ", d.suggestion);
  }
  return out;
}

TEST(LoadManifests, TellsUnknownFieldsWithTheNearestName) {
  const Loaded got = load(
      "kind: Workflow\n"
      "spec:\n"
      "  entrypiont: m\n"
      "  templates:\n"
      "  - name: m\n"
      "    steps:\n"
      "    - - {name: a, whn: x}\n");
  EXPECT_EQ(got.findings,
            "3:3 strict decoding error: unknown field \"spec.entrypiont\" did you mean "
            "\"entrypoint\"?\n"
            "7:19 strict decoding error: unknown field \"spec.templates[0].steps[0][0].whn\" did "
            "you mean \"when\"?\n");
  EXPECT_TRUE(got.manifests.empty());
}

// Kubernetes' API takes manifests with unknown fields, and conformance cases have some.
TEST(LoadManifests, MayWarnOfUnknownFieldsOnly) {
  const Loaded got =
      load("kind: Workflow\nmetadata: {name: a, label: {}}\n", UnknownFields::kWarning);
  EXPECT_EQ(got.findings,
            "warning 2:21 strict decoding error: unknown field \"metadata.label\" did you mean "
            "\"labels\"?\n");
  ASSERT_EQ(got.manifests.size(), 1U);
  EXPECT_EQ(value::to_json(got.manifests[0].object),
            R"({"kind":"Workflow","metadata":{"name":"a"}})");
}

TEST(LoadManifests, TellsWrongTypesInGosWords) {
  const Loaded got = load(
      "kind: Workflow\n"
      "spec:\n"
      "  parallelism: \"5\"\n"
      "  onExit: 5\n"
      "  templates:\n"
      "  - name: m\n"
      "    container: {image: x, args: [1], resources: {limits: {memory: lots}}}\n"
      "    retryStrategy: {backoff: {duration: 5}}\n");
  EXPECT_EQ(got.findings,
            "3:17 json: cannot unmarshal string into Go struct field WorkflowSpec.spec.parallelism "
            "of type int64 write 5, without quotes\n"
            "4:11 json: cannot unmarshal number into Go struct field WorkflowSpec.spec.onExit of "
            "type string put it in quotes to make it a string\n"
            "7:34 json: cannot unmarshal number into Go struct field "
            "Container.spec.templates.container.args of type string put it in quotes to make it "
            "a string\n"
            "7:67 quantities must match the regular expression "
            "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'\n"
            "8:41 json: cannot unmarshal number into Go struct field "
            "Backoff.spec.templates.retryStrategy.backoff.duration of type string put it in "
            "quotes to make it a string\n");
}

TEST(LoadManifests, MakesParametersTextAndKeepsItemsTyped) {
  const Loaded got = load(
      "kind: Workflow\n"
      "metadata: {generateName: a-, namespace: ns}\n"
      "spec:\n"
      "  arguments:\n"
      "    parameters:\n"
      "    - {name: a, value: 1}\n"
      "    - {name: b, value: 0.10, default: null}\n"
      "    - {name: c, value: yes, enum: [1, a]}\n"
      "  templates:\n"
      "  - name: m\n"
      "    retryStrategy: {limit: \"3\"}\n"
      "    steps: [[{name: s, template: t, withItems: [1, a, {k: 1.5}, null]}]]\n");
  EXPECT_EQ(got.findings, "");
  ASSERT_EQ(got.manifests.size(), 1U);
  const Manifest& m = got.manifests[0];
  EXPECT_EQ(m.generate_name, "a-");
  EXPECT_EQ(m.name_space, "ns");
  const value::JsonStyle style{.key_order = value::KeyOrder::kAsGiven};
  EXPECT_EQ(value::to_json(m.object["spec"]["arguments"]["parameters"], style),
            R"([{"name":"a","value":"1"},{"name":"b","value":"0.1"},)"
            R"({"name":"c","value":"true","enum":["1","a"]}])");
  EXPECT_EQ(value::to_json(m.object["spec"]["templates"].list()[0]["steps"], style),
            R"([[{"name":"s","template":"t","withItems":[1,"a",{"k":1.5},null]}]])");
}

TEST(LoadManifests, TellsWhatToWriteInPlaceOfAWrongType) {
  const Loaded got = load(
      "kind: Workflow\n"
      "spec:\n"
      "  suspend: 'yes'\n"
      "  parallelism: '3'\n"
      "  hooks: [a]\n"
      "  templates:\n"
      "  - container: {command: sh}\n"
      "  - inputs: {parameters: {p: 1}}\n"
      "  - steps:\n"
      "    - {name: a}\n");
  for (const char* hint :
       {"of type bool write true or false, without quotes\n",
        "of type int64 write 3, without quotes\n",
        "v1alpha1.LifecycleHook write a map: NAME: VALUE\n",
        "of type []string write a list: [\"sh\"]\n",
        "[]v1alpha1.Parameter write a list: each element begins with \"- \"\n",
        "steps is a list of groups, each a list: begin a group with \"- - \"\n"}) {
    EXPECT_NE(got.findings.find(hint), std::string::npos) << hint << "\n" << got.findings;
  }
}

TEST(LoadManifests, ReadsSeveralDocumentsListsAndJson) {
  const Loaded got = load(
      "# a comment\n"
      "---\n"
      "kind: Secret\n"
      "metadata: {name: s}\n"
      "stringData: {a: b}\n"
      "---\n"
      "kind: List\n"
      "items:\n"
      "- kind: ConfigMap\n"
      "  metadata: {name: c}\n"
      "  data: {k: 5}\n"
      "- {kind: Other, any: thing}\n"
      "---\n"
      "a: 1\n");
  EXPECT_EQ(got.findings,
            "11:13 json: cannot unmarshal number into Go struct field ConfigMap.data of type "
            "string put it in quotes to make it a string\n"
            "warning 12:10 objects of kind 'Other' have no effect here and are ignored\n"
            "warning 14:1 this document has no kind and is ignored\n");
  ASSERT_EQ(got.manifests.size(), 2U);
  EXPECT_EQ(got.manifests[0].name, "s");
  EXPECT_EQ(got.manifests[1].kind, "Other");

  const Loaded json =
      load("{\"kind\": \"Workflow\",\n \"metadata\": {\"name\": \"\\ud83d\\ude00\"}}");
  EXPECT_EQ(json.findings, "");
  ASSERT_EQ(json.manifests.size(), 1U);
  EXPECT_EQ(json.manifests[0].name, "\xF0\x9F\x98\x80");
}

// Every manifest of the conformance set that Argo took must load without errors.
TEST(LoadManifests, TakesTheConformanceSet) {
  const std::filesystem::path folder = "../shared/conformance/golden";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no " << folder;
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".yaml") continue;
    std::stringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    std::stringstream state;
    state << std::ifstream(std::filesystem::path(entry.path()).replace_extension("json")).rdbuf();
    const bool is_rejected = state.str().find("\"rejected\"") != std::string::npos;
    std::vector<diag::Diagnostic> findings;
    (void)load_manifests(text.str(), entry.path().filename(), findings, UnknownFields::kWarning);
    bool has_error = false;
    for (const diag::Diagnostic& d : findings) {
      has_error = has_error || d.severity == diag::Severity::kError;
    }
    EXPECT_EQ(has_error, is_rejected) << entry.path();
    ++count;
  }
  EXPECT_GT(count, 0);
}

}  // namespace
}  // namespace tiphys::spec
