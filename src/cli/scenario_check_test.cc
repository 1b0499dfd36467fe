// The goal: a misspelt test is told where it is misspelt; it never passes because of that.
#include "cli/scenario_check.h"

#include <gtest/gtest.h>

#include "spec/yaml_reader.h"

namespace tiphys::cli {
namespace {

std::string told(const std::string& text) {
  const auto document = spec::read_yaml(text, {.file = "t.yaml"});
  EXPECT_TRUE(document);
  std::string out;
  for (const auto& d : check_scenarios(document->value, *document->positions)) {
    out += std::to_string(d.error.at.line) + ":" + std::to_string(d.error.at.column) + " " +
           d.error.message + (d.suggestion.empty() ? "" : "; " + d.suggestion) + "\n";
  }
  return out;
}

// A file with this case, which begins at 3:3.
std::string told_of_case(const std::string& fields) {
  return told("files: [w.yaml]\ntests:\n- {name: a, " + fields + "}\n");
}

TEST(ScenarioCheck, TakesWhatIsRight) {
  EXPECT_EQ(told_of_case("parameters: {p: 1}, given: {a: {fail: 4, result: x, duration: 90s, "
                         "outputs: {o: 1}}}, expect: {phase: Failed, message: m, nodes: {a: "
                         "Failed, b: absent}, hooks: [a.onExit], requests: [{url: u}]}"),
            "");
}

TEST(ScenarioCheck, KnowsWhatIsMissing) {
  EXPECT_EQ(told("tests: [{name: a, expect: {phase: Failed}}]\n"),
            "1:1 files: [MANIFEST] is missing\n");
  EXPECT_EQ(told("files: [w.yaml]\n"), "1:1 tests: [CASE] is missing\n");
  EXPECT_EQ(told_of_case("given: {}"),
            "3:3 this case expects nothing, so that it cannot fail; expect: has phase, message, "
            "nodes, hooks, requests\n");
}

TEST(ScenarioCheck, KnowsWordsThatAreMisspelt) {
  const std::string right = ", expect: {phase: Failed}";
  EXPECT_EQ(told_of_case("givn: {}" + right),
            "3:13 a case has no field 'givn': it has name, parameters, given, expect; did you mean "
            "\"given\"?\n");
  EXPECT_EQ(told_of_case("given: {a: {fial: 1}}" + right),
            "3:25 given.a has no field 'fial': it has fail, result, duration, outputs; did you "
            "mean \"fail\"?\n");
  EXPECT_EQ(told_of_case("expect: {phase: Success}"),
            "3:29 there is no phase 'Success': want Succeeded, Failed, Error\n");
}

TEST(ScenarioCheck, KnowsWrongTypes) {
  EXPECT_EQ(told_of_case("given: {a: {fail: x, duration: soon}}, expect: {hooks: x, requests: y}"),
            "3:31 given.a.fail wants a number, an exit code\n"
            "3:44 unable to parse soon as a duration: time: invalid duration \"soon\"; write it as "
            "30s, 5m, 1h30m\n"
            "3:68 hooks wants a list of names, such as build.hooks.failure\n"
            "3:81 requests wants a list of {method, url, body}\n");
}

}  // namespace
}  // namespace tiphys::cli
