#include <gtest/gtest.h>

#include "metrics/registry.h"
#include "metrics/samples.h"
#include "value/json.h"

namespace tiphys::metrics {
namespace {

using value::Value;

clock::Instant at(std::int64_t seconds) { return {seconds * 1'000'000'000}; }

// A workflow that ran from second 0 to 10 of 1970, a node of template `t` from 2 to 5.
Value workflow(const std::string& of_template, const std::string& of_workflow = "[]",
               const std::string& node = "") {
  return value::parse_json(
             R"({"metadata": {"name": "w", "namespace": "n", "labels": {"team": "a"}},
      "spec": {"arguments": {"parameters": [{"name": "p", "value": "7"}]},
               "metrics": {"prometheus": )" +
             of_workflow + R"(}, "templates": [{"name": "t", "metrics": {"prometheus": )" +
             of_template + R"(}}]},
      "status": {"phase": "Succeeded", "startedAt": "1970-01-01T00:00:00Z",
                 "finishedAt": "1970-01-01T00:00:10Z", "nodes": {"w-1": {
        "name": "w.a", "displayName": "a", "type": "Pod", "templateName": "t", "phase": "Succeeded",
        "startedAt": "1970-01-01T00:00:02Z", "finishedAt": "1970-01-01T00:00:05Z",
        "inputs": {"parameters": [{"name": "i", "value": "x"}]},
        "outputs": {"result": "42", "exitCode": "3", "parameters": [{"name": "o", "value": "1.5"}]})" +
             node + "}}}}")
      .value();
}

Samples samples_of(const Value& w) {
  Samples out;
  collect(w, [](const auto&, const auto&, const auto&) { return Value(); }, at(20), out);
  return out;
}

std::string lines_of(const Value& w) {
  std::string text;
  for (const std::string& line : Registry(samples_of(w).samples).lines()) text += line + "\n";
  return text;
}

TEST(Metrics, TakesValuesFromTagsOfNodesAndWorkflows) {
  EXPECT_EQ(lines_of(workflow(R"([
      {"name": "a_duration", "help": "h", "gauge": {"value": "{{duration}}"},
       "labels": [{"key": "s", "value": "{{status}}"}, {"key": "i", "value": "{{inputs.parameters.i}}"}]},
      {"name": "b_result", "help": "h", "counter": {"value": "{{outputs.result}}"}},
      {"name": "c_sum", "help": "h", "gauge": {"value": "{{=asFloat(outputs.parameters.o) + 1}}"}}])",
                              R"([
      {"name": "d_all", "help": "h", "gauge": {"value": "{{workflow.duration}}"},
       "labels": [{"key": "w", "value": "{{workflow.status}} {{workflow.parameters.p}}"}]}])")),
            "a_duration{i=\"x\",s=\"Succeeded\"} 3\nb_result 42\nc_sum 2.5\n"
            "d_all{w=\"Succeeded 7\"} 10\n");
}

TEST(Metrics, WhenDecides) {
  EXPECT_EQ(lines_of(workflow(R"([
      {"name": "yes", "help": "h", "when": "{{status}} == Succeeded", "counter": {"value": "1"}},
      {"name": "no", "help": "h", "when": "{{status}} == Failed", "counter": {"value": "1"}}])")),
            "yes 1\n");
}

TEST(Metrics, TellsWhatCannotBeEvaluated) {
  const Samples samples = samples_of(workflow(R"([
      {"name": "bad", "help": "h", "counter": {"value": "{{outputs.result}}x"}},
      {"name": "gone", "help": "h", "counter": {"value": "{{nothing}}"}}])"));
  ASSERT_EQ(samples.problems.size(), 2U);
  EXPECT_EQ(samples.problems[0],
            "could not construct metric 'bad': strconv.ParseFloat: "
            "parsing \"42x\": invalid syntax");
  EXPECT_NE(samples.problems[1].find("nothing"), std::string::npos) << samples.problems[1];
}

TEST(Metrics, OnlyRealtimeGaugesOfWhatRuns) {
  const std::string declared = R"([
      {"name": "live", "help": "h", "gauge": {"realtime": true, "value": "{{duration}}"}},
      {"name": "end", "help": "h", "counter": {"value": "1"}}])";
  EXPECT_EQ(lines_of(workflow(declared, "[]", R"(, "phase": "Running", "finishedAt": null)")),
            "live 18\n");
  EXPECT_EQ(lines_of(workflow(declared)), "end 1\nlive 3\n");
}

TEST(Metrics, ARealtimeGaugeIsADurationAndEveryMetricHasHelp) {
  const auto object = workflow(R"([
      {"name": "c", "help": "h", "gauge": {"realtime": true, "value": "5"}},
      {"name": "s", "help": "h", "gauge": {"realtime": true, "value": "{{ exitCode }}"}},
      {"name": "w", "help": "h", "gauge": {"realtime": true, "value": "{{workflow.duration}}"}},
      {"name": "n", "counter": {"value": "1"}}])");
  const Samples samples = samples_of(object);
  EXPECT_EQ(samples.samples.size(), 1U);
  EXPECT_EQ(samples.problems, (std::vector<std::string>{
                                  "real time metrics can only be used with metric variables",
                                  "'exitCode' is not available as a real time metric",
                                  "metric 'n' must contain a help string under 'help: ' field"}));
}

TEST(Metrics, AttemptsGroupsAndSkippedNodesAreNotMeasured) {
  const std::string declared = R"([{"name": "n", "help": "h", "counter": {"value": "1"}}])";
  EXPECT_EQ(lines_of(workflow(declared)), "n 1\n");
  for (const char* node : {R"(, "nodeFlag": {"retried": true})", R"(, "type": "TaskGroup")",
                           R"(, "phase": "Skipped")"}) {
    EXPECT_EQ(lines_of(workflow(declared, "[]", node)), "") << node;
  }
}

Sample sample(Sample::Kind kind, double value, std::int64_t second) {
  Sample s;
  s.name = "m";
  s.help = "a \\ b\nc";
  s.labels = {{"k", "say \"hi\"\n"}};
  s.kind = kind;
  s.buckets = kind == Sample::Kind::kHistogram ? std::vector{1.0, 2.5} : std::vector<double>{};
  s.value = value;
  s.at = at(second);
  return s;
}

TEST(Registry, CountersAddUpAndHistogramsCount) {
  using enum Sample::Kind;
  EXPECT_EQ(Registry({sample(kCounter, 1, 2), sample(kCounter, 2.5, 1)}).prometheus_text(),
            "# HELP argo_workflows_m a \\\\ b\\nc\n# TYPE argo_workflows_m counter\n"
            "argo_workflows_m{k=\"say \\\"hi\\\"\\n\"} 3.5\n");
  const Registry histogram(
      {sample(kHistogram, 1, 1), sample(kHistogram, 2, 1), sample(kHistogram, 9, 1)});
  EXPECT_EQ(histogram.prometheus_text(),
            "# HELP argo_workflows_m a \\\\ b\\nc\n# TYPE argo_workflows_m histogram\n"
            "argo_workflows_m_bucket{k=\"say \\\"hi\\\"\\n\",le=\"1\"} 1\n"
            "argo_workflows_m_bucket{k=\"say \\\"hi\\\"\\n\",le=\"2.5\"} 2\n"
            "argo_workflows_m_bucket{k=\"say \\\"hi\\\"\\n\",le=\"+Inf\"} 3\n"
            "argo_workflows_m_sum{k=\"say \\\"hi\\\"\\n\"} 12\n"
            "argo_workflows_m_count{k=\"say \\\"hi\\\"\\n\"} 3\n");
}

TEST(Registry, GaugesFollowTheirOperationInTheOrderOfTime) {
  Sample add = sample(Sample::Kind::kGauge, 5, 2);
  add.operation = Sample::Operation::kAdd;
  Sample sub = sample(Sample::Kind::kGauge, 1, 3);
  sub.operation = Sample::Operation::kSub;
  const Registry registry({sub, add, sample(Sample::Kind::kGauge, 10, 1)});
  EXPECT_EQ(registry.as_value().list()[0]["value"].as_float(), 14);
}

}  // namespace
}  // namespace tiphys::metrics
