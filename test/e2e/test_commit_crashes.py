"""The engine is killed at every commit in turn, right before and right after it. A server goes on, and the
final state, the messages and what the steps did are those of a run that nobody disturbed.

Needs the binary with fault points beside the one under test: build/tiphys-faults (target tiphys_faults)."""
import collections
import os
import signal
import subprocess

from engine import EngineTest, binary
from receiver import WebhookReceiver

MANIFEST = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: crash-}
spec:
  entrypoint: main
  onExit: bye
  templates:
  - name: main
    steps:
    - - name: first
        template: mark
        arguments: {parameters: [{name: word, value: first}]}
        hooks:
          running: {template: post, expression: 'steps.first.status == "Running"', arguments: {parameters: [{name: what, value: first/running}]}}
          exit: {template: post, arguments: {parameters: [{name: what, value: first/exit}]}}
      - name: beside
        template: mark
        arguments: {parameters: [{name: word, value: beside}]}
    - - name: flaky
        template: flaky
        hooks:
          succeeded: {template: post, expression: 'steps.flaky.status == "Succeeded"', arguments: {parameters: [{name: what, value: flaky/succeeded}]}}
    - - {name: asked, template: post, arguments: {parameters: [{name: what, value: asked}]}}
  - name: mark
    inputs: {parameters: [{name: word}]}
    container: {image: x, command: [sh, -c], args: ["echo {{inputs.parameters.word}} >> HOME/{{workflow.name}}.marks"]}
  - name: flaky
    retryStrategy: {limit: 2, retryPolicy: Always}
    container: {image: x, command: [sh, -c], args: ["echo try {{retries}} >> HOME/{{workflow.name}}.marks; [ {{retries}} = 1 ]"]}
  - name: bye
    inputs: {parameters: [{name: what, value: bye}]}
    http: {url: 'URL/{{workflow.name}}/bye/{{workflow.status}}', method: POST}
  - name: post
    inputs: {parameters: [{name: what}]}
    http: {url: 'URL/{{workflow.name}}/{{inputs.parameters.what}}', method: POST}
"""
COMMITS_MAX = 100


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
            self.assertEqual(expected["marks"], ["beside", "first", "try 0", "try 1"])
            self.assertEqual(len(expected["messages"]), 5, expected["messages"])
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


