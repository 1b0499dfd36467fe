"""The engine can be watched at work: what it spent, what it did, and when."""
import json
import signal
import subprocess
import time

from engine import EngineTest, binary, wait_until
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
        def slowly(*_):
            time.sleep(1.5)  # an answer that takes long is not the engine's time

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
        self.assertLess(stats["hookMsMax"], 1000 * stats["wallSeconds"] - 1500, "the answer is no part of it")
        self.assertLessEqual(stats["hookMsP50"], stats["hookMsP99"])
        self.assertEqual(stats["leavesOpenMax"], 1)
        self.assertGreater(stats["wallSeconds"], 1.5)
        self.assertGreater(stats["cpuSeconds"], 0)

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

    def log_of(self, *args, ok=True):
        """Standard error of `run` as log lines in JSON."""
        p = self.call("--log-format", "json", "--loglevel", "info", "run", "-o", "name", *args, ok=ok)
        self.assertEqual(p.stdout.strip(), "observed")
        return [json.loads(line) for line in p.stderr.splitlines() if line.startswith("{")], p.stderr

    def test_the_log_tells_a_workflows_life(self):
        with WebhookReceiver() as receiver:
            lines, _ = self.log_of(self.hooked(receiver.url))
        for line in lines:
            self.assertLessEqual({"time", "level", "msg"}, line.keys())
        told = [(line["msg"], line.get("hook", line.get("phase"))) for line in lines if line["level"] == "info"]
        self.assertEqual(told, [("workflow started", None), ("hook fired", "observed[0].first.onExit"),
                                ("hook fired", "observed[1].second.onExit"), ("workflow ended", "Succeeded")])
        hook = next(line for line in lines if line["msg"] == "hook fired")
        self.assertEqual((hook["workflow"], hook["namespace"], hook["node"]), ("observed", "ns", "observed[0].first"))

    def test_the_log_tells_why_a_node_failed_and_no_url(self):
        lines, text = self.log_of(self.hooked("http://me:hidden@127.0.0.1:1"))
        failed = next(line for line in lines if line["msg"] == "node failed")
        self.assertEqual(failed["node"], "observed[0].first.onExit")
        self.assertIn("connection refused", failed["error"])
        for secret in "s3cret", "hidden", "told":
            self.assertNotIn(secret, text)

    def test_debug_lines_have_no_secret(self):
        self.write("secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: mail}\nstringData: {pw: h1dden}\n")
        path = self.write("uses.yaml", """apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: uses-}
spec:
  entrypoint: main
  templates:
  - name: main
    container: {image: busybox, command: [sh, -c, 'test "$PW" = h1dden'],
                env: [{name: PW, valueFrom: {secretKeyRef: {name: mail, key: pw}}}]}
""")
        p = self.call("run", "-v", "-o", "name", self.home / "secret.yaml", path)
        self.assertRegex(p.stderr, r"debug: event workflow=uses-\w+ namespace=default event=LeafFinished node=uses-\w+")
        self.assertIn("debug: commit logRows=1", p.stderr)
        self.assertIn("debug: dispatch workflow=uses-", p.stderr)
        self.assertNotIn("h1dden", p.stderr)

    def test_commands_are_quiet_and_refuse_unknown_levels(self):
        with WebhookReceiver() as receiver:
            p = self.call("run", "-o", "name", self.hooked(receiver.url))
        self.assertEqual(p.stderr, "warning: images are ignored: steps run as processes of this machine, "
                                   "with its programs\n")
        self.assertIn("want debug, info, warn or error", self.call("--loglevel", "loud", "list", ok=False).stderr)
        self.assertIn("want text or json", self.call("list", "--log-format", "xml", ok=False).stderr)

    def test_a_server_tells_what_it_spent(self):
        engine = subprocess.Popen([binary(), "server", "--log-format", "json"], text=True, stdout=subprocess.PIPE,
                                  env=self.env(TIPHYS_STATS_SECONDS="1"), stderr=open(self.home / "log", "w"))
        self.engines.append(engine)
        engine.stdout.readline()

        def spent():
            lines = map(json.loads, (self.home / "log").read_text().splitlines())
            return [line for line in lines if line["msg"] == "spent"]
        with WebhookReceiver() as receiver:
            self.submit(self.hooked(receiver.url))
            self.wait_for_phase("observed", "Succeeded")
            wait_until(lambda: any(line["hooksTimed"] == 2 for line in spent()), what="the line of a second")
        before = len(spent())
        engine.send_signal(signal.SIGTERM)
        self.assertEqual(engine.wait(20), 0)
        self.assertGreater(len(spent()), before, "a last line at its end")
        self.assertEqual(spent()[-1]["workflows"], 1)

    def test_a_trace_shows_steps_hooks_and_commits(self):
        path = self.home / "trace.json"
        with WebhookReceiver() as receiver:
            self.call("run", "--trace", path, "-o", "name", self.hooked(receiver.url))
        events = json.loads(path.read_text())
        groups = {e["pid"]: e["args"]["name"] for e in events if e["name"] == "process_name"}
        slices = [e for e in events if e["ph"] == "X"]
        by_name = {e["name"]: e for e in slices}
        for name, group in (("first", "steps"), ("second", "steps"), ("first.onExit", "hooks"),
                            ("second.onExit", "hooks"), ("commit", "engine")):
            self.assertEqual(groups[by_name[name]["pid"]], group, name)
        first, hook = by_name["first"], by_name["first.onExit"]
        self.assertEqual(first["args"]["node"], "observed[0].first")
        self.assertEqual((first["args"]["phase"], first["args"]["exitCode"]), ("Succeeded", 0))
        self.assertGreaterEqual(hook["ts"], first["ts"] + first["dur"])
        # each arrow leaves a slice and arrives at the hook of that slice
        starts = {e["id"]: e for e in events if e["ph"] == "s"}
        ends = {e["id"]: e for e in events if e["ph"] == "f"}
        self.assertEqual(starts.keys(), ends.keys())
        pairs = {(self.slice_at(slices, starts[i]), self.slice_at(slices, ends[i])) for i in starts}
        self.assertEqual(pairs, {("first", "first.onExit"), ("second", "second.onExit")})

    def slice_at(self, slices, event):
        found = [e["name"] for e in slices if (e["pid"], e["tid"]) == (event["pid"], event["tid"]) and
                 e["ts"] <= event["ts"] < e["ts"] + e["dur"]]
        self.assertEqual(len(found), 1, event)
        return found[0]

    def test_slices_of_a_lane_do_not_overlap(self):
        path = self.home / "trace.json"
        text = HOOKED.replace("first, template: step", "first, template: step, withSequence: {count: '60'}")
        with WebhookReceiver() as receiver:
            self.call("run", "--trace", path, "-o", "name", self.write("w.yaml", text.replace("URL", receiver.url)))
        lanes = {}
        for e in json.loads(path.read_text()):
            if e["ph"] == "X":
                lanes.setdefault((e["pid"], e["tid"]), []).append((e["ts"], e["ts"] + e["dur"]))
        self.assertEqual(sum(len(v) for (pid, _), v in lanes.items() if pid > 1), 122)
        for slices in lanes.values():
            slices.sort()
            for (_, end), (start, _) in zip(slices, slices[1:]):
                self.assertLess(end - start, 2)  # microseconds: a double's last digits, and slices of no length

    def test_a_trace_is_readable_after_a_kill(self):
        path = self.home / "trace.json"
        engine = self.start("server", "--trace", path)
        engine.stdout.readline()
        with WebhookReceiver() as receiver:
            self.submit(self.hooked(receiver.url))
            self.wait_for_phase("observed", "Succeeded")
        self.kill(engine)
        names = [e["name"] for e in json.loads(path.read_text() + "]")]
        self.assertIn("first", names)

    def test_a_trace_that_cannot_be_written_is_an_error(self):
        p = self.call("run", "--trace", self.home / "none" / "x", self.hooked("http://127.0.0.1:1"), ok=False)
        self.assertIn("cannot write the trace", p.stderr)
