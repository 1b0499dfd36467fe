"""Several engines on one database whose steps are pods: whoever takes a workflow over goes on with its pods, and whoever
has lost it leaves them alone."""
import pathlib
import signal
import sys
import time

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

    def test_a_create_that_an_engine_was_about_to_repeat_is_never_sent(self):
        """The next engine's pod is over and gone by then, so that its name would not stop a second one."""
        self.api.fail("create", status=503, retry_after=2)
        self.api.fail("watch", is_hung=True)  # of the first engine, which sees nothing of what the next one does
        first, log = self.serve_anew()
        name = self.submit_pods(template(), spec="podGC: {strategy: OnPodCompletion, deleteDelayDuration: 0s}")
        self.api.wait(lambda: any(r.status == 503 for r in self.api.asked("create")), what="a refused create")
        time.sleep(0.5)  # it reads the answer
        first.send_signal(signal.SIGSTOP)
        self.serve_anew()
        self.wait_for_phase(name, "Succeeded", seconds=120)
        self.api.wait(lambda: not self.api.pods, what="the pod to go")
        refused, = [r for r in self.api.asked("create") if r.status == 503]
        wait_until(lambda: time.monotonic() > refused.at + 2.5, 10, "the time at which it would be repeated")
        first.send_signal(signal.SIGCONT)
        wait_until(lambda: "another engine has taken over" in log.read_text(), 120, "the first engine to notice")
        time.sleep(1)  # what it had in mind is done by then
        self.assert_each_made_once(1)

    def test_a_create_whose_connection_ends_while_its_engine_stands_still_is_not_sent_again(self):
        """libcurl sends by itself again what it has sent over a connection that ends without an answer."""
        self.api.fail("create", cut="before", delay=2, skip=1)  # over the connection of the first
        first, log = self.serve_anew()
        name = self.submit_pods("- name: main\n  steps:\n  - - {name: a, template: pod}\n"
                                "  - - {name: b, template: pod}\n" + template("pod"),
                                spec="podGC: {strategy: OnPodCompletion, deleteDelayDuration: 0s}")
        self.api.wait(lambda: len(self.api.asked("create")) == 2, what="two creates")
        first.send_signal(signal.SIGSTOP)
        self.serve_anew()
        self.wait_for_phase(name, "Succeeded", seconds=120)
        self.api.wait(lambda: not self.api.pods, what="the pods to go")
        first.send_signal(signal.SIGCONT)
        wait_until(lambda: "another engine has taken over" in log.read_text(), 120, "the first engine to notice")
        time.sleep(1)  # what it had in mind is done by then
        self.assert_each_made_once(2)
