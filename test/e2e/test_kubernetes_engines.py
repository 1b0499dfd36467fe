"""Several engines on one database whose steps are pods: whoever takes a workflow over goes on with its pods, and whoever
has lost it leaves them alone."""
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "kubernetes"))
from engine import binary, nodes, phase, wait_until  # noqa: E402
from pods_engine import template  # noqa: E402
from postgres import OnPostgres  # noqa: E402
import test_kubernetes_faults as faults  # noqa: E402


class PodsOfSeveralEngines(OnPostgres, faults.FaultTest):
    def setUp(self):
        super().setUp()
        self.homes = []

    def clean_up(self):
        for engine in self.engines:
            if engine.poll() is None:
                engine.send_signal(signal.SIGCONT)
        super().clean_up()
        for home in self.homes:
            shutil.rmtree(home, ignore_errors=True)

    def env(self, **more):
        return super().env(**{"TIPHYS_LEASE_SECONDS": "2", **more})

    def serve(self):
        """An engine on a machine of its own; its process and its log."""
        home = pathlib.Path(tempfile.mkdtemp(prefix="tiphys-home-"))
        self.homes.append(home)
        with open(home / "log", "w") as log:
            engine = subprocess.Popen([binary(), *self.with_flags(("server",))], text=True, stdout=subprocess.PIPE,
                                      stderr=log, env=dict(self.env(), TIPHYS_HOME=str(home)))
        self.engines.append(engine)
        self.assertRegex(engine.stdout.readline(), "server")
        return engine, home / "log"

    def wait_for_new_owner(self):
        wait_until(lambda: self.sql("SELECT max(epoch) FROM tiphys.leases").strip() not in ("", "1"), 120,
                   "another engine to take over")

    def assert_pods_were_left_alone(self, name):
        workflow = self.wait_for_phase(name, "Succeeded", "Failed", "Error", seconds=120)
        self.assertEqual(phase(workflow), "Succeeded", {n: s.get("message") for n, s in nodes(workflow).items()})
        self.assert_each_made_once(3)
        self.assertEqual(self.api.asked("delete"), [])

    def test_pods_of_an_engine_that_is_gone_go_on(self):
        first, _ = self.serve()
        name = self.submit_pods(faults.parallel(3, {"told": {"end": "never"}}))
        pods = self.wait_for_running(3)
        self.kill(first)
        self.serve()
        self.wait_for_new_owner()
        for pod in pods:
            self.finish(pod)
        self.assert_pods_were_left_alone(name)

    def test_an_engine_that_stood_still_leaves_the_pods_to_the_next(self):
        first, log = self.serve()
        name = self.submit_pods(faults.parallel(3, {"told": {"end": "never"}}))
        pods = self.wait_for_running(3)
        first.send_signal(signal.SIGSTOP)
        self.serve()
        self.wait_for_new_owner()
        first.send_signal(signal.SIGCONT)
        wait_until(lambda: "another engine has taken over" in log.read_text(), 120, "the first engine to notice")
        # It goes on with other work: what it had in mind for these pods is done by then.
        other = self.submit_pods(template(), name="other")
        self.wait_for_phase(other, "Succeeded", seconds=120)
        self.api.made = {key: count for key, count in self.api.made.items() if "other" not in key[-1]}
        for pod in pods:
            self.finish(pod)
        self.assert_pods_were_left_alone(name)
