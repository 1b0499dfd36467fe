"""The program under test: state folders of their own, calls, and engine processes that can be killed."""
import functools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
EXAMPLES = PROJECT / "examples"


def binary():
    return os.environ["TIPHYS_BIN"]


@functools.cache
def is_sanitized():
    """Whether the program is one of AddressSanitizer or ThreadSanitizer, which take memory and time of their own."""
    program = pathlib.Path(binary()).read_bytes()
    return b"__asan_init" in program or b"__tsan_init" in program


def wait_until(condition, seconds=60, what="a condition"):
    """Polls `condition` until it gives something true, and returns that."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.02)


def supervisors_of(home):
    """The pids of the supervisors of a state folder."""
    out = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
            except OSError:
                continue
            if "__supervisor" in words and str(home) in words:
                out.append(int(entry.name))
    return out


def nodes(workflow):
    """Display name -> node."""
    return {n["displayName"]: n for n in ((workflow.get("status") or {}).get("nodes") or {}).values()}


def phase(workflow):
    return (workflow.get("status") or {}).get("phase", "")


class EngineTest(unittest.TestCase):
    """A test with a state folder of its own in self.home."""

    maxDiff = None
    database = None

    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="tiphys-e2e-"))
        self.engines = []
        self.addCleanup(self.clean_up)

    def clean_up(self):
        for p in self.engines:
            self.kill(p)
            for pipe in (p.stdout, p.stderr):
                if pipe:
                    pipe.close()
        for pid in self.left_behind():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        shutil.rmtree(self.home, ignore_errors=True)

    def kill(self, engine):
        """SIGKILL, and waits for the end."""
        if engine.poll() is None:
            engine.kill()
        engine.wait()

    def left_behind(self):
        """Processes which name this test's state folder: supervisors that outlived their engine."""
        return supervisors_of(self.home)

    def env(self, **more):
        out = dict(os.environ, TIPHYS_HOME=str(self.home), NO_COLOR="1", **more)
        if "TIPHYS_E2E_SERVER" in os.environ and not hasattr(self, "server"):
            out.setdefault("TIPHYS_STORE", self.store_in_postgres())
        return out

    def store_in_postgres(self):
        """`run.py --postgres`: a database for each test."""
        if self.database is None:
            self.database = f"e2e{os.getpid()}_{time.monotonic_ns()}"
            folder = os.environ["TIPHYS_E2E_SERVER"]
            psql = [os.environ["TIPHYS_E2E_PSQL"], "-X", "-q", "-h", folder, "-U", "tiphys", "-d", "postgres", "-c"]
            subprocess.run([*psql, f"CREATE DATABASE {self.database}"], check=True, stdin=subprocess.DEVNULL)
        return f"postgresql://tiphys@/{self.database}?host={os.environ['TIPHYS_E2E_SERVER']}"

    def call(self, *args, ok=True, stdin=None, timeout=120):
        """Runs the program. `ok`: whether it must succeed (None: either)."""
        p = subprocess.run([binary(), *map(str, args)], env=self.env(), input=stdin, text=True,
                           capture_output=True, timeout=timeout)
        if ok is not None and (p.returncode == 0) != ok:
            raise AssertionError(f"tiphys {' '.join(map(str, args))}: exit code {p.returncode}\n"
                                 f"{p.stdout[-2000:]}\n{p.stderr[-2000:]}")
        return p

    def write(self, name, text):
        path = self.home / name
        path.write_text(text)
        return path

    def run_workflow(self, *args, ok=True):
        """`tiphys run ARGS -o json`, and the final Workflow object."""
        return json.loads(self.call("run", *args, "-o", "json", ok=ok).stdout)

    def get(self, name):
        """The Workflow object as it stands; {} when there is none."""
        p = self.call("get", name, "-o", "json", ok=None)
        return json.loads(p.stdout) if p.returncode == 0 else {}

    def start(self, *args, **kwargs):
        """Starts the program and does not wait for it."""
        p = subprocess.Popen([binary(), *map(str, args)], env=self.env(), text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kwargs)
        self.engines.append(p)
        return p

    def start_server(self):
        """An engine that is ready to work."""
        p = subprocess.Popen([binary(), "server"], env=self.env(), text=True, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL)
        self.engines.append(p)
        line = p.stdout.readline()
        self.assertRegex(line, r"server", "the server must say when it is ready")
        return p

    def submit(self, *args):
        """Submits; returns the workflow's name."""
        out = self.call("submit", *args, "-o", "name").stdout.strip()
        self.assertRegex(out, re.compile(r"^[a-z0-9.-]+$"))
        return out

    def wait_for_phase(self, name, *phases, seconds=60):
        return wait_until(lambda: (w := self.get(name)) and phase(w) in phases and w, seconds,
                          f"{name} to be {' or '.join(phases)}")
