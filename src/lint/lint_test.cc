// Lint must refuse what Argo refuses, in its words, accept what Argo runs, and warn of hooks that
// cannot work.
#include "lint/lint.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "value/json.h"

namespace tiphys::lint {
namespace {

using diag::Diagnostic;
using diag::Severity;

constexpr const char* kHead =
    "apiVersion: argoproj.io/v1alpha1\n"
    "kind: Workflow\n"
    "metadata: {name: w}\n";

std::string shown(const Diagnostic& d) {
  return fmt::format("{}{}:{} {}{}{}\n", d.severity == Severity::kWarning ? "warning " : "",
                     d.error.at.line, d.error.at.column, d.error.message,
                     d.suggestion.empty() ? "" : "; ", d.suggestion);
}

/// What lint says about the text; the head's three lines count.
std::string lint_of(std::string_view text, const FindStored& find_stored = {}) {
  std::vector<Diagnostic> findings;
  const auto manifests = spec::load_manifests(kHead + std::string(text), "f.yaml", findings);
  for (Diagnostic& d : check({manifests, find_stored, {}})) findings.push_back(std::move(d));
  std::string out;
  for (const Diagnostic& d : findings) out += shown(d);
  return out;
}

/// The message with which a run of the text fails; empty when it may begin.
std::string run_of(std::string_view text) {
  std::vector<Diagnostic> findings;
  const auto manifests = spec::load_manifests(kHead + std::string(text), "f.yaml", findings);
  if (manifests.empty()) return "not loaded: " + findings.front().error.message;
  const auto valid = validate_workflow(manifests.front().object, {});
  return valid ? "" : valid.error().message;
}

TEST(Lint, AcceptsASoundWorkflow) {
  const char* text =
      "spec:\n"
      "  entrypoint: m\n"
      "  arguments: {parameters: [{name: p}]}\n"
      "  hooks:\n"
      "    done: {expression: 'workflow.status == \"Succeeded\"', template: t,\n"
      "           arguments: {parameters: [{name: x, value: '{{workflow.failures}}'}]}}\n"
      "  templates:\n"
      "  - name: m\n"
      "    steps:\n"
      "    - - {name: a-b, template: t, withItems: [1, 2],\n"
      "         arguments: {parameters: [{name: x, value: '{{item}} "
      "{{workflow.parameters.p}}'}]},\n"
      "         hooks: {r: {expression: 'steps[\"a-b(0:1)\"].status == \"Running\"', template: "
      "k}}}\n"
      "  - name: t\n"
      "    inputs: {parameters: [{name: x}]}\n"
      "    script: {image: i, source: 'echo {{inputs.parameters.x}} {{other}}'}\n"
      "  - {name: k, http: {url: 'http://127.0.0.1/{{workflow.name}}'}}\n";
  EXPECT_EQ(lint_of(text), "");
  // A run wants values for all arguments.
  EXPECT_EQ(run_of(text), "spec.arguments.p.value or spec.arguments.p.valueFrom is required");
}

struct Case {
  const char* spec;
  const char* message;
};

void expect_first(const Case& c) {
  const std::string got = lint_of(fmt::format("spec: {}\n", c.spec));
  EXPECT_EQ(got.substr(0, got.find('\n')), c.message) << c.spec;
}

TEST(Lint, RefusesWhatArgoRefuses) {
  const Case cases[] = {
      {"{templates: [{name: m, suspend: {}}]}", "4:7 spec.entrypoint is required"},
      {"{entrypoint: x, templates: [{name: xx, suspend: {}}]}",
       "4:20 template name 'x' undefined; did you mean \"xx\"?"},
      {"{entrypoint: m, templates: [{name: m, suspend: {}}, {name: m, suspend: {}}]}",
       "4:66 spec.templates[1].name 'm' is not unique"},
      {"{entrypoint: m, templates: [{name: m_, suspend: {}}]}",
       "4:42 spec.templates[0].name: 'm_' is invalid: name must consist of alpha-numeric "
       "characters or '-', and must start with an alpha-numeric character (e.g. My-name1-2, "
       "123-NAME)"},
      {"{entrypoint: m, hooks: {x: {template: m}}, templates: [{name: m, suspend: {}}]}",
       "4:31 hooks.x Expression required"},
      {"{entrypoint: m, onExit: z, templates: [{name: m, suspend: {}}]}",
       "4:31 template name 'z' undefined"},
      {"{entrypoint: m, templates: [{name: m, container: {image: i, args: ['{{workflow.nam}}']}}]}",
       "4:75 templates.m: failed to resolve {{workflow.nam}}; did you mean \"workflow.name\"?"},
      {"{entrypoint: m, templates: [{name: m, steps: [[{name: a, template: k}]]}]}",
       "4:74 templates.m.steps[0].a template name 'k' undefined"},
      {"{entrypoint: m, templates: [{name: m, dag: {tasks: [{name: a, template: k, depends: b},"
       "{name: b, template: k, depends: a}]}}, {name: k, suspend: {}}]}",
       "4:59 templates.m sorting failed: graph with cycle; the cycle is a->b->a"},
      {"{entrypoint: m, templates: [{name: m, dag: {tasks: [{name: a1, template: k},"
       "{name: b, template: k, depends: a2}]}}, {name: k, suspend: {}}]}",
       "4:115 templates.m sorting failed: invalid dependency a2; did you mean \"a1\"?"},
      {"{entrypoint: m, templates: [{name: m, dag: {tasks: [{name: a, template: k},"
       "{name: b, template: k, depends: 'a.Failed || aa'}]}}, {name: k, suspend: {}}]}",
       "4:127 templates.m sorting failed: invalid dependency aa"},
      {"{entrypoint: m, templates: [{name: m, dag: {tasks: [{name: a, template: k},"
       "{name: b, template: k, dependencies: [a, c]}]}}, {name: k, suspend: {}}]}",
       "4:123 templates.m sorting failed: invalid dependency c"},
      {"{entrypoint: m, templates: [{name: m, dag: {tasks: [{name: a, template: k},"
       "{name: b, template: k, depends: '!a.Succeded'}]}}, {name: k, suspend: {}}]}",
       "4:118 templates.m.tasks.b task result 'Succeded' for task 'a' is invalid; did "
       "you mean \"Succeeded\"?"},
      {"{entrypoint: m, templates: [{name: m, steps: [[{name: a, template: k}]]},"
       "{name: k, inputs: {parameters: [{name: q}]}, suspend: {}}]}",
       "4:112 templates.m.steps[0].a templates.k inputs.parameters.q was not supplied"},
      {"{entrypoint: m, templates: [{name: m, container: {image: i},"
       "outputs: {parameters: [{name: o, valueFrom: {}}]}}]}",
       "4:111 valueFrom type unspecified. choose one of: path, jqFilter, jsonPath, parameter, raw, "
       "expression"},
  };
  for (const Case& c : cases) expect_first(c);
}

TEST(Lint, RefusesLeavesThatArgoRefuses) {
  const Case cases[] = {
      {"{entrypoint: m, templates: [{name: m, containerSet: {containers: ["
       "{name: a, image: i, dependencies: [b]}, {name: b, image: i, dependencies: [a]}]}}]}",
       "4:107 templates.m.containerSet.containers dependency cycle detected: a->b->a"},
      {"{entrypoint: m, templates: [{name: m, containerSet: {containers: [{name: main, image: i}],"
       "volumeMounts: [{name: v, mountPath: /x}, {name: w, mountPath: /x}]}}]}",
       "4:138 templates.m.containerSet.volumeMounts[1].mountPath '/x' already mounted in "
       "volumeMounts.v"},
      {"{entrypoint: m, templates: [{name: m, dag: {tasks: [{name: a, inline: {suspend: {}},"
       "template: gone}]}}]}",
       "4:101 templates.m.tasks.a template name 'gone' undefined"},
      {"{entrypoint: m, templates: [{name: m, dag: {tasks: [{name: a, inline: {suspend: {}}},"
       "null]}}]}",
       "warning 4:92 spec.templates[0].dag.tasks[1] is null"},
      {"{entrypoint: m, templates: [{name: m, plugin: {a: {}, b: {}}}]}",
       "4:53 expected exactly one key, got 2"},
      {"{entrypoint: m, executorPlugins: [{metadata: {name: x}, spec: {sidecar: {container: "
       "{image: i, ports: [{containerPort: 1}], resources: {requests: {}, limits: {}}}}}}],"
       "templates: [{name: m, suspend: {}}]}",
       "4:41 spec.executorPlugins: security context is mandatory"},
      // A value may come at submission, but Argo's lint wants one here.
      {"{entrypoint: m, arguments: {parameters: [{name: p}]},"
       "templates: [{name: m, inputs: {parameters: [{name: p}]}, suspend: {}}]}",
       "4:104 templates.m inputs.parameters.p was not supplied"},
      {"{entrypoint: m, templates: [{name: m, plugin: x}]}",
       "4:53 a plugin is one key, its name, with what it is given: {name: {}}"},
      {"{entrypoint: m, podMetadata: {labels: {a: '{{steps.a.ip}}'}},"
       "templates: [{name: m, container: {image: i}}]}",
       "4:50 templates.m: failed to resolve {{steps.a.ip}}"},
  };
  for (const Case& c : cases) expect_first(c);
}

TEST(Lint, ANullInAListIsAnEmptyElement) {
  EXPECT_EQ(lint_of("spec: {entrypoint: m, templates: [{name: m, inputs: {artifacts: [null]},"
                    " suspend: {}}]}\n"),
            "warning 4:66 spec.templates[0].inputs.artifacts[0] is null\n"
            "4:66 templates.m.inputs.artifacts[0].name is required\n");
}

TEST(Lint, WarnsOfTagsWithoutAnEnd) {
  EXPECT_EQ(lint_of("spec: {entrypoint: m, templates: [{name: m, steps: [[{name: a, template: k,"
                    " arguments: {parameters: [{name: p, value: '{{x}} {{y'}]}}]]},"
                    "{name: k, inputs: {parameters: [{name: p}]}, suspend: {}}]}\n"),
            "warning 4:126 a tag begins here and has no end; write }} behind its name\n");
}

TEST(Lint, KnowsOneVersionOfTheObjects) {
  const auto found = [](const char* version) {
    std::vector<Diagnostic> findings;
    const auto manifests = spec::load_manifests(
        fmt::format("apiVersion: {}\nkind: WorkflowTemplate\nmetadata: {{name: t}}\nspec: {{}}\n",
                    version),
        "f.yaml", findings);
    const auto told = check({manifests});
    return told.empty() ? "" : shown(told.front());
  };
  EXPECT_EQ(found("argoproj.io/v1alpha1"), "");
  EXPECT_EQ(found("argoproj.io/v1"),
            "warning 1:13 a cluster does not know the apiVersion 'argoproj.io/v1'; write "
            "argoproj.io/v1alpha1\n");
  EXPECT_EQ(found("a/b/c"),
            "1:13 unexpected GroupVersion string: a/b/c; write "
            "argoproj.io/v1alpha1\n");
}

TEST(Lint, LimitsTheNamesOfTemplates) {
  const std::string name(64, 'a');
  std::vector<Diagnostic> findings;
  const auto manifests = spec::load_manifests(
      fmt::format("kind: ClusterWorkflowTemplate\nmetadata: {{name: {}}}\nspec: {{}}\n", name),
      "f.yaml", findings);
  EXPECT_EQ(shown(check({manifests}).at(0)),
            fmt::format("2:18 cluster workflow template name \"{}\" must not be more than 63 "
                        "characters long (currently 64)\n",
                        name));
}

TEST(Lint, GoesOnAfterTheFirstFault) {
  EXPECT_EQ(
      lint_of("spec:\n"
              "  entrypoint: m\n"
              "  templates:\n"
              "  - name: m\n"
              "    steps:\n"
              "    - - {name: a, template: gone}\n"
              "    - - {name: b, template: t, arguments: {parameters: [{name: x,\n"
              "           value: '{{steps.a.outputs.result}} {{steps.c.outputs.result}}'}]}}\n"
              "  - name: t\n"
              "    inputs: {parameters: [{name: x}]}\n"
              "    container: {args: [x]}\n"),
      "9:29 templates.m.steps[0].a template name 'gone' undefined\n"
      "14:16 templates.m.steps[1].b templates.t.container.image may not be empty\n"
      "11:47 templates.m.steps failed to resolve {{steps.c.outputs.result}}\n");
}

TEST(Lint, FindsTemplatesInOtherManifestsAndInTheStore) {
  const char* text =
      "spec: {entrypoint: m, templates: [{name: m, steps: [[\n"
      "  {name: a, templateRef: {name: beside, template: t}},\n"
      "  {name: b, templateRef: {name: stored, template: t}}]]}]}\n"
      "---\n"
      "kind: WorkflowTemplate\n"
      "metadata: {name: beside}\n"
      "spec: {templates: [{name: t, suspend: {}}]}\n";
  const FindStored stored = [](std::string_view kind, std::string_view, std::string_view name) {
    std::optional<value::Value> found;
    if (kind != "WorkflowTemplate" || name != "stored") return found;
    std::vector<Diagnostic> findings;
    found = spec::load_manifests(
                "kind: WorkflowTemplate\nspec: {templates: [{name: t, suspend: {}}]}", "", findings)
                .front()
                .object;
    return found;
  };
  EXPECT_EQ(lint_of(text, stored), "");
  EXPECT_EQ(lint_of(text), "6:26 templates.m.steps[0].b template reference stored.t not found\n");
}

TEST(Lint, WarnsOfValuesThatTheReferencedTemplateDoesNotAllow) {
  const auto find = [](std::string_view kind, std::string_view,
                       std::string_view name) -> std::optional<value::Value> {
    if (kind != "WorkflowTemplate" || name != "wt") return std::nullopt;
    return value::parse_json(R"({"spec": {"entrypoint": "m", "arguments": {"parameters": [
        {"name": "size", "value": "small", "enum": ["small", "large"]}, {"name": "free"}]},
        "templates": [{"name": "m", "container": {"image": "x", "command": ["y"]}}]}})")
        .value();
  };
  const auto lint_with = [&](const std::string& parameters) {
    return lint_of("spec:\n  workflowTemplateRef: {name: wt}\n  arguments: {parameters: [" +
                       parameters + "]}\n",
                   find);
  };
  EXPECT_EQ(lint_with("{name: free, value: x}, {name: size, value: huge}"),
            "warning 6:72 WorkflowTemplate 'wt' allows small, large for 'size', not 'huge'\n");
  EXPECT_EQ(lint_with("{name: size, value: large}, {name: free, value: x}"), "");
  EXPECT_EQ(lint_with("{name: size, value: huge, enum: [huge]}, {name: free, value: x}"), "");
}

TEST(Lint, WarnsOfHooksThatCannotWork) {
  EXPECT_EQ(
      lint_of("spec:\n"
              "  entrypoint: m\n"
              "  hooks:\n"
              "    a: {expression: 'workflow.status == \"Success\"', template: tt}\n"
              "    b: {expression: 'steps.x.status == \"Failed\"', template: t}\n"
              "    c: {expression: 'workflow.status ==', template: t}\n"
              "  templates:\n"
              "  - name: m\n"
              "    steps:\n"
              "    - - name: my-step\n"
              "        template: t\n"
              "        hooks:\n"
              "          r: {expression: 'steps.my-step.status == \"Running\"', template: t}\n"
              "          s: {expression: 'workflow.status == \"Failed\"', template: t}\n"
              "          u: {expression: 'steps[\"my-stp\"].status == \"Failed\"', template: t}\n"
              "  - {name: t, suspend: {}}\n"),
      "warning 7:63 template name 'tt' undefined: this hook fails when it fires\n"
      "warning 7:42 there is no phase \"Success\"; did you mean \"Succeeded\"?\n"
      "warning 8:22 'steps.x.status' is unknown in hooks of the workflow, which fails when this is "
      "evaluated\n"
      "warning 9:39 the expression cannot be read: unexpected token EOF\n"
      "warning 16:28 'steps.my-step' is read as a subtraction, because of the dash; write "
      "steps[\"my-step\"]\n"
      "warning 17:28 this never fires: workflow.status is \"Running\" while steps run, not "
      "\"Failed\"; use steps[\"my-step\"].status, or a hook of the workflow\n"
      "warning 18:35 this never fires: there is no step 'my-stp' before or at this one; did you "
      "mean \"my-step\"?\n");
}

TEST(Lint, ResourceTemplatesAreErrorsWithoutACluster) {
  const auto found = [](const char* resource) {
    return lint_of(std::string("spec: {entrypoint: m, templates: [{name: m, resource: {\n  ") +
                   resource + "}}]}\n");
  };
  EXPECT_EQ(found("action: get, manifest: '{apiVersion: v1, kind: Pod, metadata: {name: p}}'"),
            "4:45 template 'm': its objects are a Kubernetes cluster's, and there is none here "
            "(steps run there with --executor kubernetes)\n");
  EXPECT_EQ(found("action: delete, flags: [jobs, x]"),
            "4:45 template 'm': its objects are a Kubernetes cluster's, and there is none here "
            "(steps run there with --executor kubernetes)\n");
  // The engine's own.
  EXPECT_EQ(found("action: delete, flags: [cm, x]"), "");
  EXPECT_EQ(found("action: create, manifest: '{apiVersion: argoproj.io/v1alpha1, kind: Workflow, "
                  "metadata: {generateName: \"{{workflow.name}}-\"}}'"),
            "");
}

TEST(Lint, ReadsFlagsConditionsAndPathsOfResourceTemplates) {
  const auto found = [](const char* rest) {
    return lint_of(std::string("spec: {entrypoint: m, templates: [{name: m, resource: {\n"
                               "  action: get, flags: [cm, x]") +
                   rest + "]}\n");
  };
  EXPECT_TRUE(found(",\n  successCondition: a ~ b}}")
                  .starts_with("6:3 template 'm': success condition 'a ~ b' failed to parse: "))
      << found(",\n  successCondition: a ~ b}}");
  EXPECT_EQ(found("}, outputs: {parameters: [{name: o, valueFrom: {jsonPath: .a}}]}}"),
            "warning 4:45 template 'm': jsonPath '.a' of output parameter 'o' has no braces, so it "
            "stands "
            "for itself: write '{.a}'\n");
  EXPECT_EQ(
      lint_of("spec: {entrypoint: m, templates: [{name: m, resource: {\n"
              "  action: delete, flags: [cm, --wait=maybe, x]}}]}\n"),
      "4:45 template 'm': this cannot be carried out: no more retries error: invalid argument "
      "\"maybe\" for \"--wait\" flag: want true or false\n");
}

TEST(Lint, WarnsOfFeaturesThatHaveNoEffect) {
  const std::string got = lint_of(
      "spec: {entrypoint: m, templates: [{name: m, plugin: {p: {}}, hostAliases: [{ip: i}], "
      "memoize: "
      "{key: k, maxAge: 1h,\n"
      "  cache: {configMap: {name: c}}}}]}\n");
  EXPECT_NE(got.find("template 'm': hostAliases is not acted on yet"), std::string::npos) << got;
  EXPECT_EQ(got.find("memoize"), std::string::npos) << got;
}

// A run is not stopped by a template beside it that Kubernetes would have stored as well.
TEST(Lint, MayWarnOfFaultsBesideTheWorkflow) {
  std::vector<Diagnostic> findings;
  const auto manifests = spec::load_manifests(
      "kind: WorkflowTemplate\nmetadata: {name: t}\nspec: {templates: [{suspend: {}}]}\n", "f.yaml",
      findings);
  Options options;
  EXPECT_EQ(shown(check({manifests, {}, options}).at(0)),
            "3:20 spec.templates[0].name is required\n");
  options.is_run = true;
  EXPECT_EQ(shown(check({manifests, {}, options}).at(0)),
            "warning 3:20 spec.templates[0].name is required\n");
}

TEST(Lint, HoldsCronWorkflowsToTheirRules) {
  const char* text =
      "kind: CronWorkflow\n"
      "metadata: {name: c}\n"
      "spec:\n"
      "  schedules: ['10 * * 127 *']\n"
      "  timezone: Mars/Base\n"
      "  concurrencyPolicy: Never\n"
      "  workflowSpec: {entrypoint: x, templates: [{name: m, suspend: {}}]}\n";
  std::vector<Diagnostic> findings;
  const auto manifests = spec::load_manifests(text, "f.yaml", findings);
  std::string out;
  for (const Diagnostic& d : check({manifests})) out += shown(d);
  EXPECT_EQ(out,
            "4:16 cron schedule 10 * * 127 * is malformed: end of range (127) above maximum (12): "
            "127\n"
            "5:13 invalid timezone \"Mars/Base\": unknown time zone Mars/Base\n"
            "6:22 'Never' is not a valid concurrencyPolicy\n"
            "7:30 cannot validate Workflow: template name 'x' undefined\n");
}

std::string read(const std::filesystem::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// Lints each file of a folder; `may_fail` says which may have errors.
void lint_folder(const std::string& folder,
                 const std::function<bool(const std::filesystem::path&)>& may_fail) {
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no " << folder;
  std::vector<Diagnostic> ignored;
  const auto shared = spec::load_manifests(read("../shared/conformance/golden/objects.yaml"),
                                           "objects.yaml", ignored);
  const FindStored stored = [&](std::string_view kind, std::string_view, std::string_view name) {
    std::optional<value::Value> found;
    for (const auto& m : shared) {
      if (m.kind == kind && m.name == name) found = m.object;
    }
    return found;
  };
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto& path = entry.path();
    if (path.extension() != ".yaml" || may_fail(path)) continue;
    std::vector<Diagnostic> findings;
    const auto manifests =
        spec::load_manifests(read(path), path.filename(), findings, spec::UnknownFields::kWarning);
    for (Diagnostic& d : check({manifests, stored, {}})) findings.push_back(std::move(d));
    for (const Diagnostic& d : findings) {
      EXPECT_EQ(d.severity, Severity::kWarning) << path << ": " << shown(d);
    }
    ++count;
  }
  EXPECT_GT(count, 0);
}

// No workflow that Argo accepted may be refused.
TEST(Lint, AcceptsTheConformanceSet) {
  lint_folder("../shared/conformance/golden", [](const std::filesystem::path& path) {
    std::filesystem::path state = path;
    state.replace_extension("json");
    return path.filename() == "objects.yaml" ||
           read(state).find("\"rejected\"") != std::string::npos;
  });
}

TEST(Lint, AcceptsTheHookCases) {
  lint_folder("../shared/semantics/cases", [](const std::filesystem::path& path) {
    const std::string name = path.filename();
    return name.starts_with("19-") || name.starts_with("20-");
  });
}

}  // namespace
}  // namespace tiphys::lint
