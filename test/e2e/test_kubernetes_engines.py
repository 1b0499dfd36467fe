"""Several engines on one database whose steps are pods: whoever takes a workflow over goes on with its pods, and whoever
has lost it leaves them alone."""
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "kubernetes"))
from engine import nodes, phase, wait_until  # noqa: E402
from machines import OnSeveralMachines  # noqa: E402
from pods_engine import template  # noqa: E402
import test_kubernetes_faults as faults  # noqa: E402


class PodsOfSeveralEngines(OnSeveralMachines, faults.FaultTest):
    def serve_anew(self):
        """An engine on a machine of its own; its process and its log."""
        home = self.new_home()
        with open(home / "log", "w") as log:
            return self.serve(home, log, self.with_flags(("server",))), home / "log"

    def wait_for_new_owner(self):
        wait_until(lambda: self.sql("SELECT max(epoch) FROM tiphys.leases").strip() not in ("", "1"), 120,
                   "another engine to take over")

    def assert_pods_were_left_alone(self, name):
        workflow = self.wait_for_phase(name, "Succeeded", "Failed", "Error", seconds=120)
        self.assertEqual(phase(workflow), "Succeeded", {n: s.get("message") for n, s in nodes(workflow).items()})
        self.assert_each_made_once(3)
        self.assertEqual(self.api.asked("delete"), [])

    def test_pods_of_an_engine_that_is_gone_go_on(self):
        first, _ = self.serve_anew()
        name = self.submit_pods(faults.parallel(3, {"told": {"end": "never"}}))
        pods = self.wait_for_running(3)
        self.kill(first)
        self.serve_anew()
        self.wait_for_new_owner()
        for pod in pods:
            self.finish(pod)
        self.assert_pods_were_left_alone(name)

    def test_an_engine_that_stood_still_leaves_the_pods_to_the_next(self):
        first, log = self.serve_anew()
        name = self.submit_pods(faults.parallel(3, {"told": {"end": "never"}}))
        pods = self.wait_for_running(3)
        first.send_signal(signal.SIGSTOP)
        self.serve_anew()
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
