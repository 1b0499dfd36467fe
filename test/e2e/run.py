#!/usr/bin/env python3
"""run.py BIN [--postgres] [WORD...]: the tests that drive the real program, each file of them in a process of its own.

--postgres: each test's state is in a database of its own. WORDs choose tests by a part of their name (FILE.Class.test). Two files run at a time, as they mostly
wait. A BIN with sanitizers writes what they find into files, also where nobody reads what it prints: each is a failure.
Ends with `N passed, N failed, N skipped`."""
import concurrent.futures
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
FIRST = ["test_goldens", "test_hook_cases", "test_instant_steps"]  # the long ones


class Lines(unittest.TestResult):
    """Prints one JSON line for each test (or each failed part of one)."""

    def startTest(self, test):
        super().startTest(test)
        self.started = time.monotonic()
        self.is_told = False

    def tell(self, test, outcome, detail=""):
        self.is_told = True
        seconds = round(time.monotonic() - getattr(self, "started", time.monotonic()), 2)
        print(json.dumps({"test": test.id(), "outcome": outcome, "detail": detail, "s": seconds}),
              file=sys.__stdout__, flush=True)

    def addSuccess(self, test):
        if not self.is_told:
            self.tell(test, "ok")

    def addFailure(self, test, err):
        self.tell(test, "FAILED", self._exc_info_to_string(err, test))

    addError = addFailure

    def addSkip(self, test, reason):
        self.tell(test, "skipped", reason)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.tell(subtest, "FAILED", self._exc_info_to_string(err, subtest))


def flat(suite):
    for t in suite:
        if isinstance(t, unittest.TestSuite):
            yield from flat(t)
        else:
            yield t


def run_module(name, words):
    """In a child process: the tests of one file."""
    sys.path[:0] = [str(HERE), str(HERE.parent.parent / "examples")]
    suite = unittest.defaultTestLoader.loadTestsFromName(name)
    chosen = [t for t in flat(suite) if not words or any(w in t.id() for w in words)]
    unittest.TestSuite(chosen).run(Lines())


def run_child(binary, name, words, reports):
    env = dict(os.environ, TIPHYS_BIN=binary)
    env.pop("TIPHYS_HOME", None)
    if reports:
        # A clock that tests set comes before the sanitizer's library.
        env["ASAN_OPTIONS"] = f"detect_stack_use_after_return=0:verify_asan_link_order=0:log_path={reports}/{name}"
        env["UBSAN_OPTIONS"] = f"print_stacktrace=1:log_path={reports}/{name}"
        env["TSAN_OPTIONS"] = f"halt_on_error=1:exitcode=66:second_deadlock_stack=1:log_path={reports}/{name}"
    p = subprocess.run([sys.executable, __file__, "--module", name, *words], env=env,
                       stdout=subprocess.PIPE, text=True)
    results = []
    for line in p.stdout.splitlines():
        try:
            results.append(json.loads(line))
        except ValueError:
            print(line)
    if p.returncode:
        results.append({"test": name, "outcome": "FAILED", "detail": f"exit code {p.returncode}", "s": 0})
    for report in sorted(pathlib.Path(reports).glob(f"{name}.*")) if reports else ():
        results.append({"test": f"{name}: a sanitizer's finding", "outcome": "FAILED",
                        "detail": report.read_text(errors="replace"), "s": 0})
    return results


def main():
    if sys.argv[1] == "--module":
        return run_module(sys.argv[2], sys.argv[3:])
    binary, words = os.path.abspath(sys.argv[1]), sys.argv[2:]
    if "--postgres" in words:
        words.remove("--postgres")
        return on_postgres(binary, words)
    return run_all(binary, words)


def on_postgres(binary, words):
    import postgres  # pylint: disable=import-outside-toplevel
    server = postgres.Server()
    os.environ.update(TIPHYS_E2E_SERVER=str(server.folder), TIPHYS_E2E_PSQL=str(postgres.programs() / "psql"))
    try:
        return run_all(binary, words)
    finally:
        server.close()


def run_all(binary, words):
    program = pathlib.Path(binary).read_bytes()
    if b"__asan_init" not in program and b"__tsan_init" not in program:
        return run_files(binary, words, "")
    # Frames are several times as large, and manifests nest.
    resource.setrlimit(resource.RLIMIT_STACK, (128 << 20, resource.getrlimit(resource.RLIMIT_STACK)[1]))
    with tempfile.TemporaryDirectory(prefix="tiphys-e2e-") as reports:
        return run_files(binary, words, reports)


def run_files(binary, words, reports):
    names = sorted((p.stem for p in HERE.glob("test_*.py")), key=lambda n: (n not in FIRST, n))
    count = dict.fromkeys(("ok", "FAILED", "skipped"), 0)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(run_child, binary, n, words, reports) for n in names]
        for future in concurrent.futures.as_completed(futures):
            for r in future.result():
                count[r["outcome"]] += 1
                print(f"{r['outcome']:8}{r['s']:7.2f} s  {r['test']}", flush=True)
                if r["detail"]:
                    print("    " + r["detail"].strip().replace("\n", "\n    "), flush=True)
    print(f"{count['ok']} passed, {count['FAILED']} failed, {count['skipped']} skipped")
    return 1 if count["FAILED"] or not count["ok"] else 0


if __name__ == "__main__":
    sys.exit(main())
