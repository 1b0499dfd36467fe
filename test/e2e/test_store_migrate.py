"""Everything moves from one store to another and back, and is the same then."""
import json
import sqlite3

from engine import EngineTest, phase
from postgres import OnPostgres
from receiver import WebhookReceiver

MANIFEST = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: moved-, labels: {a: b}}
spec:
  entrypoint: main
  onExit: tell
  hooks:
    running: {template: tell, expression: 'workflow.status == "Running"'}
  templates:
  - name: main
    steps:
    - - {name: one, template: one, withItems: [a, 'b "\\u00e4\\u2713"']}
    - - {name: two, template: fails, continueOn: {failed: true}}
    - - {name: hold, template: hold}
  - name: one
    container: {image: x, command: [sh, -c], args: ['echo {{item}}']}
  - name: fails
    retryStrategy: {limit: 1}
    container: {image: x, command: [sh, -c], args: ['exit 4']}
  - name: hold
    suspend: {}
  - name: tell
    plugin: {tiphys: {notify: {kind: webhook, config: {url: 'URL'}, message: {text: 'x {{workflow.name}}'}}}}
"""
TEMPLATE = """
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: kept}
spec: {entrypoint: a, templates: [{name: a, suspend: {}}]}
"""


class Migrate(OnPostgres, EngineTest):
    def env(self, **more):
        out = super().env(**more)
        out.pop("TIPHYS_STORE")
        if getattr(self, "store", None):
            out["TIPHYS_STORE"] = self.store
        return out

    def migrate(self, source, target, ok=True):
        return self.call("store", "migrate", "--from", source, "--to", target, ok=ok)

    def fill(self, receiver):
        path = self.write("w.yaml", MANIFEST.replace("URL", receiver.url))
        self.call("template", "create", self.write("t.yaml", TEMPLATE))
        server = self.start_server()
        names = [self.submit(path) for _ in range(3)]
        for name in names:
            self.wait_for_phase(name, "Running")
        self.call("stop", names[0])
        self.wait_for_phase(names[0], "Failed", "Error")
        self.call("delete", self.submit(self.write("gone.yaml", TEMPLATE.replace("WorkflowTemplate", "Workflow"))))
        server.terminate()
        server.wait()
        self.call("stop", names[1])  # a command that waits for an engine
        return names

    def seen(self):
        """What people see of the store."""
        names = self.call("list", "-o", "name").stdout.split()
        return {"workflows": {name: self.get(name) for name in names},
                "templates": self.call("template", "list").stdout,
                "notifications": self.call("notifications", "list").stdout,
                "metrics": [line for line in self.call("metrics", "-o", "prometheus").stdout.splitlines()
                            if "seconds" not in line]}

    def dump(self, path):
        """The file's tables, but for numbers that are a file's own."""
        with sqlite3.connect(path) as db:
            tables = {t: db.execute(f"SELECT * FROM {t} ORDER BY 1, 2").fetchall()
                      for t in ("workflows", "specs", "commands", "objects", "object_versions", "deliveries",
                                "delivery_payloads", "delivery_attempts", "rule_memory")}
            for t in ("nodes", "events"):
                tables[t] = db.execute(f"SELECT u.uid, r.key & 4294967295, r.* FROM {t} r JOIN numbers u "
                                       "ON u.number = r.key >> 32 ORDER BY 1, 2").fetchall()
                tables[t] = [(row[0], row[1], row[3]) for row in tables[t]]
        return tables

    def test_there_and_back(self):
        url = self.server.url(self.database)
        with WebhookReceiver() as receiver:
            names = self.fill(receiver)
            before = self.seen()
            self.assertEqual(len(before["workflows"]), 3)
            there = self.migrate("sqlite", url)
            self.assertRegex(there.stdout, r"(?m)^events +\d+ +[0-9a-f]{64}$")
            self.store = url
            self.assertEqual(self.seen(), before)
            back = self.home / "back.db"
            again = self.migrate("postgres", back)
            self.assertEqual(again.stdout.splitlines()[:-1], there.stdout.splitlines()[:-1], "rows and digests")
            self.assertEqual(self.dump(back), self.dump(self.home / "tiphys.db"))
            # The database goes on where the file ended: the command waits, and new rows get new numbers.
            self.start_server()
            self.assertEqual(phase(self.wait_for_phase(names[1], "Failed", "Error")), "Failed")
            self.call("resume", names[2])
            self.assertEqual(phase(self.wait_for_phase(names[2], "Succeeded", "Failed", "Error")), "Succeeded")
            self.submit(self.home / "w.yaml")

    def test_refusals(self):
        url = self.server.url(self.database)
        self.assertIn("there is no store", self.migrate(self.home / "nothing.db", url, ok=False).stderr)
        self.call("template", "create", self.write("t.yaml", TEMPLATE))
        server = self.start_server()
        refused = self.migrate("sqlite", url, ok=False)
        self.assertIn("an engine is running on", refused.stderr)
        server.terminate()
        server.wait()
        self.migrate("sqlite", url)
        self.assertIn("the store that is to be filled is not empty: it has objects",
                      self.migrate("sqlite", url, ok=False).stderr)
        self.assertIn("are the same store", self.migrate("sqlite", "sqlite", ok=False).stderr)
        self.store = url
        self.start_server()
        self.assertIn("an engine is running on", self.migrate("postgres", self.home / "b.db", ok=False).stderr)
