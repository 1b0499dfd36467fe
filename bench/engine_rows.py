"""Whole workflows against the bare loop of the same commands."""
import manifests
from measure import Row, median, ratio_row, spread


NINE_TENTHS = 1.11  # of the loop's rate, as a ratio of times
CHAIN_AIM = 1.25
ONE_STEP_AIM_MS = 10


def compare(bench, what, count, in_flight, manifest, steps_max=0, aim=None):
    bare, mine = bench.in_turns(lambda: bench.loop(count, in_flight, "true"),
                                lambda: bench.engine(manifest, steps_max or in_flight))
    cpu = median([stats["cpuSeconds"] for _, stats in mine]) / count * 1000
    return ratio_row(what, "the bare loop", [took for took, _ in mine], bare, aim=aim,
                     more=f" ({count / median([took for took, _ in mine]):.0f}/s; CPU {cpu:.2f} ms a step)")


def independent(bench):
    for in_flight in 2, 16:
        yield compare(bench, f"10,000 independent steps, {in_flight} at once", 10000, in_flight,
                      manifests.fan(10000), aim=NINE_TENTHS)


def held_back(bench):
    for n in 2, 16:
        yield compare(bench, f"1,000 held back by `parallelism: {n}`", 1000, n,
                      manifests.fan(1000, f"  parallelism: {n}\n"), steps_max=64)


def chain(bench):
    yield compare(bench, "a chain of 1,000 steps", 1000, 1, manifests.chain(1000), aim=CHAIN_AIM)


def one(bench):
    bare, mine = bench.in_turns(lambda: bench.loop(1, 1, "sh", "-c", "true"),
                                lambda: bench.engine(manifests.ONE, 16)[0], rounds=2 * bench.rounds)
    more = (median(mine) - median(bare)) * 1000
    yield Row("one step, start to exit, new state folder", "`sh -c true`",
              f"{median(mine) * 1000:.1f} ms, {more:.1f} more", f"≤ {ONE_STEP_AIM_MS} ms more",
              more <= ONE_STEP_AIM_MS, spread(bare))
