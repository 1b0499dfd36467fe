// The flags of submit must change a workflow as argo's client does.
#include "cli/overrides.h"

#include <gtest/gtest.h>

#include "value/json.h"

namespace tiphys::cli {
namespace {

using value::Value;

Value parse(std::string_view json) {
  auto v = value::parse_json(json);
  EXPECT_TRUE(v);
  return v ? *v : Value();
}

std::string applied(std::string_view workflow, const Overrides& o) {
  auto v = apply_overrides(parse(workflow), o);
  return v ? value::to_json(*v) : "error: " + v.error().message;
}

TEST(Overrides, GivenParametersStandInFrontOfTheOthers) {
  auto spec = with_parameters(
      parse(R"({"arguments":{"parameters":[{"name":"a","value":"1","description":"d"},
                                           {"name":"b","value":"2"}]}})"),
      {"b=x=y", "new="});
  ASSERT_TRUE(spec);
  EXPECT_EQ(value::to_json(*spec),
            R"({"arguments":{"parameters":[{"name":"b","value":"x=y"},)"
            R"({"name":"new","value":""},{"description":"d","name":"a","value":"1"}]}})");
}

TEST(Overrides, AParameterKeepsTheValuesThatItMayHave) {
  auto spec = with_parameters(
      parse(R"({"arguments":{"parameters":[{"name":"a","value":"1","enum":["1","2"]}]}})"),
      {"a=2"});
  ASSERT_TRUE(spec);
  EXPECT_EQ(value::to_json(*spec),
            R"({"arguments":{"parameters":[{"enum":["1","2"],"name":"a","value":"2"}]}})");
}

TEST(Overrides, TheFirstOfEqualNamesCounts) {
  // -p stands before what a parameter file gives.
  auto spec = with_parameters(parse("{}"), {"a=flag", "a=file"});
  ASSERT_TRUE(spec);
  EXPECT_EQ(value::to_json(*spec), R"({"arguments":{"parameters":[{"name":"a","value":"flag"}]}})");
}

TEST(Overrides, AParameterWithoutEqualsSignIsRefused) {
  auto spec = with_parameters(parse("{}"), {"abc"});
  ASSERT_FALSE(spec);
  EXPECT_EQ(spec.error().message, "expected parameter of the form: NAME=VALUE. Received: abc");
}

TEST(Overrides, NoFlagsChangeNothing) {
  const char* text = R"({"kind":"Workflow","metadata":{"name":"w"},"spec":{"entrypoint":"m"}})";
  EXPECT_EQ(applied(text, {}), text);
}

TEST(Overrides, SetNamesLabelsAndSpec) {
  Overrides o;
  o.name = "n";
  o.labels = "a=2,c=3";
  o.entrypoint = "other";
  o.service_account = "sa";
  o.priority = 7;
  EXPECT_EQ(applied(R"({"metadata":{"generateName":"g-","labels":{"a":"1","b":"1"}},
                        "spec":{"entrypoint":"m"}})",
                    o),
            R"({"metadata":{"generateName":"g-","labels":{"a":"2","b":"1","c":"3"},"name":"n"},)"
            R"("spec":{"entrypoint":"other","priority":7,"serviceAccountName":"sa"}})");
}

TEST(Overrides, AGeneratedNameReplacesTheFilesName) {
  Overrides o;
  o.generate_name = "g-";
  EXPECT_EQ(applied(R"({"metadata":{"name":"w"},"spec":{}})", o),
            R"({"metadata":{"generateName":"g-"},"spec":{}})");
}

TEST(Overrides, TheNamespaceFlagIsForWorkflowsThatNameNone) {
  Overrides o;
  o.name_space = "flag";
  EXPECT_EQ(applied(R"({"metadata":{"namespace":"own"},"spec":{}})", o),
            R"({"metadata":{"namespace":"own"},"spec":{}})");
  EXPECT_EQ(applied(R"({"metadata":{},"spec":{}})", o),
            R"({"metadata":{"namespace":"flag"},"spec":{}})");
}

TEST(Overrides, AScheduledTimeMustBeATime) {
  Overrides o;
  o.scheduled_time = "2026-01-02T15:04:05-07:00";
  EXPECT_EQ(applied(R"({"metadata":{},"spec":{}})", o),
            R"({"metadata":{"annotations":{"workflows.argoproj.io/scheduled-time":)"
            R"("2026-01-02T15:04:05-07:00"}},"spec":{}})");
  o.scheduled_time = "tomorrow";
  EXPECT_TRUE(applied("{}", o).starts_with("error: scheduled-time"));
}

TEST(Overrides, LabelsWithoutEqualsSignAreRefused) {
  Overrides o;
  o.labels = "a";
  EXPECT_TRUE(applied("{}", o).starts_with("error: expected labels of the form"));
}

TEST(ParameterFile, GivesStringsAsTheyAreAndTheRestAsJson) {
  auto p = read_parameters("a: text\nb: 3\nc: true\nd: [1, {x: z}]\ne: \"4\"\nf: null\n", "f");
  ASSERT_TRUE(p);
  EXPECT_EQ(*p, (std::vector<std::string>{"a=text", "b=3", "c=true", R"(d=[1,{"x":"z"}])", "e=4",
                                          "f=null"}));
}

TEST(ParameterFile, ReadsJson) {
  auto p = read_parameters(R"({"a": "x", "b": 1.5})", "f.json");
  ASSERT_TRUE(p);
  EXPECT_EQ(*p, (std::vector<std::string>{"a=x", "b=1.5"}));
}

TEST(ParameterFile, MustBeAMap) {
  EXPECT_FALSE(read_parameters("- a\n", "f"));
  EXPECT_FALSE(read_parameters("a: [\n", "f"));
  auto empty = read_parameters("", "f");
  EXPECT_TRUE(!empty || empty->empty());
}

}  // namespace
}  // namespace tiphys::cli
