"""What a workflow would do, before it does anything; and what lint tells other programs."""
import json
from xml.etree import ElementTree

from engine import EXAMPLES, EngineTest

HOOK = """apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  name: w
spec:
  entrypoint: main
  hooks:
    bad:
      expression: workflow.status == "Fialed"
      template: main
  templates:
    - name: main
      container: {image: alpine, command: [echo, hello]}
"""


class Simulate(EngineTest):
    def simulated(self, *words):
        p = self.call("simulate", "-o", "json", EXAMPLES / "hooks-dag.yaml", *words, ok=None)
        return p, json.loads(p.stdout)

    def test_it_shows_the_requests_of_hooks(self):
        p, got = self.simulated("--duration", "build=90s")
        self.assertEqual([(r["at"], r["method"], r["url"].rsplit("18080")[1]) for r in got["requests"]],
                         [("0s", "POST", "/build/running"), ("90s", "POST", "/build/succeeded"),
                          ("92s", "POST", "/deploy/succeeded")])
        self.assertEqual(p.returncode, 0)
        self.assertEqual(got["workflow"]["status"]["phase"], "Succeeded")

    def test_a_failure_fires_other_hooks(self):
        _, got = self.simulated("--fail", "deploy=4", "--output-parameter", "report.result=done")
        self.assertIn("http://127.0.0.1:18080/deploy/failed", [r["url"] for r in got["requests"]])

    def test_parameters_may_be_numbers(self):
        self.write("count.yaml", """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: count}
spec:
  entrypoint: main
  arguments: {parameters: [{name: count, value: "1"}]}
  templates:
  - name: main
    steps:
    - - {name: a, template: leaf, when: "{{workflow.parameters.count}} == 5"}
  - name: leaf
    container: {image: x}
""")
        test = self.write("count.test.yaml", "files: [count.yaml]\nparameters: {count: 5}\n"
                          "tests:\n- name: five\n  expect: {nodes: {a: Succeeded}}\n")
        self.call("test", test)

    def test_a_test_that_is_misspelt_does_not_pass(self):
        text = f"files: [{EXAMPLES}/hooks-dag.yaml]\ntests:\n- {{name: a, CASE}}\n"
        for case, wrong in (("givn: {}, expect: {phase: Succeeded}", "3:13: error: a case has no field 'givn'"),
                            ("given: {build: {fail: 1}}", "3:3: error: this case expects nothing"),
                            ("expect: {phase: Sucess}", "3:29: error: there is no phase 'Sucess'")):
            test = self.write("a.test.yaml", text.replace("CASE", case))
            self.assertIn(f"a.test.yaml:{wrong}", self.call("test", test, ok=False).stderr)

    def test_what_cannot_run_is_an_error_beside_the_others(self):
        self.write("a.test.yaml", "files: [none.yaml]\ntests: [{name: a, expect: {phase: Failed}}]\n")
        self.write("b.test.yaml", "files: [none.yaml]\ntests: [{name: b, expct: {phase: Failed}}]\n")
        self.write("c.test.yaml", "files: [none.yaml]\ntests: [{name: c\n")
        files = [self.home / f"{name}.test.yaml" for name in "abcd"]
        p = self.call("test", "--junit", self.home / "r.xml", *files, EXAMPLES / "hooks-dag.test.yaml", ok=False)
        self.assertIn("2 passed, 0 failed, 4 broken", p.stdout)
        self.assertIn(f"BROKEN {files[1]}\n", p.stdout)
        suites = ElementTree.parse(self.home / "r.xml").getroot()
        self.assertEqual([(s.get("failures"), s.get("errors")) for s in suites], [("0", "1")] * 4 + [("0", "0")])
        errors = [s.find("testcase/error").get("message") for s in suites[:4]]
        for part, error in zip(("none.yaml", "b.test.yaml:2:19: a case has no field 'expct'", "c.test.yaml:",
                                "d.test.yaml"), errors):
            self.assertIn(part, error)

    def test_an_output_that_nobody_supplies_is_told(self):
        self.write("ask.yaml", """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: ask}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: ask, template: ask}
  - name: ask
    suspend: {}
    outputs: {parameters: [{name: choice, valueFrom: {supplied: {}}}]}
""")
        p = self.call("simulate", self.home / "ask.yaml", ok=None)
        self.assertEqual(p.returncode, 1)
        self.assertIn("error: 'ask' waits for its output parameter 'choice', which nobody supplies: give "
                      "--output-parameter 'ask.choice=VALUE'", p.stderr)
        self.call("simulate", "--output-parameter", "ask.choice=YES", self.home / "ask.yaml")
        test = self.write("ask.test.yaml", "files: [ask.yaml]\ntests:\n"
                          "- {name: a, given: {ask: {outputs: {choice: YES}}}, expect: {phase: Succeeded}}\n"
                          "- {name: b, expect: {phase: Failed}}\n")
        p = self.call("test", test, ok=False)
        self.assertIn("\n       'ask' waits for its output parameter 'choice'", p.stdout)

    def test_nothing_is_stored_and_it_is_the_same_each_time(self):
        first = self.simulated("--seed", "7")[1]
        self.assertEqual(first, self.simulated("--seed", "7")[1])
        self.assertIn("No workflows found", self.call("list").stdout)

    def test_all_outcomes(self):
        p = self.call("simulate", "--all-outcomes", EXAMPLES / "hooks-dag.yaml")
        lines = [" ".join(line.split()) for line in p.stdout.splitlines()]
        self.assertIn("nothing fails Succeeded fires: build.hooks.running, build.hooks.success, deploy.hooks.success",
                      lines)
        self.assertIn("fails: deploy, report Failed fires: build.hooks.running, build.hooks.success, "
                      "deploy.hooks.failure, report.onExit", lines)

    def test_outcomes_are_asserted(self):
        report = self.home / "junit.xml"
        p = self.call("test", "--junit", report, EXAMPLES / "hooks-dag.test.yaml")
        self.assertIn("2 passed, 0 failed", p.stdout)
        self.assertEqual(ElementTree.parse(report).find("testsuite").get("tests"), "2")

    def test_what_differs_is_told(self):
        text = f"""files: ['{EXAMPLES / "hooks-dag.yaml"}']
tests:
  - name: a & b
    given: {{build: {{fail: 2}}}}
    expect: {{phase: Succeeded, hooks: [build.hooks.success], nodes: {{deploy: Omitted}}}}
"""
        report = self.home / "junit.xml"
        p = self.call("test", "--junit", report, self.write("w.test.yaml", text), ok=False)
        self.assertIn("phase: want 'Succeeded', got 'Failed'", p.stdout)
        self.assertIn("hook build.hooks.success did not fire", p.stdout)
        self.assertIn("hook build.hooks.running fired", p.stdout)
        case = ElementTree.parse(report).find("testsuite/testcase")
        self.assertEqual(case.get("name"), "a & b")
        self.assertIn("phase", case.find("failure").get("message"))
        p = self.call("test", self.write("w.test.yaml", text.replace("fail: 2", "fails: 2")), ok=False)
        self.assertIn("given.build has no field 'fails'", p.stderr)


class LintForPrograms(EngineTest):
    def test_json(self):
        p = self.call("lint", "-o", "json", self.write("w.yaml", HOOK))
        found = json.loads(p.stdout)
        self.assertEqual([(f["line"], f["column"], f["severity"], f["suggestion"]) for f in found],
                         [(9, 39, "warning", 'did you mean "Failed"?')])

    def test_annotations(self):
        p = self.call("lint", "-o", "github", self.write("w.yaml", HOOK))
        self.assertRegex(p.stdout, r'^::warning file=.*w\.yaml,line=9,col=39::there is no phase "Fialed"')

    def test_no_line_of_a_secret_is_shown(self):
        text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: 1234567, b: hunter22}\n"
        p = self.call("apply", "-f", self.write("s.yaml", text), ok=False)
        self.assertIn("s.yaml:4:", p.stderr)
        self.assertNotIn("1234567", p.stdout + p.stderr)
        self.assertNotIn("hunter22", p.stdout + p.stderr)
