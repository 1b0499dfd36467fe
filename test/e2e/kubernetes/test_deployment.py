"""deploy/kubernetes.yaml: the API server takes it, it gives no more rights than it says, and the engine that it installs
runs workflows."""
import json
import os
import pathlib
import re
import socket

from cluster import DEPLOYMENT, ClusterTest
from engine import phase, wait_until


class Deployment(ClusterTest):
    def text(self):
        return DEPLOYMENT.read_text().replace("namespace: tiphys", f"namespace: {self.namespace}")

    def dry_run(self, text):
        told = self.kubectl("apply", "--dry-run=server", "--validate=strict", "-n", self.namespace, "-f", "-", stdin=text)
        return re.findall(r"^(\S+) (?:created|unchanged|configured) \(server dry run\)$", told, re.M)

    def test_it_is_taken(self):
        self.assertEqual(self.dry_run(self.text()), [
            "serviceaccount/tiphys", "role.rbac.authorization.k8s.io/tiphys",
            "rolebinding.rbac.authorization.k8s.io/tiphys", "persistentvolumeclaim/tiphys-home",
            "deployment.apps/tiphys"])

    def test_it_is_taken_with_a_secret(self):
        text, count = re.subn(r"#\| ", "", self.text())
        self.assertGreater(count, 5)
        self.assertIn("deployment.apps/tiphys", self.dry_run(text))

    def test_its_rights(self):
        self.kubectl("apply", "-n", self.namespace, "-f", "-", stdin=self.text())  # nothing provisions its volume
        who = f"system:serviceaccount:{self.namespace}:tiphys"

        def can(verb, what, namespace=None):
            resource, _, part = what.partition("/")
            return self.api.call("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", {"spec": {
                "user": who, "resourceAttributes": {"namespace": namespace or self.namespace, "verb": verb,
                                                    "resource": resource, "subresource": part}}})["status"]["allowed"]
        for verb in ("create", "get", "list", "watch", "patch", "delete"):
            self.assertTrue(can(verb, "pods"), verb)
            self.assertFalse(can(verb, "pods", "default"), verb)
            self.assertFalse(can(verb, "secrets"), verb)
        self.assertTrue(can("get", "pods/log"))
        self.assertFalse(can("create", "pods/exec"))

    def text_for_here(self):
        """This cluster has no service network, and its API server is on the node's loopback: so is the engine."""
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        text = self.text()
        for old, new in (
                ("serviceAccountName: tiphys", "serviceAccountName: tiphys\n      hostNetwork: true"),
                ("0.0.0.0:9090", f"127.0.0.1:{port}"), ("containerPort: 9090", f"containerPort: {port}"),
                ("tcpSocket: {", "tcpSocket: {host: 127.0.0.1, "), ("httpGet: {", "httpGet: {host: 127.0.0.1, "),
                ("          env:\n", f"          env:\n            - {{name: KUBERNETES_SERVICE_HOST, value: {self.api.host}}}"
                                     f"\n            - {{name: KUBERNETES_SERVICE_PORT, value: '{self.api.port}'}}\n")):
            self.assertEqual(text.count(old), 1, old)
            text = text.replace(old, new)
        return text

    def in_engine(self, *words, stdin=None):
        return self.kubectl("exec", "-n", self.namespace, "-i", "deploy/tiphys", "--", "tiphys", *words, stdin=stdin)

    def engine_pods(self):
        return [p for p in self.pods() if p["metadata"]["labels"].get("app.kubernetes.io/name") == "tiphys"]

    def wait_for_engine(self, but=None):
        def ready():
            return [p for p in self.engine_pods() if p["metadata"]["uid"] != but
                    and any(c["type"] == "Ready" and c["status"] == "True" for c in p["status"].get("conditions", []))]
        return wait_until(ready, 120, "an engine that is ready")[0]

    def test_its_engine_runs_workflows_and_goes_on_after_it_was_killed(self):
        home = pathlib.Path(os.environ["K8S_DIR"]) / f"home-{self.namespace}"
        home.mkdir()
        os.chown(home, USER, USER)  # fsGroup does not count for folders of the node
        self.kubectl("apply", "-f", "-", stdin=VOLUME.format(namespace=self.namespace, home=home))
        self.kubectl("apply", "-n", self.namespace, "-f", "-", stdin=self.text_for_here())
        first = self.wait_for_engine()
        name = self.in_engine("submit", "-o", "name", "-", stdin=WORKFLOW).strip()
        wait_until(lambda: [p for p in self.pods() if p["metadata"]["name"].startswith(name)
                            and p["status"]["phase"] == "Running"], 60, "its step to run")
        self.api.call("DELETE", f"{self.pods_path}/{first['metadata']['name']}?gracePeriodSeconds=0")
        self.wait_for_engine(but=first["metadata"]["uid"])
        self.in_engine("wait", name)
        workflow = json.loads(self.in_engine("get", name, "-o", "json"))
        self.assertEqual(phase(workflow), "Succeeded")
        self.assertEqual(len([p for p in self.recorder.made() if p.startswith(name)]), 2)
        logs = self.in_engine("logs", name)
        self.assertIn("step done", logs)
        self.assertIn("told of Succeeded", logs)


USER = 65532
VOLUME = """apiVersion: v1
kind: PersistentVolume
metadata: {{name: home-{namespace}}}
spec:
  capacity: {{storage: 10Gi}}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  hostPath: {{path: {home}}}
  claimRef: {{namespace: {namespace}, name: tiphys-home}}
"""
WORKFLOW = """apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: deployed}
spec:
  entrypoint: main
  onExit: bye
  templates:
  - name: main
    container: {image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c], args: ['sleep 6; echo step done']}
  - name: bye
    script: {image: busybox, imagePullPolicy: IfNotPresent, command: [sh], source: 'echo told of {{workflow.status}}'}
"""
