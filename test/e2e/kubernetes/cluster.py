"""The real cluster that run.py has started: namespaces for tests, its API as administrator, faults."""
import base64
import fcntl
import http.client
import json
import os
import pathlib
import re
import ssl
import subprocess
import threading
import time
import uuid

from engine import wait_until
from pods_engine import PodsTest

DEPLOYMENT = pathlib.Path(__file__).resolve().parents[3] / "deploy/kubernetes.yaml"
CLUSTER = pathlib.Path(__file__).resolve().parents[2] / "kubernetes"


class Api:
    """The API server as its administrator; any thread."""

    def __init__(self):
        config = (pathlib.Path(os.environ["K8S_DIR"]) / "admin.kubeconfig").read_text()

        def find(key):
            return re.search(key + r': "?([^"},\s]+)', config)[1]
        self.host, self.port = re.fullmatch(r"https://([^:]+):(\d+)", find("server")).groups()
        self.authority = find("certificate-authority-data")
        self.token = find("token")
        self.tls = ssl.create_default_context(cadata=base64.b64decode(self.authority).decode())

    def open(self, method, path, body=None, kind="application/json", timeout=30):
        connection = http.client.HTTPSConnection(self.host, int(self.port), context=self.tls, timeout=timeout)
        connection.request(method, path, json.dumps(body) if body is not None else None,
                           {"Authorization": f"Bearer {self.token}", "Content-Type": kind, "Connection": "close"})
        return connection.getresponse()

    def call(self, method, path, body=None, kind="application/json", ok=True):
        """The decoded answer; `ok`: whether a refusal is a failure of the test."""
        with self.open(method, path, body, kind) as response:
            text = response.read()
        if ok and response.status >= 300:
            raise AssertionError(f"{method} {path}: {response.status} {text[:500]!r}")
        return json.loads(text)


class Recorder:
    """Notes what happens to the pods of a namespace, from the beginning on, through outages of the server."""

    def __init__(self, api, namespace):
        self.api, self.path = api, f"/api/v1/namespaces/{namespace}/pods"
        self.events = []  # (type, pod)
        self.is_stopped = False
        self.version = self.api.call("GET", self.path)["metadata"]["resourceVersion"]
        threading.Thread(target=self.work, daemon=True).start()

    def work(self):
        while not self.is_stopped:
            try:
                with self.api.open("GET", f"{self.path}?watch=1&timeoutSeconds=5&resourceVersion={self.version}"
                                   ) as response:
                    for line in iter(response.readline, b""):
                        event = json.loads(line)
                        if event["type"] == "ERROR":
                            break
                        self.version = event["object"]["metadata"]["resourceVersion"]
                        self.events.append((event["type"], event["object"]))
            except (OSError, ValueError, http.client.HTTPException):
                time.sleep(0.2)

    def made(self):
        """The names of the pods that were made, each as often as it was made."""
        seen = {pod["metadata"]["uid"]: pod["metadata"]["name"] for _, pod in list(self.events)}
        return sorted(seen.values())

    def stop(self):
        """What it has noted stays; its thread ends with its watch."""
        self.is_stopped = True


def rights_of_deployment(namespace):
    """The service account, role and binding that users install: tests run with exactly these."""
    parts = DEPLOYMENT.read_text().replace("namespace: tiphys", f"namespace: {namespace}").split("\n---\n")
    return "\n---\n".join(p for p in parts if re.search(r"^kind: (ServiceAccount|Role|RoleBinding)$", p, re.M))


class ClusterTest(PodsTest):
    """A test with a namespace of its own, in which its engine has the rights of deploy/kubernetes.yaml."""

    breaks_the_cluster = False

    def setUp(self):
        super().setUp()
        self.lock = open(pathlib.Path(os.environ["K8S_DIR"]) / "tests.lock", "w")
        self.addCleanup(self.lock.close)
        # Who breaks the cluster has it for himself.
        fcntl.flock(self.lock, fcntl.LOCK_EX if self.breaks_the_cluster else fcntl.LOCK_SH)
        self.api = Api()
        self.namespace = f"t-{uuid.uuid4().hex[:8]}"
        self.pods_path = f"/api/v1/namespaces/{self.namespace}/pods"
        self.make_namespace()
        self.recorder = Recorder(self.api, self.namespace)
        self.addCleanup(self.remove_namespace)
        self.config = self.write_config()

    def make_namespace(self):
        self.api.call("POST", "/api/v1/namespaces", {"metadata": {"name": self.namespace}})
        self.kubectl("apply", "-n", self.namespace, "-f", "-", stdin=rights_of_deployment(self.namespace))
        wait_until(lambda: "metadata" in self.api.call(
            "GET", f"/api/v1/namespaces/{self.namespace}/serviceaccounts/default", ok=False)
            and self.api.call("GET", f"/api/v1/namespaces/{self.namespace}/serviceaccounts/default", ok=False)
            .get("kind") == "ServiceAccount", 60, "the namespace's service account")

    def give_rights(self, group, kind, verbs):
        """What the engine may do besides, for resource templates."""
        name = f"more-{uuid.uuid4().hex[:8]}"
        role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": name},
                "rules": [{"apiGroups": [group], "resources": [kind], "verbs": verbs}]}
        binding = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": name},
                   "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
                   "subjects": [{"kind": "ServiceAccount", "name": "tiphys", "namespace": self.namespace}]}
        self.kubectl("apply", "-n", self.namespace, "-f", "-", stdin="\n---\n".join(map(json.dumps, (role, binding))))

    def remove_namespace(self):
        self.recorder.stop()
        for pod in self.pods():  # an engine that was killed leaves its finalizers
            if pod["metadata"].get("finalizers"):
                self.patch_pod(pod["metadata"]["name"], {"metadata": {"finalizers": None}})
        self.api.call("DELETE", f"{self.pods_path}?gracePeriodSeconds=0", ok=False)
        self.api.call("DELETE", f"/api/v1/namespaces/{self.namespace}", ok=False)

    def write_config(self):
        token = self.api.call("POST", f"/api/v1/namespaces/{self.namespace}/serviceaccounts/tiphys/token",
                              {"spec": {"expirationSeconds": 7200}})["status"]["token"]
        path = self.home / "kubeconfig"
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": f"https://{self.api.host}:{self.api.port}",
                                                      "certificate-authority-data": self.api.authority}}],
            "users": [{"name": "engine", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "engine",
                                                      "namespace": self.namespace}}]}))
        return path

    def kubectl(self, *args, stdin=None):
        p = self.try_kubectl(*args, stdin=stdin)
        self.assertEqual(p.returncode, 0, p.stderr)
        return p.stdout

    def try_kubectl(self, *args, stdin=None):
        return subprocess.run([os.environ["K8S_BIN"], "kubectl", "--kubeconfig",
                               os.path.join(os.environ["K8S_DIR"], "admin.kubeconfig"), *args],
                              input=stdin, capture_output=True, text=True, timeout=120)

    def execute(self, pod, *words):
        """Runs a command in the main container of a pod, once the kubelet can be asked, unless the pod has ended."""
        name = pod["metadata"]["name"]

        def is_done():
            p = self.try_kubectl("exec", "-n", self.namespace, name, "-c", "main", "--", *words)
            phases = [p["status"]["phase"] for p in self.pods() if p["metadata"]["name"] == name]
            return p.returncode == 0 or phases[:1] != ["Running"]
        wait_until(is_done, 120, f"{' '.join(words)} in a pod")

    def pods(self):
        return self.api.call("GET", self.pods_path).get("items", [])

    def patch_pod(self, name, patch):
        self.api.call("PATCH", f"{self.pods_path}/{name}", patch, "application/merge-patch+json", ok=False)

    def wait_for_pods(self, count, is_so, what):
        """The pods, once `count` of them are as is_so(pod) wants it."""
        return wait_until(lambda: (found := [p for p in self.pods() if is_so(p)]) and len(found) >= count and found,
                          120, what)

    def wait_for_running(self, count=1):
        return self.wait_for_pods(count, lambda p: p["status"]["phase"] == "Running", f"{count} running pods")

    def assert_each_made_once(self, count):
        made = self.recorder.made()
        self.assertEqual(len(made), count, made)
        self.assertEqual(len(set(made)), count, made)

    def fault(self, part, signal="KILL"):
        """Sends a signal to a part of the cluster; see kill.sh."""
        subprocess.run([CLUSTER / "kill.sh", part, signal], check=True, timeout=30)

    def wait_for_server(self):
        def answers():
            try:
                with self.api.open("GET", "/readyz", timeout=5) as response:
                    return response.status == 200
            except (OSError, http.client.HTTPException):
                return False
        wait_until(answers, 120, "the API server to answer")
