"""The verbs that act on workflows: submit, wait, stop, terminate, suspend, resume, retry, resubmit, delete."""
from engine import EngineTest, nodes, phase, wait_until

WAITING = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: w, labels: {team: blue}}
spec:
  entrypoint: main
  onExit: bye
  templates:
  - name: main
    steps:
    - - {name: a, template: echo}
    - - {name: approve, template: approve}
    - - {name: b, template: echo}
  - name: echo
    container: {image: x, command: [echo, hello]}
  - name: approve
    suspend: {}
  - name: bye
    container: {image: x, command: [echo, bye]}
"""

HELD = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: w}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: hold, template: hold}
    - - {name: next, template: next}
  - name: hold
    container: {image: x, command: [sh, -c], args: ["while [ ! -e HOME/go ]; do sleep 0.05; done"]}
  - name: next
    container: {image: x, command: ["true"]}
"""

FLAKY = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: w}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: once, template: mark}
    - - {name: gate, template: gate}
  - name: mark
    container: {image: x, command: [sh, -c], args: ["echo x >> HOME/marks"]}
  - name: gate
    container: {image: x, command: [test, -e, HOME/open]}
"""


class Control(EngineTest):
    def waiting(self):
        """A server, and the workflow WAITING held at its suspended step."""
        self.start_server()
        self.submit(self.write("w.yaml", WAITING))
        return wait_until(lambda: nodes(w := self.get("w")).get("approve", {}).get("phase") == "Running" and w,
                          30, "the step that waits")

    def test_resume(self):
        self.waiting()
        self.assertIn("Running (Suspended)", self.call("list").stdout)
        self.assertIn("workflow w resumed", self.call("resume", "w").stdout)
        wf = self.wait_for_phase("w", "Succeeded")
        self.assertEqual(nodes(wf)["b"]["phase"], "Succeeded")
        self.assertEqual(nodes(wf)["w.onExit"]["phase"], "Succeeded")

    def test_commands_for_suspended_nodes_say_what_they_cannot_do(self):
        self.start_server()
        self.submit(self.write("w.yaml", """apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: w}
spec:
  entrypoint: main
  templates:
  - name: main
    steps: [[{name: ask, template: ask}, {name: bare, template: bare}]]
  - {name: ask, suspend: {}, outputs: {parameters: [{name: who, valueFrom: {supplied: {}}}]}}
  - {name: bare, suspend: {}}
"""))
        wait_until(lambda: nodes(self.get("w")).get("bare", {}).get("phase") == "Running")
        ask, bare = ("--node-field-selector", "displayName=ask"), ("--node-field-selector", "displayName=bare")
        unset = "raw output parameter 'who' has not been set and does not have a default value"
        for args, wrong in (
                (("node", "set", "w", *ask, "-p", "whom=x"), "node is not expecting output parameter 'whom'"),
                (("node", "set", "w", *bare, "-p", "who=x"), "node is not expecting any raw parameters"),
                (("node", "set", "w", "-p", "who=x"), "use a node field selector"),
                (("node", "set", "w", *ask, "--phase", "Suceeded"), 'did you mean "Succeeded"?'),
                (("node", "set", "w", *ask, "--phase", "Succeeded"), unset),
                (("resume", "w"), unset),
                (("resume", "w", "--node-field-selector", "displayName=none"), "no suspend nodes matching"),
                (("stop", "w", "--node-field-selector", "displayName=none"), "no suspend nodes matching"),
                (("resume", "w", "--node-field-selector", "ask"), "can't understand 'ask'")):
            self.assertIn(wrong, self.call(*args, ok=False).stderr)
        self.call("node", "set", "w", *ask, "-p", "who=ann", "-m", "asked ann")
        self.call("resume", "w", *ask)
        self.call("resume", "w", *bare)
        n = nodes(self.wait_for_phase("w", "Succeeded"))
        self.assertEqual(n["ask"]["message"], "asked ann")
        self.assertEqual(n["ask"]["outputs"]["parameters"][0]["value"], "ann")

    def test_stop_runs_the_exit_handler(self):
        self.waiting()
        self.assertIn("workflow w stopped", self.call("stop", "w").stdout)
        wf = self.wait_for_phase("w", "Failed")
        self.assertEqual(nodes(wf)["w.onExit"]["phase"], "Succeeded")
        self.assertNotIn("b", nodes(wf))
        self.assertEqual(wf["status"]["message"], "Stopped with strategy 'Stop'")

    def test_terminate_does_not(self):
        self.waiting()
        self.assertIn("workflow w terminated", self.call("terminate", "w").stdout)
        wf = self.wait_for_phase("w", "Failed")
        self.assertNotIn("w.onExit", nodes(wf))

    def test_suspend_and_resume(self):
        self.start_server()
        self.submit(self.write("h.yaml", HELD.replace("HOME", str(self.home))))
        wait_until(lambda: nodes(self.get("w")).get("hold", {}).get("phase") == "Running", 30, "the first step")
        self.assertIn("workflow w suspended", self.call("suspend", "w").stdout)
        wait_until(lambda: "Running (Suspended)" in self.call("list").stdout, 30, "list to say so")
        (self.home / "go").touch()
        wait_until(lambda: nodes(self.get("w"))["hold"]["phase"] == "Succeeded", 30, "the first step's end")
        self.assertNotIn("next", nodes(self.get("w")), "nothing new is started")
        self.call("resume", "w")
        wf = self.wait_for_phase("w", "Succeeded")
        self.assertEqual(nodes(wf)["next"]["phase"], "Succeeded")
        self.assertFalse(wf["spec"].get("suspend"))

    def test_wait_tells_the_phase(self):
        self.waiting()
        waiter = self.start("wait", "w")
        self.call("terminate", "w")
        out, _ = waiter.communicate(timeout=60)
        self.assertEqual(waiter.returncode, 1)
        self.assertRegex(out, r"^w Failed at \d{4}-")

    def test_submit_and_wait(self):
        self.start_server()
        p = self.call("submit", "--wait", self.write("f.yaml", FLAKY.replace("HOME", str(self.home))), ok=False)
        self.assertEqual(p.returncode, 1)
        self.assertRegex(p.stdout, r"w Failed at \d{4}-")

    def test_retry_keeps_what_had_succeeded(self):
        self.start_server()
        self.submit(self.write("f.yaml", FLAKY.replace("HOME", str(self.home))))
        self.wait_for_phase("w", "Failed")
        (self.home / "open").touch()
        self.call("retry", "w")
        self.wait_for_phase("w", "Succeeded")
        self.assertEqual((self.home / "marks").read_text(), "x\n")

    def test_retry_of_a_success_is_refused(self):
        (self.home / "open").touch()
        self.run_workflow(self.write("f.yaml", FLAKY.replace("HOME", str(self.home))))
        self.call("retry", "w", ok=False)

    def test_resubmit_starts_anew(self):
        (self.home / "open").touch()
        self.run_workflow(self.write("f.yaml", FLAKY.replace("HOME", str(self.home))))
        self.start_server()
        name = self.call("resubmit", "w", "-o", "name").stdout.strip()
        self.assertNotEqual(name, "w")
        self.wait_for_phase(name, "Succeeded")
        self.assertEqual((self.home / "marks").read_text(), "x\nx\n")

    def test_delete(self):
        self.run_workflow(self.write("f.yaml", FLAKY.replace("HOME", str(self.home))), ok=False)
        self.assertIn("Workflow 'w' deleted", self.call("delete", "w").stdout)
        self.assertIn("No workflows found", self.call("list").stdout)
        self.assertIn("not found", self.call("delete", "w").stdout)

    def test_selectors(self):
        self.waiting()
        self.assertIn("No workflows found", self.call("list", "-l", "team=red").stdout)
        self.call("terminate", "-l", "team=blue")
        self.wait_for_phase("w", "Failed")

    def test_logs_of_one_pod(self):
        wf = self.run_workflow(self.write("f.yaml", WAITING.replace("- - {name: approve, template: approve}", "")))
        self.assertEqual(phase(wf), "Succeeded")
        lines = self.call("logs", "w", "--no-color").stdout.splitlines()
        self.assertEqual(sorted(line.split(": ", 1)[1] for line in lines), ["bye", "hello", "hello"])
        pod = lines[0].split(": ")[0]
        self.assertEqual(len(self.call("logs", "w", pod, "--no-color").stdout.splitlines()), 1)

    def test_logs_of_pods_with_a_label(self):
        text = """apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: w}
spec:
  entrypoint: main
  templates:
    - name: main
      steps:
        - - {name: a, template: say, arguments: {parameters: [{name: app, value: web}]}}
          - {name: b, template: say, arguments: {parameters: [{name: app, value: db}]}}
    - name: say
      inputs: {parameters: [{name: app}]}
      metadata: {labels: {app: '{{inputs.parameters.app}}'}}
      container: {image: alpine, command: [echo, 'i am {{inputs.parameters.app}}']}
"""
        self.run_workflow(self.write("f.yaml", text))
        self.assertRegex(self.call("logs", "w", "-l", "app=db", "--no-color").stdout, r"\Aw-say-\d+: i am db\n\Z")
        self.assertEqual(self.call("logs", "w", "-l", "app=none", "--no-color").stdout, "")
        self.call("logs", "w", "-l", "app in", ok=False)

    def test_logs_of_one_container(self):
        text = """apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: w}
spec:
  entrypoint: main
  templates:
    - name: main
      steps:
        - - {name: alone, template: alone}
          - {name: helped, template: helped}
          - {name: set, template: set}
    - name: alone
      container: {image: alpine, command: [echo, alone]}
    - name: helped
      container: {image: alpine, command: [sh, -c, 'until test -e HOME/up; do sleep 0.05; done; echo main']}
      initContainers: [{name: first, image: alpine, command: [echo, first]}]
      sidecars: [{name: db, image: alpine, command: [sh, -c, 'echo db; touch HOME/up; sleep 60']}]
    - name: set
      containerSet:
        containers:
          - {name: a, image: alpine, command: [echo, a]}
          - {name: main, image: alpine, command: [echo, set], dependencies: [a]}
"""
        self.run_workflow(self.write("f.yaml", text.replace("HOME", str(self.home))))

        def lines(*more, ok=True):
            return sorted(self.call("logs", "w", "--no-color", *more, ok=ok).stdout.splitlines())

        self.assertRegex(lines("-c", "db")[0], r"\Aw-helped-\d+: db\Z")
        self.assertEqual(1, len(lines("-c", "db")))
        self.assertRegex(lines("-c", "first")[0], r"\Aw-helped-\d+: first\Z")
        self.assertRegex(lines("-c", "a")[0], r"\Aw-set-\d+: a\Z")
        self.assertEqual(["alone", "main", "set"], sorted(line.split(": ")[1] for line in lines("-c", "main")))
        self.assertEqual(["db"], [line.split(": ")[1] for line in lines("helped", "-c", "db")])
        p = self.call("logs", "w", "-c", "dp", ok=False)
        self.assertIn("container 'dp' not found in workflow 'w': use one of main, a, db, first", p.stderr)
        p = self.call("logs", "w", "alone", "-c", "db", ok=False)
        self.assertIn("container 'db' not found in pod 'alone': use one of main", p.stderr)
