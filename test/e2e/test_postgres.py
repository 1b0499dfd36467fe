"""The store in PostgreSQL: what holds for the file holds for it, also when engines or the server are killed."""
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

import test_commit_crashes
import test_control
import test_crash
import test_manual_retry
import test_notifications
import test_subscriptions
from engine import EngineTest, binary, nodes, phase, wait_until
from postgres import OnPostgres
from receiver import WebhookReceiver

HOOKED = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: hooked-}
spec:
  entrypoint: main
  onExit: post
  hooks:
    running: {template: post, expression: 'workflow.status == "Running"'}
  templates:
  - name: main
    steps:
    - - name: each
        template: wait
        withSequence: {count: '6'}
        hooks: {exit: {template: post}}
    - - {name: last, template: post}
  - name: wait
    container: {image: x, command: [sh, -c], args: ["echo {{workflow.name}} >> HOME/marks; while [ ! -e HOME/go ]; do sleep 0.05; done"]}
  - name: post
    http: {url: 'URL/{{workflow.name}}', method: POST}
"""


class CommitCrashes(OnPostgres, test_commit_crashes.CommitCrashes):
    def allowed(self, name):
        log = [e for payload in self.sql(
            "SELECT convert_from(e.payload, 'UTF8') FROM tiphys.events e JOIN tiphys.workflows w ON w.uid = e.uid "
            f"WHERE w.name = '{name}' AND e.sequence > 1").splitlines() for e in json.loads(payload)]
        has_begun = any(e.get("kind") == "begin" for e in log)
        return sum("e" in e for e in log) + 1 if has_begun else 0


class Crash(OnPostgres, test_crash.Crash):
    pass


class Control(OnPostgres, test_control.Control):
    pass


class ManualRetry(OnPostgres, test_manual_retry.ManualRetry):
    pass


class Notifications(OnPostgres, test_notifications.Notifications):
    pass


class Digests(OnPostgres, test_subscriptions.Digests):
    pass


class Restarts(OnPostgres, EngineTest):
    """The server goes away while workflows run."""

    def write_hooked(self, receiver):
        return self.write("hooked.yaml", HOOKED.replace("HOME", str(self.home)).replace("URL", receiver.url))

    def marks(self):
        path = self.home / "marks"
        return len(path.read_text().split()) if path.exists() else 0

    def keys(self, receiver, name):
        return {r["headers"].get("Idempotency-Key") for r in list(receiver.requests) if r["path"] == f"/{name}"}

    def check(self, receiver, name, workflow):
        self.assertEqual(phase(workflow), "Succeeded", workflow.get("status"))
        self.assertEqual(len(self.keys(receiver, name)), 9, "two of the workflow, six of steps, one step")
        self.assertEqual((self.home / "marks").read_text().split().count(name), 6, "each step ran once")

    def restart(self, how):
        self.server.stop(how)
        self.server.start()

    def test_a_server_goes_on(self):
        with WebhookReceiver() as receiver:
            path = self.write_hooked(receiver)
            self.start_server()
            for turn, how in enumerate((signal.SIGQUIT, signal.SIGINT), 1):
                (self.home / "go").unlink(missing_ok=True)
                names = [self.submit(path) for _ in range(2)]
                wait_until(lambda: self.marks() == turn * 12, 60, "the steps to run")
                self.server.stop(how)
                (self.home / "go").touch()  # they end while there is no store
                self.server.start()
                for name in names:
                    self.check(receiver, name, self.wait_for_phase(name, "Succeeded", "Failed", "Error"))

    def test_a_run_goes_on(self):
        with WebhookReceiver() as receiver:
            run = self.start("run", self.write_hooked(receiver), "-o", "json")
            wait_until(lambda: self.marks() == 6, 60, "the steps to run")
            self.server.stop()
            (self.home / "go").touch()
            self.server.start()
            out, err = run.communicate(timeout=120)
            self.assertEqual(run.returncode, 0, err)
            workflow = json.loads(out)
            self.check(receiver, workflow["metadata"]["name"], workflow)

    def test_many_restarts(self):
        with WebhookReceiver() as receiver:
            path = self.write_hooked(receiver)
            (self.home / "go").touch()
            self.start_server()
            names = []
            for _ in range(4):
                names += [self.submit(path) for _ in range(2)]
                self.restart(signal.SIGQUIT)
            for name in names:
                self.check(receiver, name, self.wait_for_phase(name, "Succeeded", "Failed", "Error", seconds=120))


class Choice(OnPostgres, EngineTest):
    """How the store is named, and what is said when it cannot be opened."""

    def env(self, **more):
        out = super().env(**more)
        if not getattr(self, "by_variable", True):
            del out["TIPHYS_STORE"]
        return out

    def test_by_a_flag_a_variable_or_a_file(self):
        url = self.server.url(self.database)
        path = self.write("w.yaml", "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\n"
                                    "spec: {entrypoint: a, templates: [{name: a, suspend: {}}]}\n")
        self.call("submit", path)
        self.by_variable = False
        self.assertIn("not found", self.call("get", "w", ok=False).stderr, "it is in no file")
        self.assertIn("w", self.call("--store", url, "get", "w", "-o", "name").stdout)
        self.assertIn("w", self.call("get", "w", "-o", "name", "--store", url).stdout)
        self.write("store", url + "\n")
        self.assertIn("w", self.call("get", "w", "-o", "name").stdout)

    def test_no_password_is_shown(self):
        for url in ("postgresql://me:s3cr%40et@localhost:1/db", "postgresql://me:s3cr%40et@localhost:1/db?nonsense=1",
                    f"postgresql://me:s3cr%40et@/nothing?host={self.server.folder}"):
            for words in (["list"], ["server"], ["--loglevel", "debug", "list"]):
                p = self.call(*words, "--store", url, ok=False)
                self.assertNotIn("s3cr", p.stdout + p.stderr)
                self.assertRegex(p.stderr, r"^Error: .*postgresql://me@.*\n$")

    def test_without_the_library(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "libpq.so.5").write_bytes(b"no library")
            p = subprocess.run([binary(), "list"], env=self.env(LD_LIBRARY_PATH=folder), text=True, capture_output=True)
        self.assertEqual(p.returncode, 1)
        self.assertRegex(p.stderr, r"^Error: a PostgreSQL store needs libpq.so.5 \(on Debian: apt-get install libpq5\): "
                                   r".*\n$")

    def test_a_newer_version(self):
        self.call("list")
        self.sql("INSERT INTO tiphys.migrations VALUES (99)")
        self.assertIn("has version 99, this tiphys knows versions up to", self.call("list", ok=False).stderr)
