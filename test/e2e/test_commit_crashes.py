"""The engine is killed at every commit in turn, right before and right after it. A server goes on, and the
final state, the messages and what the steps did are those of a run that nobody disturbed.

Needs the binary with fault points beside the one under test: build/tiphys-faults (target tiphys_faults)."""
import collections
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import time

from engine import EngineTest, binary
from receiver import WebhookReceiver

MANIFEST = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: crash-}
spec:
  entrypoint: main
  onExit: bye
  hooks:
    running: {template: post, expression: 'workflow.status == "Running"', arguments: {parameters: [{name: what, value: workflow/running}]}}
    succeeded: {template: post, expression: 'workflow.status == "Succeeded"', arguments: {parameters: [{name: what, value: workflow/succeeded}]}}
  templates:
  - name: main
    steps:
    - - name: first
        template: mark
        arguments: {parameters: [{name: word, value: first}]}
        hooks:
          running: {template: post, expression: 'steps.first.status == "Running"', arguments: {parameters: [{name: what, value: first/running}]}}
          exit: {template: post, arguments: {parameters: [{name: what, value: first/exit}]}}
      - {name: beside, template: locked, arguments: {parameters: [{name: word, value: beside}]}}
      - {name: also, template: locked, arguments: {parameters: [{name: word, value: also}]}}
    - - name: flaky
        template: flaky
        hooks:
          succeeded: {template: post, expression: 'steps.flaky.status == "Succeeded"', arguments: {parameters: [{name: what, value: flaky/succeeded}]}}
      - name: many
        template: mark
        withItems: [a, b]
        arguments: {parameters: [{name: word, value: 'many {{item}}'}]}
        hooks:
          exit: {template: post, arguments: {parameters: [{name: what, value: 'many/{{item}}'}]}}
    - - {name: asked, template: graph}
  - name: graph
    dag:
      tasks:
      - {name: a, template: post, arguments: {parameters: [{name: what, value: asked}]}}
      - name: b
        template: broken
        depends: a
        hooks:
          failed: {template: post, expression: 'tasks.b.status == "Failed"', arguments: {parameters: [{name: what, value: b/failed}]}}
      - {name: c, template: pause, depends: b.Failed}
      - {name: d, template: remembered, depends: c, arguments: {parameters: [{name: word, value: remembered}]}}
      - {name: never, template: broken, depends: a.Failed}
  - name: mark
    inputs: {parameters: [{name: word}]}
    container: {image: x, command: [sh, -c], args: ["echo {{inputs.parameters.word}} >> HOME/{{workflow.name}}.marks"]}
  - name: locked
    synchronization: {mutexes: [{name: crash}]}
    inputs: {parameters: [{name: word}]}
    container: {image: x, command: [sh, -c], args: ["echo {{inputs.parameters.word}} >> HOME/{{workflow.name}}.marks"]}
  - name: remembered
    memoize: {key: '{{workflow.name}}', cache: {configMap: {name: crashes}}}
    inputs: {parameters: [{name: word}]}
    container: {image: x, command: [sh, -c], args: ["echo {{inputs.parameters.word}} >> HOME/{{workflow.name}}.marks"]}
  - name: broken
    container: {image: x, command: [sh, -c], args: ["exit 3"]}
  - name: pause
    suspend: {duration: 30ms}
  - name: flaky
    retryStrategy: {limit: 2, retryPolicy: Always, backoff: {duration: 20ms}}
    container: {image: x, command: [sh, -c], args: ["echo try {{retries}} >> HOME/{{workflow.name}}.marks; [ {{retries}} = 1 ]"]}
  - name: bye
    steps:
    - - {name: last, template: mark, arguments: {parameters: [{name: word, value: last}]}}
    - - {name: farewell, template: post, arguments: {parameters: [{name: what, value: 'bye/{{workflow.status}}'}]}}
  - name: post
    inputs: {parameters: [{name: what}]}
    http: {url: 'URL/{{workflow.name}}/{{inputs.parameters.what}}', method: POST}
"""
MARKS = ["also", "beside", "first", "last", "many a", "many b", "remembered", "try 0", "try 1"]
MESSAGES = 10

# One thing after another: at any time one leaf is out.
CHAIN = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: chain-}
spec:
  entrypoint: main
  onExit: post
  templates:
  - name: main
    steps:
    - - {name: a, template: mark, hooks: {exit: {template: post}}}
    - - {name: b, template: post}
    - - {name: c, template: flaky}
  - name: mark
    container: {image: x, command: [sh, -c], args: ["echo a >> HOME/{{workflow.name}}.marks"]}
  - name: flaky
    retryStrategy: {limit: 1}
    container: {image: x, command: [sh, -c], args: ["echo c >> HOME/{{workflow.name}}.marks; [ {{retries}} = 1 ]"]}
  - name: post
    http: {url: 'URL/{{workflow.name}}', method: POST}
"""
COMMITS_MAX = 150


class CommitCrashes(EngineTest):
    def setUp(self):
        super().setUp()
        self.program = binary() + "-faults"
        if not os.path.exists(self.program):
            self.skipTest("no binary with fault points beside the one under test")

    def serve(self, **variables):
        """`tiphys server --exit-when-idle`; its exit code."""
        p = subprocess.run([self.program, "server", "--exit-when-idle"], env=self.env(**variables), text=True,
                           capture_output=True, timeout=60)
        self.assertIn(p.returncode, (0, -signal.SIGKILL), p.stderr)
        return p.returncode

    def seen(self, name, receiver):
        """What a run came to, without its name: state, messages, side effects."""
        wf = self.get(name)
        def plain(text):
            return (text or "").replace(name, "NAME")
        tree = {plain(n["displayName"]): (n["type"], n["phase"], plain(n.get("message")),
                                          (n.get("outputs") or {}).get("exitCode"))
                for n in wf["status"]["nodes"].values()}
        keys = collections.defaultdict(set)
        for r in list(receiver.requests):
            if r["path"].startswith(f"/{name}/"):
                keys[plain(r["path"])].add(r["headers"].get("Idempotency-Key"))
        messages = {path: len(k) for path, k in keys.items()}  # a repeat has the key of the first
        marks = sorted((self.home / f"{name}.marks").read_text().splitlines())
        return {"phase": wf["status"]["phase"], "progress": wf["status"].get("progress"), "nodes": tree,
                "messages": messages, "marks": marks}

    def crash_at_each(self, variable):
        with WebhookReceiver() as receiver:
            path = self.write("crash.yaml", MANIFEST.replace("HOME", str(self.home)).replace("URL", receiver.url))
            quiet = self.submit(path)
            self.serve()
            expected = self.seen(quiet, receiver)
            self.assertEqual(expected["phase"], "Succeeded")
            self.assertEqual(expected["marks"], MARKS)
            self.assertEqual(len(expected["messages"]), MESSAGES, expected["messages"])
            crashes = 0
            for commit in range(1, COMMITS_MAX):
                name = self.submit(path)
                code = self.serve(**{variable: str(commit)})
                if code == 0:
                    break  # it takes fewer commits than that
                crashes += 1
                self.serve()
                self.assertEqual(self.seen(name, receiver), expected, f"{variable}={commit}")
        print(f"{variable}: {crashes} crashes", flush=True)
        self.assertGreaterEqual(crashes, 5)

    def test_right_before_the_commit(self):
        self.crash_at_each("TIPHYS_CRASH_BEFORE_COMMIT")

    def test_right_after_the_commit(self):
        self.crash_at_each("TIPHYS_CRASH_AFTER_COMMIT")

    def write_chain(self, receiver):
        return self.write("chain.yaml", CHAIN.replace("HOME", str(self.home)).replace("URL", receiver.url))

    def outside(self, name, receiver):
        """How many leaves have done something."""
        marks = self.home / f"{name}.marks"
        keys = {r["headers"].get("Idempotency-Key") for r in list(receiver.requests) if r["path"] == f"/{name}"}
        return len(marks.read_text().split() if marks.exists() else []) + len(keys)

    def allowed(self, name):
        """How many may have, by what is in the log: one more than have ended."""
        with contextlib.closing(sqlite3.connect(self.home / "tiphys.db")) as db:
            log = [e for (payload,) in db.execute(
                "SELECT e.payload FROM events e JOIN numbers n ON n.number = e.key >> 32 JOIN workflows w "
                "ON w.uid = n.uid WHERE w.name = ? AND (e.key & 0xffffffff) > 1", (name,))
                for e in json.loads(payload)]
        has_begun = any(e.get("kind") == "begin" for e in log)
        return sum("e" in e for e in log) + 1 if has_begun else 0

    def test_nothing_is_done_before_the_commit(self):
        """The engine stands still before a commit, long enough for what it may have begun to show."""
        with WebhookReceiver() as receiver:
            path = self.write_chain(receiver)
            seen = set()
            for commit in range(1, COMMITS_MAX):
                name = self.submit(path)
                code = self.serve(TIPHYS_STALL_BEFORE_COMMIT=str(commit))
                if code == 0:
                    break
                done = self.outside(name, receiver)
                self.assertLessEqual(done, self.allowed(name), f"stalled before commit {commit}")
                seen.add(done)
                self.serve()
                self.assertEqual(self.outside(name, receiver), 6)
            self.assertGreaterEqual(len(seen), 5, "it stood still at most of them")

    def test_nothing_is_done_after_a_commit_that_failed(self):
        with WebhookReceiver() as receiver:
            path = self.write_chain(receiver)
            failures = 0
            for commit in range(1, COMMITS_MAX):
                p = subprocess.run([self.program, "run", path], env=self.env(TIPHYS_FAIL_COMMIT=str(commit)),
                                   text=True, capture_output=True, timeout=60)
                if p.returncode == 0:
                    break
                self.assertEqual(p.returncode, 1, p.stderr)
                self.assertIn("the store fails, as the test wants", p.stderr)
                name = self.call("list", "-o", "name").stdout.split()[0]
                time.sleep(0.2)
                self.assertLessEqual(self.outside(name, receiver), self.allowed(name), f"commit {commit} failed")
                self.serve()
                self.assertEqual(self.outside(name, receiver), 6)
                failures += 1
            self.assertGreaterEqual(failures, 6)
