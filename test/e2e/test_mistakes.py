"""What a user gets for a mistake: the place, the cause, exit code 1, and nothing is run."""
from engine import EngineTest

GOOD = """apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  name: w
spec:
  entrypoint: main
  templates:
    - name: main
      steps:
        - - name: a
            template: echo
    - name: echo
      container:
        image: alpine
        command: [echo, hello]
"""


class Mistakes(EngineTest):
    def refused(self, old, new, *words, verb="run"):
        """GOOD with `old` replaced is refused at FILE:LINE:, and stderr (lint: stdout) holds the words."""
        self.assertEqual(GOOD.count(old), 1, "the test's own text")
        path = self.write("w.yaml", GOOD.replace(old, new))
        p = self.call(verb, path, ok=False)
        self.assertEqual(p.returncode, 1)
        text = p.stdout + p.stderr
        for word in words:
            self.assertRegex(text, word)
        self.assertNotIn("terminate called", text)
        if verb != "lint":
            self.assertIn("No workflows found", self.call("list").stdout, "nothing was stored")

    def test_the_good_one_runs(self):
        wf = self.run_workflow(self.write("w.yaml", GOOD))
        self.assertEqual(wf["status"]["phase"], "Succeeded")

    def test_yaml_that_does_not_parse(self):
        self.refused("  entrypoint: main", "  entrypoint: [main", r"w\.yaml:\d+:\d+: ")

    def test_duplicate_key(self):
        self.refused("  entrypoint: main", "  entrypoint: main\n  entrypoint: main", r"w\.yaml:7:\d+: ", "entrypoint")

    def test_unknown_field_and_what_was_meant(self):
        self.refused("  entrypoint: main", "  entrypiont: main", r"w\.yaml:6:\d+: ",
                     r'unknown field "spec\.entrypiont"', "entrypoint")

    def test_wrong_type(self):
        self.refused("command: [echo, hello]", "command: {echo: hello}", r"w\.yaml:15:\d+: ")

    def test_missing_template(self):
        self.refused("template: echo", "template: ehco", "ehco", r"w\.yaml:\d+:\d+: ")

    def test_missing_entrypoint(self):
        self.refused("entrypoint: main", "entrypoint: nothere", "nothere")

    def test_submit_refuses_as_well(self):
        self.refused("  entrypoint: main", "  entrypiont: main", r"w\.yaml:6:\d+: ", verb="submit")

    def test_lint_finds_it_too(self):
        self.refused("template: echo", "template: ehco", "ehco", verb="lint")

    def test_lint_of_a_good_file(self):
        p = self.call("lint", self.write("w.yaml", GOOD))
        self.assertRegex(p.stdout, "no (problems|linting errors) found")

    def test_no_such_file(self):
        p = self.call("run", self.home / "nothing.yaml", ok=False)
        self.assertIn("nothing.yaml", p.stderr)

    def test_no_workflow_in_the_file(self):
        self.refused("kind: Workflow", "kind: ConfigMap", ".")

    def test_empty_file(self):
        p = self.call("run", self.write("e.yaml", ""), ok=False)
        self.assertIn("no workflow", p.stderr.lower())

    def test_parameter_without_value(self):
        path = self.write("w.yaml", GOOD)
        p = self.call("run", path, "-p", "x", ok=False)
        self.assertIn("NAME=VALUE", p.stderr)

    def test_required_argument_is_missing(self):
        text = GOOD.replace("  entrypoint: main", "  entrypoint: main\n  arguments: {parameters: [{name: who}]}")
        wf = self.run_workflow(self.write("w.yaml", text), ok=False)  # as in Argo it is stored, and Failed
        self.assertEqual(wf["status"]["phase"], "Failed")
        self.assertIn("who", wf["status"]["message"])

    def test_unknown_command(self):
        p = self.call("sbumit", ok=False)
        self.assertEqual(p.returncode, 1)
        self.assertIn("submit", p.stderr)

    def test_unknown_flag(self):
        p = self.call("list", "--nonsense", ok=False)
        self.assertEqual(p.returncode, 1)
        self.assertIn("--nonsense", p.stderr)

    def test_unknown_output(self):
        self.call("run", self.write("w.yaml", GOOD), "-o", "xml", ok=False)
        self.assertIn("No workflows found", self.call("list").stdout)

    def test_unknown_workflow(self):
        for verb in ("get", "logs", "stop", "terminate", "suspend", "resume", "retry", "resubmit", "wait"):
            with self.subTest(verb=verb):
                p = self.call(verb, "ghost", ok=False)
                self.assertEqual(p.returncode, 1)
                self.assertIn("ghost", p.stderr)

    def test_a_step_that_cannot_start(self):
        wf = self.run_workflow(self.write("w.yaml", GOOD.replace("[echo, hello]", "[/no/such/program]")), ok=False)
        self.assertIn(wf["status"]["phase"], ("Failed", "Error"))

    def test_bombs_are_refused(self):
        levels = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"] + [
            f"a{i}: &a{i} [" + ",".join([f"*a{i-1}"] * 9) + "]" for i in range(1, 9)]
        p = self.call("lint", self.write("bomb.yaml", "\n".join(levels) + "\n" + GOOD), ok=False, timeout=20)
        self.assertIn("bomb.yaml", p.stdout + p.stderr)
