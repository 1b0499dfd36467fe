#!/usr/bin/env python3
"""bench.py BIN SPAWN_LOOP [--rounds N]: what a step costs, as ratios to what this machine allows.

Each figure is the median of N rounds (default 5); the engine and the bare loop take turns, so that a noisy
machine spoils both alike. The engine's files are on disk, its commits are synced: nothing is switched off."""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

HEAD = """apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: bench}
spec:
  entrypoint: main
"""
TRUE = "  - name: step\n    container: {image: busybox, command: ['true']}\n"
ONE = HEAD + "  templates:\n  - name: main\n    container: {image: busybox, command: [sh, -c, 'true']}\n"


def fan(count, limit=""):
    return (HEAD + limit + "  templates:\n  - name: main\n    steps:\n"
            f"    - - {{name: s, template: step, withSequence: {{count: '{count}'}}}}\n" + TRUE)


def chain(count):
    return HEAD + "  templates:\n  - name: main\n    steps:\n" + "".join(
        f"    - - {{name: s{i}, template: step}}\n" for i in range(count)) + TRUE


class Bench:
    def __init__(self, opt):
        self.opt = opt

    def loop(self, count, in_flight, *command):
        """Seconds of the bare loop."""
        out = subprocess.run([self.opt.loop, str(count), str(in_flight), *command], capture_output=True, check=True)
        return float(out.stdout)

    def engine(self, text, steps_max):
        """Seconds from the call to its end, and CPU seconds of the engine's own process."""
        with tempfile.TemporaryDirectory(prefix="tiphys-bench-", dir=self.opt.dir) as home:
            path = os.path.join(home, "w.yaml")
            with open(path, "w") as f:
                f.write(text)
            env = dict(os.environ, TIPHYS_HOME=home, NO_COLOR="1", TIPHYS_STEPS_MAX=str(steps_max))
            start = time.monotonic()
            p = subprocess.Popen([self.opt.bin, "run", path, "-o", "name"], env=env, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE)
            # wait4 gives the process's usage with that of children it has waited for; the steps are
            # children of the supervisor, which outlives it, so they are not among them.
            err = p.stderr.read()
            _, status, usage = os.wait4(p.pid, 0)
            took = time.monotonic() - start
            if status:
                sys.exit(f"the engine failed: {err.decode()[-500:]}")
            return took, usage.ru_utime + usage.ru_stime

    def compare(self, title, count, in_flight, text, command, steps_max=0):
        bare, mine, cpu = [], [], []
        for _ in range(self.opt.rounds):
            bare.append(self.loop(count, in_flight, *command))
            took, used = self.engine(text, steps_max or in_flight)
            mine.append(took)
            cpu.append(used)
        b, m = statistics.median(bare), statistics.median(mine)
        c = statistics.median(cpu) / count * 1000
        print(f"{title:44} {count / b:9.0f} {count / m:9.0f} {m / b:8.2f} x {c:9.2f} ms", flush=True)


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("bin")
    ap.add_argument("loop")
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--dir", help="where the state folders are made (default: the system's temporary folder)")
    opt = ap.parse_args()
    opt.bin, opt.loop = os.path.abspath(opt.bin), os.path.abspath(opt.loop)
    b = Bench(opt)
    print(f"{'':44} {'bare/s':>9} {'tiphys/s':>9} {'time':>10} {'CPU a step':>12}")
    for n in 2, 16:
        b.compare(f"1,000 independent steps, {n} at once", 1000, n, fan(1000), ["true"])
    for n in 2, 16:
        b.compare(f"the same, held back by `parallelism: {n}`", 1000, n,
                  fan(1000, f"  parallelism: {n}\n"), ["true"], steps_max=64)
    b.compare("10,000 independent steps, 16 at once", 10000, 16, fan(10000), ["true"])
    b.compare("a chain of 200 steps", 200, 1, chain(200), ["true"])
    b.compare("a workflow of one step, end to end", 1, 1, ONE, ["sh", "-c", "true"])
    print(f"medians of {opt.rounds}; bare: posix_spawn and wait of the same command, as many at once;\n"
          "CPU: user and system time of the engine's process divided by the steps, start of the program included\n"
          "at once: TIPHYS_STEPS_MAX, what the machine may do at a time; a `parallelism` of the manifest instead\n"
          "lets a step begin only when the end of another is on disk, as every dependency does")


if __name__ == "__main__":
    main()
