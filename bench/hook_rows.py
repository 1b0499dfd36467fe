"""How long a hook takes, from outside: a step's last act to the first byte that a receiver can read."""
import os
import subprocess
import time

import manifests
from measure import Row, median, quantile

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
