"""tiphys-step in real pods, without an engine: any user, any image, whatever becomes of the command.

The pods are made as the contract of src/step/contract.h says; what is asserted is the report that they leave."""
import os
import pathlib
import re
import unittest

from cluster import ClusterTest

SHARED = "/var/run/argo"
MOUNT = {"name": "var-run-argo", "mountPath": SHARED}


def shell(script):
    return ["sh", "-c", script]


@unittest.skipUnless(pathlib.Path(os.environ.get("STEP_BINARY", "")).is_file(), "no tiphys-step (STEP_BINARY)")
class Step(ClusterTest):
    def run_step(self, words, image="busybox", variables=None, main=None, spec=None):
        """(pod phase, terminated state of main, its log) of a command under tiphys-step."""
        told = {"TIPHYS_CONTAINER": "main", "TIPHYS_NONCE": "n1", **(variables or {})}
        self.api.call("POST", self.pods_path, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "s"}, "spec": {
            "restartPolicy": "Never", "volumes": [{"name": "var-run-argo", "emptyDir": {}}],
            "initContainers": [{"name": "init", "image": "tiphys-step:dev", "imagePullPolicy": "IfNotPresent",
                                "command": ["/tiphys-step", "init"], "volumeMounts": [MOUNT]}],
            "containers": [{"name": "main", "image": image, "imagePullPolicy": "IfNotPresent",
                            "command": [f"{SHARED}/tiphys-step", "run", "--", *words],
                            "env": [{"name": k, "value": v} for k, v in told.items()],
                            "volumeMounts": [MOUNT], **(main or {})}], **(spec or {})}})
        pod, = self.wait_for_pods(1, lambda p: p["status"]["phase"] in ("Succeeded", "Failed"), "the pod to end")
        with self.api.open("GET", f"{self.pods_path}/s/log?container=main") as response:
            log = response.read().decode()
        state = next(iter(pod["status"].get("containerStatuses", [])), {}).get("state", {}).get("terminated", {})
        return pod["status"]["phase"], state, log

    def assert_report(self, state, code, *lines):
        self.assertEqual(state["exitCode"], code, state)
        self.assertRegex(state.get("message", ""), rf"^tiphys 1\nexit {code}\n")
        for line in lines:
            self.assertIn(line, state["message"])

    def test_an_image_with_nothing_but_a_program_and_its_own_user(self):
        _, state, log = self.run_step(["/hello", "pods", "3"], "localhost/distroless:1", {"TIPHYS_WANTS_RESULT": "1"})
        self.assertIn("uid 65532", log)
        self.assert_report(state, 3, "result ", "hello pods\n")

    def test_any_user(self):
        phase, state, log = self.run_step(shell("id -u; echo kept > /tmp/f"), variables={"TIPHYS_OUTPUT_0": "/tmp/f"},
                                          spec={"securityContext": {"runAsUser": 1234, "runAsNonRoot": True}})
        self.assertEqual((phase, log), ("Succeeded", "1234\n"))
        self.assert_report(state, 0, "/tmp/fkept\n")

    def test_a_container_that_may_do_nothing(self):
        phase, state, log = self.run_step(shell("echo said"), main={"securityContext": {
            "readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}})
        self.assertEqual((phase, log), ("Succeeded", "said\n"))
        self.assert_report(state, 0)

    def test_a_message_of_the_steps_own(self):
        _, state, _ = self.run_step(shell("echo no space > /dev/termination-log; exit 4"))
        self.assert_report(state, 4, "message 9\nno space\n")

    def test_killed_for_memory(self):
        _, state, _ = self.run_step(["tail", "/dev/zero"], main={"resources": {"limits": {"memory": "32Mi"}}})
        self.assertEqual((state["reason"], state["exitCode"]), ("OOMKilled", 137))

    def test_a_program_that_is_not_there(self):
        _, state, _ = self.run_step(["nowhere"])
        self.assert_report(state, 64, "not-started 2\n")

    def test_its_variables_are_its_own(self):
        _, _, log = self.run_step(shell("env | grep -c TIPHYS_"))
        self.assertEqual(log, "0\n")

    def test_what_is_too_large_for_a_message_is_in_the_log(self):
        _, state, log = self.run_step(shell("head -c 200000 /dev/zero | tr '\\0' x > /tmp/large; echo said"),
                                      variables={"TIPHYS_OUTPUT_0": "/tmp/large"})
        count = int(re.fullmatch(r"tiphys 1\nlog (\d+)\n", state["message"])[1])
        lines = log.splitlines()
        self.assertEqual(lines[0], "said")
        self.assertEqual(len([x for x in lines if x.startswith("#tiphys-step n1 ")]), count)

    def test_signals_reach_the_command(self):
        _, state, log = self.run_step(shell("trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.1; done"),
                                      spec={"activeDeadlineSeconds": 10, "terminationGracePeriodSeconds": 20})
        self.assertLessEqual({"up", "bye"}, set(log.splitlines()), log)  # its shell tells of `sleep`, at some time
        self.assert_report(state, 7)
