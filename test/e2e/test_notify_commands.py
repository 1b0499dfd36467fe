"""What people see of notifications: samples, summaries, counters, outages, what is kept, replays."""
import json
import os
import re
import subprocess
import sys

from engine import EXAMPLES, PROJECT, EngineTest, nodes, wait_until
from receiver import WebhookReceiver

SECRET = """
apiVersion: v1
kind: Secret
metadata: {name: hook}
stringData: {path: s3cr3t-path}
---
"""


def channel(name, url, more=""):
    return f"""
apiVersion: notifications.tiphys.dev/v1
kind: NotificationChannel
metadata: {{name: {name}}}
spec: {{kind: webhook, retries: [0s], {more} config: {{url: "{url}"}}}}
---
"""


def workflow(name, channel_name, notify=""):
    return f"""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: {name}}}
spec:
  entrypoint: tell
  templates: [{{name: tell, plugin: {{tiphys: {{notify: {{channel: {channel_name}, {notify}}}}}}}}}]
"""


class FirstExample(EngineTest):
    """What docs/NOTIFICATIONS.md begins with, followed."""

    def example(self, port):
        text = (PROJECT / "docs" / "NOTIFICATIONS.md").read_text()
        self.assertIn("python3 examples/receiver.py 9000", text)
        block = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1]
        self.assertIn(":9000/", block)
        return self.write("build.yaml", block.replace(":9000/", f":{port}/"))

    def test_it_arrives(self):
        receiver = subprocess.Popen([sys.executable, EXAMPLES / "receiver.py", "0"], text=True, stdout=subprocess.PIPE)
        self.addCleanup(receiver.stdout.close)
        self.addCleanup(receiver.wait)
        self.addCleanup(receiver.kill)
        port = re.search(r"listening on http://127.0.0.1:(\d+) until", receiver.stdout.readline())[1]
        self.call("run", self.example(port), timeout=60)
        self.assertEqual(receiver.stdout.readline(), "POST /builds\n")

    def test_without_a_receiver_it_can_be_ended(self):
        for words, which in ((("terminate",), "workflow"), (("notifications", "discard"), "id")):
            with self.subTest(words[-1]):
                self.end_it_with(words, which)

    def end_it_with(self, words, which):
        with WebhookReceiver() as gone:
            port = gone.port
        run = self.start("run", self.example(port))
        pending = ("notifications", "list", "--state", "pending", "-o", "json")
        row, = wait_until(lambda: json.loads(self.call(*pending).stdout or "[]"))
        self.call(*words, row[which])
        run.communicate(timeout=30)
        rows = json.loads(self.call("notifications", "list", "-o", "json").stdout)
        self.assertEqual({r["state"] for r in rows}, {"discarded"})


class NotifyCommands(EngineTest):
    def rows(self, *flags):
        return json.loads(self.call("notifications", "list", "-o", "json", *flags).stdout)

    def tell(self, name, channel_name="ops", notify="", ok=None):
        return self.call("run", self.write("w.yaml", workflow(name, channel_name, notify)), ok=ok)

    def test_a_sample_is_sent_and_not_kept(self):
        with WebhookReceiver() as receiver:
            self.call("apply", "-f", self.write("c.yaml", channel("ops", receiver.url)))
            for words in (("notify", "test", "ops"), ("notifications", "test", "ops")):
                p = self.call(*words)
                self.assertRegex(p.stdout, r"^delivered in [0-9.]+ ms, status 200\n$")
        self.assertEqual([json.loads(r["body"])["type"] for r in receiver.requests], ["workflow.failed"] * 2)
        self.assertEqual(self.rows(), [])

    def test_a_program_does_not_get_the_variables_of_the_engine(self):
        os.environ["TOKEN_OF_THE_ENGINE"] = "t0ken"
        self.addCleanup(os.environ.pop, "TOKEN_OF_THE_ENGINE")
        out = self.home / "out"
        self.call("apply", "-f", self.write("c.yaml", f"""
apiVersion: notifications.tiphys.dev/v1
kind: NotificationChannel
metadata: {{name: ops}}
spec: {{kind: command, config: {{command: [sh, -c, "env > {out}"], env: {{OWN: mine, HOME: /own}}}}}}
"""))
        self.call("notify", "test", "ops")
        seen = dict(line.split("=", 1) for line in out.read_text().splitlines() if "=" in line)
        self.assertEqual((seen["OWN"], seen["HOME"], seen["PATH"]), ("mine", "/own", os.environ["PATH"]))
        names = {n for n in seen if not re.match(r"TIPHYS_(EVENT|WORKFLOW)_|TIPHYS_(TITLE|TEXT)$", n)}
        self.assertLessEqual(names, {"OWN", "HOME", "PATH", "LANG", "PWD", "SHLVL", "_", "OLDPWD"})

    def test_a_sample_that_is_refused_tells_why(self):
        with WebhookReceiver(answer=lambda *_: 403) as receiver:
            self.call("apply", "-f", self.write("c.yaml", channel("ops", receiver.url)))
            p = self.call("notify", "test", "ops", ok=False)
        self.assertRegex(p.stdout, "^refused in .*, status 403: HTTP status 403: ok")
        p = self.call("notify", "test", "ops", ok=False)
        self.assertRegex(p.stdout, "^would be tried again in .*: .*onnect")
        self.assertIn("'nobody' not found", self.call("notify", "test", "nobody", ok=False).stderr)

    def test_a_dry_run_shows_what_would_be_sent_without_secrets(self):
        url = "{secretKeyRef: {name: hook, key: url}}"
        secret = SECRET.replace("path: s3cr3t-path", "url: 'http://127.0.0.1:1/s3cr3t-path'")
        self.call("apply", "-f", self.write("c.yaml", secret + channel("ops", url).replace(f'"{url}"', url)))
        shown = self.call("notify", "test", "ops", "--dry-run", "--message", '{"title": "hello"}').stdout
        self.assertIn("POST ***\n", shown)
        self.assertIn('"title": "hello"', shown)
        self.assertNotIn("s3cr3t", shown)

    def test_secrets_in_plain_text_are_told_and_not_shown(self):
        literal = """apiVersion: notifications.tiphys.dev/v1
kind: NotificationChannel
metadata: {name: ops}
spec:
  kind: webhook
  config:
    url: http://me:pl4nted-1@127.0.0.1:1/in
    headers: {Authorization: Bearer pl4nted-2, Accept: text/plain}
    signingSecrets: [whsec_cGw0bnRlZC0z]
"""
        path = self.write("c.yaml", literal)
        for seen in (self.call("lint", path, ok=None).stdout, self.call("apply", path).stderr):
            for part in ("c.yaml:7:10: warning: channel 'ops': url has a password", "c.yaml:8:30: warning: ",
                         "c.yaml:9:22: warning: ", "give it as secretKeyRef"):
                self.assertIn(part, seen)
        shown = self.call("notify", "test", "ops", "--dry-run").stdout
        self.assertIn("POST http://***@127.0.0.1:1/in\n", shown)
        self.assertIn("text/plain", shown)
        self.assertNotIn("pl4nted", shown)

        text = workflow("told", "x").replace("channel: x,", "kind: webhook, config: {url: "
                                                            "'http://me:pl4nted-1@127.0.0.1:1/in', headers: "
                                                            "{Authorization: Bearer pl4nted-2}}, retries: [0s],")
        self.call("run", self.write("w.yaml", text), ok=None)
        row, = self.rows()
        for output in ("json", "yaml"):
            shown = self.call("notifications", "get", row["id"], "-o", output).stdout
            self.assertIn("http://***@127.0.0.1:1/in", shown)
            self.assertNotIn("pl4nted", shown)

    def test_lint_tells_mistakes_of_templates_that_send(self):
        path = self.write("w.yaml", workflow("w", "opps", "await: deliverd, mesage: hello"))
        with WebhookReceiver() as receiver:
            self.call("apply", self.write("c.yaml", channel("ops", receiver.url)))
        out = self.call("lint", path, ok=False).stdout
        for part in ("w.yaml:7:", "error: await: 'deliverd' is none of delivered, accepted",
                     "error: notify: unknown field 'mesage'; did you mean 'message'?",
                     "warning: there is no channel 'opps' in namespace 'default' yet; did you mean 'ops'?"):
            self.assertIn(part, out)
        good = self.write("w.yaml", workflow("w", "ops", "await: accepted, message: hello"))
        self.assertIn("no problems found", self.call("lint", good).stdout)

    def test_lint_tells_names_in_messages_that_the_channel_does_not_know(self):
        with WebhookReceiver() as receiver:
            self.call("apply", self.write("c.yaml", channel("ops", receiver.url)))
        path = self.write("w.yaml", workflow("w", "ops", "message: {titel: hello, text: '{{workflow.name}}'}"))
        words = 'message for a channel of kind webhook: titel: unknown field; did you mean "title"?'
        self.assertRegex(self.call("lint", path, ok=False).stdout, f"w.yaml:7:[0-9]+: error: {re.escape(words)}")
        rules = """apiVersion: notifications.tiphys.dev/v1
kind: Notification
metadata: {name: r}
spec:
  triggers: [on-failed]
  message: {titel: hello}
  send: [{channel: ops}, {channel: ops, message: {severity: awful}}]
"""
        p = self.call("apply", self.write("r.yaml", rules), ok=False)
        self.assertIn(f"r.yaml:6:13: error: notification 'r': {words}", p.stderr)
        self.assertRegex(p.stderr, "r.yaml:7:61: error: .*severity: want one of good, bad, info")
        self.assertEqual(1, p.stderr.count("titel: unknown"))
        self.assertNotIn("on-failed", self.call("notifications", "rules", "list").stdout)
        inline = workflow("w", "x").replace("channel: x,", "kind: webhok, config: {url: 'http://h'},")
        p = self.call("lint", self.write("w.yaml", inline), ok=False)
        self.assertIn("there is no kind of channel 'webhok'; did you mean 'webhook'?", p.stdout)

    def test_a_channel_without_its_secret_is_told_when_it_is_stored(self):
        text = channel("ops", "URL").replace('"URL"', "{secretKeyRef: {name: hook, key: path}}")
        p = self.call("apply", self.write("c.yaml", text))
        self.assertRegex(p.stderr, r"c.yaml:5:[0-9]+: warning: channel 'ops': there is no Secret 'hook' in "
                                   "namespace 'default': nothing can be sent without it")
        self.assertIn("NotificationChannel 'ops' stored", p.stdout)
        self.assertIn("there is no Secret 'hook'", self.call("lint", self.write("c.yaml", text)).stdout)
        self.assertEqual("", self.call("apply", self.write("c.yaml", SECRET + text)).stderr)
        self.assertEqual("", self.call("apply", self.write("c.yaml", text)).stderr)

    def test_an_event_of_the_past_can_be_tried(self):
        with WebhookReceiver() as receiver:
            self.call("apply", "-f", self.write("c.yaml", channel("ops", receiver.url)))
            self.tell("past", ok=True)
            got = self.call("notifications", "get", self.rows()[0]["id"], "-o", "json").stdout
            self.call("notify", "test", "ops", "--event", "-", stdin=got)
            self.call("notify", "test", "ops", "--event", self.write("e.json", json.dumps(
                {"type": "workflow.succeeded", "workflow": {"name": "other"}})))
            p = self.call("notify", "test", "ops", "--event", self.write("e.json", "{}"), ok=False)
        self.assertIn("is no event", p.stderr)
        names = [json.loads(r["body"])["data"]["workflow"]["name"] for r in receiver.requests]
        self.assertEqual(names, ["past", "past", "other"])

    def test_a_run_ends_with_what_has_become_of_its_notifications(self):
        status = [200]
        with WebhookReceiver(answer=lambda *_: status[0]) as receiver:
            self.call("apply", "-f", self.write("c.yaml", channel("ops", receiver.url)))
            self.assertIn("\nnotifications: 1 delivered\n", self.tell("good", ok=True).stdout)
            status[0] = 404
            p = self.tell("bad")
            row, = self.rows("--state", "dead")
            self.assertIn("\nnotifications: 1 dead\n  dead: bad by ops: HTTP status 404: ok\n"
                          f"  send it again: tiphys notifications replay {row['id']}\n", p.stdout)
            status[0] = 503
            p = self.tell("later", notify="await: accepted, retries: [0s, 1h]", ok=True)
            self.assertRegex(p.stdout, r"notifications: 1 pending\n  tried again from \S+ on by a server")
            p = self.call("run", self.write("w.yaml", workflow("good2", "ops")), "-o", "name", ok=None)
            self.assertNotIn("notifications:", p.stdout)

    def test_counters(self):
        with WebhookReceiver(answer=lambda earlier, _: 503 if earlier == 0 else 200) as receiver:
            self.call("apply", "-f", self.write("c.yaml", channel("ops", receiver.url)))
            self.tell("a", notify="retries: [0s, 10ms]", ok=True)
            self.tell("b", ok=True)
        self.tell("c", ok=False)
        labels = '{channel="ops",kind="webhook"}'
        wanted = {"accepted_total": 3, "delivered_total": 2, "dead_total": 1, "retries_total": 1, "pending": 0}

        def check():
            text = self.call("metrics", "-o", "prometheus").stdout
            for name, count in wanted.items():
                self.assertIn(f"tiphys_notifications_{name}{labels} {count}\n", text)
            self.assertIn(f"tiphys_notification_delivery_seconds_count{labels} 2\n", text)
            self.assertRegex(text, r'delivery_seconds_bucket\{channel="ops",kind="webhook",le="\+Inf"\} 2\n')
        check()
        self.assertIn("accepted 3 delivered 2 dead 1 retries 1", self.call("metrics").stdout)
        entry, = [m for m in json.loads(self.call("metrics", "-o", "json").stdout) if m["name"] == "notifications"]
        self.assertEqual((entry["accepted"], entry["retries"]), (3, 1))
        # Counters never go down: neither with a workflow nor with age.
        self.call("delete", "a")
        check()
        self.env_more = {"TIPHYS_KEEP_DELIVERED_HOURS": "0"}
        self.assertEqual(self.call("notifications", "prune").stdout, "1 removed\n")
        self.assertEqual([r["state"] for r in self.rows()], ["dead"])
        check()

    env_more = {}

    def env(self, **more):
        return super().env(**self.env_more, **more)

    def test_an_outage_is_told_once_through_another_channel(self):
        status = [503]
        with WebhookReceiver(answer=lambda *_: status[0]) as ops, WebhookReceiver() as pager:
            text = channel("ops", ops.url, "outageChannel: pager, outageAfter: 2,")
            text += channel("pager", pager.url)
            self.call("apply", "-f", self.write("c.yaml", text))
            p = [self.tell(f"w{i}") for i in range(5)]
            # Each run is an engine of its own; the outage begins once for each that sees two in a row.
            self.assertEqual(len(pager.requests), 0)
            waits = "retries: [0s, 10ms, 10ms]"
            p = [self.tell(f"x{i}", notify=waits) for i in range(3)]
            self.assertIn("notifications fail channel=ops", p[0].stderr)
            self.assertEqual(len(pager.requests), 1)
            body = json.loads(pager.requests[0]["body"])
            self.assertEqual((body["type"], body["data"]["message"]["title"]),
                             ("channel.failing", "Notifications through 'ops' fail"))
            self.assertIn("HTTP status 503", body["data"]["message"]["text"])
            self.assertTrue(pager.requests[0]["headers"]["webhook-id"].startswith("msg_outage.ops."))
            status[0] = 200
            self.tell("back", ok=True)
            status[0] = 503
            self.tell("again", notify=waits)
            self.assertEqual(len(pager.requests), 2)

    def test_a_mistake_in_an_outage_channel_is_told(self):
        for more, wanted in (("outageChannel: ops,", "outageChannel: want the name of another channel"),
                             ("outageAfter: 0,", "outageAfter: want a number from 1 to 1000"),
                             ("atOnce: 257,", "atOnce: want a number from 1 to 256"),
                             ("ordr: none,", "ordr: unknown field; did you mean 'order'?"),
                             ("order: strict,", "order: want workflow, destination or none")):
            self.assert_told(channel("ops", "http://127.0.0.1:1", more), wanted)
        self.assert_told(channel("ops", "http://127.0.0.1:1").replace("[0s]", "[0s, 5x]"), "retries: '5x' is no duration")

    def assert_told(self, text, wanted):
        path = self.write("c.yaml", text)
        for command in ("lint", "apply"):
            p = self.call(command, path, ok=False)
            self.assertIn(wanted, p.stdout + p.stderr)
            self.assertRegex(p.stdout + p.stderr, r"c\.yaml:5:\d+: (error: )?channel 'ops': ")

    def test_a_replay_is_sent_while_only_another_runs_engine_is_alive(self):
        status = [404]
        with WebhookReceiver(answer=lambda *_: status[0]) as receiver:
            self.call("apply", "-f", self.write("c.yaml", channel("ops", receiver.url)))
            self.tell("dead", ok=False)
            row, = self.rows("--state", "dead")
            other = self.start("run", self.write("s.yaml", """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: waits}
spec: {entrypoint: main, templates: [{name: main, suspend: {}}]}
"""))
            self.wait_for_phase("waits", "Running")
            status[0] = 200
            p = self.call("notifications", "replay", row["id"])
            self.assertIn("delivered", p.stdout)
            self.kill(other)

    def test_a_replay_of_a_workflow_that_still_runs_is_sent_by_its_engine(self):
        status = [404]
        with WebhookReceiver(answer=lambda *_: status[0]) as receiver:
            self.call("apply", "-f", self.write("c.yaml", channel("ops", receiver.url)))
            engine = self.start("run", self.write("s.yaml", """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: waits}
spec:
  entrypoint: main
  templates:
  - name: main
    steps: [[{name: tell, template: tell, continueOn: {failed: true}}], [{name: wait, template: wait}]]
  - {name: wait, suspend: {}}
  - {name: tell, plugin: {tiphys: {notify: {channel: ops}}}}
"""))
            row, = wait_until(lambda: self.rows("--state", "dead"))
            wait_until(lambda: "wait" in nodes(self.get("waits")))
            status[0] = 200
            p = self.call("notifications", "replay", row["id"])
            self.assertRegex(p.stdout, "delivered|handed to the engine that has it")
            wait_until(lambda: self.rows("--state", "delivered"))
            self.kill(engine)
        self.assertEqual(len({r["headers"]["webhook-id"] for r in receiver.requests}), 1)
