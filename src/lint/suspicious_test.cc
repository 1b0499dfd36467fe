// Goal: what a run would fail on, or never do, is told before it runs; what is right is not.
#include <gtest/gtest.h>

#include <string>

#include "lint/lint.h"
#include "spec/manifest.h"

namespace tiphys::lint {
namespace {

std::string told_of(const std::string& text, bool warn_of_unused = false) {
  std::vector<diag::Diagnostic> findings;
  const auto manifests = spec::load_manifests("kind: Workflow\nmetadata: {name: w}\n" + text,
                                              "f.yaml", findings, spec::UnknownFields::kError);
  for (diag::Diagnostic& d :
       check({.manifests = manifests, .options = {.warn_of_unused = warn_of_unused}})) {
    findings.push_back(std::move(d));
  }
  std::string out;
  for (const auto& d : findings) {
    out += std::to_string(d.error.at.line) + ":" + std::to_string(d.error.at.column) + " " +
           d.error.message + (d.suggestion.empty() ? "" : "; " + d.suggestion) + "\n";
  }
  return out;
}

// A step `a-b` with a hook of this expression, which stands at 10:26.
std::string told_of_hook(const std::string& expression) {
  return told_of(
      "spec:\n"
      "  entrypoint: m\n"
      "  templates:\n"
      "  - name: m\n"
      "    steps:\n"
      "    - - name: a-b\n"
      "        template: t\n"
      "        hooks: {h: {expression: '" +
      expression +
      "', template: t}}\n"
      "  - {name: t, suspend: {}}\n");
}

TEST(Suspicious, KnowsWhatHooksReadAndItsTypes) {
  const auto told_of_task = [](const std::string& expression, const std::string& more = "") {
    return told_of(
        "spec:\n"
        "  entrypoint: m\n"
        "  templates:\n"
        "  - name: m\n"
        "    inputs: {parameters: [{name: q, value: x}]}\n"
        "    steps: [[{name: a, template: t" +
        more + ", hooks: {h: {expression: '" + expression +
        "', template: t}}}]]\n"
        "  - {name: t, container: {image: i, command: [c]}, outputs: {parameters: [{name: p, "
        "valueFrom: {path: /p}}]}}\n");
  };
  const std::string mend =
      "; parameters and results are texts: asInt() and asFloat() make numbers of them\n";
  EXPECT_EQ(told_of_task("workflow.duration > 5"),
            "8:62 the types in this expression do not fit: invalid operation: > (mismatched types "
            "string and int)" +
                mend);
  EXPECT_EQ(told_of_task("inputs.parameters.q == \"1\""), "");
  EXPECT_EQ(told_of_task("asInt(steps.a.outputs.result) > 3"), "");
  EXPECT_EQ(told_of_task("steps.a.outputs.parameters.p == \"1\""), "");
  EXPECT_EQ(told_of_task("inputs.parameters.z == \"1\""),
            "8:62 unknown variable 'inputs.parameters.z', which fails when this is evaluated; did "
            "you mean \"inputs.parameters.q\"?\n");
  EXPECT_EQ(told_of_task("steps.a.outputs.parameters.n == \"1\""),
            "8:70 unknown variable 'steps.a.outputs.parameters.n', which fails when this is "
            "evaluated; did you mean \"steps.a.outputs.parameters.p\"?\n");
  EXPECT_EQ(told_of_task("steps.a.status == \"Failed\"", ", withItems: [1]"),
            "8:78 'steps.a.status' is unknown in a hook of the loop itself, which fails when this "
            "is evaluated; name an item: steps[\"a(0:...)\"]\n");
  EXPECT_EQ(told_of_task("true"),
            "8:62 this always fires, and at once: it is true in every phase\n");
}

TEST(Suspicious, KnowsHooksThatNeverOrAlwaysFire) {
  const std::string self = "steps[\"a-b\"].status";
  EXPECT_EQ(told_of_hook(self + " == \"Running\""), "");
  EXPECT_EQ(told_of_hook(self + " in [\"Failed\", \"Error\"]"), "");
  EXPECT_EQ(told_of_hook("steps[\"a-b\"].outputs.exitCode == \"42\""), "");
  EXPECT_EQ(told_of_hook("workflow.name == \"x\""), "");
  EXPECT_EQ(told_of_hook(self + " == \"Failed\" && " + self + " == \"Error\""),
            "10:34 this never fires: no phase makes it true\n");
  EXPECT_EQ(told_of_hook(self + " == \"Skipped\""),
            "10:34 this never fires: no phase makes it true\n");
  EXPECT_EQ(told_of_hook(self + " != \"\""),
            "10:34 this always fires, and at once: it is true in every phase\n");
  EXPECT_EQ(told_of_hook("steps[\"a-b\"].outputs.exitCode == 1"),
            "10:34 this never fires: no phase makes it true; exit codes are texts: compare with == "
            "\"1\"\n");
  EXPECT_EQ(told_of_hook(self),
            "10:34 this is no condition: it gives a text, not true or false; compare it, e.g. with "
            "== \"Failed\"\n");
}

TEST(Suspicious, KnowsPhasesThatAreMisspelt) {
  EXPECT_EQ(told_of_hook("\"Fialed\" == steps[\"a-b\"].status"),
            "10:35 there is no phase \"Fialed\"; did you mean \"Failed\"?\n");
  EXPECT_EQ(told_of_hook("steps[\"a-b\"].status in [\"Failed\", \"Eror\"]"),
            "10:69 there is no phase \"Eror\"; did you mean \"Error\"?\n");
  EXPECT_EQ(told_of_hook("steps[\"a-b\"].status matches \"^F\""), "");
  EXPECT_EQ(told_of_hook("steps[\"a-b\"].status == Failed"),
            "10:57 unknown name 'Failed', which fails when this is evaluated; write \"Failed\", in "
            "quotes\n");
}

// The template `m` with these fields, which begin at 6:5.
std::string told_of_template(const std::string& fields) {
  return told_of("spec:\n  entrypoint: m\n  templates:\n  - name: m\n    " + fields);
}

TEST(Suspicious, KnowsValuesThatARunFailsOn) {
  EXPECT_EQ(told_of_template("suspend: {duration: soon}\n"),
            "7:25 unable to parse soon as a duration: time: invalid duration \"soon\"; write "
            "seconds, or units: 30s, 5m, 1h30m\n");
  EXPECT_EQ(told_of_template("suspend: {duration: '{{workflow.name}}'}\n"), "");
  EXPECT_EQ(told_of_template("http: {url: 'x.org/y', method: PSOT}\n"),
            "7:18 'x.org/y' is no URL of http or https; write https://x.org/y\n"
            "7:36 'PSOT' is no method of HTTP that servers know; did you mean \"POST\"?\n");
  EXPECT_EQ(
      told_of_template("http: {url: 'http://x', successCondition: response.statuscode < 9}\n"),
      "7:47 unknown name 'response.statuscode', which fails when this is evaluated; did you "
      "mean \"response.statusCode\"?\n");
  EXPECT_EQ(told_of_template("retryStrategy: {limit: three, expression: 'lastRety.exitCode > 1'}\n"
                             "    container: {image: i, command: [c]}\n"),
            "7:28 'three' is not a number\n"
            "7:48 unknown name 'lastRety', which fails when this is evaluated; did you mean "
            "\"lastRetry\"?\n");
  EXPECT_EQ(told_of_template("container: {image: i, command: [c], volumeMounts: [{name: v, "
                             "mountPath: /v}]}\n"),
            "7:63 there is no volume 'v' in this template or the workflow\n");
}

TEST(Suspicious, KnowsConditionsOfAnswersThatDoNotFit) {
  const auto told = [](const std::string& condition) {
    return told_of_template("http: {url: 'http://x', successCondition: \"" + condition + "\"}\n");
  };
  EXPECT_EQ(told("response.statusCode in [200, 201] and response.body contains 'ok'"), "");
  EXPECT_EQ(told("response.headers['A'][0] == 'x'"), "");
  EXPECT_EQ(told("response.statusCode == '200'"),
            "7:71 a status code is a number and never a text; leave out the quotes\n");
  EXPECT_EQ(told("response.statusCode"),
            "7:48 this is no condition: it gives neither true nor false; compare it, e.g. "
            "response.statusCode == 200\n");
}

TEST(Suspicious, KnowsConditionsAndLogicThatDoNotParse) {
  const std::string leaf = "  - {name: t, suspend: {}}\n";
  EXPECT_EQ(told_of_template("steps: [[{name: a, template: t, when: 'x == '}]]\n" + leaf),
            "7:44 Invalid 'when' expression 'x == ': Unexpected end of expression\n");
  EXPECT_EQ(
      told_of_template("steps: [[{name: a, template: t, when: '{{workflow.name}} > 3'}]]\n" + leaf),
      "");
  EXPECT_EQ(told_of_template("steps: [[{name: a, template: t, withParam: abc}]]\n" + leaf),
            "7:48 withParam is no JSON list; write a list such as '[\"a\", \"b\"]', or a tag that "
            "becomes one\n");
  EXPECT_EQ(
      told_of_template("steps: [[{name: a, template: t, when: '{{workflow.name}} = x'}]]\n" + leaf),
      "7:44 Invalid 'when' expression 'a = x': Invalid token: '=' (hint: try wrapping the "
      "affected expression in quotes (\")); compare with ==\n");
  EXPECT_EQ(told_of_template("dag: {tasks: [{name: a, template: t},\n"
                             "      {name: b, template: t, depends: 'a &&'}]}\n" +
                             leaf),
            "8:40 unable to evaluate expression '(a.Succeeded || a.Skipped || a.Daemoned) &&': "
            "unexpected token EOF (1:43)\n");
}

TEST(Suspicious, KnowsStrategiesThatAreMisspelt) {
  EXPECT_EQ(told_of("spec:\n  entrypoint: m\n  artifactGC: {strategy: OnWorkflowDelete}\n"
                    "  templates: [{name: m, suspend: {}}]\n"),
            "5:26 artifactGC.strategy unknown strategy 'OnWorkflowDelete'; did you mean "
            "\"OnWorkflowDeletion\"?\n");
}

TEST(Suspicious, KnowsTagsThatStayAsTheyAre) {
  EXPECT_EQ(told_of_template("container: {image: i, command: [c, '{{workflow.name}']}\n"),
            "7:41 this tag is never closed with }}, and so stays\n");
  EXPECT_EQ(told_of_template("container: {image: i, command: [c, '{{ not a tag']}\n"), "");
  EXPECT_EQ(told_of_template("container: {image: i, command: [c, '{{=sprig.trimm(workflow.name)}}']"
                             "}\n"),
            "7:44 there is no function 'sprig.trimm'; did you mean \"sprig.trim\"?\n");
  EXPECT_EQ(told_of_template("steps: [[{name: a, template: t, arguments: {parameters: [{name: p, "
                             "value: '{{item}}'}]}}]]\n"
                             "  - {name: t, inputs: {parameters: [{name: p}]}, suspend: {}}\n"),
            "7:80 {{item}} outside of a loop: this tag stays as it is; withItems, withParam or "
            "withSequence make a loop\n");
}

// The argument of a looped step, as this expression tag, whose source begins at 9:28.
std::string told_of_tag(const std::string& source) {
  return told_of_template(
      "inputs: {parameters: [{name: num, value: '1'}]}\n"
      "    steps: [[{name: a, template: t, withItems: [1], arguments: "
      "{parameters: [\n"
      "      {name: p, value: \"{{=" +
      source +
      "}}\"}]}}]]\n"
      "  - {name: t, inputs: {parameters: [{name: p}]}, suspend: {}}\n");
}

TEST(Suspicious, KnowsTypesInTagsThatDoNotFit) {
  const std::string lead = "the types in this expression do not fit: ";
  const std::string mend =
      "; parameters and results are texts: asInt() and asFloat() make numbers of them\n";
  EXPECT_EQ(told_of_tag("asInt(inputs.parameters.num) * 2"), "");
  EXPECT_EQ(told_of_tag("inputs.parameters.num + 'x'"), "");
  EXPECT_EQ(told_of_tag("steps.a.outputs.result[0]"), "");  // of a loop: may be a list
  EXPECT_EQ(told_of_tag("get(item, 'x') ?? len(item)"), "");
  EXPECT_EQ(told_of_tag("map([1], # + 1)[0] + int(inputs.parameters['num'])"), "");
  EXPECT_EQ(told_of_tag("let workflow1 = 3; workflow1 + 1"), "");
  EXPECT_EQ(told_of_tag("inputs.parameters.num * 2"),
            "9:50 " + lead + "invalid operation: * (mismatched types string and int)" + mend);
  EXPECT_EQ(told_of_tag("workflow.name == 3"),
            "9:42 " + lead + "invalid operation: == (mismatched types string and int)" + mend);
  EXPECT_EQ(told_of_tag("len(1)"), "9:28 " + lead + "invalid argument for len (type int)\n");
}

TEST(Suspicious, KnowsWhatTheExpressionOfARetryMayRead) {
  const auto told = [](const std::string& source) {
    return told_of_template(
        "container: {image: i, command: [c]}\n"
        "    retryStrategy: {limit: 3, expression: \"" +
        source + "\"}\n");  // it begins at 8:44
  };
  const std::string fails = ", which fails when this is evaluated; ";
  EXPECT_EQ(told("asInt(lastRetry.exitCode) > 1 && lastRetry.status == 'Error'"), "");
  EXPECT_EQ(told("lastRetry.message contains 'x' and asInt(retries) < 5"), "");
  EXPECT_EQ(told("lastRetry.exitCode > 1"),
            "8:63 the types in this expression do not fit: invalid operation: > (mismatched types "
            "string and int); parameters and results are texts: asInt() and asFloat() make numbers "
            "of them\n");
  EXPECT_EQ(told("lastRetry.exitcode == '1'"), "8:44 unknown variable 'lastRetry.exitcode'" +
                                                   fails +
                                                   "did you mean \"lastRetry.exitCode\"?\n");
  EXPECT_EQ(told("'7' == workflow.parameters.p"),
            "8:51 unknown variable 'workflow.parameters.p'" + fails +
                "only lastRetry and retries can be read here; write a tag, "
                "'{{workflow.parameters.p}}'\n");
  EXPECT_EQ(told("'{{workflow.name}}' == lastRetry.status"), "");
}

TEST(Suspicious, KnowsTheExpressionsOfOutputs) {
  const auto told = [](const std::string& output) {
    return told_of_template(
        "dag: {tasks: [{name: a, template: t}, {name: l, template: t, withItems: [1]}]}\n"
        "    outputs: {parameters: [{name: o, valueFrom: {expression: \"" +
        output +
        "\"}}]}\n"  // it begins at 8:63
        "  - {name: t, outputs: {parameters: [{name: p, valueFrom: {path: /p}}]}, container: "
        "{image: "
        "i, command: [c]}}\n");
  };
  const std::string fails = ", which fails when this is evaluated";
  EXPECT_EQ(told("tasks.a.outputs.parameters.p + '!' + workflow.name"), "");
  EXPECT_EQ(told("tasks['l(0:1)'].outputs.parameters.p"), "");
  EXPECT_EQ(told("tasks.l.outputs.parameters[0].p"), "");
  EXPECT_EQ(told("tasks.a.outputs.parameters.q"),
            "8:63 unknown variable "
            "'tasks.a.outputs.parameters.q'" +
                fails +
                "; did you mean "
                "\"tasks.a.outputs.parameters.p\"?\n");
  EXPECT_EQ(told("'' + steps.a.outputs.result"),
            "8:68 unknown variable 'steps.a.outputs.result'" + fails + "\n");
  EXPECT_EQ(told("tasks.a.phase"),
            "8:63 unknown variable 'tasks.a.phase'" + fails + "; did you mean \"status\"?\n");
  EXPECT_EQ(told("1 +"), "8:65 the expression cannot be read: unexpected token EOF\n");
}

TEST(Suspicious, KnowsMetricsThatAreNeverEmitted) {
  const auto told = [](const std::string& metric) {
    return told_of_template(
        "container: {image: i, command: [c]}\n"
        "    metrics: {prometheus: [{name: m, help: h, " +
        metric + "}]}\n");  // it begins at 8:47
  };
  const std::string counter = R"(counter: {value: "1"})";
  EXPECT_EQ(told("when: \"{{status}} == Failed && {{exitCode}} != 3\", " + counter), "");
  EXPECT_EQ(told("gauge: {value: \"{{resourcesDuration.cpu}}\"}"), "");
  EXPECT_EQ(told("when: \"{{statu}} == Failed\", " + counter),
            "8:54 unknown variable 'statu': this metric is never emitted; did you mean "
            "\"status\"?\n");
  EXPECT_EQ(told("when: \"{{status}} != Sucess\", " + counter),
            "8:68 there is no phase \"Sucess\"; did you mean \"Succeeded\"?\n");
  EXPECT_EQ(told("gauge: {realtime: true, value: \"{{duration}}\"}"), "");
  EXPECT_EQ(
      told("gauge: {realtime: true, value: \"5\"}"),
      "8:79 a realtime gauge can only be {{duration}} or {{workflow.duration}}: this metric is "
      "never emitted\n");
  EXPECT_EQ(told("gauge: {value: \"{{outputs.parameters.size}}\"}"),
            "8:63 unknown variable 'outputs.parameters.size': this metric is never emitted\n");
}

TEST(Suspicious, KnowsNamesInTagsThatAreNotThere) {
  const std::string tail = " in the expression of this tag";
  EXPECT_EQ(told_of_tag("'x' + inputs.parameters.nun"),
            "9:34 unknown variable 'inputs.parameters.nun'" + tail +
                "; did you mean \"inputs.parameters.num\"?\n");
  EXPECT_EQ(told_of_tag("tasks.a.status"), "9:28 unknown variable 'tasks.a.status'" + tail + "\n");
  EXPECT_EQ(told_of_tag("stepz.a.status"),
            "9:28 unknown name 'stepz'" + tail + "; did you mean \"steps\"?\n");
}

TEST(References, AreToldWhenTheyAreMissing) {
  std::vector<diag::Diagnostic> findings;
  const auto manifests = spec::load_manifests(
      "kind: Workflow\nmetadata: {name: w}\nspec:\n  entrypoint: m\n  templates:\n"
      "  - name: m\n    container:\n      image: i\n      command: [c]\n      env:\n"
      "      - {name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}\n"
      "      - {name: B, valueFrom: {secretKeyRef: {name: s, key: l}}}\n"
      "      - {name: C, valueFrom: {configMapKeyRef: {name: c, key: l}}}\n"
      "      - {name: D, valueFrom: {configMapKeyRef: {name: c, key: l, optional: true}}}\n"
      "    inputs: {parameters: [{name: p, valueFrom: {configMapKeyRef: {name: c, key: l}, "
      "default: "
      "d}}]}\n",
      "f.yaml", findings, spec::UnknownFields::kError);
  const FindKeys keys = [](std::string_view kind,
                           std::string_view name) -> std::optional<std::set<std::string>> {
    if (kind == "Secret" && name == "s") return std::set<std::string>{"k"};
    return std::nullopt;
  };
  std::string out;
  for (const auto& d : check({.manifests = manifests, .options = {.find_keys = keys}})) {
    out += std::to_string(d.error.at.line) + " " + d.error.message + "\n";
  }
  EXPECT_EQ(out,
            "12 Secret 's' has no key 'l': what reads it will fail\n"
            "13 there is no ConfigMap 'c': what reads it will fail\n");
}

TEST(Unused, IsToldByLintOnly) {
  const std::string text =
      "spec:\n"
      "  entrypoint: m\n"
      "  arguments:\n"
      "    parameters:\n"
      "    - {name: a, value: 1}\n"
      "    - {name: b, value: 1}\n"
      "    - {name: db-password, value: hunter2}\n"
      "  templates:\n"
      "  - name: m\n"
      "    steps: [[{name: s, template: t, onExit: x, arguments: {parameters: [\n"
      "      {name: p, value: "
      "'{{workflow.parameters.a}}{{workflow.parameters.db-password}}'}]}}]]\n"
      "  - name: t\n"
      "    inputs: {parameters: [{name: p}]}\n"
      "    container: {image: i, command: [c]}\n"
      "  - {name: x, suspend: {}}\n"
      "  - {name: yy, suspend: {}}\n";
  EXPECT_EQ(told_of(text), "");
  EXPECT_EQ(told_of(text, true),
            "9:34 the value of 'db-password' is stored and shown with the workflow; keep it in a "
            "Secret and read it with env.valueFrom.secretKeyRef\n"
            "12:37 onExit of steps is deprecated; write hooks: {exit: {template: x}}\n"
            "15:34 input parameter 'p' of template 't' is never read\n"
            "8:14 workflow parameter 'b' is never read\n"
            "18:12 template 'yy' is never reached\n");
}

}  // namespace
}  // namespace tiphys::lint
