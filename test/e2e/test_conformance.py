"""`tiphys conformance`: recorded workflows run here, and their ends compared with what was recorded."""
import json
import socket
import unittest

from engine import EngineTest

WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: NAME}
spec:
  entrypoint: main
  templates:
  - name: main
"""
GOLDEN = {"name": "NAME", "phase": "Succeeded", "progress": "1/1", "nodes": [
    {"name": "NAME", "displayName": "NAME", "type": "Pod", "templateName": "main", "templateScope": "local/NAME",
     "phase": "Succeeded", "outputs": {"exitCode": "0"}}]}


class Conformance(EngineTest):
    def setUp(self):
        super().setUp()
        self.folder = self.home / "goldens"
        self.folder.mkdir()

    def golden(self, name, body, form=None):
        (self.folder / f"{name}.yaml").write_text(WORKFLOW.replace("NAME", name) + body)
        (self.folder / f"{name}.json").write_text(json.dumps(form or GOLDEN).replace("NAME", name))

    def table(self, *words):
        p = self.call("conformance", str(self.folder), "-o", "json", *words, ok=None)
        return p.returncode, {r["name"]: r for r in json.loads(p.stdout)["goldens"]}

    def test_the_table_tells_what_passes_and_what_differs(self):
        container = "    container: {image: x, command: [sh, -c, 'exit CODE']}\n"
        self.golden("right", container.replace("CODE", "0"))
        self.assertEqual(self.table()[0], 0)
        self.golden("wrong", container.replace("CODE", "1"))
        code, rows = self.table("--jobs", "2")
        self.assertEqual(code, 1)
        self.assertEqual({n: r["result"] for n, r in rows.items()}, {"right": "pass", "wrong": "FAIL"})
        self.assertEqual([(d["where"], d["field"]) for d in rows["wrong"]["differences"]],
                         [("workflow", "message"), ("workflow", "phase"), ("workflow", "progress"),
                          ("wrong", "message"), ("wrong", "outputs"), ("wrong", "phase")])
        self.assertEqual(rows["wrong"]["differences"][1]["got"], "Failed")
        text = self.call("conformance", str(self.folder), "--long", ok=False).stdout
        self.assertRegex(text, r"(?m)^right +portable +pass +1 +0 ")
        self.assertIn('    wrong phase\n      - "Succeeded"\n      + "Failed"\n', text)
        self.assertTrue(text.endswith("\n1 passed, 1 failed, 0 skipped\n"))
        self.assertEqual(list(self.table("--only", "^r")[1]), ["right"])

    def test_who_has_not_started_the_server_of_the_goldens_is_told_how(self):
        container = "    container: {image: x, command: [sh, -c, 'true http://127.0.0.1:PORT/x']}\n"
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))
            port = str(held.getsockname()[1])
            self.golden("a", container.replace("PORT", port))
            (self.folder / "echo_server.py").write_text(f"PORT = {port}\n")
            p = self.call("conformance", str(self.folder))
            self.assertEqual(f"note: 1 of the goldens calls 127.0.0.1:{port}, where nobody answers; start their "
                             f"server first: python3 {self.folder}/echo_server.py {port}\n", p.stderr)
            held.listen()
            self.assertEqual("", self.call("conformance", str(self.folder)).stderr)

    def test_objects_records_and_tools_beside_the_goldens_are_used(self):
        (self.folder / "objects.yaml").write_text(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {say: from-c}\n")
        (self.folder / "tools").mkdir()
        tool = self.folder / "tools/say"
        tool.write_text('#!/bin/sh\ntest "$SAY" = from-c && echo $$\n')
        tool.chmod(0o755)
        body = ("    container: {image: x, command: [say], env: "
                "[{name: SAY, valueFrom: {configMapKeyRef: {name: c, key: say}}}]}\n")
        form = json.loads(json.dumps(GOLDEN))
        form["nodes"][0]["outputs"]["result"] = "?"
        self.golden("tool", body, form)
        record = {"name": "tool", "class": "random", "ignore": ["nodes[*].outputs"]}
        (self.folder / "manifest.json").write_text(json.dumps({"goldens": [record]}))
        code, rows = self.table()
        self.assertEqual(code, 0, rows)
        code, rows = self.table("--class", "portable")
        self.assertEqual((code, rows["tool"]["result"]), (0, "skip"))

    def test_waiting_workflows_are_resumed_and_endless_ones_cut_off(self):
        suspended = {"name": "NAME", "phase": "Succeeded", "progress": "1/1", "nodes": [
            {"name": "NAME", "displayName": "NAME", "type": "Suspend", "templateName": "main",
             "templateScope": "local/NAME", "phase": "Succeeded"}]}
        self.golden("waits", "    suspend: {}\n", suspended)
        (self.folder / "manifest.json").write_text(json.dumps([{"name": "waits", "resume": 1}]))
        code, rows = self.table("--resume-after", "0.3")
        self.assertEqual(code, 0, rows)
        (self.folder / "manifest.json").unlink()
        code, rows = self.table("--timeout", "0.5")
        self.assertEqual((code, rows["waits"]["remark"]), (1, "not finished in 0.5 s"))

    def test_manifests_that_must_be_refused(self):
        self.golden("bad", "    container: {image: x}\n    steps: []\n", {"rejected": "text"})
        self.assertEqual(self.table()[0], 0)
        self.golden("bad", "    container: {image: x, command: ['true']}\n", {"rejected": "text"})
        code, rows = self.table()
        self.assertEqual((code, rows["bad"]["remark"]), (1, "the manifest must be refused"))

    def test_folders_without_goldens_are_a_mistake(self):
        p = self.call("conformance", str(self.folder), ok=False)
        self.assertIn("no goldens (NAME.json) in", p.stderr)


if __name__ == "__main__":
    unittest.main()
