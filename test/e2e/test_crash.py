"""An engine that is killed in the middle: what had ended is not run again, what runs goes on, the rest follows."""
import os
import signal

from engine import EngineTest, nodes, phase, wait_until
from receiver import WebhookReceiver

CHAIN = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: chain}
spec:
  entrypoint: main
  onExit: bye
  templates:
  - name: main
    steps:
    - - {name: before, template: mark, arguments: {parameters: [{name: word, value: before}]}}
    - - {name: hold, template: hold}
    - - {name: after, template: mark, arguments: {parameters: [{name: word, value: after}]}}
  - name: mark
    inputs: {parameters: [{name: word}]}
    container: {image: x, command: [sh, -c], args: ["echo {{inputs.parameters.word}} >> HOME/marks"]}
  - name: hold
    container:
      image: x
      command: [sh, -c]
      args: ["echo hold >> HOME/marks; while [ ! -e HOME/go ]; do sleep 0.05; done; echo held; echo held >> HOME/marks"]
  - name: bye
    container: {image: x, command: [sh, -c], args: ["echo bye {{workflow.status}} >> HOME/marks"]}
"""


class Crash(EngineTest):
    def setUp(self):
        super().setUp()
        # Steps see a file system of their own; a folder outside of it is where they meet this test.
        self.manifest = self.write("chain.yaml", CHAIN.replace("HOME", str(self.home)))

    def marks(self):
        path = self.home / "marks"
        return path.read_text().splitlines() if path.exists() else []

    def test_run_is_killed_and_a_server_goes_on(self):
        engine = self.start("run", self.manifest)
        wait_until(lambda: self.marks() == ["before", "hold"], 30, "the step to run")
        self.kill(engine)
        self.assertEqual(phase(self.get("chain")), "Running")
        (self.home / "go").touch()
        self.start_server()
        wf = self.wait_for_phase("chain", "Succeeded", "Failed", "Error")
        self.assertEqual(phase(wf), "Succeeded", wf["status"])
        self.assertEqual(self.marks(), ["before", "hold", "held", "after", "bye Succeeded"], "each step ran once")
        self.assertIn(": held", self.call("logs", "chain", "--no-color").stdout)

    def test_a_step_that_ends_while_no_engine_lives(self):
        engine = self.start("run", self.manifest)
        wait_until(lambda: "hold" in self.marks(), 30, "the step to run")
        self.kill(engine)
        (self.home / "go").touch()
        wait_until(lambda: "held" in self.marks(), 30, "the step to end by itself")
        self.start_server()
        self.wait_for_phase("chain", "Succeeded")
        self.assertEqual(self.marks(), ["before", "hold", "held", "after", "bye Succeeded"], "each step ran once")

    def test_killed_many_times(self):
        self.submit(self.manifest)
        for _ in range(5):
            server = self.start_server()
            wait_until(lambda: "hold" in self.marks(), 30, "the step to run")
            self.kill(server)
        (self.home / "go").touch()
        self.start_server()
        self.wait_for_phase("chain", "Succeeded")
        self.assertEqual(self.marks(), ["before", "hold", "held", "after", "bye Succeeded"], "each step ran once")

    def test_nothing_is_left_behind(self):
        (self.home / "go").touch()
        self.run_workflow(self.manifest)
        wait_until(lambda: not self.left_behind(), 30, "the supervisor to end when it has nothing to do")

    def test_a_second_engine_leaves_the_first_ones_workflow_alone(self):
        engine = self.start("run", self.manifest)
        wait_until(lambda: "hold" in self.marks(), 30, "the step to run")
        self.start_server()
        (self.home / "go").touch()
        engine.communicate(timeout=60)
        self.assertEqual(engine.returncode, 0)
        self.assertEqual(self.marks(), ["before", "hold", "held", "after", "bye Succeeded"], "each step ran once")

    def test_an_http_hook_is_sent_again_with_the_same_key(self):
        text = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: sent}
spec:
  entrypoint: main
  hooks: {exit: {template: post}}
  templates:
  - name: main
    container: {image: x, command: ['true']}
  - name: post
    http: {url: 'URL/exit', method: POST, body: 'x'}
"""
        servers = []

        def answer(earlier, _path):
            if earlier == 0:  # killed while it waits for the answer: it cannot know whether we got it
                os.kill(servers[0].pid, signal.SIGKILL)
                servers[0].wait()
                return None
            return 200

        with WebhookReceiver(answer=answer) as receiver:
            self.submit(self.write("sent.yaml", text.replace("URL", receiver.url)))
            servers.append(self.start_server())
            wait_until(lambda: servers[0].poll() is not None, 30, "the kill")
            self.start_server()
            wf = self.wait_for_phase("sent", "Succeeded", "Failed", "Error")
            self.assertEqual(nodes(wf)["sent.onExit"]["phase"], "Succeeded")
            keys = [r["headers"].get("Idempotency-Key") for r in receiver.requests]
            self.assertEqual(len(keys), 2)
            self.assertTrue(keys[0])
            self.assertEqual(keys[0], keys[1])


GROUP = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: group}
spec:
  entrypoint: main
  templates:
  - name: main
    synchronization: {mutexes: [{name: m}]}
    containerSet:
      containers:
      - {name: a, image: x, command: [sh, -c], args: ['echo a >> HOME/marks']}
      - name: b
        image: x
        command: [sh, -c]
        args: ['echo b >> HOME/marks; while [ ! -e HOME/go ]; do sleep 0.05; done']
        dependencies: [a]
      - {name: main, image: x, command: [sh, -c], args: ['echo main >> HOME/marks; echo done'], dependencies: [b]}
"""


class CrashOfGroups(EngineTest):
    """The same for several containers in one step, and for the lock that they hold."""

    def test_each_container_runs_once_and_the_lock_is_kept(self):
        manifest = self.write("group.yaml", GROUP.replace("HOME", str(self.home)))
        engine = self.start("run", manifest)
        marks = self.home / "marks"
        wait_until(lambda: marks.exists() and marks.read_text().split() == ["a", "b"], 30, "b to run")
        self.kill(engine)
        self.start_server()
        other = self.write("other.yaml", GROUP.replace("HOME", str(self.home)).replace("name: group", "name: other"))
        self.submit(other)
        waiting = wait_until(lambda: nodes(w := self.get("other")).get("other") and w)
        self.assertEqual(nodes(waiting)["other"]["message"],
                         "Waiting for default/Mutex/m lock. Lock status: 0/1")
        (self.home / "go").touch()
        for name in ("group", "other"):
            wf = self.wait_for_phase(name, "Succeeded", "Failed", "Error")
            self.assertEqual(phase(wf), "Succeeded", wf["status"])
        self.assertEqual(marks.read_text().split(), ["a", "b", "main"] * 2)
