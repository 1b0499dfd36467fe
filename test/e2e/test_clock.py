"""The wall clock is set back and forth by an hour while an engine waits for things: they last as long as
their manifests say."""
import datetime
import os
import pathlib
import subprocess
import time

from engine import EngineTest, nodes, phase, wait_until

HOUR = 3600
MANIFEST = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: w}
spec:
  entrypoint: main
  onExit: note
  activeDeadlineSeconds: 600
  templates:
  - name: main
    steps:
    - - {name: pause, template: pause}
      - {name: flaky, template: flaky, continueOn: {failed: true}}
      - {name: slow, template: slow, continueOn: {failed: true}}
  - name: pause
    suspend: {duration: 2s}
  - name: flaky
    retryStrategy: {limit: 1, backoff: {duration: 2s}}
    container: {image: x, command: [sh, -c], args: ["touch HOME/began; exit 1"]}
  - name: slow
    timeout: 2s
    container: {image: x, command: [sleep, '30']}
  - name: note
    container: {image: x, command: [sh, -c], args: ["echo '{{workflow.duration}}' > HOME/duration"]}
"""


def at(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class Clock(EngineTest):
    def setUp(self):
        super().setUp()
        shim = self.home / "clock_shim.so"
        source = pathlib.Path(__file__).with_name("clock_shim.c")
        made = subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, source], capture_output=True, text=True)
        self.assertEqual(made.returncode, 0, made.stderr)
        self.offset = self.home / "offset"
        self.variables = {"LD_PRELOAD": str(shim), "TIPHYS_CLOCK_OFFSET": str(self.offset)}

    def env(self, **more):
        return super().env(**{**self.variables, **more})

    def jump(self, seconds):
        """The clock shows `seconds` more than the true time from now on."""
        new = self.home / "offset.new"
        new.write_text(str(seconds))
        os.replace(new, self.offset)

    def run_with_jumps(self, *jumps):
        server = self.start_server()
        began = time.monotonic()
        self.submit(self.write("w.yaml", MANIFEST.replace("HOME", str(self.home))))
        wait_until((self.home / "began").exists, 20, "the steps to run")
        for seconds in jumps:
            time.sleep(0.3)
            self.jump(seconds)
        wf = self.wait_for_phase("w", "Succeeded", "Failed", "Error", seconds=30)
        took = time.monotonic() - began
        self.assertIsNone(server.poll())
        self.assertEqual(phase(wf), "Succeeded", wf["status"])
        self.assertGreater(took, 1.9, "the suspension, the back-off and the timeout lasted their time")
        self.assertLess(took, 20, "and no longer")
        seen = nodes(wf)
        self.assertEqual(seen["flaky"]["message"], "No more retries left")
        self.assertIn("flaky(1)", seen)
        self.assertEqual(seen["slow"]["phase"], "Failed")
        for n in [*seen.values(), wf["status"]]:
            self.assertGreaterEqual(at(n["finishedAt"]), at(n["startedAt"]), n)
        self.assertGreaterEqual(float((self.home / "duration").read_text()), 0)

    def test_it_is_set_back(self):
        self.run_with_jumps(-HOUR)

    def test_it_is_set_forth(self):
        self.run_with_jumps(HOUR)

    def test_it_is_set_back_and_forth(self):
        self.run_with_jumps(HOUR, -HOUR, 0)

    def test_a_finished_workflow_lives_as_long_as_its_ttl_says(self):
        self.start_server()
        began = time.monotonic()
        self.submit(self.write("w.yaml", (
            "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec:\n  entrypoint: main\n"
            "  ttlStrategy: {secondsAfterCompletion: 3}\n  templates:\n"
            "  - {name: main, container: {image: x, command: ['true']}}\n")))
        self.wait_for_phase("w", "Succeeded", seconds=20)
        ended = time.monotonic()
        self.jump(HOUR)
        time.sleep(0.8)
        is_there = self.get("w")
        if time.monotonic() - began < 3:  # else the machine was too slow to see it
            self.assertTrue(is_there, "its time is not over")
        self.jump(-HOUR)
        wait_until(lambda: not self.get("w"), 20, "it to be deleted")
        self.assertGreater(time.monotonic() - ended, 1.9)

    def test_readers_are_told_though_it_is_set_back(self):
        self.start_server()
        self.submit(self.write("w.yaml", (
            "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec:\n  entrypoint: main\n"
            f"  templates:\n  - name: main\n    container: {{image: x, command: [sh, -c], args: ['touch {self.home}/began; "
            f"while [ ! -e {self.home}/go ]; do sleep 0.02; done']}}\n")))
        wait_until((self.home / "began").exists, 20, "the step to run")
        self.jump(-HOUR)
        wait_until(lambda: nodes(self.get("w")).get("w", {}).get("phase") == "Running", 10, "Running to be shown")
        (self.home / "go").touch()
        self.wait_for_phase("w", "Succeeded", seconds=20)
