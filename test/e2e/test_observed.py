"""The engine can be watched at work: what it spent, what it did, and when."""
import json
import time

from engine import EngineTest
from receiver import WebhookReceiver

# Two steps with an exit hook each, one after the other, so that each hook has a time of its own.
HOOKED = """apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: observed, namespace: ns}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: first, template: step, hooks: {exit: {template: tell}}}
    - - {name: second, template: step, hooks: {exit: {template: note}}}
  - name: step
    container: {image: busybox, command: ['true']}
  - name: note
    container: {image: busybox, command: ['true']}
  - name: tell
    http: {url: "URL/told?key=s3cret", method: POST, body: "hi"}
"""


class Observed(EngineTest):
    def hooked(self, url):
        return self.write("hooked.yaml", HOOKED.replace("URL", url))

    def stats(self, *args):
        p = self.call("run", "--stats", "-o", "json", *args)
        self.assertEqual(json.loads(p.stdout)["kind"], "Workflow")  # stdout is the workflow's
        return json.loads([line for line in p.stderr.splitlines() if line.startswith("{")][-1])

    def test_stats_count_what_was_done(self):
        def slowly(_):
            time.sleep(0.2)  # an answer that takes long is not the engine's time

        with WebhookReceiver(answer=slowly) as receiver:
            stats = self.stats(self.hooked(receiver.url))
        self.assertEqual(stats["workflows"], 1)
        self.assertEqual(stats["hooks"], 2)
        self.assertEqual(stats["hooksTimed"], 2)
        self.assertEqual(stats["events"], 1 + 4 * 2)  # the beginning; begin and end of four leaves
        self.assertGreaterEqual(stats["commits"], 4)
        self.assertGreaterEqual(stats["nodeRows"], 7)
        self.assertGreater(stats["commitMsP50"], 0)
        self.assertGreater(stats["hookMsP50"], 0)
        self.assertLess(stats["hookMsMax"], 150)
        self.assertLessEqual(stats["hookMsP50"], stats["hookMsP99"])
        self.assertEqual(stats["leavesOpenMax"], 1)
        self.assertGreater(stats["wallSeconds"], stats["cpuSeconds"])

    def test_a_hook_that_cannot_be_sent_has_no_latency(self):
        stats = self.stats(self.hooked("http://127.0.0.1:1"))
        self.assertEqual(stats["hooks"], 2)
        self.assertEqual(stats["hooksTimed"], 1)

    def test_stats_are_a_table_for_people(self):
        with WebhookReceiver() as receiver:
            p = self.call("run", "--stats", self.hooked(receiver.url))
        self.assertRegex(p.stderr, r"9 events, \d+ commits, rows: \d+ of the log")
        self.assertRegex(p.stderr, r"exit to hook +2 ")
        self.assertNotIn("events", p.stdout)
