#!/usr/bin/env python3
"""expr.py EXPR_BENCH [--rounds N]: expressions as a ratio to expr-lang's VM, YAML as one to libyaml's parser.

Each figure is the median of N rounds (default 5); both sides take turns. The Go side runs where `go` is
installed and can get its module; without it only our own nanoseconds are printed."""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def build_go(folder):
    """The Go program, or None."""
    if not shutil.which("go"):
        return None
    out = os.path.join(folder, "expr_go")
    made = subprocess.run(["go", "build", "-o", out, "."], cwd=os.path.join(HERE, "expr_go"),
                          capture_output=True, text=True)
    if made.returncode:
        print("no figures of Go:", made.stderr.strip().splitlines()[-1], file=sys.stderr)
        return None
    return out


def run(command, into):
    text = subprocess.run([command, HERE], capture_output=True, text=True, check=True).stdout
    for line in text.splitlines():
        name, value = line.split()
        into.setdefault(name, []).append(float(value))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("bin")
    p.add_argument("--rounds", type=int, default=5)
    opt = p.parse_args()
    ours, theirs = {}, {}
    with tempfile.TemporaryDirectory(prefix="tiphys-bench-") as folder:
        go = build_go(folder)
        for _ in range(opt.rounds):
            run(opt.bin, ours)
            if go:
                run(go, theirs)
    print(f"{'what':<20}{'ours ns':>10}{'Go ns':>10}{'Go/ours':>9}   (more is better)")
    ratios = {"run": [], "compile": []}
    for name, values in ours.items():
        if name in ("yaml", "libyaml"):
            continue
        mine = statistics.median(values)
        if name not in theirs:
            print(f"{name:<20}{mine:>10.0f}")
            continue
        other = statistics.median(theirs[name])
        if name != "script_20_tags":
            ratios["compile" if name.startswith("compile_") else "run"].append(other / mine)
        print(f"{name:<20}{mine:>10.0f}{other:>10.0f}{other / mine:>9.2f}")
    for kind, found in ratios.items():
        if found:
            print(f"{'median, ' + kind:<20}{'':>20}{statistics.median(found):>9.2f}")
    yaml = min(ours["yaml"])  # of a text so long, what others do to the caches shows in the rest
    bare = min(ours["libyaml"])
    print(f"decoding YAML: {1000 / yaml:.0f} MB/s", end="")
    print(f", {yaml / bare:.2f} x the time of libyaml's bare parse ({1000 / bare:.0f} MB/s)")


main()
