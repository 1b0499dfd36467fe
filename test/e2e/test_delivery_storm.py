"""Many workflows tell of themselves to a receiver that fails, by engines that are killed.

Every notification must arrive, under one id, and those of a workflow in their order. A small number
here; TIPHYS_DELIVERY_RUNS=10000 TIPHYS_DELIVERY_KILL_SECONDS=3 makes it large, TIPHYS_SEED repeats one."""
import collections
import json
import os
import random
import subprocess
import threading
import time

from engine import EngineTest
from receiver import WebhookReceiver

RUNS = int(os.environ.get("TIPHYS_DELIVERY_RUNS", "40"))
KILL_SECONDS = float(os.environ.get("TIPHYS_DELIVERY_KILL_SECONDS", "0.4"))
SEED = int(os.environ.get("TIPHYS_SEED", "1"))
FAILING = 0.3  # of all requests
UNDER_WAY = 300  # workflows: an engine that is killed takes all of them up again before it goes on

CHANNEL = """
apiVersion: notifications.tiphys.dev/v1
kind: NotificationChannel
metadata: {{name: ops}}
spec:
  kind: webhook
  retries: [0s, {waits}]
  config: {{url: "{url}/in"}}
"""

WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: told-{number}}}
spec:
  entrypoint: main
  hooks:
    exit: {{template: tell}}
    running: {{expression: 'workflow.status == "Running"', template: tell}}
  templates:
  - name: main
    steps:
    - - name: a
        template: work
        hooks: {{failed: {{expression: 'steps.a.status == "Failed"', template: tell}}}}
  - {{name: work, container: {{image: x, command: ["false"]}}}}
  - {{name: tell, plugin: {{tiphys: {{notify: {{channel: ops}}}}}}}}
---
"""


ACCEPTED = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: left-{number}}}
spec:
  entrypoint: tell
  templates: [{{name: tell, plugin: {{tiphys: {{notify: {{channel: ops, await: accepted}}}}}}}}]
---
"""


class DeliveryStorm(EngineTest):
    def test_nothing_is_lost_doubled_or_out_of_order(self):
        chance = random.Random(SEED)
        lock = threading.Lock()
        refused = 0

        def answer(*_):
            nonlocal refused
            with lock:
                fails = chance.random() < FAILING
                refused += fails
            return 503 if fails else 200

        kills = 0
        began = time.monotonic()
        with WebhookReceiver(answer=answer) as receiver:
            self.call("apply", "-f", self.write("c.yaml", CHANNEL.format(
                url=receiver.url, waits=", ".join(["50ms"] * 60))))
            submitted = 0
            while True:
                wave = range(submitted, min(submitted + UNDER_WAY - self.unfinished(), RUNS))
                if wave:
                    self.call("submit", self.write("w.yaml", "".join(WORKFLOW.format(number=n) for n in wave)),
                              "-o", "name", timeout=600)
                submitted += len(wave)
                engine = self.start("server", "--exit-when-idle")
                try:
                    engine.communicate(timeout=KILL_SECONDS * chance.uniform(0.5, 1.5))
                except subprocess.TimeoutExpired:  # it works still
                    self.kill(engine)
                    kills += 1
                    # Killed often enough, a small test may end: it is not about speed.
                    if RUNS <= 100 and kills >= 12:
                        self.call("server", "--exit-when-idle", timeout=600)
                if submitted == RUNS and not self.unfinished():
                    break
            self.finish()
        self.check(receiver.requests)
        seconds = time.monotonic() - began
        print(f"{RUNS} runs, {3 * RUNS} notifications, {len(receiver.requests)} requests, {refused} refused, "
              f"{kills} kills, {seconds:.1f} s")

    def test_what_many_workflows_have_left_behind_is_sent_by_one_command(self):
        count = 300  # more than an engine takes the locks of at once
        with WebhookReceiver() as receiver:
            pass
        self.call("apply", "-f", self.write("c.yaml", CHANNEL.format(url=receiver.url, waits="1ms, 1ms")))
        self.call("submit", self.write("w.yaml", "".join(ACCEPTED.format(number=n) for n in range(count))),
                  "-o", "name", timeout=600)
        self.call("server", "--exit-when-idle", timeout=600)
        self.assertEqual(len(self.rows()), count)
        rows = self.rows("--state", "dead")
        with WebhookReceiver(port=receiver.port) as receiver:
            self.call("notifications", "send", timeout=600)
            if rows:
                self.call("notifications", "replay", "--all", timeout=600)
            self.finish()
        self.assertEqual(collections.Counter(r["state"] for r in self.rows()), {"delivered": count})
        self.assertEqual(len({r["headers"]["webhook-id"] for r in receiver.requests}), count)

    def rows(self, *flags):
        return json.loads(self.call("notifications", "list", "-o", "json", *flags, timeout=600).stdout)

    def unfinished(self):
        p = self.call("list", "--running", "-o", "name", timeout=600)
        return len(p.stdout.split())

    def finish(self):
        """What is left when all workflows have ended: a server ends with them, whatever waits."""
        for _ in range(600):
            self.call("notifications", "send", timeout=600)
            if not self.rows("--state", "pending"):
                return
            time.sleep(0.05)

    def check(self, requests):
        rows = self.rows()
        self.assertEqual(collections.Counter(r["state"] for r in rows), {"delivered": 3 * RUNS})
        ids = collections.defaultdict(set)    # (workflow, event) -> ids
        order = collections.defaultdict(list)  # workflow -> events, as they first arrived
        for request in requests:
            body = json.loads(request["body"])
            event = (body["data"]["workflow"]["name"], body["type"])
            ids[event].add(request["headers"]["webhook-id"])
            if request.get("status") == 200 and body["type"] not in order[event[0]]:
                order[event[0]].append(body["type"])
        self.assertEqual(len(ids), 3 * RUNS)
        self.assertEqual({len(of) for of in ids.values()}, {1}, "one id over all attempts")
        wanted = ["workflow.running", "node.failed", "workflow.failed"]
        self.assertEqual([name for name, told in order.items() if told != wanted], [])

