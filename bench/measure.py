"""Taking times: the bare loop and the engine, in turns, and what a figure is worth."""
import dataclasses
import json
import os
import statistics
import subprocess
import tempfile
import time


class Failed(Exception):
    """What was to be measured has failed."""


@dataclasses.dataclass
class Row:
    """A line of the table. `met` is None where there is no aim, or nothing was measured."""
    what: str
    against: str
    figure: str
    aim: str = "–"
    met: bool | None = None
    noise: str = ""


def median(values):
    return statistics.median(values)


def spread(values):
    """How far a baseline was apart in its rounds, as a part of its median: what to trust a ratio for."""
    return f"± {(max(values) - min(values)) / 2 / median(values) * 100:.0f} %"


def quantile(values, q):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def ratio_row(what, against, mine, theirs, aim=None, more=""):
    """A row of times as a ratio; `aim` is the ratio that must not be exceeded."""
    ratio = median(mine) / median(theirs)
    return Row(what, against, f"{ratio:.2f} x{more}", f"≤ {aim} x" if aim else "–",
               ratio <= aim if aim else None, spread(theirs))


class Bench:
    """What the rows need: programs, folders, how often."""

    def __init__(self, opt):
        self.opt = opt
        self.bin = os.path.abspath(opt.bin)
        self.build = os.path.dirname(self.bin)
        self.rounds = opt.rounds

    def tool(self, name):
        """The path of a program of the build folder."""
        return os.path.join(self.build, name)

    def folder(self):
        return tempfile.TemporaryDirectory(prefix="tiphys-bench-", dir=self.opt.dir)

    def in_turns(self, *functions, rounds=None):
        """Calls them one after the other, `rounds` times, so that a noisy machine spoils all alike; gives a
        list of results for each."""
        results = [[] for _ in functions]
        for _ in range(rounds or self.rounds):
            for function, into in zip(functions, results):
                into.append(function())
        return results

    def loop(self, count, in_flight, *command):
        """Seconds of the bare loop."""
        out = subprocess.run([self.tool("spawn_loop"), str(count), str(in_flight), *command], capture_output=True,
                             check=True)
        return float(out.stdout.splitlines()[-1])  # after what the command says

    def timed(self, command, **options):
        """Seconds of a command that must succeed."""
        start = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, **options)
        took = time.monotonic() - start
        if done.returncode:
            raise Failed(f"{' '.join(map(str, command))}: {(done.stdout + done.stderr)[-800:]}")
        return took

    def engine(self, manifest, steps_max):
        """Seconds from the call of `tiphys run` to its end, in a state folder of its own; and its --stats."""
        with self.folder() as home:
            path = os.path.join(home, "w.yaml")
            with open(path, "w") as f:
                f.write(manifest)
            env = dict(os.environ, TIPHYS_HOME=home, NO_COLOR="1", TIPHYS_STEPS_MAX=str(steps_max))
            start = time.monotonic()
            done = subprocess.run([self.bin, "run", path, "-o", "name", "--stats"], env=env, capture_output=True,
                                  text=True)
            took = time.monotonic() - start
            if done.returncode:
                raise Failed(f"the engine: {done.stderr[-800:]}")
            return took, json.loads(done.stderr.splitlines()[-1])
