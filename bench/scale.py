#!/usr/bin/python3
"""scale.py [--measure BIN]: the arithmetic of docs/SCALE.md, line by line, from the figures in MEASURED.

--measure BIN measures them on this machine first: STEPS processes on a PostgreSQL of its own (synced commits), all in one
loop, and one after another in CHAINS workflows at once; and PODS pods on the API of the tests, which end at once."""
import argparse
import collections
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PROJECT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(PROJECT / "test/e2e"), str(PROJECT / "test/e2e/kubernetes")]
STEPS, CHAINS, CHAIN, PODS = 10_000, 200, 20, 1000
DAY = 86_400

# On 2 cores with a load of 1 from others, by `bench/scale.py --measure build/tiphys`.
MEASURED = {
    "loop": {"steps_a_second": 1608, "engine_ms": 0.111, "database_ms": 0.105, "event_rows": 0.01, "node_rows": 1.0,
             "wal_bytes": 972, "stored_bytes": 708},
    "chain": {"steps_a_second": 1174, "engine_ms": 0.304, "database_ms": 0.315, "event_rows": 1.53, "node_rows": 2.05,
              "wal_bytes": 3292, "stored_bytes": 1651},
    "requests": {"create": 1.0, "log": 1.0, "patch": 1.0, "delete": 1.0},
}
# By `make bench-kubernetes BENCH="--pods 1000"` on the same 2 cores, where the API server, etcd, the stand-in kubelet and
# the engine were, with a load of 5 from others.
CLUSTER = {"cores": 2, "pods_a_second": 125.8, "engine_ms": 1.0}
# By test/kubernetes on two cores: containerd, runc and kubelet for a pod that runs `true`.
POD_CPU_S, POD_LIFE_S = 0.55, 2.0
# docs/POSTGRES.md: commits of 20 rows.
DATABASE_ROWS_A_SECOND = 51_000

# What is assumed, not measured.
A_DAY = 10_000_000
PEAK = 5      # times the average
KEPT_DAYS = 7

WORKFLOW = """apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: scale-}
spec:
  entrypoint: main
  podGC: {strategy: OnPodCompletion, deleteDelayDuration: 0s}
  templates:
  - name: main
    steps:
    - - {name: a, template: step, withSequence: {count: 'COUNT'}}
  - name: step
    container: {image: busybox, imagePullPolicy: IfNotPresent, command: ['true']}
"""


def cpu_ms(pid):
    """Of a process, its children that live and those that it has waited for."""
    tick = 1000 / os.sysconf("SC_CLK_TCK")
    total = 0
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(entry.name) == pid:
            total += sum(int(w) for w in words[11:15])
        elif int(words[1]) == pid:
            total += sum(int(w) for w in words[11:13])
    return total * tick


def remove(home):
    """A state folder, and its supervisor, which would wait for an engine that takes the last ends."""
    from engine import supervisors_of
    for pid in supervisors_of(home):
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(home, ignore_errors=True)


def run(binary, manifest, *flags, **env):
    """One workflow: seconds, and ms of CPU of the engine's own process."""
    home = pathlib.Path(tempfile.mkdtemp(prefix="tiphys-scale-"))
    try:
        (home / "w.yaml").write_text(manifest)
        begun = time.monotonic()
        p = subprocess.Popen([binary, "run", *flags, home / "w.yaml", "-o", "name"], stdout=subprocess.DEVNULL,
                             env=dict(os.environ, TIPHYS_HOME=str(home), **env))
        _, status, used = os.wait4(p.pid, 0)
        p.returncode = status
        if status:
            raise SystemExit(f"scale.py: the engine ended with status {status}")
        return time.monotonic() - begun, (used.ru_utime + used.ru_stime) * 1000
    finally:
        remove(home)


def loop(count):
    return WORKFLOW.replace("COUNT", str(count))


def chain(count):
    groups = "".join(f"    - - {{name: s{i}, template: step}}\n" for i in range(count))
    return loop(1).replace(
        "    - - {name: a, template: step, withSequence: {count: '1'}}\n", groups)


def serve(binary, manifests, server, database):
    """An engine that has all of them at once: seconds, and ms of CPU of its own process."""
    home = pathlib.Path(tempfile.mkdtemp(prefix="tiphys-scale-"))
    environment = dict(os.environ, TIPHYS_HOME=str(home), TIPHYS_STORE=server.url(database))
    try:
        (home / "w.yaml").write_text("---\n".join(manifests))
        subprocess.run([binary, "submit", home / "w.yaml"], env=environment, check=True, stdout=subprocess.DEVNULL)
        begun = time.monotonic()
        p = subprocess.Popen([binary, "server"], env=environment, stdout=subprocess.DEVNULL)
        while server.sql("SELECT count(*) FROM tiphys.workflows WHERE finished_at = 0", database).stdout.strip() != "0":
            time.sleep(0.05)
        seconds = time.monotonic() - begun
        p.terminate()
        _, p.returncode, used = os.wait4(p.pid, 0)
        return seconds, (used.ru_utime + used.ru_stime) * 1000
    finally:
        remove(home)


def measure_processes(binary, manifests, steps):
    """Workflows that have `steps` steps in all."""
    from postgres import Server
    server = Server(fsync=True)
    try:
        database = server.new_database()
        run(binary, loop(1), TIPHYS_STORE=server.url(database))  # makes the tables
        server.sql("CHECKPOINT", database)

        def number(text):
            return int(server.sql(text, database).stdout)
        queries = {
            "wal": "SELECT pg_current_wal_lsn() - '0/0'",
            "size": "SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class c WHERE c.relkind = 'r' AND "
                    "c.relnamespace = 'tiphys'::regnamespace",
            "events": "SELECT count(*) FROM tiphys.events", "nodes": "SELECT count(*) FROM tiphys.nodes"}
        before, cpu = {k: number(q) for k, q in queries.items()}, cpu_ms(server.process.pid)
        seconds, engine = serve(binary, manifests, server, database)
        database_ms = cpu_ms(server.process.pid) - cpu
        more = {k: (number(q) - before[k]) / steps for k, q in queries.items()}
        return {"steps_a_second": round(steps / seconds), "engine_ms": round(engine / steps, 3),
                "database_ms": round(database_ms / steps, 3), "event_rows": round(more["events"], 2),
                "node_rows": round(more["nodes"], 2), "wal_bytes": round(more["wal"]),
                "stored_bytes": round(more["size"])}
    finally:
        server.close()


def measure_pods(binary):
    from fake_api import FakeApi
    with tempfile.TemporaryDirectory() as folder, FakeApi() as api:
        config = api.kubeconfig(pathlib.Path(folder) / "kubeconfig")
        run(binary, loop(PODS), "--executor", "kubernetes", "--kubeconfig", str(config), "--namespace", "default")
        verbs = collections.Counter(r.verb for r in api.requests)
    return {v: round(verbs[v] / PODS, 2) for v in ("create", "log", "patch", "delete", "get") if verbs[v]}


def arithmetic(m):
    """The lines of docs/SCALE.md."""
    average = A_DAY / DAY
    peak = average * PEAK
    out = [f"{A_DAY:,} / {DAY:,} s = {average:.0f} steps/s on average, x {PEAK} = {peak:.0f} steps/s at the peak"]
    for name in ("loop", "chain"):
        f = m[name]
        rows = f["node_rows"] + f["event_rows"]
        kept = A_DAY * f["stored_bytes"] * KEPT_DAYS
        out += [
            f"{name}, engine: {peak:.0f}/s x {f['engine_ms']} ms = {peak * f['engine_ms'] / 1000:.2f} cores",
            f"{name}, database: {peak:.0f}/s x {f['database_ms']} ms = {peak * f['database_ms'] / 1000:.2f} cores",
            f"{name}, rows: {A_DAY:,} x ({f['node_rows']} + {f['event_rows']}) = {A_DAY * rows / 1e6:.1f} million a day",
            f"{name}, WAL: {A_DAY:,} x {f['wal_bytes']} bytes = {A_DAY * f['wal_bytes'] / 1e9:.1f} GB a day; "
            f"{peak:.0f}/s x {f['wal_bytes']} bytes = {peak * f['wal_bytes'] / 1e6:.2f} MB/s at the peak",
            f"{name}, disk: {A_DAY:,} x {f['stored_bytes']} bytes x {KEPT_DAYS} days = {kept / 1e9:.0f} GB",
        ]
    most = DATABASE_ROWS_A_SECOND / (m["chain"]["node_rows"] + m["chain"]["event_rows"])
    requests = sum(m["requests"].values())
    c = CLUSTER
    whole = c["cores"] * 1000 / c["pods_a_second"]
    server = whole - c["engine_ms"]
    return out + [
        f"chain, the database's limit: {DATABASE_ROWS_A_SECOND:,} rows/s / "
        f"({m['chain']['node_rows']} + {m['chain']['event_rows']}) = {most:,.0f} steps/s",
        f"pods, engine: {peak:.0f}/s x {c['engine_ms']} ms = {peak * c['engine_ms'] / 1000:.1f} cores",
        f"pods, requests: {' + '.join(str(n) for n in m['requests'].values())} = {requests:.2f} a pod; "
        f"x {average:.0f}/s = {requests * average:.0f}/s on average, x {peak:.0f}/s = {requests * peak:.0f}/s at the peak",
        f"pods, API server and etcd: {c['cores']} cores / {c['pods_a_second']} pods/s = {whole:.1f} ms, less the engine's "
        f"{c['engine_ms']} ms = {server:.1f} ms a pod; x {peak:.0f}/s = {peak * server / 1000:.1f} cores",
        f"pods, nodes: {peak:.0f}/s x {POD_CPU_S} s = {peak * POD_CPU_S:.0f} cores at the peak, "
        f"{average:.0f}/s x {POD_CPU_S} s = {average * POD_CPU_S:.0f} on average, before a step does anything",
        f"pods, alive at once: {peak:.0f}/s x {POD_LIFE_S} s = {peak * POD_LIFE_S:.0f}, and {peak:.0f} more for each second "
        f"that a step takes",
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", metavar="BIN")
    options = parser.parse_args()
    figures = MEASURED
    if options.measure:
        figures = {"loop": measure_processes(options.measure, [loop(STEPS)], STEPS),
                   "chain": measure_processes(options.measure, [chain(CHAIN)] * CHAINS, CHAINS * CHAIN),
                   "requests": measure_pods(options.measure)}
        print(json.dumps(figures, indent=4))
    print("\n".join(arithmetic(figures)))


if __name__ == "__main__":
    main()
