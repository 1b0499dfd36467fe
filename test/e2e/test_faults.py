"""What can break around the engine: processes killed, disks full, files damaged, steps that misbehave.
docs/FAULTS.md has the table."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

from engine import EngineTest, binary, is_sanitized, nodes, phase, wait_until
from receiver import WebhookReceiver


def workflow(name, *templates, spec=""):
    return (f"apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {{name: {name}}}\n"
            f"spec:\n  entrypoint: main\n{spec}  templates:\n" + "".join(templates))


def shell(script, name="main", more=""):
    """A template that runs `script`, which comes through unchanged: Kubernetes makes $ of $$."""
    script = script.replace("$$", "$$$$")
    return (f"  - name: {name}\n{more}    container:\n      image: x\n      command: [sh, -c]\n"
            f"      args: [{json.dumps(script)}]\n")


def is_alive(pid):
    try:
        return "\nState:\tZ" not in pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


class FaultTest(EngineTest):
    def setUp(self):
        super().setUp()
        self.variables = {}

    def env(self, **more):
        return super().env(**{**self.variables, **more})

    def supervisor(self):
        """Its pid. The process that starts it goes once it listens."""
        return wait_until(lambda: (self.home / "supervisor.sock").exists() and len(p := self.left_behind()) == 1 and p,
                          10, "the supervisor")[0]

    def pid_in(self, name):
        path = self.home / name
        return int(wait_until(lambda: path.exists() and path.read_text().strip(), 20, f"{name} to be written"))

    def wait_for_end(self, pid, what):
        wait_until(lambda: not is_alive(pid), 10, f"{what} to end")

    def done(self, name, wanted="Succeeded"):
        wf = self.wait_for_phase(name, "Succeeded", "Failed", "Error", seconds=30)
        self.assertEqual(phase(wf), wanted, wf["status"])
        return wf


class Processes(FaultTest):
    """Engines and supervisors that are killed."""

    HELD = "echo $$ >> HOME/pids; while [ ! -e HOME/go ]; do sleep 0.02; done; echo held"

    def held(self, name="held", retry="", more=""):
        script = self.HELD.replace("HOME", str(self.home))
        return self.write(f"{name}.yaml", workflow(name, shell(script, more=retry), spec=more))

    def pids(self):
        path = self.home / "pids"
        return [int(p) for p in path.read_text().split()] if path.exists() else []

    def test_two_engines_share_a_store_but_no_workflow(self):
        with WebhookReceiver() as receiver:
            path = self.held(more="  onExit: bye\n")
            path.write_text(path.read_text() + f"  - name: bye\n    http: {{url: '{receiver.url}/bye'}}\n")
            self.submit(path)
            first = self.start("server", "--exit-when-idle")
            wait_until(self.pids, 20, "the step to run")
            other = self.start("server", "--exit-when-idle")
            time.sleep(0.3)
            self.assertEqual(len(self.pids()), 1, "the second engine left the workflow alone")
            self.assertIsNone(other.poll(), "somebody else's workflow is not done")
            (self.home / "go").touch()
            self.done("held")
            self.assertEqual(other.wait(20), 0)
            self.assertEqual(first.wait(5), 0, "its workflow was not taken away")
            self.assertEqual(receiver.paths(), ["/bye"], "one of them ran the hook")

    def test_the_supervisor_is_killed(self):
        self.start_server()
        self.submit(self.held())
        step = wait_until(self.pids, 20, "the step to run")[0]
        os.kill(self.supervisor(), signal.SIGKILL)
        self.wait_for_end(step, "the step")
        wf = self.done("held", "Error")
        self.assertEqual(nodes(wf)["held"]["message"], "lost with the host")
        self.assertEqual(len(self.pids()), 1, "not run twice without a retryStrategy")

    def test_a_lost_step_is_tried_again_where_errors_are(self):
        self.start_server()
        for policy in ("Always", "OnError"):
            name = policy.lower()
            self.submit(self.held(name, f"    retryStrategy: {{limit: 1, retryPolicy: {policy}}}\n"))
        self.submit(self.held("onfailure", "    retryStrategy: {limit: 1, retryPolicy: OnFailure}\n"))
        wait_until(lambda: len(self.pids()) == 3, 20, "the steps to run")
        os.kill(self.supervisor(), signal.SIGKILL)
        (self.home / "go").touch()
        for name in ("always", "onerror"):
            wf = nodes(self.done(name))
            self.assertEqual(wf[f"{name}(0)"]["message"], "lost with the host")
            self.assertEqual(wf[f"{name}(1)"]["phase"], "Succeeded")
        self.assertNotIn("onfailure(1)", nodes(self.done("onfailure", "Error")))

    def test_engine_and_supervisor_are_killed(self):
        server = self.start_server()
        self.submit(self.held())
        step = wait_until(self.pids, 20, "the step to run")[0]
        self.kill(server)
        os.kill(self.supervisor(), signal.SIGKILL)
        self.wait_for_end(step, "the step")
        self.start_server()
        self.assertEqual(nodes(self.done("held", "Error"))["held"]["message"], "lost with the host")

    def test_the_machine_was_rebooted(self):
        server = self.start_server()
        self.submit(self.held(retry="    retryStrategy: {limit: 2, retryPolicy: Always}\n"))
        step = wait_until(self.pids, 20, "the step to run")[0]
        supervisor = self.supervisor()
        for pid in (server.pid, supervisor, step):
            os.kill(pid, signal.SIGKILL)
        server.wait()
        self.wait_for_end(supervisor, "the supervisor")
        left = {p.name for p in self.home.iterdir()}
        self.assertTrue(left & {f"engine-{server.pid}.sock"} and "supervisor.lock" in left, left)
        (self.home / "go").touch()
        self.start_server()
        wf = self.done("held")
        self.assertEqual(nodes(wf)["held(0)"]["message"], "lost with the host")
        self.assertEqual(len(self.pids()), 2)


class Stores(FaultTest):
    """Stores that cannot be used are refused by one line and left as they are."""

    def refused(self, line):
        path = self.write("w.yaml", workflow("w", shell("true")))
        for args in (["list"], ["server", "--exit-when-idle"], ["run", path]):
            p = self.call(*args, ok=False, timeout=20)
            self.assertEqual(p.returncode, 1)
            self.assertIn(line, p.stderr)
            self.assertEqual(len(p.stderr.strip().splitlines()), 1, p.stderr)

    def test_a_damaged_file(self):
        self.call("list")
        (self.home / "tiphys.db").write_bytes(b"not a database" * 1000)
        self.refused("is not a tiphys store, or is damaged")
        self.assertTrue((self.home / "tiphys.db").read_bytes().startswith(b"not a database"))

    def damage(self):
        """Spoils all of the store but its first page, and sees to it that an engine reads it anew."""
        path = self.home / "tiphys.db"
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            db.execute("BEGIN IMMEDIATE")
            db.execute("INSERT INTO objects VALUES ('x', 'x', 'x', '{}', 1)")
            with open(path, "r+b") as f:
                f.seek(4096)
                f.write(b"\xff" * (path.stat().st_size - 4096))
            db.execute("COMMIT")
            db.execute("PRAGMA wal_autocheckpoint = 0")

    def test_a_store_that_is_damaged_ends_the_server(self):
        log = open(self.home / "log", "w+")
        self.addCleanup(log.close)
        self.write("w.yaml", workflow("w", "  - name: main\n    steps:\n    - - {name: a, template: hold}\n"
                   "    - - {name: b, template: mark}\n",
                   shell(f"touch {self.home}/began; while [ ! -e {self.home}/go ]; do sleep 0.02; done", "hold"),
                   shell(f"touch {self.home}/after", "mark")))
        server = subprocess.Popen([binary(), "server"], env=self.env(), stdout=log, stderr=log)
        self.engines.append(server)
        self.submit(self.home / "w.yaml")
        wait_until((self.home / "began").exists, 20, "the step to run")
        self.damage()
        (self.home / "go").touch()
        self.assertEqual(server.wait(20), 1)
        text = (self.home / "log").read_text()
        self.assertEqual(text.count("is not a tiphys store, or is damaged"), 1, text)
        self.assertFalse((self.home / "after").exists(), "nothing follows what is not stored")

    def test_a_store_that_is_damaged_ends_an_idle_server(self):
        server = self.start_server()
        time.sleep(0.3)
        self.damage()
        self.assertEqual(server.wait(20), 1)

    def test_a_newer_version(self):
        self.call("list")
        with sqlite3.connect(self.home / "tiphys.db") as db:
            db.execute("PRAGMA user_version = 999")
        db.close()
        self.refused("has version 999, this tiphys knows versions up to")

    def test_a_store_that_may_not_be_written(self):
        self.call("list")
        self.write("w.yaml", workflow("w", shell("true")))
        if subprocess.run(["mount", "--bind", self.home, self.home], capture_output=True).returncode:
            self.skipTest("mount is not permitted")
        self.addCleanup(subprocess.run, ["umount", "-l", self.home], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", self.home], check=True)
        for args in (["list"], ["server", "--exit-when-idle"], ["run", self.home / "w.yaml"]):
            p = self.call(*args, ok=False, timeout=20)
            self.assertEqual(p.returncode, 1)
            self.assertRegex(p.stderr, "(?i)read-only")


class FullDisk(FaultTest):
    def setUp(self):
        super().setUp()
        self.outside = pathlib.Path(tempfile.mkdtemp(prefix="tiphys-e2e-"))
        self.addCleanup(shutil.rmtree, self.outside, True)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", self.home], capture_output=True)
        if mounted.returncode:
            self.skipTest("mount is not permitted")
        self.addCleanup(subprocess.run, ["umount", "-l", self.home], check=True)

    def fill(self):
        with open(self.home / "filler", "ab", buffering=0) as f:
            for size in (65536, 4096):
                try:
                    while True:
                        f.write(b"x" * size)
                except OSError:
                    pass

    def test_a_server_goes_on_when_there_is_room(self):
        log = open(self.outside / "log", "w+")
        self.addCleanup(log.close)
        marks = self.outside / "marks"
        hold = (f"echo a >> {marks}; while [ ! -e {self.outside}/go ]; do sleep 0.02; done; "
                "head -c 100000 /dev/zero | tr '\\0' x")
        self.write("w.yaml", workflow(
            "w", "  - name: main\n    steps:\n    - - {name: a, template: hold}\n    - - {name: b, template: mark, "
            "when: \"'{{steps.a.outputs.result}}' != ''\"}\n", shell(hold, "hold"), shell(f"echo b >> {marks}", "mark")))
        server = subprocess.Popen([binary(), "server"], env=self.env(), stdout=log, stderr=log)
        self.engines.append(server)
        self.submit(self.home / "w.yaml")
        wait_until(marks.exists, 20, "the step to run")
        self.fill()
        (self.outside / "go").touch()
        wait_until(lambda: "the disk is full" in (self.outside / "log").read_text(), 10, "the line that says so")
        time.sleep(0.6)
        self.assertIsNone(server.poll())
        text = (self.outside / "log").read_text()
        self.assertEqual(text.count("the disk is full"), 1, text)
        self.assertEqual(marks.read_text().split(), ["a"], "nothing follows what is not stored")
        (self.home / "filler").unlink()
        self.done("w")
        self.assertEqual(marks.read_text().split(), ["a", "b"])

    def test_a_run_says_so_and_loses_nothing(self):
        go = self.outside / "go"
        self.write("w.yaml", workflow("w", shell(
            f"touch {self.outside}/began; while [ ! -e {go} ]; do sleep 0.02; done")))
        run = self.start("run", self.home / "w.yaml")
        wait_until((self.outside / "began").exists, 20, "the step to run")
        self.fill()
        go.touch()
        _, error = run.communicate(timeout=20)
        self.assertEqual(run.returncode, 1)
        self.assertIn("the disk is full: nothing was written to", error)
        (self.home / "filler").unlink()
        self.call("server", "--exit-when-idle", timeout=20)
        self.done("w")


class Limits(FaultTest):
    """Descriptors and processes that run out."""

    PARALLEL = workflow("many", "  - name: main\n    steps:\n"
                        "    - - {name: s, template: step, withSequence: {count: '30'}}\n",
                        shell("echo out; sleep 0.15", "step"))

    def test_few_file_descriptors(self):
        path = self.write("many.yaml", self.PARALLEL)
        self.variables = {"TIPHYS_STEPS_MAX": "30"}
        p = subprocess.run(["prlimit", "--nofile=70:70", binary(), "run", path, "-o", "json"], env=self.env(),
                           text=True, capture_output=True, timeout=60)
        self.assertEqual(p.returncode, 0, p.stderr[-500:] + p.stdout[-2000:])
        self.assertEqual(self.call("logs", "many").stdout.count("out"), 30, "no step's log is missing")

    @staticmethod
    def is_removed(group):
        with contextlib.suppress(OSError):  # what was killed is in it until it has ended
            group.rmdir()
        return not group.exists()

    def test_fork_fails_for_a_while(self):
        group = pathlib.Path("/sys/fs/cgroup/pids") if pathlib.Path("/sys/fs/cgroup/pids").is_dir() \
            else pathlib.Path("/sys/fs/cgroup")
        mine = group / f"tiphys-e2e-{os.getpid()}"
        try:
            mine.mkdir()
            self.addCleanup(lambda: wait_until(lambda: self.is_removed(mine), 10, "the group to be empty"))
            (mine / "pids.max").write_text("max")
        except OSError:
            self.skipTest("no cgroup with a limit of processes may be made")
        self.addCleanup(self.clean_up)
        server = self.start_server()
        supervisor = self.supervisor()
        try:
            (mine / "cgroup.procs").write_text(str(supervisor))
        except OSError:
            self.skipTest("no process may be moved into a cgroup")
        (mine / "pids.max").write_text("1")
        self.submit(self.write("many.yaml", self.PARALLEL))
        time.sleep(0.6)
        self.assertEqual(phase(self.get("many")), "Running", "the steps wait")
        (mine / "pids.max").write_text("max")
        self.done("many")
        self.kill(server)


class Steps(FaultTest):
    """Steps that misbehave."""

    def test_log_files_are_deleted(self):
        self.start_server()
        go = self.home / "go"
        self.submit(self.write("w.yaml", workflow("w", shell(
            f"echo one; while [ ! -e {go} ]; do sleep 0.02; done; echo two"))))
        wait_until(lambda: list(self.home.glob("runs/*/logs/*.log")), 20, "the log")
        shutil.rmtree(next(self.home.glob("runs/*/logs")))
        go.touch()
        self.done("w")
        self.call("logs", "w", ok=None)

    def test_sigterm_is_ignored(self):
        self.variables = {"TIPHYS_GRACE_MS": "300"}
        self.start_server()
        self.submit(self.write("w.yaml", workflow("w", shell(
            f"trap '' TERM; echo $$ > {self.home}/pid; while :; do sleep 0.05; done"))))
        pid = self.pid_in("pid")
        began = time.monotonic()
        self.call("terminate", "w")
        wf = self.done("w", "Failed")
        self.assertGreater(time.monotonic() - began, 0.25, "it had its grace")
        self.wait_for_end(pid, "the step")
        self.assertEqual(nodes(wf)["w"]["phase"], "Failed")

    def test_grandchildren_go_with_their_step(self):
        self.call("run", self.write("w.yaml", workflow("w", shell(
            f"sh -c 'trap \"\" TERM HUP; while :; do sleep 0.05; done' & echo $! > {self.home}/pid"))), timeout=20)
        self.wait_for_end(self.pid_in("pid"), "the grandchild")

    def test_stdout_is_closed(self):
        self.call("run", self.write("w.yaml", workflow("w", shell(
            f"exec >&- 2>&-; sleep 0.3; touch {self.home}/end"))), timeout=20)
        self.assertTrue((self.home / "end").exists(), "it was waited for")

    def test_a_loud_step_is_bounded(self):
        self.variables = {"TIPHYS_LOG_MAX": "10000"}
        wf = self.run_workflow(self.write("w.yaml", workflow("w", shell("seq 1 200000; echo end > /dev/stderr"))))
        self.assertEqual(phase(wf), "Succeeded")
        log = next(self.home.glob("runs/*/logs/*.log"))
        self.assertLess(log.stat().st_size, 10200)
        lines = log.read_text().splitlines()
        self.assertTrue(lines[0].endswith(" 1"), lines[0])
        self.assertEqual([line for line in lines if "TIPHYS_LOG_MAX" in line], lines[-1:])
        self.assertTrue(lines[-2].split(" ")[1].isdigit(), "whole lines only")

    def test_a_step_that_prints_much_takes_little_memory(self):
        """TIPHYS_TEST_OUTPUT_MIB says how much (200)."""
        size = int(os.environ.get("TIPHYS_TEST_OUTPUT_MIB", "200"))
        self.variables = {"TIPHYS_LOG_MAX": str(100 << 20)}
        began = self.home / "began"
        path = self.write("w.yaml", workflow("w", shell(
            f"yes 0123456789 | head -c {size << 20}; touch {began}; while [ ! -e {self.home}/go ]; do sleep 0.02; done")))
        engine = self.start("run", path)
        wait_until(began.exists, 60 + size // 10, "all to be printed")
        peaks = {pid: int(pathlib.Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0])
                 for pid in (engine.pid, self.supervisor())}
        (self.home / "go").touch()
        engine.communicate(timeout=60)
        self.assertEqual(engine.returncode, 0)
        log = next(self.home.glob("runs/*/logs/*.log")).stat().st_size
        self.assertLess(abs(log - (100 << 20)), 1000)
        if not is_sanitized():
            self.assertLess(max(peaks.values()), 50 << 10, "KiB")

    def test_a_bound_that_is_no_number(self):
        self.variables = {"TIPHYS_LOG_MAX": "many"}
        p = self.call("run", self.write("w.yaml", workflow("w", shell("true"))), ok=False)
        self.assertIn("TIPHYS_LOG_MAX is 'many', want a number from 0 to", p.stderr)

    def test_many_steps_with_large_results(self):
        """TIPHYS_TEST_RESULTS says how many steps (500)."""
        count = int(os.environ.get("TIPHYS_TEST_RESULTS", "500"))
        path = self.write("w.yaml", workflow(
            "w", "  - name: main\n    steps:\n    - - {name: s, template: one, "
            f"withSequence: {{count: '{count}'}}}}\n",
            "  - name: one\n    steps:\n    - - {name: a, template: big}\n"
            "    - - {name: b, template: big, when: \"'{{steps.a.outputs.result}}' == ''\"}\n",
            "  - name: big\n    script:\n      image: x\n      command: [sh]\n"
            "      source: head -c 65536 /dev/zero | tr '\\0' x\n"))
        wf = json.loads(self.call("run", path, "-o", "json", timeout=120 + count // 10).stdout)
        self.assertEqual(phase(wf), "Succeeded")
        sizes = [len(n["outputs"]["result"]) for n in wf["status"]["nodes"].values() if n["type"] == "Pod"]
        self.assertEqual((len(sizes), set(sizes)), (count, {65536}))
