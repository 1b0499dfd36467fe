#!/usr/bin/env python3
"""bench.py BIN [--rounds N] [--only WORD] [--cold]: what tiphys costs, as ratios to what this machine allows.

Each figure is the median of N rounds (default 5) in which both sides take turns, so that a noisy machine
spoils both alike. The engine's files are on disk, its commits are synced: nothing is switched off. BIN is a
file of the build folder, where the other programs of the bench are, too."""
import argparse
import os
import sys

import binary_rows
import container_rows
import delivery_rows
import engine_rows
import graph_rows
import hook_rows
import peer_rows
import program_rows
import store_rows
from measure import Bench, Failed

# word for --only -> what gives its rows
ROWS = {
    "independent": engine_rows.independent,
    "parallelism": engine_rows.held_back,
    "chain": engine_rows.chain,
    "layered": graph_rows.layered,
    "one": engine_rows.one,
    "hook": hook_rows.exit_to_wire,
    "rules": hook_rows.exit_to_rule,
    "deliveries": delivery_rows.deliveries,
    "stores": store_rows.stores,
    "containers": container_rows.containers,
    "programs": program_rows.programs,
    "size": binary_rows.size,
    "start": binary_rows.start,
    "cold": binary_rows.cold_build,
    "peers": peer_rows.peers,
}
HEAD = ["what", "against", "figure", "noise", "aim", ""]


def line(cells):
    print("| " + " | ".join(cells) + " |", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    p.add_argument("bin")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--only", action="append", metavar="WORD", help="only these rows: " + ", ".join(ROWS))
    p.add_argument("--cold", action="store_true", help="also build without a cache, which takes minutes")
    p.add_argument("--dir", help="where the state folders are made (default: the system's temporary folder)")
    opt = p.parse_args()
    unknown = set(opt.only or []) - set(ROWS)
    if unknown or opt.rounds < 1:
        p.error(f"no such rows: {', '.join(unknown)}" if unknown else "--rounds must be 1 or more")
    bench = Bench(opt)
    before = os.getloadavg()[0]
    line(HEAD)
    line(["---"] * len(HEAD))
    for word, rows in ROWS.items():
        if opt.only and word not in opt.only:
            continue
        for row in rows(bench):
            verdict = {None: "", True: "met", False: "not met"}[row.met]
            line([row.what, row.against, row.figure, row.noise, row.aim, verdict])
    print(f"\nMedians of {opt.rounds}. x: the time as a multiple of the other's. The bare loop (build/spawn_loop) is\n"
          "posix_spawn and wait of the same command, as many at once. Noise: half the distance between the baseline's\n"
          "best and worst round. at once: TIPHYS_STEPS_MAX; a `parallelism` of the manifest lets a step begin only\n"
          "when the end of another is on disk, as every dependency does.\n"
          "Other engines: (time - bare loop) / steps, which holds the start of their program and of ours.\n"
          f"{os.cpu_count()} cores, load {before:.1f} before and {os.getloadavg()[0]:.1f} after.")


if __name__ == "__main__":
    try:
        main()
    except Failed as error:
        sys.exit(f"failed: {error}")
