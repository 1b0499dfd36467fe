"""Retry and resubmit by hand: which steps run again is counted in files that they write."""
import unittest

from engine import EngineTest, nodes, wait_until

# b fails until HOME/open is there; each step appends its name and the parameter to HOME/marks.
WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  name: w
  labels: {team: blue, workflows.argoproj.io/creator: ann}
  annotations: {note: kept}
spec:
  entrypoint: main
  onExit: exit
  arguments: {parameters: [{name: word, value: old}]}
  templates:
  - name: main
    dag:
      tasks:
      - {name: gate, template: gate}
      - {name: a, template: twice, depends: gate}
      - {name: b, template: mark, depends: a, arguments: {parameters: [{name: when, value: "[ -e HOME/open ]"}]}}
      - {name: c, template: mark, depends: a}
      - {name: d, template: mark, depends: b && c}
  - name: gate
    suspend: {}
    outputs: {parameters: [{name: who, valueFrom: {supplied: {}}}]}
  - name: twice
    retryStrategy: {limit: 2}
    container: {image: x, command: [sh, -c, "echo a{{retries}} >> HOME/marks; [ {{retries}} = 1 ]"]}
  - name: mark
    inputs: {parameters: [{name: when, default: "true"}]}
    container: {image: x, command: [sh, -c, "echo {{tasks.name}} {{workflow.parameters.word}} >> HOME/marks; {{inputs.parameters.when}}"]}
  - name: exit
    container: {image: x, command: [sh, -c, "echo exit {{workflow.status}} >> HOME/marks"]}
"""


class ManualRetry(EngineTest):
    def setUp(self):
        super().setUp()
        self.start_server()

    def run_to(self, phase):
        self.submit(self.write("w.yaml", WORKFLOW.replace("HOME", str(self.home))))
        wait_until(lambda: nodes(self.get("w")).get("gate", {}).get("phase") == "Running")
        self.call("node", "set", "w", "--node-field-selector", "displayName=gate", "-p", "who=ann",
                  "--phase", "Succeeded")
        return self.wait_for_phase("w", phase)

    def new_marks(self):
        path = self.home / "marks"
        lines = path.read_text().splitlines()
        path.unlink()
        return sorted(lines)

    def retry(self, *flags, phase="Succeeded"):
        # Waits by itself: the phase of before is a final one, too.
        self.call("retry", "w", "--wait", *flags, ok=phase == "Succeeded")
        return self.wait_for_phase("w", phase)

    def test_what_failed_and_what_waited_for_it_run_again(self):
        self.run_to("Failed")
        self.assertEqual(self.new_marks(), ["a0", "a1", "b old", "c old", "exit Failed"])
        (self.home / "open").touch()
        wf = self.retry()
        self.assertEqual(self.new_marks(), ["b old", "d old", "exit Succeeded"])
        n = nodes(wf)
        self.assertEqual(n["gate"]["outputs"]["parameters"][0]["value"], "ann")
        self.assertEqual((n["a(0)"]["phase"], n["a(1)"]["phase"]), ("Failed", "Succeeded"))
        self.assertEqual(wf["metadata"]["labels"]["team"], "blue")
        self.assertEqual(wf["metadata"]["annotations"]["note"], "kept")

    def test_it_may_fail_again(self):
        self.run_to("Failed")
        self.new_marks()
        self.retry(phase="Failed")
        self.assertEqual(self.new_marks(), ["b old", "exit Failed"])

    def test_parameters_are_for_what_runs_again(self):
        self.run_to("Failed")
        self.new_marks()
        (self.home / "open").touch()
        wf = self.retry("-p", "word=new", "-p", "more=1")
        self.assertEqual(self.new_marks(), ["b new", "d new", "exit Succeeded"])
        self.assertEqual(wf["spec"]["arguments"]["parameters"],
                         [{"name": "word", "value": "new"}, {"name": "more", "value": "1"}])

    def test_restarted_are_those_that_are_chosen_and_what_comes_behind(self):
        (self.home / "open").touch()
        self.run_to("Succeeded")
        self.new_marks()
        self.retry("--restart-successful", "--node-field-selector", "displayName=c")
        self.assertEqual(self.new_marks(), ["c old", "d old", "exit Succeeded"])
        self.retry("--restart-successful", "--node-field-selector", "templateName=mark")
        self.assertEqual(self.new_marks(), ["b old", "c old", "d old", "exit Succeeded"])

    def test_restart_successful_alone_restarts_nothing_more(self):
        self.run_to("Failed")
        self.new_marks()
        (self.home / "open").touch()
        self.retry("--restart-successful")
        self.assertEqual(self.new_marks(), ["b old", "d old", "exit Succeeded"])

    def test_refusals(self):
        (self.home / "open").touch()
        self.submit(self.write("w.yaml", WORKFLOW.replace("HOME", str(self.home))))
        self.wait_for_phase("w", "Running")
        self.assertIn("Cannot retry a workflow in phase Running", self.call("retry", "w", ok=False).stderr)
        self.assertIn("workflow must be Failed/Error to resubmit in memoized mode",
                      self.call("resubmit", "--memoized", "w", ok=False).stderr)
        self.call("node", "set", "w", "--node-field-selector", "displayName=gate", "-p", "who=ann",
                  "--phase", "Succeeded")
        self.wait_for_phase("w", "Succeeded")
        for flags in ((), ("--restart-successful",), ("--node-field-selector", "displayName=a")):
            self.assertIn("To retry a succeeded workflow, set the options restartSuccessful and nodeFieldSelector",
                          self.call("retry", "w", *flags, ok=False).stderr)
        self.assertIn("expected parameter of the form: NAME=VALUE. Received: word",
                      self.call("retry", "w", "-p", "word", ok=False).stderr)
        self.assertIn("can't understand 'displayName'",
                      self.call("retry", "w", "--node-field-selector", "displayName", ok=False).stderr)

    def test_a_memoized_resubmission(self):
        self.run_to("Failed")
        self.new_marks()
        (self.home / "open").touch()
        name = self.call("resubmit", "w", "--memoized", "-p", "word=new", "-o", "name").stdout.strip()
        self.assertRegex(name, "^w-")
        wait_until(lambda: nodes(self.get(name)).get("gate", {}).get("phase") == "Running")
        self.call("node", "set", name, "--node-field-selector", "displayName=gate", "-p", "who=bob",
                  "--phase", "Succeeded")
        wf = self.wait_for_phase(name, "Succeeded")
        self.assertEqual(wf["metadata"]["labels"]["workflows.argoproj.io/resubmitted-from-workflow"], "w")
        self.assertNotIn("workflows.argoproj.io/creator", wf["metadata"]["labels"])
        self.assertEqual(wf["metadata"]["annotations"]["note"], "kept")
        self.assertEqual(nodes(wf)["c"]["phase"], "Skipped")


if __name__ == "__main__":
    unittest.main()
