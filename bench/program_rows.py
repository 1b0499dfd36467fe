"""What programs of ours measure inside of one process: each prints rows as lines of JSON.

A line: {"what": "...", "against": "...", "value": 1.5, "unit": "ms", "aim": 2}; `aim`, if there, is what the
value must stay below."""
import json
import os
import subprocess

from measure import Row, median, spread

PROGRAMS = ["engine_bench"]


def programs(bench):
    for name in PROGRAMS:
        if os.access(bench.tool(name), os.X_OK):
            yield from rows_of(bench.in_turns(lambda n=name: lines_of(bench.tool(n)))[0])
        else:
            yield Row(name, "", "skipped: not built")


def lines_of(program):
    out = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def rows_of(rounds):
    for same in zip(*rounds):
        value, first = median([line["value"] for line in same]), same[0]
        aim = first.get("aim")
        yield Row(first["what"], first.get("against", ""), f"{value:.3g} {first['unit']}",
                  "–" if aim is None else f"< {aim} {first['unit']}", None if aim is None else value < aim,
                  spread([line["value"] for line in same]))
