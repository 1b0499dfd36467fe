#!/usr/bin/env python3
"""soak.py BIN SECONDS [--seed N]: kills the engine and the supervisor at random under load, and checks that
nothing is lost and nothing is done twice.

Every workflow must succeed; each message must come, and all of its repeats with one Idempotency-Key; no
attempt of a step may run twice (a step whose supervisor was killed is a new attempt). Prints a line of
figures a minute; ends with exit code 1 at the first workflow that breaks a rule, and keeps its files."""
import argparse
import collections
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PROJECT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(PROJECT / "examples"), str(PROJECT / "test" / "e2e")]
from engine import supervisors_of  # noqa: E402
from receiver import WebhookReceiver  # noqa: E402

AT_ONCE = 8  # workflows under way
STEPS = 6
KINDS = {"engine": 75, "supervisor": 10, "both": 10, "term": 5}  # how often, of 100
LIMIT_SECONDS = 600  # for one workflow: long enough for a machine that others use too


def manifest(home, url):
    steps = "".join(
        f"    - - name: s{i}\n        template: step\n        arguments: {{parameters: [{{name: word, value: s{i}}}]}}\n"
        "        hooks:\n" + "".join(
            f"          {event}: {{template: post, {condition}arguments: {{parameters: "
            f"[{{name: what, value: s{i}/{event}}}]}}}}\n"
            for event, condition in (("exit", ""),
                                     ("succeeded", f"expression: 'steps.s{i}.status == \"Succeeded\"', ")))
        + f"      - name: p{i}\n        template: step\n"
        f"        arguments: {{parameters: [{{name: word, value: p{i}}}]}}\n" for i in range(STEPS))
    return f"""apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{generateName: soak-}}
spec:
  entrypoint: main
  onExit: bye
  templates:
  - name: main
    steps:
{steps}  - name: step
    retryStrategy: {{limit: 1000, retryPolicy: Always}}
    inputs: {{parameters: [{{name: word}}]}}
    container:
      image: x
      command: [sh, -c]
      args: ['echo {{{{inputs.parameters.word}}}} {{{{retries}}}} >> {home}/{{{{workflow.name}}}}.marks; sleep 0.01']
  - name: bye
    http: {{url: '{url}/{{{{workflow.name}}}}/bye', method: POST}}
  - name: post
    inputs: {{parameters: [{{name: what}}]}}
    http: {{url: '{url}/{{{{workflow.name}}}}/{{{{inputs.parameters.what}}}}', method: POST}}
"""


class Broken(Exception):
    pass


class Soak:
    def __init__(self, binary, home, seed):
        self.binary, self.home = binary, home
        self.chance = random.Random(seed)
        self.env = dict(os.environ, TIPHYS_HOME=str(home), NO_COLOR="1")
        self.began = {}  # workflow under way -> when
        self.count = collections.Counter()
        self.most = collections.Counter()
        self.engine = None

    def call(self, *args):
        p = subprocess.run([self.binary, *map(str, args)], env=self.env, text=True, capture_output=True, timeout=60)
        if p.returncode:
            raise Broken(f"tiphys {' '.join(map(str, args))}: {p.stderr}")
        return p.stdout

    def start(self):
        log = open(self.home / "server.log", "a")
        self.engine = subprocess.Popen([self.binary, "server"], env=self.env, stdout=log, stderr=log)
        log.close()

    def measure(self):
        try:
            status = pathlib.Path(f"/proc/{self.engine.pid}/status").read_text()
            rss = int(status.split("VmRSS:")[1].split()[0]) // 1024
            files = len(os.listdir(f"/proc/{self.engine.pid}/fd"))
        except (OSError, IndexError):
            return
        self.most["MB"] = max(self.most["MB"], rss)
        self.most["files"] = max(self.most["files"], files)

    def kill(self):
        kind = self.chance.choices(list(KINDS), KINDS.values())[0]
        if kind in ("supervisor", "both"):
            for pid in supervisors_of(self.home):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        if kind != "supervisor":
            code = self.engine.poll()
            if code is not None:
                raise Broken(f"the engine ended by itself: exit code {code}")
            self.engine.send_signal(signal.SIGTERM if kind == "term" else signal.SIGKILL)
            self.engine.wait(30)
            self.start()
        self.count[kind] += 1

    def check(self, name, requests):
        wf = json.loads(self.call("get", name, "-o", "json"))
        if wf["status"]["phase"] != "Succeeded":
            raise Broken(f"{name}: {wf['status']['phase']} {wf['status'].get('message', '')}")
        marks = collections.Counter((self.home / f"{name}.marks").read_text().splitlines())
        twice = {m: n for m, n in marks.items() if n > 1}
        words = {m.split()[0] for m in marks}
        if twice or words != {f"{w}{i}" for w in "sp" for i in range(STEPS)}:
            raise Broken(f"{name}: steps: {sorted(words)}, run twice: {twice}")
        keys = collections.defaultdict(list)
        for r in requests:
            keys[r["path"].removeprefix(f"/{name}/")].append(r["headers"].get("Idempotency-Key"))
        if set(keys) != {"bye"} | {f"s{i}/{e}" for i in range(STEPS) for e in ("exit", "succeeded")}:
            raise Broken(f"{name}: messages: {sorted(keys)}")
        if any(len(set(k)) != 1 or not k[0] for k in keys.values()):
            raise Broken(f"{name}: repeats that cannot be recognised: {dict(keys)}")
        self.count["messages"] += len(keys)
        self.count["repeats"] += len(requests) - len(keys)
        self.count["attempts"] += marks.total()
        self.count["lost"] += sum("lost with the host" in n.get("message", "") and n["type"] == "Pod"
                                  for n in wf["status"]["nodes"].values())

    def collect(self, receiver):
        running = set(self.call("list", "--running", "-o", "name").split())
        now = time.monotonic()
        for name in [n for n in self.began if n not in running]:
            with receiver.changed:
                mine = [r for r in receiver.requests if r["path"].startswith(f"/{name}/")]
                receiver.requests[:] = [r for r in receiver.requests if not r["path"].startswith(f"/{name}/")]
            self.check(name, mine)
            self.call("delete", name)
            (self.home / f"{name}.marks").unlink()
            self.most["s"] = max(self.most["s"], round(now - self.began.pop(name), 1))
            self.count["workflows"] += 1
        late = [n for n, began in self.began.items() if now - began > LIMIT_SECONDS]
        if late:
            raise Broken(f"not ended within {LIMIT_SECONDS} s: {late}")

    def figures(self, seconds):
        c, m = self.count, self.most
        kills = ", ".join(f"{c[k]} {k}" for k in KINDS)
        store = (self.home / "tiphys.db").stat().st_size >> 10
        return (f"{seconds:6.0f} s: kills {sum(c[k] for k in KINDS)} ({kills}); {c['workflows']} workflows, "
                f"{c['attempts']} attempts, {c['lost']} lost with the host; {c['messages']} messages, "
                f"{c['repeats']} repeats; at most {m['MB']} MB, {m['files']} files, {m['s']} s a workflow; "
                f"store {store} KiB")

    def run(self, seconds):
        with WebhookReceiver() as receiver:
            path = self.home / "soak.yaml"
            path.write_text(manifest(self.home, receiver.url))
            self.start()
            began = told = time.monotonic()
            while time.monotonic() - began < seconds:
                while len(self.began) < AT_ONCE:
                    self.began[self.call("submit", path, "-o", "name").strip()] = time.monotonic()
                time.sleep(self.chance.uniform(0, 0.3))
                self.measure()
                self.kill()
                self.collect(receiver)
                if time.monotonic() - told > 60:
                    told = time.monotonic()
                    print(self.figures(told - began), flush=True)
            while self.began:
                time.sleep(0.1)
                self.collect(receiver)
            print(self.figures(time.monotonic() - began), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("seconds", type=float)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    home = pathlib.Path(tempfile.mkdtemp(prefix="tiphys-soak-"))
    soak = Soak(os.path.abspath(options.binary), home, options.seed)
    print(f"seed {options.seed}", flush=True)
    try:
        soak.run(options.seconds)
    except Broken as broken:
        print(f"BROKEN after {soak.figures(0)}\n{broken}\nseed {options.seed}, files in {home}", flush=True)
        return 1
    finally:
        if soak.engine:
            soak.engine.kill()
            soak.engine.wait()
        for pid in supervisors_of(soak.home):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(home, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
