"""Several engines on one database, each on a machine of its own (a state folder): who owns what, what becomes of it
when an engine dies or stands still, and that nothing is lost or done twice."""
import collections
import os
import pathlib
import random
import shutil
import signal
import tempfile
import time

from engine import EngineTest, nodes, phase, supervisors_of, wait_until
from machines import LEASE_SECONDS, OnSeveralMachines
from receiver import WebhookReceiver

HOLD = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: NAME}
spec:
  entrypoint: main
  onExit: bye
  templates:
  - name: main
    steps:
    - - {name: hold, template: hold}
    - - {name: after, template: after}
  - name: hold
    RETRY
    container:
      image: x
      command: [sh, -c]
      args: ["echo 'NAME {{node.name}}' >> FOLDER/marks; while [ ! -e FOLDER/go ]; do sleep 0.05; done"]
  - name: after
    container: {image: x, command: [sh, -c], args: ["echo 'NAME {{node.name}}' >> FOLDER/marks"]}
  - name: bye
    http: {url: 'URL/NAME', method: POST, body: '{{workflow.status}}'}
"""

MANY = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: many-}
spec:
  entrypoint: main
  onExit: post
  hooks:
    running: {template: post, expression: 'workflow.status == "Running"'}
  templates:
  - name: main
    steps:
    - - {name: one, template: step, hooks: {exit: {template: post}}}
    - - {name: two, template: step, hooks: {exit: {template: post}}}
      - {name: told, template: post}
  - name: step
    retryStrategy: {limit: 20, retryPolicy: Always}
    container: {image: x, command: [sh, -c], args: ["echo '{{pod.name}}' >> FOLDER/marks; sleep 0.05"]}
  - name: post
    http: {url: 'URL/{{workflow.name}}', method: POST}
"""


class Engines(OnSeveralMachines, EngineTest):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tiphys-engines-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def kill_machine(self, engine, home):
        """The engine, its supervisor, and with that its steps."""
        self.kill(engine)
        for pid in supervisors_of(home):
            os.kill(pid, signal.SIGKILL)

    def marks(self):
        path = self.folder / "marks"
        return path.read_text().splitlines() if path.exists() else []

    def write_hold(self, name, receiver, retry=""):
        text = HOLD.replace("NAME", name).replace("FOLDER", str(self.folder)).replace("URL", receiver.url)
        return self.write(f"{name}.yaml", text.replace("    RETRY\n", retry))

    def end(self, name):
        return self.wait_for_phase(name, "Succeeded", "Failed", "Error", seconds=120)

    def test_another_engine_takes_over(self):
        with WebhookReceiver() as receiver:
            first_home = self.new_home()
            first = self.serve(first_home)
            self.submit(self.write_hold("tried", receiver, "    retryStrategy: {limit: 1, retryPolicy: Always}\n"))
            self.submit(self.write_hold("untried", receiver))
            wait_until(lambda: len(self.marks()) == 2, 60, "the steps to run")
            self.serve(self.new_home())
            self.kill_machine(first, first_home)
            (self.folder / "go").touch()
            host = os.uname().nodename
            untried = self.end("untried")
            self.assertEqual(phase(untried), "Failed", untried["status"])
            self.assertEqual(nodes(untried)["hold"]["message"], f"lost with the host '{host}'")
            tried = self.end("tried")
            self.assertEqual(phase(tried), "Succeeded", tried["status"])
            self.assertEqual(nodes(tried)["hold(0)"]["message"], f"lost with the host '{host}'")
            self.assertEqual(sorted(self.marks()), ["tried tried[0].hold", "tried tried[0].hold",
                                                    "tried tried[1].after", "untried untried[0].hold"])
            self.assertEqual(sorted((r["path"], r["body"]) for r in receiver.requests),
                             [("/tried", "Succeeded"), ("/untried", "Failed")])

    def test_an_engine_of_the_same_place_goes_on_with_its_steps(self):
        with WebhookReceiver() as receiver:
            home = self.new_home()
            first = self.serve(home)
            self.submit(self.write_hold("kept", receiver))
            wait_until(lambda: len(self.marks()) == 1, 60, "the step to run")
            self.kill(first)
            self.serve(home)  # before the lease of the first has run out
            (self.folder / "go").touch()
            self.assertEqual(phase(self.end("kept")), "Succeeded")
            self.assertEqual(self.marks(), ["kept kept[0].hold", "kept kept[1].after"])

    def test_an_engine_that_stood_still_does_no_harm(self):
        with WebhookReceiver() as receiver:
            first_home = self.new_home()
            with open(self.folder / "log", "w") as log:
                first = self.serve(first_home, log)
            self.submit(self.write_hold("paused", receiver, "    retryStrategy: {limit: 1, retryPolicy: Always}\n"))
            wait_until(lambda: len(self.marks()) == 1, 60, "the step to run")
            first.send_signal(signal.SIGSTOP)
            second = self.serve(self.new_home())
            wait_until(lambda: self.marks() == ["paused paused[0].hold"] * 2, 60, "the other engine to take over")
            (self.folder / "go").touch()  # the step of the first engine ends, too, and nobody must hear of that
            workflow = self.end("paused")
            first.send_signal(signal.SIGCONT)
            wait_until(lambda: "another engine has taken over" in (self.folder / "log").read_text(), 60,
                       "the first engine to notice")
            self.kill(second)
            again = self.submit(self.write_hold("again", receiver))  # the first one goes on to work
            self.assertEqual(phase(self.end(again)), "Succeeded")
            self.assertEqual(phase(workflow), "Succeeded", workflow["status"])
            self.assertEqual(self.get("paused"), workflow, "the first engine has changed nothing")
            self.assertEqual(sorted(m for m in self.marks() if m.startswith("paused")),
                             ["paused paused[0].hold", "paused paused[0].hold", "paused paused[1].after"])
            self.assertEqual([r["path"] for r in receiver.requests].count("/paused"), 1)
            self.assertIsNone(first.poll())

    def test_a_run_that_stood_still_says_so(self):
        with WebhookReceiver() as receiver:
            run = self.start("run", self.write_hold("run", receiver, "    retryStrategy: {limit: 1, retryPolicy: Always}\n"))
            wait_until(lambda: len(self.marks()) == 1, 60, "the step to run")
            run.send_signal(signal.SIGSTOP)
            self.serve(self.new_home())
            wait_until(lambda: len(self.marks()) == 2, 60, "the server to take over")
            run.send_signal(signal.SIGCONT)
            _, err = run.communicate(timeout=60)
            self.assertEqual(run.returncode, 1)
            self.assertIn("Error: another engine has taken over the workflow", err)
            (self.folder / "go").touch()
            self.assertEqual(phase(self.end("run")), "Succeeded")

    def test_work_is_spread(self):
        with WebhookReceiver() as receiver:
            for _ in range(3):
                self.serve(self.new_home())
            names = [self.submit(self.write_hold(f"spread-{i}", receiver)) for i in range(9)]
            wait_until(lambda: len(self.marks()) == 9, 60, "the steps to run")
            counts = [int(line) for line in self.sql("SELECT count(*) FROM tiphys.leases WHERE engine <> 0 "
                                                     "GROUP BY engine").splitlines()]
            self.assertEqual(len(counts), 3, counts)
            self.assertLessEqual(max(counts), 4, counts)
            (self.folder / "go").touch()
            for name in names:
                self.assertEqual(phase(self.end(name)), "Succeeded")

    def test_mutexes_hold_over_all_engines(self):
        text = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: mutex-}
spec:
  entrypoint: main
  templates:
  - name: main
    steps: [[{name: a, template: alone, withSequence: {count: '3'}}]]
  - name: alone
    synchronization: {mutexes: [{name: m}]}
    container: {image: x, command: [sh, -c], args: ["echo in >> FOLDER/marks; sleep 0.05; echo out >> FOLDER/marks"]}
"""
        path = self.write("mutex.yaml", text.replace("FOLDER", str(self.folder)))
        for _ in range(3):
            self.serve(self.new_home())
        names = [self.submit(path) for _ in range(6)]
        for name in names:
            self.assertEqual(phase(self.end(name)), "Succeeded")
        self.assertEqual(self.marks(), ["in", "out"] * 18)

    def test_a_semaphore_is_held_over_all_engines(self):
        text = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: semaphore-}
spec:
  entrypoint: main
  templates:
  - name: main
    steps: [[{name: a, template: few, withSequence: {count: '3'}}]]
  - name: few
    synchronization: {semaphores: [{configMapKeyRef: {name: limits, key: few}}]}
    container: {image: x, command: [sh, -c], args: ["echo in >> FOLDER/marks; while [ ! -e FOLDER/go ]; do sleep 0.05; done;
                                                     sleep 0.05; echo out >> FOLDER/marks"]}
"""
        path = self.write("semaphore.yaml", text.replace("FOLDER", str(self.folder)))
        self.call("apply", self.write("limits.yaml", "apiVersion: v1\nkind: ConfigMap\n"
                                             "metadata: {name: limits}\ndata: {few: '2'}\n"))
        for _ in range(2):
            self.serve(self.new_home())
        names = [self.submit(path) for _ in range(4)]
        wait_until(lambda: len(self.marks()) == 2, 60, "two steps to run")
        wait_until(lambda: int(self.sql("SELECT count(DISTINCT engine) FROM tiphys.leases WHERE engine <> 0")) == 2, 60,
                   "both engines to have workflows")
        time.sleep(1)
        self.assertEqual(self.marks(), ["in"] * 2, "no engine lets a third one in")
        (self.folder / "go").touch()
        for name in names:
            self.assertEqual(phase(self.end(name)), "Succeeded")
        inside = [0]
        for mark in self.marks():
            inside.append(inside[-1] + (1 if mark == "in" else -1))
        self.assertEqual((len(inside) - 1, max(inside), inside[-1]), (24, 2, 0))

    def test_engines_are_killed_and_stand_still_at_random(self):
        """TIPHYS_ENGINES_RUNS workflows (60), TIPHYS_SEED for the same once more."""
        count = int(os.environ.get("TIPHYS_ENGINES_RUNS", "60"))
        seed = int(os.environ.get("TIPHYS_SEED", random.randrange(1_000_000)))
        dice = random.Random(seed)
        with WebhookReceiver() as receiver:
            path = self.write("many.yaml", MANY.replace("FOLDER", str(self.folder)).replace("URL", receiver.url))
            homes = [self.new_home() for _ in range(3)]
            servers = [self.serve(home) for home in homes]
            begun = time.monotonic()
            names = []
            done = collections.Counter()

            def disturb():
                i = dice.randrange(3)
                what = dice.choice(["kill", "machine", "pause"])
                done[what] += 1
                if what == "pause":
                    servers[i].send_signal(signal.SIGSTOP)
                    time.sleep(dice.uniform(0.1, 2.5 * LEASE_SECONDS))
                    servers[i].send_signal(signal.SIGCONT)
                    return
                if what == "kill":
                    self.kill(servers[i])
                else:
                    self.kill_machine(servers[i], homes[i])
                time.sleep(dice.uniform(0, 1.5 * LEASE_SECONDS))
                servers[i] = self.serve(homes[i])

            while len(names) < count:
                names += [self.submit(path) for _ in range(min(20, count - len(names)))]
                disturb()
            while int(self.sql("SELECT count(*) FROM tiphys.workflows WHERE finished_at = 0")) > 0:
                disturb()
                if time.monotonic() - begun > 60 + count:
                    break
            for name in names:
                workflow = self.end(name)
                self.assertEqual(phase(workflow), "Succeeded", f"seed {seed}: {name}")
            seconds = time.monotonic() - begun
            keys = collections.defaultdict(set)
            for r in list(receiver.requests):
                keys[r["path"][1:]].add(r["headers"].get("Idempotency-Key"))
            for name in names:
                posts = [n for n in self.get(name)["status"]["nodes"].values() if n["type"] == "HTTP"]
                succeeded = [n for n in posts if n["phase"] == "Succeeded"]
                self.assertEqual(len(succeeded), 5, f"seed {seed}: {name}: two of the workflow, two of steps, one step")
                self.assertEqual(len(keys[name]), len(posts), f"seed {seed}: {name}: each was sent, under one key")
            steps = collections.Counter(self.marks())
            twice = {step: n for step, n in steps.items() if n > 1}
            lost = sum(n.get("message", "").startswith("lost with the host") for name in names
                       for n in self.get(name)["status"]["nodes"].values() if n["type"] == "Pod")
            print(f"{count} workflows on 3 engines (seed {seed}) in {seconds:.1f} s; {dict(done)}; "
                  f"{len(receiver.requests)} requests under {sum(map(len, keys.values()))} keys, "
                  f"{len(steps)} steps, {len(twice)} of them twice, {lost} lost with their host", flush=True)
            self.assertEqual(twice, {}, f"seed {seed}: no step runs twice under one node")
