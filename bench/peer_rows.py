"""What a step costs in other engines: (time - bare loop) / steps, and how many times ours that is.

bench/peers.sh installs them into build/peers. They are slow enough to be measured on less: STEPS steps, in
PEER_ROUNDS rounds, with ours on the same. Each figure holds the start of its program."""
import json
import os
import sys
import textwrap

import manifests
from measure import Failed, Row, median, spread

STEPS = {"independent": 100, "chain": 30, "layered": 100}
LAYERS, WIDTH = 5, 20  # of `layered`
IN_FLIGHT = {"independent": 16, "chain": 1, "layered": 2}
PEER_ROUNDS = 3
AIM = 5  # times ours


def graph(kind):
    """(name, names it depends on) of each step."""
    if kind == "layered":
        return list(manifests.layered(LAYERS, WIDTH))
    names = [f"t{i}" for i in range(STEPS[kind])]
    return [(n, [names[i - 1]] if kind == "chain" and i else []) for i, n in enumerate(names)]


def manifest(kind):
    if kind == "layered":
        return manifests.dag(LAYERS, WIDTH)
    return manifests.chain(STEPS[kind]) if kind == "chain" else manifests.fan(STEPS[kind])


def luigi(folder, kind, peers):
    """A class a task; what is done is a file, as its workers are processes."""
    text = textwrap.dedent(f"""\
        import json, subprocess, sys, luigi
        needs = dict(json.loads({json.dumps(json.dumps(graph(kind)))}))
        class Step(luigi.Task):
            name = luigi.Parameter()
            def requires(self): return [Step(name=n) for n in needs[self.name]]
            def output(self): return luigi.LocalTarget(sys.argv[1] + "/" + self.name)
            def run(self):
                subprocess.run(["true"], check=True)
                self.output().open("w").close()
        done = luigi.build([Step(name=n) for n in needs], workers={IN_FLIGHT[kind]}, local_scheduler=True,
                           log_level="ERROR")
        sys.exit(0 if done else 1)
        """)
    return [os.path.join(peers, "luigi/bin/python"), written(folder, "work.py", text), folder]


def snakemake(folder, kind, peers):
    text = "rule all:\n  input: " + ", ".join(f"'{n}'" for n, _ in graph(kind)) + "\n" + "".join(
        f"rule:\n  input: {', '.join(repr(b) for b in before)}\n  output: touch('{name}')\n  shell: 'true'\n"
        for name, before in graph(kind))
    return [os.path.join(peers, "snakemake/bin/snakemake"), "-s", written(folder, "Snakefile", text), "-d", folder,
            "--quiet", "all", "-j", str(IN_FLIGHT[kind])]


def prefect(folder, kind, peers):
    """Tasks in threads, a server of its own for the time of the run."""
    text = textwrap.dedent(f"""\
        import json, subprocess
        from prefect import flow, task
        from prefect.task_runners import ThreadPoolTaskRunner
        needs = json.loads({json.dumps(json.dumps(graph(kind)))})
        @task
        def step(): subprocess.run(["true"], check=True)
        @flow(task_runner=ThreadPoolTaskRunner(max_workers={IN_FLIGHT[kind]}))
        def work():
            made = {{}}
            for name, before in needs: made[name] = step.submit(wait_for=[made[b] for b in before])
            for future in made.values(): future.result()
        work()
        """)
    return [os.path.join(peers, "prefect/bin/python"), written(folder, "work.py", text)]


def dagu(folder, kind, peers):
    text = f"type: graph\nmax_active_steps: {IN_FLIGHT[kind]}\nsteps:\n" + "".join(
        f"  - name: {name}\n    command: 'true'\n" + (f"    depends: [{', '.join(before)}]\n" if before else "")
        for name, before in graph(kind))
    return [os.path.join(peers, "dagu"), "start", written(folder, "work.yaml", text)]


# name -> what must be there, how to call it
PEERS = {"Luigi": ("luigi/bin/luigi", luigi), "Snakemake": ("snakemake/bin/snakemake", snakemake),
         "Prefect": ("prefect/bin/prefect", prefect), "Dagu": ("dagu", dagu)}


def written(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write(text)
    return path


def peers(bench):
    folder = os.path.join(bench.build, "peers")
    for name, (needed, command) in PEERS.items():
        for kind in STEPS:
            what = f"{name}: {STEPS[kind]} steps, {kind}, {IN_FLIGHT[kind]} at once"
            if os.access(os.path.join(folder, needed), os.X_OK):
                try:
                    yield measured(bench, what, kind, lambda work, k=kind, c=command: c(work, k, folder))
                except Failed as error:
                    print(error, file=sys.stderr)
                    yield Row(what, "tiphys", f"skipped: {name} failed")
            else:
                yield Row(what, "tiphys", f"skipped: no {name} (bench/peers.sh)")


def measured(bench, what, kind, command):
    count, in_flight = STEPS[kind], IN_FLIGHT[kind]

    def run_peer():
        with bench.folder() as work:
            env = dict(os.environ, HOME=work, DAGU_HOME=work, PREFECT_HOME=work, PREFECT_LOGGING_LEVEL="ERROR",
                       PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS="120",
                       DO_NOT_TRACK="1", PREFECT_SERVER_ANALYTICS_ENABLED="false")
            return bench.timed(command(work), cwd=work, env=env)

    bare, mine, theirs = bench.in_turns(lambda: bench.loop(count, in_flight, "true"),
                                        lambda: bench.engine(manifest(kind), in_flight)[0], run_peer,
                                        rounds=min(bench.rounds, PEER_ROUNDS))
    ours, other = ((median(t) - median(bare)) / count * 1000 for t in (mine, theirs))
    return Row(what, "tiphys", f"{other:.1f} ms a step, ours {ours:.2f}: {other / ours:.0f} x",
               f"≥ {AIM} x", other >= AIM * ours, spread(bare))
