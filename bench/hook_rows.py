"""How long a hook takes, from outside: a step's last act to the first byte that a receiver can read."""
import os
import subprocess
import time

import manifests
from measure import Failed, Row, median, quantile

STEPS = 200


def latencies(bench):
    """Milliseconds of each step of one run, in order."""
    receiver = subprocess.Popen([bench.tool("first_byte")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    port = receiver.stdout.readline().strip()
    with bench.folder() as folder:
        manifest = manifests.hooked_chain(STEPS, bench.tool("exit_clock"), folder, f"http://127.0.0.1:{port}")
        bench.engine(manifest, 16)
        out, _ = receiver.communicate("")
        came = {line.split()[1].strip("/"): int(line.split()[0]) for line in out.splitlines()}
        ended = {}
        for i in range(STEPS):
            with open(os.path.join(folder, str(i))) as f:
                ended[str(i)] = int(f.read())
    return [(came[i] - ended[i]) / 1e6 for i in ended]


def rule_latencies(bench, rules, others):
    """The same for the request of a rule, of `rules` rules; they come in the order of the steps."""
    receiver = subprocess.Popen([bench.tool("first_byte")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    port = receiver.stdout.readline().strip()
    with bench.folder() as folder:
        bench.engine(manifests.ruled_chain(STEPS, bench.tool("exit_clock"), folder, f"http://127.0.0.1:{port}", rules,
                                           others), 16)
        out, _ = receiver.communicate("")
        came = [int(line.split()[0]) for line in out.splitlines() if line.split()[1:] == ["/rule"]]
        if len(came) != STEPS:
            raise Failed(f"{len(came)} requests of {STEPS} came")
        ended = []
        for i in range(STEPS):
            with open(os.path.join(folder, str(i))) as f:
                ended.append(int(f.read()))
    return [(c - e) / 1e6 for c, e in zip(came, ended)]


def syncs(bench):
    """Milliseconds of bare synced writes of a page, the least that a commit costs on this disk."""
    times = []
    with bench.folder() as folder:
        file = os.open(os.path.join(folder, "page"), os.O_RDWR | os.O_CREAT)
        for _ in range(STEPS):
            start = time.perf_counter()
            os.pwrite(file, b"x" * 4096, 0)
            os.fdatasync(file)
            times.append((time.perf_counter() - start) * 1000)
        os.close(file)
    return times


def exit_to_wire(bench):
    rounds, bare = bench.in_turns(lambda: latencies(bench), lambda: syncs(bench))
    for q, aim in (0.5, 1), (0.99, 5):
        each = sorted(quantile(r, q) for r in rounds)
        figure = median(each)
        disk = median([quantile(r, q) for r in bare])
        yield Row(f"a step's last act to its exit hook's request on the wire, p{q * 100:.0f}",
                  f"a bare synced write: {disk:.2f} ms",
                  f"{figure:.2f} ms", f"< {aim} ms", figure < aim, f"{each[0]:.2f}–{each[-1]:.2f} ms")


def exit_to_rule(bench):
    """Of a rule among 1,000: the others are about something else, or are evaluated for each step."""
    elsewhere, here, alone, bare = bench.in_turns(
        lambda: rule_latencies(bench, 1000, "elsewhere"), lambda: rule_latencies(bench, 1000, "here"),
        lambda: rule_latencies(bench, 1, "here"), lambda: syncs(bench))
    disk = median([median(r) for r in bare])
    for rounds, what in ((alone, "the only rule"), (elsewhere, "one of 1,000 rules"),
                         (here, "one of 1,000 rules that all look at each step")):
        each = sorted(median(r) for r in rounds)
        figure = median(each)
        yield Row(f"a step's last act to the request of {what} on the wire, p50",
                  f"a bare synced write: {disk:.2f} ms", f"{figure:.2f} ms", "< 2 ms", figure < 2,
                  f"{each[0]:.2f}–{each[-1]:.2f} ms")
