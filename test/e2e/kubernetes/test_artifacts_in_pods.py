"""Artifacts that go between pods and an S3 server without the engine."""
import json
import os
import re
import subprocess
import tempfile
import threading
import time
import unittest

from cluster import ClusterTest
from engine import nodes, wait_until
from s3_server import S3Server

MIB = int(os.environ.get("TIPHYS_S3_TEST_MIB", "200"))


@unittest.skipUnless(os.environ.get("K8S_NET"), "the cluster is another's: no address for an S3 server (K8S_NET)")
class ArtifactsInPods(ClusterTest):
    def setUp(self):
        super().setUp()
        # The pods' bridge: an address of this machine that pods reach, and nobody else.
        self.address = os.environ["K8S_NET"] + ".1"
        self.secrets = {"access": S3Server.ACCESS, "secret": S3Server.SECRET}
        self.serve()

    def serve(self, *flags):
        self.s3 = S3Server(tempfile.mkdtemp(dir=self.home), *flags, host=self.address)
        self.addCleanup(self.s3.stop)
        (self.s3.root / "bucket").mkdir()

    def step(self, name, script, inputs=(), outputs=(), **more):
        return {"name": name, "inputs": {"artifacts": list(inputs)}, "outputs": {"artifacts": list(outputs)},
                "container": {"image": "busybox", "imagePullPolicy": "IfNotPresent", "command": ["sh", "-c"],
                              "args": [script]}, **more}

    def steps(self, *groups):
        return {"name": "main", "steps": [[{"name": name, "template": name, "arguments": {"artifacts": artifacts}}]
                                          for name, artifacts in groups]}

    variables = {}
    place = {}

    def env(self, **more):
        return super().env(**{**self.variables, **more})

    def run_templates(self, *templates, ok=True, **spec):
        objects = [
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s3-keys"},
             "stringData": self.secrets},
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "workflow-controller-configmap"},
             "data": {"artifactRepository": json.dumps({"s3": self.s3.location(**self.place)})}}]
        for o in objects:
            o["metadata"]["namespace"] = self.namespace
        objects.append({"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
                        "metadata": {"name": "w", "namespace": self.namespace},
                        "spec": {"entrypoint": "main", "templates": list(templates), **spec}})
        path = self.write("w.json", "\n---\n".join(map(json.dumps, objects)))
        w = self.run_workflow(path.rename(path.with_suffix(".yaml")), ok=ok)
        # Leave to fetch and to send is in the pods' specifications and nowhere else.
        told = json.dumps(w) + self.call("logs", "w").stdout + self.call("get", "w", "-o", "yaml").stdout
        self.assertNotIn("X-Amz-", told)
        return w

    def pod_texts(self):
        return json.dumps([pod for _, pod in self.recorder.events])

    def sums(self):
        """The SHA-256 that the steps have printed."""
        return re.findall(r"\b[0-9a-f]{64}\b", self.call("logs", "w", "--no-color").stdout)

    def test_a_large_file_goes_from_pod_to_pod(self):
        make = self.step("make", f"head -c {MIB << 20} /dev/urandom > /tmp/o; echo 1 > /tmp/small; sha256sum < /tmp/o",
                         outputs=[{"name": "o", "path": "/tmp/o"}, {"name": "small", "path": "/tmp/small"}])
        take = self.step("take", "sha256sum < /in/i; cat /in/small; ls -l /in/i",
                         inputs=[{"name": "o", "path": "/in/i"}, {"name": "small", "path": "/in/small"}])
        main = self.steps(("make", []), ("take", [{"name": n, "from": f"{{{{steps.make.outputs.artifacts.{n}}}}}"}
                                                  for n in ("o", "small")]))
        n = nodes(self.run_templates(make, take, main))
        first, second = self.sums()
        self.assertEqual(first, second)
        self.assertEqual([a["name"] for a in n["make"]["outputs"]["artifacts"]], ["o", "small"])
        large, = [self.s3.root / "bucket" / k for k in self.s3.keys("bucket") if k.endswith("/o.tgz")]
        self.assertGreater(large.stat().st_size, MIB << 20)
        self.assertLess(len(self.pod_texts()), 1 << 20)
        self.assertNotIn(S3Server.SECRET, self.pod_texts())
        self.assertIn("X-Amz-Signature", self.pod_texts())

    def test_files_and_folders_of_any_user(self):
        outputs = [{"name": "f", "path": "/tmp/out/f", "archive": {"none": {}}, "s3": {"key": "f ä&?"}},
                   {"name": "d", "path": "/tmp/out/d/", "archive": {"tar": {"compressionLevel": 1}}, "s3": {"key": "d.tgz"}}]
        fill = ("mkdir -p /tmp/out/d/sub; head -c 3000000 /dev/urandom > /tmp/out/f; head -c 70000000 /dev/zero > /tmp/out/d/sub/zero;"
                "ln -s sub/zero /tmp/out/d/link; sha256sum < /tmp/out/f; sha256sum < /tmp/out/d/link")
        # What is small as it is packed is large when it is unpacked.
        inputs = [dict(outputs[0], path="/in/f", mode=0o400), dict(outputs[1], path="/in/d")]
        read = "sha256sum < /in/f; sha256sum < /in/d/link; stat -c %a /in/f; echo more > /in/d/more"
        user = {"securityContext": {"runAsUser": 1234}}
        self.run_templates(self.step("make", fill, outputs=outputs, **user), self.step("take", read, inputs=inputs, **user),
                           self.steps(("make", []), ("take", [])))
        sums = self.sums()
        self.assertEqual(sums[:2], sums[2:], sums)
        self.assertEqual(self.s3.keys("bucket"), ["d.tgz", "f ä&?"])
        self.assertIn(": 400\n", self.call("logs", "w", "--no-color").stdout)

    def certificate(self, name):
        """A self-signed one for the server's address; its key is beside it."""
        path = self.home / f"{name}.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", self.home / f"{name}.key", "-out", path, "-days", "2", "-subj", "/CN=s3", "-addext",
                        f"subjectAltName=IP:{self.address}"], check=True, capture_output=True)
        return path

    def test_a_server_that_only_its_own_certificate_proves(self):
        cert, key = self.certificate("s3"), self.home / "s3.key"
        self.serve("--cert", str(cert), "--key", str(key))
        self.secrets["ca"] = cert.read_text()
        self.place = {"insecure": False, "caSecret": {"name": "s3-keys", "key": "ca"}}
        make = self.step("make", "head -c 3000000 /dev/urandom > /tmp/o; sha256sum < /tmp/o",
                         outputs=[{"name": "o", "path": "/tmp/o"}])
        take = self.step("take", "sha256sum < /in/i", inputs=[{"name": "o", "path": "/in/i"}])
        self.run_templates(make, take, self.steps(
            ("make", []), ("take", [{"name": "o", "from": "{{steps.make.outputs.artifacts.o}}"}])))
        first, second = self.sums()
        self.assertEqual(first, second)
        self.assertIn("https://", self.pod_texts())
        self.call("delete", "w", "-n", self.namespace)
        (self.s3.root / "bucket/i").write_bytes(os.urandom(1 << 20))
        # The engine, which asks for the size, trusts it; the pod is sent elsewhere and must not.
        other = S3Server(tempfile.mkdtemp(dir=self.home), "--cert", str(self.certificate("other")), "--key",
                         str(self.home / "other.key"), host=self.address)
        self.addCleanup(other.stop)
        self.variables = {"TIPHYS_S3_POD_ENDPOINTS": f"{self.s3.endpoint}={other.endpoint}"}
        take = self.step("main", "true", inputs=[{"name": "i", "path": "/in/i", "s3": {"key": "i"}}])
        w = self.run_templates(take, ok=False)
        self.assertRegex(nodes(w)["w"]["message"], "artifact i failed to load: .*: self-signed certificate$")

    def test_a_folder_of_objects(self):
        for name in ("a", "sub/b"):
            path = self.s3.root / "bucket/many" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(os.urandom(1 << 20))
        take = self.step("main", "cd /in/d; find . -type f | sort | xargs ls -l | awk '{print $5, $9}'",
                         inputs=[{"name": "d", "path": "/in/d", "s3": {"key": "many"}}])
        self.run_templates(take)
        self.assertRegex(self.call("logs", "w", "--no-color").stdout, r"1048576 \./a\n.*1048576 \./sub/b\n")

    def test_a_server_that_comes_back_is_tried_again(self):
        (self.s3.root / "bucket/i").write_bytes(os.urandom(1 << 20))
        step = self.step("main", "cat /in/i > /tmp/o; touch /tmp/begun; sleep 4", outputs=[
            {"name": "o", "path": "/tmp/o", "archive": {"none": {}}, "s3": {"key": "o"}}],
            inputs=[{"name": "i", "path": "/in/i", "archive": {"none": {}}, "s3": {"key": "i"}}])

        def is_running():
            return [p for p in self.pods() if p["status"].get("phase") == "Running"]

        def stop_and_start():
            wait_until(is_running, 120, "the pod")
            self.s3.stop()
            time.sleep(7)
            self.s3.start()
        worker = threading.Thread(target=stop_and_start)
        worker.start()
        self.addCleanup(worker.join)
        self.run_templates(step)
        self.assertEqual((self.s3.root / "bucket/o").read_bytes(), (self.s3.root / "bucket/i").read_bytes())

    def test_what_pods_cannot_reach(self):
        (self.s3.root / "bucket/i").write_bytes(os.urandom(1 << 20))
        self.variables = {"TIPHYS_S3_POD_ENDPOINTS": f"{self.s3.endpoint}=127.0.0.1:9"}
        make = self.step("main", "head -c 1048576 /dev/urandom > /tmp/o", outputs=[
            {"name": "o", "path": "/tmp/o", "archive": {"none": {}}, "s3": {"key": "o"}}])
        self.run_templates(make)  # through the log, and from there by the engine
        self.assertEqual((self.s3.root / "bucket/o").stat().st_size, 1 << 20)
        self.call("delete", "w", "-n", self.namespace)
        take = self.step("main", "true", inputs=[{"name": "i", "path": "/in/i", "s3": {"key": "i"}}])
        w = self.run_templates(take, ok=False)
        self.assertEqual(nodes(w)["w"]["message"],
                         "init: Error (exit code 64): artifact i failed to load: http://127.0.0.1:9: connect to 127.0.0.1: "
                         "Connection refused")
