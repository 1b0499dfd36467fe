"""Steps in images: containers of a runtime, and sandboxes; what they see, how they end, what stays behind."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import textwrap
import time
import unittest

import images
from engine import EngineTest, binary, nodes, supervisors_of, wait_until

BOX = "tiphys.test/box:1"
RUNTIMES = [r for r in ("crun", "runc") if shutil.which(r, path=os.environ["PATH"] + ":/usr/sbin:/sbin")]


def cgroups_of_steps(home):
    """Cgroups that steps with limits have left; their parent is named by a hash (FNV-1a) of the state folder."""
    code = 14695981039346656037
    for c in str(home).encode():
        code = (code ^ c) * 1099511628211 % (1 << 64)
    # os.walk passes over those that go while it looks, for which pathlib's glob raises.
    return [f"{folder}/{name}" for folder, below, _ in os.walk("/sys/fs/cgroup") for name in below
            if name.startswith(f"tiphys-{code:016x}")]


def processes_in(home):
    """Processes with the state folder among their mounts or words, but for supervisors."""
    out = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) in supervisors_of(home):
            continue
        try:
            seen = (entry / "mountinfo").read_text() + (entry / "cmdline").read_text()
        except OSError:
            continue
        if str(home) in seen:
            out.append(int(entry.name))
    return out


@unittest.skipUnless(images.busybox(), "no busybox (Debian: busybox-static)")
@unittest.skipUnless(os.geteuid() == 0, "containers need root")
class ImageTest(EngineTest):
    """A test with an OCI layout of one image in its state folder."""

    CONFIG = {"Entrypoint": ["/bin/sh", "-c"], "Cmd": ["echo cmd of $FROM in $PWD"], "WorkingDir": "/work",
              "Env": ["PATH=/bin", "FROM=image"]}
    executor = "sandbox"
    runtime = None

    def setUp(self):
        super().setUp()
        if self.executor == "container" and not RUNTIMES:
            self.skipTest("no container runtime (Debian: runc)")
        if self.runtime and self.runtime not in RUNTIMES:
            self.skipTest(f"no {self.runtime}")
        images.write_layout(str(self.home / "oci"), BOX, self.CONFIG)

    def env(self, **more):
        settings = {"TIPHYS_EXECUTOR": self.executor, "TIPHYS_HOST_PATHS": str(self.home), **({"TIPHYS_RUNTIME": self.runtime} if self.runtime else {})}
        return super().env(**settings, **more)

    def workflow(self, body, name="w"):
        """The file of a workflow whose template `m` is `body`, in YAML."""
        return self.write(f"{name}.yaml", "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\n"
                          f"metadata: {{name: {name}}}\nspec:\n  entrypoint: m\n  templates:\n    - name: m\n"
                          + textwrap.indent(textwrap.dedent(body), "      "))

    def run_step(self, body, ok=True):
        """Runs it; the node and what was written to its log."""
        workflow = self.run_workflow(self.workflow(body), ok=ok)
        node = next(iter(nodes(workflow).values()))
        return node, self.call("logs", "w", "--no-color", ok=None).stdout

    def assert_no_process(self):
        wait_until(lambda: not processes_in(self.home), 10, "the steps' processes to end")

    def assert_nothing_left(self):
        self.assert_no_process()
        self.assertNotIn(str(self.home), pathlib.Path("/proc/self/mountinfo").read_text())
        wait_until(lambda: not cgroups_of_steps(self.home), 20, "the cgroups to go")
        self.assertEqual([], [str(p) for p in (self.home / "runs").glob("*/work/*")])


class Sandbox(ImageTest):
    def test_the_image_says_what_starts_and_where(self):
        _, log = self.run_step(f"container: {{image: '{BOX}'}}")
        self.assertIn("cmd of image in /work", log)
        self.assert_nothing_left()

    def test_command_and_args_replace_entrypoint_and_cmd(self):
        _, log = self.run_step(f"""\
            container:
              image: '{BOX}'
              command: [echo]
              args: [a, $(X)]
              workingDir: /opt
              env: [{{name: X, value: b}}]
            """)
        self.assertRegex(log, r"a b$")

    def test_args_alone_replace_cmd(self):
        _, log = self.run_step(f"container: {{image: '{BOX}', args: ['echo args in $PWD; echo $FROM']}}")
        self.assertIn("args in /work", log)
        self.assertIn("image", log)

    def test_a_script_its_result_and_its_exit_code(self):
        node, log = self.run_step(f"""\
            script: {{image: '{BOX}', command: [sh], source: "echo 4$((1+1)); echo oops >&2; exit 3"}}
            """, ok=False)
        self.assertEqual(("Failed", "main: Error (exit code 3)"), (node["phase"], node["message"]))
        self.assertIn("oops", log)
        self.assert_nothing_left()

    def test_the_image_is_all_it_sees(self):
        _, log = self.run_step(f"""\
            script:
              image: '{BOX}'
              command: [sh]
              source: |
                test -e {binary()} || test -e /usr/bin/dpkg || echo alone
                test -s /etc/resolv.conf && test -c /dev/null && test -d /proc/1 && test -d /sys/class && echo fitted
                cat /opt/kept /opt/gone
                ls /opt/old
                hostname; kill -0 {os.getpid()} || echo own processes
            """)
        for words in ("alone", "fitted", "of the first layer", "can't open '/opt/gone'", "new", "own processes"):
            self.assertIn(words, log)
        self.assertNotIn("inside", log)

    def test_a_program_that_is_not_there(self):
        node, _ = self.run_step(f"container: {{image: '{BOX}', command: [dpkg]}}", ok=False)
        self.assertEqual("Failed", node["phase"])
        self.assertEqual('main: Error (exit code 64): failed to find name in PATH: exec: "dpkg": executable file '
                         "not found in $PATH", node["message"])
        self.assert_nothing_left()

    def test_it_tells_how_far_it_is(self):
        node, log = self.run_step(f"container: {{image: '{BOX}', securityContext: {{runAsUser: 1234}}, "
                                  "args: ['echo 5/10 > $ARGO_PROGRESS_FILE; echo $ARGO_PROGRESS_FILE']}")
        self.assertEqual(node["progress"], "10/10")
        self.assertIn("/var/run/argo/progress", log)
        self.assert_nothing_left()

    def test_an_image_that_is_not_there(self):
        node, _ = self.run_step("container: {image: 'tiphys.test/none:1', command: [sh], imagePullPolicy: Never}",
                                ok=False)
        self.assertEqual("Error", node["phase"])
        self.assertRegex(node["message"], r"^image 'tiphys.test/none:1' not found: not in .*policy is Never$")

    @unittest.skipUnless(shutil.which("podman"), "no podman")
    def test_a_pull_that_fails_is_told_in_a_line(self):
        node, _ = self.run_step("container: {image: '127.0.0.1:1/none:1', command: [sh]}", ok=False)
        self.assertEqual("Error", node["phase"])
        self.assertRegex(node["message"], r"^image '127.0.0.1:1/none:1' not found: .*127.0.0.1:1.*$")

    def test_outputs_come_from_the_image_and_the_step(self):
        workflow = self.run_workflow(self.write("io.yaml", f"""\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: io}}
spec:
  entrypoint: all
  templates:
    - name: all
      dag:
        tasks:
          - {{name: make, template: make}}
          - name: use
            depends: make
            template: use
            arguments: {{artifacts: [{{name: in, from: "{{{{tasks.make.outputs.artifacts.opt}}}}"}}]}}
    - name: make
      script:
        image: '{BOX}'
        command: [sh]
        source: |
          echo 42 > /var/run/p
          echo new > /opt/extra
          rm /opt/kept
      outputs:
        parameters: [{{name: p, valueFrom: {{path: /run/p}}}}, {{name: q, valueFrom: {{path: /opt/old/new}}}}]
        artifacts: [{{name: opt, path: /opt}}]
    - name: use
      inputs: {{artifacts: [{{name: in, path: /data/deep/in}}]}}
      container: {{image: '{BOX}', args: ["cd /data/deep/in; echo *; echo old/*; cat extra; echo $(stat -c %a /tmp)"]}}
"""))
        outputs = nodes(workflow)["make"]["outputs"]
        self.assertEqual([("p", "42"), ("q", "of the second layer")],
                         [(o["name"], o["value"]) for o in outputs["parameters"]])
        log = self.call("logs", "io").stdout
        for words in ("extra old\n", "old/new\n", "new\n", "1777"):
            self.assertIn(words, log)
        self.assert_nothing_left()

    def test_volumes_are_mounted_and_read_only_ones_cannot_be_written(self):
        (self.home / "shared").mkdir()
        (self.home / "shared" / "f").write_text("of the host\n")
        _, log = self.run_step(f"""\
            volumes: [{{name: e, emptyDir: {{}}}}, {{name: h, hostPath: {{path: {self.home}/shared}}}}]
            script:
              image: '{BOX}'
              command: [sh]
              volumeMounts:
                - {{name: e, mountPath: /var/run/e}}
                - {{name: h, mountPath: /var/run/e/h, readOnly: true}}
              source: "echo x > /run/e/x && cat /run/e/x /run/e/h/f; touch /run/e/h/no || echo refused"
            """)
        for words in ("x\n", "of the host", "refused"):
            self.assertIn(words, log)
        self.assertFalse((self.home / "shared" / "no").exists())

    def test_the_security_context_of_the_workflow_holds_where_a_template_has_none(self):
        for own, user in (("", "uid=1234(app)"), ("securityContext: {runAsUser: 0}, ", "uid=0")):
            manifest = self.write(f"s{len(own)}.yaml", f"""\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: s{len(own)}}}
spec:
  entrypoint: main
  securityContext: {{runAsUser: 1234}}
  templates:
  - {{name: main, {own}container: {{image: '{BOX}', command: [id]}}}}
""")
            self.run_workflow(manifest)
            self.assertIn(user, self.call("logs", f"s{len(own)}", "--no-color").stdout)

    def test_user_and_read_only_root(self):
        node, log = self.run_step(f"""\
            securityContext: {{runAsUser: 1234, fsGroup: 77}}
            volumes: [{{name: e, emptyDir: {{}}}}]
            container:
              image: '{BOX}'
              securityContext: {{readOnlyRootFilesystem: true, allowPrivilegeEscalation: false}}
              volumeMounts: [{{name: e, mountPath: /e}}]
              args: ["id; echo $HOME; touch /e/x && echo volume; touch /tmp/x || echo root is read only; \
grep NoNewPrivs /proc/self/status"]
            """)
        for words in ("uid=1234(app) gid=1235(app) groups=77,1300(more)", "/home/app", "volume", "root is read only",
                      "NoNewPrivs:\t1"):
            self.assertIn(words, log.replace("groups=1300(more),77", "groups=77,1300(more)"))
        self.assertEqual("Succeeded", node["phase"])

    def test_run_as_non_root_refuses_root(self):
        node, _ = self.run_step(f"container: {{image: '{BOX}', securityContext: {{runAsNonRoot: true}}}}", ok=False)
        self.assertIn("container has runAsNonRoot and image will run as root", node["message"])

    def test_init_containers_and_sidecars_share_volumes(self):
        node, log = self.run_step(f"""\
            volumes: [{{name: e, emptyDir: {{}}}}]
            initContainers:
              - {{name: i, image: '{BOX}', args: ["echo init > /e/i"], volumeMounts: [{{name: e, mountPath: /e}}]}}
            sidecars:
              - {{name: s, image: '{BOX}', args: ["echo side > /e/s; sleep 100"], mirrorVolumeMounts: true}}
            container:
              image: '{BOX}'
              args: ["until test -s /e/s; do sleep 0.05; done; cat /e/i /e/s; ls /"]
              volumeMounts: [{{name: e, mountPath: /e}}]
            """)
        self.assertEqual("Succeeded", node["phase"], node.get("message"))
        for words in ("init", "side"):
            self.assertIn(words, log)
        self.assert_nothing_left()

    def test_a_container_set_runs_in_order_and_hands_on_files(self):
        node, log = self.run_step(f"""\
            volumes: [{{name: e, emptyDir: {{}}}}]
            containerSet:
              volumeMounts: [{{name: e, mountPath: /e}}]
              containers:
                - {{name: a, image: '{BOX}', args: ["echo from a > /e/a"]}}
                - {{name: main, image: '{BOX}', dependencies: [a], args: ["cat /e/a; echo 7 > /p"]}}
            outputs: {{parameters: [{{name: p, valueFrom: {{path: /p}}}}]}}
            """)
        self.assertEqual("7", node["outputs"]["parameters"][0]["value"])
        self.assertIn("from a", log)

    def test_sigterm_reaches_the_program_and_kill_follows(self):
        name = self.start_long_step("trap 'echo caught; exit 9' TERM; echo up; while :; do sleep 0.1; done")
        self.call("terminate", name)
        workflow = self.wait_for_phase(name, "Failed")
        node = next(iter(nodes(workflow).values()))
        self.assertIn("caught", self.call("logs", name).stdout)
        self.assertIn(node["phase"], ("Failed", "Error"))
        self.assert_nothing_left()

    def test_a_deaf_step_is_killed_after_the_grace(self):
        os.environ["TIPHYS_GRACE_MS"] = "300"
        self.addCleanup(os.environ.pop, "TIPHYS_GRACE_MS")
        name = self.start_long_step("trap '' TERM; (trap '' TERM; sleep 1000)& echo up; while :; do sleep 0.1; done")
        begun = time.monotonic()
        self.call("terminate", name)
        self.wait_for_phase(name, "Failed")
        self.assertLess(time.monotonic() - begun, 8)
        self.assert_nothing_left()

    def start_long_step(self, script):
        """A server with a step that has said `up`; the workflow's name."""
        self.server = self.start_server()
        file = self.workflow(f"script: {{image: '{BOX}', command: [sh], source: {json.dumps(script)}}}", "long")
        name = self.submit(file)
        wait_until(lambda: "up" in self.call("logs", name, ok=None).stdout, 30, "the step to be up")
        return name

    def test_a_step_outlives_its_engine(self):
        self.server = self.start_server()
        (self.home / "shared").mkdir()
        name = self.submit(self.workflow(f"""\
            volumes: [{{name: h, hostPath: {{path: {self.home}/shared}}}}]
            container:
              image: '{BOX}'
              volumeMounts: [{{name: h, mountPath: /h}}]
              args: ["echo up; until test -e /h/go; do sleep 0.1; done; echo 5 > /p; touch /h/$$"]
            outputs: {{parameters: [{{name: p, valueFrom: {{path: /p}}}}]}}
            """, "long"))
        wait_until(lambda: "up" in self.call("logs", name, ok=None).stdout, 30, "the step to be up")
        self.kill(self.server)
        self.start_server()
        (self.home / "shared" / "go").touch()
        node = next(iter(nodes(self.wait_for_phase(name, "Succeeded")).values()))
        self.assertEqual("5", node["outputs"]["parameters"][0]["value"])
        self.assertEqual(1, self.call("logs", name).stdout.count("up"))
        self.assert_nothing_left()

    def test_kill_9_of_the_supervisor_leaves_nothing(self):
        name = self.start_long_step("(sleep 1000 &) ; echo up; sleep 1000")
        self.assertTrue(processes_in(self.home))
        self.kill(self.server)  # so that no other supervisor comes to clean up
        for pid in supervisors_of(self.home):
            os.kill(pid, signal.SIGKILL)
        self.assert_no_process()
        self.start_server()
        workflow = self.wait_for_phase(name, "Error", "Failed")
        self.assertEqual("lost with the host", next(iter(nodes(workflow).values()))["message"])
        self.assert_nothing_left()


class Crun(Sandbox):
    executor, runtime = "container", "crun"

    def test_capabilities(self):
        _, log = self.run_step(f"""\
            container:
              image: '{BOX}'
              securityContext: {{capabilities: {{drop: [ALL], add: [NET_RAW]}}}}
              args: ["grep CapEff /proc/self/status; mount -t tmpfs none /tmp || echo refused"]
            """)
        self.assertIn("0000000000002000", log)
        self.assertIn("refused", log)


class Runc(Crun):
    runtime = "runc"

    def test_limits(self):
        node, log = self.run_step(f"""\
            container:
              image: '{BOX}'
              resources: {{limits: {{memory: 32Mi, cpu: 500m}}}}
              args: ["cat /proc/self/cgroup; head -c 200m /dev/zero | tr '\\\\0' x | grep y; echo $?"]
            """, ok=None)
        self.assertIn("tiphys-", log)
        self.assertIn("137", log + str(node.get("message")))
        self.assert_nothing_left()


class Auto(ImageTest):
    executor = "auto"

    def test_it_takes_what_is_here_and_says_so(self):
        if not RUNTIMES:
            self.skipTest("no container runtime (Debian: runc)")
        p = self.call("run", self.workflow(f"container: {{image: '{BOX}'}}"))
        self.assertEqual(1, p.stderr.count(f"image '{BOX}': steps run in containers of {RUNTIMES[0]}"), p.stderr)

    def test_an_image_that_is_not_here_is_a_process_as_ever(self):
        p = self.call("run", self.workflow("container: {image: alpine, command: [cat, /etc/hostname]}"))
        self.assertIn("images are ignored: steps run as processes of this machine", p.stdout + p.stderr)
        self.assertNotIn("container", p.stderr)

    @unittest.skipUnless(shutil.which("podman"), "no podman")
    def test_images_of_podman_are_found_and_left_as_they_are(self):
        if not RUNTIMES:
            self.skipTest("no container runtime (Debian: runc)")
        name = f"localhost/tiphys-test-{os.getpid()}:1"
        tar = self.home / "box.tar"
        tar.write_bytes(images.tar_of(images.base_layer()))
        made = subprocess.run(["podman", "import", "-q", "-c", 'CMD ["/bin/echo", "of podman"]', tar, name],
                              capture_output=True, text=True)
        if made.returncode:
            self.skipTest("podman import: " + made.stderr.strip())
        self.addCleanup(subprocess.run, ["podman", "rmi", "-f", name], capture_output=True)
        p = self.call("run", "--log", self.workflow(f"container: {{image: '{name}'}}"))
        self.assertIn("of podman", p.stdout)
        self.assert_nothing_left()
        self.assertEqual("", subprocess.run(["podman", "ps", "-aq"], capture_output=True, text=True).stdout)


class Host(ImageTest):
    executor = "host"

    def test_images_that_are_here_are_passed_over(self):
        p = self.call("run", "--log", self.workflow(f"container: {{image: '{BOX}', command: [sh, -c, 'ls /proc/self/exe; \
command -v dpkg']}}"))
        self.assertIn("dpkg", p.stdout)

    def test_an_unknown_executor_is_told(self):
        p = self.call("run", "--executor", "docker", self.workflow("container: {image: x, command: [true]}"), ok=False)
        self.assertIn("no executor 'docker': there are auto, host, container, sandbox and kubernetes", p.stderr)


del ImageTest, EngineTest  # not tests themselves
