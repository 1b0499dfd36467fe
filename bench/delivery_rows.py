"""Notifications a second through the outbox, synced, against a loop of libcurl that keeps nothing."""
import json
import subprocess

from measure import Row, median, spread

COUNT = 20_000
AIM = 5_000


def deliveries(bench):
    rounds = [json.loads(subprocess.run([bench.tool("delivery_bench"), str(COUNT)], check=True, text=True,
                                        stdout=subprocess.PIPE).stdout) for _ in range(bench.opt.rounds)]
    mine = median([r["outboxASecond"] for r in rounds])
    bare = [r["bareASecond"] for r in rounds]
    cpu = median([r["outboxCpuUs"] for r in rounds])
    yield Row(f"{COUNT:,} notifications to 8 channels on loopback",
              f"libcurl alone, as many at once: {median(bare):,.0f} a second",
              f"{mine:,.0f} a second, {cpu:.0f} µs of CPU each", f"≥ {AIM:,} a second", mine >= AIM, spread(bare))
