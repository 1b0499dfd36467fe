#!/usr/bin/python3
"""bench.py BIN [--on alone|cluster] [--pods N] [--parallel P] [--rounds R] [--client-only]

Pods per second, CPU and requests a pod of the engine, beside a bare client (bench/client.go, over net/http), in turns
on the same server:
  engine   a whole `tiphys run`
  client   makes, watches, frees and deletes the same pods: they have the finalizer that keeps an end from being lost
  least    makes, watches and deletes them without it: one write less
The time of each is that of its process, from start to end. The server is:
  alone    etcd and the API server only, with a stand-in kubelet that completes each pod at once (bench/kubelet.go)
  cluster  the real single-node cluster of up.sh, with real pods
K8S_BIN is the cluster's binary. Prints a table, and as the last line JSON."""
import argparse
import contextlib
import http.client
import importlib.util
import json
import os
import pathlib
import re
import shutil
import signal
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
FINALIZER = "tiphys.dev/outcome"
DEFAULT_POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bare"}, "spec": {
    "restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox", "imagePullPolicy": "IfNotPresent",
                                              "command": ["true"]}]}}


def cluster_runner():
    spec = importlib.util.spec_from_file_location("run_kubernetes", PROJECT / "test/e2e/kubernetes/run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Server:
    """An API server: its address, its authority and a token."""

    def __init__(self, folder, port, token, authority):
        self.folder, self.port, self.token, self.authority = pathlib.Path(folder), port, token, authority
        self.url = f"https://127.0.0.1:{port}"
        self.tls = ssl.create_default_context(cafile=str(authority))
        self.kubeconfig = self.folder / "bench.kubeconfig"
        self.kubeconfig.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "b",
            "clusters": [{"name": "b", "cluster": {"server": self.url, "certificate-authority": str(authority)}}],
            "users": [{"name": "b", "user": {"token": token}}],
            "contexts": [{"name": "b", "context": {"cluster": "b", "user": "b", "namespace": "default"}}]}))

    def call(self, method, path):
        c = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.tls, timeout=30)
        c.request(method, path, headers={"Authorization": f"Bearer {self.token}"})
        with contextlib.closing(c), c.getresponse() as response:
            return response.status, response.read()

    def requests(self):
        """How many requests for pods it has answered, but those that tell a pod's status; on the cluster those of its
        own parts, too."""
        series = re.findall(r"^apiserver_request_total\{(.*)\} (\S+)$", self.call("GET", "/metrics")[1].decode(), re.M)
        return sum(float(n) for labels, n in series
                   if 'resource="pods"' in labels and 'subresource="status"' not in labels
                   and re.search('verb="(POST|PATCH|DELETE|CONNECT|GET)"', labels))

    def wait(self):
        for _ in range(600):
            with contextlib.suppress(OSError):
                if self.call("GET", "/api/v1/namespaces/default")[0] == 200:
                    return
            time.sleep(0.1)
        raise SystemExit("bench.py: the API server does not answer")


@contextlib.contextmanager
def alone(podbench):
    """etcd, an API server and the stand-in kubelet."""
    runner = cluster_runner()
    folder = pathlib.Path(runner.temporary_folder())
    port, token, started = runner.free_ports(), "bench", []
    log = open(folder / "log", "wb")

    def run(*words, **more):
        started.append(subprocess.Popen([str(w) for w in words], stdin=subprocess.DEVNULL, stderr=log,
                                        **{"stdout": log, **more}))
        return started[-1]
    try:
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30")
        subprocess.run(["openssl", "req", "-x509", *curve, "-keyout", folder / "key", "-out", folder / "crt", "-subj",
                        "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, stderr=log)
        (folder / "tokens").write_text(f"{token},bench,bench,system:masters\n")
        binary, etcd = os.environ["K8S_BIN"], f"http://127.0.0.1:{port + 1}"
        peer = f"http://127.0.0.1:{port + 2}"
        run(binary, "etcd", "--data-dir", folder / "etcd", "--unsafe-no-fsync", "--log-level", "warn",
            "--listen-client-urls", etcd, "--advertise-client-urls", etcd, "--listen-peer-urls", peer,
            "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}")
        run(binary, "apiserver", "--etcd-servers", etcd, "--bind-address", "127.0.0.1", "--advertise-address",
            "127.0.0.1", "--secure-port", port, "--endpoint-reconciler-type", "none", "--tls-cert-file", folder / "crt",
            "--tls-private-key-file", folder / "key", "--service-account-issuer", "https://kubernetes.default.svc",
            "--service-account-signing-key-file", folder / "key", "--service-account-key-file", folder / "crt",
            "--token-auth-file", folder / "tokens", "--authorization-mode", "AlwaysAllow", "--anonymous-auth=false",
            # There is no controller that would make the service accounts.
            "--disable-admission-plugins", "ServiceAccount", "--service-cluster-ip-range", "10.96.0.0/24")
        server = Server(folder, port, token, folder / "crt")
        server.wait()
        kubelet = run(podbench, "kubelet", "-server", server.url, "-token", token, "-ca", folder / "crt",
                      stdout=subprocess.PIPE)
        if kubelet.stdout.readline() != b"ready\n":
            raise SystemExit(f"bench.py: the stand-in kubelet: {(folder / 'log').read_text()[-500:]}")
        yield server
    finally:
        for p in reversed(started):
            p.terminate()
            p.wait()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def cluster(_):
    """The real cluster."""
    runner = cluster_runner()
    environment = os.environ
    folder = environment["K8S_DIR"] = runner.temporary_folder()
    try:
        runner.start(environment)
        config = pathlib.Path(folder, "admin.kubeconfig").read_text()
        yield Server(folder, int(re.search(r"127\.0\.0\.1:(\d+)", config)[1]),
                     re.search(r"token: (\w+)", config)[1], pathlib.Path(folder, "lib/kubernetes/ca.crt"))
    except runner.Skip as skip:
        raise SystemExit(f"bench.py: {skip}") from None
    finally:
        subprocess.run([HERE / "down.sh"], env=environment, check=False)
        shutil.rmtree(folder, ignore_errors=True)


def first_pod(server, found):
    """Puts the first pod that it sees into `found`, as it was asked for."""
    while not found:
        items = json.loads(server.call("GET", "/api/v1/namespaces/default/pods?limit=1")[1]).get("items")
        if items:
            found.append(items[0])
        time.sleep(0.05)


def plain(pod):
    """A pod as a client would ask for it: without what the server and the node have added."""
    meta, spec = pod["metadata"], dict(pod["spec"])
    for key in ("nodeName", "serviceAccountName", "serviceAccount", "tolerations", "priority", "preemptionPolicy",
                "enableServiceLinks", "schedulerName", "dnsPolicy"):
        spec.pop(key, None)
    for part in ("containers", "initContainers"):
        spec[part] = [{**c, "volumeMounts": [m for m in c.get("volumeMounts", []) if "kube-api-access" not in m["name"]]}
                      for c in spec.get(part, [])]
    spec["volumes"] = [v for v in spec.get("volumes", []) if not v["name"].startswith("kube-api-access")]
    labels = {k: v for k, v in (meta.get("labels") or {}).items() if k != "tiphys.dev/engine"}
    return {"apiVersion": "v1", "kind": "Pod", "spec": spec, "metadata": {
        "name": "bare", "labels": labels, "annotations": meta.get("annotations") or {},
        "finalizers": [FINALIZER]}}  # the one that was seen may have been freed of it already


def timed(words, environment=None):
    """(seconds, CPU ms) of a process."""
    start = time.monotonic()
    p = subprocess.Popen([str(w) for w in words], env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(p.pid, 0)
    seconds = time.monotonic() - start
    if status:
        raise SystemExit(f"bench.py: {words[0]} ended with status {status}")
    return seconds, (used.ru_utime + used.ru_stime) * 1000


def run_engine(binary, server, count, parallel):
    """(seconds, CPU ms, the first pod) of a workflow of `count` steps."""
    home = pathlib.Path(tempfile.mkdtemp(prefix="tiphys-bench-"))
    found = []
    try:
        (home / "w.yaml").write_text(f"""apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{generateName: bench-}}
spec:
  entrypoint: main
  parallelism: {parallel}
  podGC: {{strategy: OnPodCompletion, deleteDelayDuration: 0s}}
  templates:
  - name: main
    steps:
    - - name: a
        template: pod
        withSequence: {{count: '{count}'}}
  - name: pod
    container: {{image: busybox, imagePullPolicy: IfNotPresent, command: ['true']}}
""")
        watcher = threading.Thread(target=first_pod, args=(server, found), daemon=True)
        watcher.start()
        seconds, cpu = timed([binary, "run", "--executor", "kubernetes", "--kubeconfig", server.kubeconfig,
                              "--namespace", "default", home / "w.yaml", "-o", "name"],
                             dict(os.environ, TIPHYS_HOME=str(home)))
        return seconds, cpu, found and found[0]
    finally:
        found.append(None)
        shutil.rmtree(home, ignore_errors=True)


def run_client(podbench, server, pod, count, parallel):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
        f.write(json.dumps(pod))
        f.flush()
        return timed([podbench, "client", "-server", server.url, "-token", server.token, "-ca", server.authority,
                      "-pod", f.name, "-count", count, "-parallel", parallel])


def without_finalizer(pod):
    return {**pod, "metadata": {**pod["metadata"], "finalizers": []}}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--on", choices=("alone", "cluster"), default="alone")
    parser.add_argument("--pods", type=int)
    parser.add_argument("--parallel", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--client-only", action="store_true")
    a = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is to be ended
    pods = a.pods or {"alone": 2000, "cluster": 40}[a.on]
    parallel = a.parallel or {"alone": 50, "cluster": 8}[a.on]
    os.environ.setdefault("K8S_BIN", str(PROJECT / "build-kubernetes/k8s"))
    binary = os.path.abspath(a.binary)
    os.environ.setdefault("STEP_BINARY", str(pathlib.Path(binary).parent / "tiphys-step"))
    podbench = PROJECT / "build-kubernetes/podbench"
    podbench.parent.mkdir(exist_ok=True)
    subprocess.run(["go", "build", "-o", podbench, "."], cwd=HERE / "bench", check=True,
                   env=dict(os.environ, CGO_ENABLED="0", PATH=os.environ["PATH"] + ":/usr/local/go/bin"))
    rows, requests = {"engine": [], "client": [], "least": []}, {}

    def note(who, server, run, *args):
        before = server.requests()
        rows[who].append(run(*args)[:2])
        requests[who] = (server.requests() - before) / pods
    with {"alone": alone, "cluster": cluster}[a.on](podbench) as server:
        pod = DEFAULT_POD
        if not a.client_only:  # the first round warms the server, and shows what a pod is
            pod = plain(run_engine(binary, server, min(pods, 20), parallel)[2] or sys.exit("bench.py: no pod seen"))
        for _ in range(a.rounds):
            if not a.client_only:
                note("engine", server, run_engine, binary, server, pods, parallel)
                note("client", server, run_client, podbench, server, pod, pods, parallel)
            note("least", server, run_client, podbench, server, without_finalizer(pod), pods, parallel)
    out = {"on": a.on, "pods": pods, "parallel": parallel}
    print(f"{pods} pods, {parallel} at a time, {a.on}, median of {a.rounds}")
    for name, measured in rows.items():
        if measured:
            rate = statistics.median(pods / seconds for seconds, _ in measured)
            cpu = statistics.median(ms / pods for _, ms in measured)
            out[name] = {"pods_per_s": round(rate, 2), "cpu_ms_per_pod": round(cpu, 3),
                         "requests_per_pod": round(requests[name], 2)}
            print(f"  {name:8}{rate:9.1f} pods/s {cpu:8.3f} ms of CPU and {requests[name]:.2f} requests a pod")
    if rows["engine"]:
        rate = out["engine"]["pods_per_s"]
        print("  engine: " + ", ".join(f"{100 * rate / out[n]['pods_per_s']:.0f} % of {n}" for n in ("client", "least")))
    print(json.dumps(out))


if __name__ == "__main__":
    main()
