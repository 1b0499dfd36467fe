"""Hooks of steps that end at once: none is missed, none comes twice; and with an engine that is killed again
and again none is missed, and what comes twice carries the same Idempotency-Key.

TIPHYS_RUNS chooses the number of runs (default 20), TIPHYS_KILLS that of kills (default 10)."""
import collections
import os
import random
import re
import time

from engine import EngineTest, phase, wait_until
from receiver import WebhookReceiver

RUNS = int(os.environ.get("TIPHYS_RUNS") or 20)
KILLS = int(os.environ.get("TIPHYS_KILLS") or 10)
STEPS = 20
EVENTS = ("running", "succeeded", "exit")


def manifest(url):
    """20 steps in 4 groups of 5, each with three hooks that tell the receiver."""
    def step(i):
        def hook(event, expression=""):
            return (f'        {event}: {{template: post, {expression}arguments: {{parameters: '
                    f'[{{name: what, value: s{i}/{event}}}]}}}}\n')
        name = f"s{i}"
        return (f"      {'- ' if i % 5 == 0 else '  '}- name: {name}\n          template: instant\n          hooks:\n"
                + re.sub("^", "    ", hook("running", f"expression: 'steps.{name}.status == \"Running\"', ")
                         + hook("succeeded", f"expression: 'steps.{name}.status == \"Succeeded\"', ")
                         + hook("exit"), flags=re.M).rstrip(" "))
    return ("apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {generateName: instant-}\n"
            "spec:\n  entrypoint: main\n  templates:\n  - name: main\n    steps:\n"
            + "".join(step(i) for i in range(STEPS))
            + "  - name: instant\n    container: {image: busybox, command: ['true']}\n"
            "  - name: post\n    inputs: {parameters: [{name: what}]}\n    http:\n"
            f"      url: '{url}/{{{{workflow.name}}}}/{{{{inputs.parameters.what}}}}'\n      method: POST\n"
            "      body: '{{workflow.uid}}'\n")


class InstantSteps(EngineTest):
    def expected(self, names):
        return {f"/{n}/s{i}/{e}" for n in names for i in range(STEPS) for e in EVENTS}

    def test_none_missed_none_twice(self):
        with WebhookReceiver() as receiver:
            path = self.write("instant.yaml", manifest(receiver.url))
            names = []
            for _ in range(RUNS):
                wf = self.run_workflow(path)
                self.assertEqual(phase(wf), "Succeeded")
                names.append(wf["metadata"]["name"])
            count = collections.Counter(receiver.paths())
            self.assertEqual(set(self.expected(names)) - set(count), set(), "missed")
            self.assertEqual({p: n for p, n in count.items() if n > 1}, {}, "came twice")
            self.assertEqual(set(count) - set(self.expected(names)), set(), "not asked for")

    def test_none_missed_when_the_engine_is_killed(self):
        seed = int(os.environ.get("TIPHYS_SEED") or random.SystemRandom().randrange(10**6))
        print(f"seed {seed}", flush=True)
        chance = random.Random(seed)
        with WebhookReceiver() as receiver:
            path = self.write("instant.yaml", manifest(receiver.url))
            kills = 0
            names = []
            server = self.start_server()
            while kills < KILLS or len(names) < RUNS:
                if len(names) < RUNS or not self.unfinished():
                    names.append(self.submit(path))  # so that there is always something to interrupt
                if kills < KILLS:
                    before = len(receiver.requests)
                    wait_until(lambda: len(receiver.requests) > before or not self.unfinished(), 60, "some progress")
                    time.sleep(chance.uniform(0, 0.05))
                    self.kill(server)
                    kills += 1
                    server = self.start_server()
            for name in names:
                self.wait_for_phase(name, "Succeeded", "Failed", "Error", seconds=120)
            phases = {n: phase(self.get(n)) for n in names}
            self.assertEqual(set(phases.values()), {"Succeeded"}, f"seed {seed}: {phases}")
            keys = collections.defaultdict(list)
            for r in receiver.requests:
                keys[r["path"]].append(r["headers"].get("Idempotency-Key"))
            print(f"{kills} kills, {len(names)} runs, {len(keys)} messages, "
                  f"{len(receiver.requests) - len(keys)} repeats", flush=True)
            self.assertEqual(self.expected(names) - set(keys), set(), f"seed {seed}: missed")
            self.assertEqual(set(keys) - self.expected(names), set(), "not asked for")
            different = {p: k for p, k in keys.items() if len(set(k)) != 1 or not k[0]}
            self.assertEqual(different, {}, f"seed {seed}: repeats that cannot be recognised")
            firsts = collections.Counter(k[0] for k in keys.values())
            self.assertEqual([k for k, n in firsts.items() if n > 1], [], "one key for two different messages")

    def unfinished(self):
        return self.call("list", "--running", "--no-headers", "-o", "name").stdout.strip() not in (
            "", "No workflows found")
