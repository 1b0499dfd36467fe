"""A graph of 1,000 tasks against build tools that keep nothing but the graph in memory."""
import os
import shutil

import manifests
from measure import Row, median, ratio_row

LAYERS, WIDTH = 10, 100
AIMS = {"ninja": 1.3}


def layered(bench):
    tools = {"ninja": manifests.ninja, "make": manifests.make}
    with bench.folder() as folder:
        for name, text in tools.items():
            with open(os.path.join(folder, name), "w") as f:
                f.write(text(LAYERS, WIDTH))
        for in_flight in 2, 16:
            yield from against(bench, folder, in_flight, [name for name in tools if shutil.which(name)])
        for name in tools:
            if not shutil.which(name):
                yield Row("1,000-task layered DAG", f"{name}", "skipped: not installed")


def against(bench, folder, in_flight, names):
    manifest = manifests.dag(LAYERS, WIDTH)
    runs = [lambda: bench.loop(LAYERS * WIDTH, in_flight, "true"), lambda: bench.engine(manifest, in_flight)[0]]
    runs += [lambda n=name: bench.timed([n, "-f", os.path.join(folder, n), f"-j{in_flight}"], cwd=folder)
             for name in names]
    bare, mine, *others = bench.in_turns(*runs)
    what = f"1,000-task layered DAG, {in_flight} at once"
    yield ratio_row(what, "the bare loop", mine, bare)
    for name, theirs in zip(names, others):
        yield ratio_row(what, f"`{name} -j{in_flight}`", mine, theirs, aim=AIMS.get(name),
                        more=f" ({name}: {median(theirs) / median(bare):.2f} x the bare loop)")
