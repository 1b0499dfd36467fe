"""Artifacts in a real S3 server."""
import json
import os
import re
import subprocess
import tarfile
import threading
import unittest
import zipfile

from engine import EngineTest, binary, is_sanitized, nodes
from s3_server import S3Server


class S3(EngineTest):
    def setUp(self):
        super().setUp()
        self.s3 = S3Server(self.home)
        self.addCleanup(self.s3.stop)
        (self.s3.root / "bucket").mkdir()
        self.objects = [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s3-keys"},
                         "stringData": {"access": S3Server.ACCESS, "secret": S3Server.SECRET}}]

    def run_templates(self, *templates, ok=True, **spec):
        workflow = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "w"},
                    "spec": {"entrypoint": "main", "templates": list(templates), **spec}}
        path = self.write("w.json", "\n---\n".join(json.dumps(o) for o in [*self.objects, workflow]))
        return self.run_workflow(path.rename(path.with_suffix(".yaml")), ok=ok)

    def step(self, script, inputs=(), outputs=(), **more):
        return {"name": "main", "container": {"image": "x", "command": ["sh", "-c"], "args": [script]},
                "inputs": {"artifacts": list(inputs)}, "outputs": {"artifacts": list(outputs)}, **more}

    def artifact(self, name, path, archive=None, **s3):
        made = {"name": name, "path": path, "s3": self.s3.location(**s3)}
        return {**made, "archive": {archive: {}}} if archive else made

    def test_files_and_folders_go_there_and_come_back_in_every_archive(self):
        kinds = ("none", "tar", "zip", None)
        outputs = [self.artifact(f"{what}-{kind}", f"/tmp/out/{what}-{kind}", kind, key=f"k/{what} {kind}&ä")
                   for what in ("file", "dir") for kind in kinds]
        make = "mkdir -p /tmp/out; " + "; ".join(
            f"echo F > /tmp/out/file-{k}; mkdir -p /tmp/out/dir-{k}/sub; echo D > /tmp/out/dir-{k}/sub/x"
            for k in kinds)
        w = self.run_templates(self.step(make, outputs=outputs), ok=None)
        self.assertIsNone(nodes(w)["w"].get("message"))
        keys = self.s3.keys("bucket")
        self.assertEqual(keys, sorted(["k/dir none&ä/sub/x", "k/dir tar&ä", "k/dir zip&ä", "k/dir None&ä", "k/file none&ä",
                                       "k/file tar&ä", "k/file zip&ä", "k/file None&ä"]))
        self.assertEqual((self.s3.root / "bucket/k/file none&ä").read_text(), "F\n")
        with tarfile.open(self.s3.root / "bucket/k/dir tar&ä") as t:
            self.assertIn("dir-tar/sub/x", t.getnames())
        with zipfile.ZipFile(self.s3.root / "bucket/k/file zip&ä") as z:
            self.assertEqual(z.namelist(), ["file-zip"])
        inputs = [dict(o, path=o["path"].replace("out", "in")) for o in outputs]
        self.call("delete", "w")
        self.run_templates(self.step("cat /tmp/in/file-* /tmp/in/dir-*/sub/x | tr -d '\\n'", inputs=inputs))
        self.assertIn("w: FFFFDDDD\n", self.call("logs", "w", "--no-color").stdout)

    def test_steps_pass_artifacts_through_the_default_repository(self):
        repository = {"archiveLogs": True, "s3": self.s3.location(
            keyFormat="{{workflow.namespace}}/{{workflow.name}}/{{workflow.parameters.p}}/{{pod.name}}")}
        self.objects.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "workflow-controller-configmap"},
                             "data": {"artifactRepository": json.dumps(repository)}})
        make = dict(self.step("echo from-make > /tmp/a", outputs=[{"name": "a", "path": "/tmp/a"}]), name="make")
        take = dict(self.step("cat /tmp/b", inputs=[{"name": "a", "path": "/tmp/b"}]), name="take")
        main = {"name": "main", "steps": [
            [{"name": "make", "template": "make"}],
            [{"name": "take", "template": "take", "arguments": {"artifacts": [
                {"name": "a", "from": "{{steps.make.outputs.artifacts.a}}"}]}}]]}
        n = nodes(self.run_templates(make, take, main, arguments={"parameters": [{"name": "p", "value": "pp"}]}))
        self.assertIn("from-make", self.call("logs", "w").stdout)
        keys = self.s3.keys("bucket")
        self.assertEqual(len(keys), 3, keys)
        self.assertTrue(all(re.match(r"default/w/pp/w-(make|take)-\d+/(a\.tgz|main\.log)$", k) for k in keys), keys)
        log = next(k for k in keys if k.endswith("main.log") and "take" in k)
        self.assertEqual((self.s3.root / "bucket" / log).read_text(), "from-make\n")
        self.assertEqual(n["take"]["outputs"]["artifacts"][0]["s3"]["key"], log)

    def test_keys_alone_belong_to_the_repository_that_is_referred_to(self):
        self.objects.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "repos"},
                             "data": {"one": json.dumps({"s3": self.s3.location()})}})
        (self.s3.root / "bucket/in.txt").write_text("in the bucket")
        step = self.step("cat /tmp/i > /tmp/o", inputs=[{"name": "i", "path": "/tmp/i", "s3": {"key": "in.txt"}}],
                         outputs=[{"name": "o", "path": "/tmp/o", "archive": {"none": {}}, "s3": {"key": "out.txt"}}])
        self.run_templates(step, artifactRepositoryRef={"configMap": "repos", "key": "one"})
        self.assertEqual((self.s3.root / "bucket/out.txt").read_text(), "in the bucket")
        self.call("delete", "w")
        w = self.run_templates(step, artifactRepositoryRef={"configMap": "repos", "key": "two"}, ok=False)
        self.assertEqual(nodes(w)["w"]["message"], "failed to get artifact repository: ConfigMap 'repos' has no key 'two'")

    def test_buckets_are_made_when_that_is_wanted(self):
        out = self.artifact("o", "/tmp/o", "none", key="k", bucket="made")
        w = self.run_templates(self.step("echo 1 > /tmp/o", outputs=[out]), ok=False)
        self.assertRegex(nodes(w)["w"]["message"], "failed to put file: .*bucket")
        self.call("delete", "w")
        out["s3"]["createBucketIfNotPresent"] = {}
        for _ in range(2):
            self.run_templates(self.step("echo 1 > /tmp/o", outputs=[out]))
            self.call("delete", "w")
        self.assertEqual(self.s3.keys("made"), ["k"])

    def test_data_templates_list_a_bucket(self):
        for name in ("d/1.pdf", "d/e/2.pdf", "d/3.txt", "dd/4.pdf"):
            path = self.s3.root / "bucket" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
        data = {"source": {"artifactPaths": {"name": "x", "s3": self.s3.location(key="d")}},
                "transformation": [{"expression": "filter(data, {# endsWith '.pdf'})"}]}
        w = self.run_templates({"name": "main", "data": data})
        self.assertEqual(json.loads(nodes(w)["w"]["outputs"]["result"]), ["d/1.pdf", "d/e/2.pdf"])

    def test_more_keys_than_a_page_holds(self):
        (self.s3.root / "bucket/many").mkdir()
        for i in range(1100):
            (self.s3.root / f"bucket/many/{i:04}").write_text("")
        data = {"source": {"artifactPaths": {"name": "x", "s3": self.s3.location(key="many")}},
                "transformation": [{"expression": "[len(data)]"}]}
        w = self.run_templates({"name": "main", "data": data})
        self.assertEqual(nodes(w)["w"]["outputs"]["result"], "[1100]")

    def test_what_is_missing_or_forbidden_is_told_in_argos_words(self):
        missing = self.artifact("i", "/tmp/i", key="nowhere")
        w = self.run_templates(self.step("true", inputs=[missing]), ok=False)
        self.assertEqual(nodes(w)["w"]["message"],
                         "init: Error (exit code 64): artifact i failed to load: The specified key does not exist.")
        self.call("delete", "w")
        self.run_templates(self.step("test ! -e /tmp/i", inputs=[dict(missing, optional=True)]))
        self.call("delete", "w")
        self.objects[0]["stringData"]["secret"] = "wrong"
        w = self.run_templates(self.step("true", inputs=[missing]), ok=False)
        self.assertRegex(nodes(w)["w"]["message"], "failed to get file: .*signature")
        self.assertNotIn("wrong", json.dumps(w["status"]))

    def test_a_server_that_comes_back_is_tried_again(self):
        self.s3.stop()
        back = threading.Timer(0.7, self.s3.start)
        back.start()
        self.addCleanup(back.join)
        self.run_templates(self.step("echo 1 > /tmp/o", outputs=[self.artifact("o", "/tmp/o", key="k")]))
        self.assertEqual(self.s3.keys("bucket"), ["k"])

    def test_large_files_go_in_parts_and_are_not_held_in_memory(self):
        size = int(os.environ.get("TIPHYS_S3_TEST_MIB", "200"))
        script = f"head -c {size}M /dev/urandom > /tmp/o; sha256sum < /tmp/o"
        out = self.artifact("o", "/tmp/o", "none", key="large")
        make = dict(self.step(script, outputs=[out]), name="make")
        take = dict(self.step("sha256sum < /tmp/i", inputs=[dict(out, path="/tmp/i")]), name="take")
        main = {"name": "main", "steps": [[{"name": "make", "template": "make"}], [{"name": "take", "template": "take"}]]}
        objects = "\n---\n".join(json.dumps(o) for o in [*self.objects, {
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "w"},
            "spec": {"entrypoint": "main", "templates": [make, take, main]}}])
        path = self.write("large.yaml", objects)
        p = subprocess.Popen([binary(), "run", str(path), "-o", "json"], env=self.env(), stdout=subprocess.PIPE, text=True)
        out = p.stdout.read()
        p.stdout.close()
        _, status, usage = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        n = nodes(json.loads(out))
        self.assertEqual({v["phase"] for v in n.values()}, {"Succeeded"})
        sums = re.findall(r"[0-9a-f]{64}", self.call("logs", "w", "--no-color").stdout)
        self.assertEqual(len(sums), 2)
        self.assertEqual(*sums)
        self.assertEqual((self.s3.root / "bucket/large").stat().st_size, size << 20)
        if not is_sanitized():
            self.assertLess(usage.ru_maxrss, 100 << 10, "KiB of the engine")


if __name__ == "__main__":
    unittest.main()
