"""Engines and parts of the cluster that are killed in the middle of a workflow."""
import pathlib
import shutil
import tempfile

from cluster import ClusterTest
from engine import nodes, phase, wait_until
from pods_engine import ENGINE, template
from receiver import WebhookReceiver

GATE = "while ! test -e /tmp/go; do sleep 0.1; done"


def gated(count, url):
    """`count` pods at once that end when somebody makes /tmp/go in them; Running and the end are told."""
    return (f"- name: main\n  steps:\n  - - name: a\n      template: pod\n      withSequence: {{count: '{count}'}}\n"
            f"- name: tell-running\n  http: {{url: '{url}/running', method: POST}}\n"
            f"- name: tell-exit\n  http: {{url: '{url}/exit', method: POST}}\n" + template("pod", GATE))


HOOKS = """hooks:
  running: {template: tell-running, expression: workflow.status == "Running"}
  exit: {template: tell-exit}
"""


class GatedTest(ClusterTest):
    def release(self):
        for pod in self.wait_for_running():
            self.execute(pod, "touch", "/tmp/go")

    def assert_told_once(self, receiver):
        keys = {(r["path"], r["headers"].get("Idempotency-Key")) for r in receiver.requests}
        self.assertEqual(sorted(p for p, _ in keys), ["/exit", "/running"])


class Engines(GatedTest):
    def test_killed_and_started_again(self):
        with WebhookReceiver() as receiver:
            name = self.submit_pods(gated(3, receiver.url), spec=HOOKS)
            for _ in range(3):
                engine = self.start_server()
                self.wait_for_running(3)
                self.kill(engine)
            self.release()
            self.start_server()
            self.wait_for_phase(name, "Succeeded", seconds=180)
            self.assert_told_once(receiver)
        self.assert_each_made_once(3)

    def test_killed_while_it_makes_pods(self):
        name = self.submit_pods("- name: main\n  steps:\n  - - name: a\n      template: pod\n      withSequence: "
                                "{count: '12'}\n" + template("pod"))
        for enough in (1, 4, 8):
            engine = self.start_server()
            wait_until(lambda: len(self.recorder.made()) >= enough, 120, f"{enough} pods")
            self.kill(engine)
        self.start_server()
        self.wait_for_phase(name, "Succeeded", seconds=180)
        self.assert_each_made_once(12)

    def test_two_in_one_namespace(self):
        first = self.submit_pods(template(script=GATE), name="first")
        self.start_server()
        self.wait_for_running(1)
        mine, self.home = self.home, pathlib.Path(tempfile.mkdtemp(prefix="tiphys-e2e-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        second = self.submit_pods(template(), name="second", spec="podGC: {strategy: OnPodCompletion}")
        self.start_server()
        self.wait_for_phase(second, "Succeeded", seconds=120)
        self.home = mine
        self.assertEqual(phase(self.get(first)), "Running")
        self.release()
        self.wait_for_phase(first, "Succeeded", seconds=120)
        owners = {p["metadata"]["uid"]: p["metadata"]["labels"][ENGINE] for _, p in self.recorder.events}
        self.assertEqual(len(set(owners.values())), 2, owners)
        self.assert_each_made_once(2)


class Parts(GatedTest):
    breaks_the_cluster = True

    def through(self, disturb):
        """Runs gated pods, calls disturb() while they run, lets them end."""
        with WebhookReceiver() as receiver:
            name = self.submit_pods(gated(3, receiver.url), spec=HOOKS)
            self.start_server()
            self.wait_for_running(3)
            disturb()
            self.wait_for_server()
            self.release()
            done = self.wait_for_phase(name, "Succeeded", seconds=240)
            self.assert_told_once(receiver)
        self.assertEqual({n["phase"] for n in nodes(done).values()}, {"Succeeded"})
        self.assert_each_made_once(3)

    def test_the_api_server_is_killed(self):
        self.through(lambda: self.fault("apiserver"))

    def test_the_api_server_hangs(self):
        def hang():
            self.fault("apiserver", "STOP")
            try:
                wait_until(lambda: not self.answers(), 10, "the server to hang")
            finally:
                self.fault("apiserver", "CONT")
        self.through(hang)

    def answers(self):
        try:
            with self.api.open("GET", "/readyz", timeout=2) as response:
                return response.status == 200
        except OSError:
            return False

    def test_the_kubelet_and_containerd_are_killed(self):
        def kill():
            self.fault("kubelet")
            self.fault("containerd")
        self.through(kill)

    def test_etcd_is_killed(self):
        self.through(lambda: self.fault("etcd"))

    def test_the_api_server_is_killed_while_pods_are_made(self):
        name = self.submit_pods("- name: main\n  steps:\n  - - name: a\n      template: pod\n      withSequence: "
                                "{count: '12'}\n" + template("pod"))
        self.start_server()
        wait_until(lambda: self.recorder.made(), 120, "a pod")
        self.fault("apiserver")
        self.wait_for_server()
        self.wait_for_phase(name, "Succeeded", seconds=240)
        self.assert_each_made_once(12)
