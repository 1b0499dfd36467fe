"""A notification arrives, however often its receiver or the engine fails, or it is visibly dead."""
import base64
import hashlib
import hmac
import json
import threading

from engine import EngineTest, nodes, phase, wait_until
from receiver import WebhookReceiver

KEY = base64.b64encode(b"a key that nobody may see").decode()
SECRET = f"""
apiVersion: v1
kind: Secret
metadata: {{name: hook}}
stringData: {{key: whsec_{KEY}}}
---
"""


def channel(url, retries):
    return f"""
apiVersion: notifications.tiphys.dev/v1
kind: NotificationChannel
metadata: {{name: ops}}
spec:
  kind: webhook
  retries: [{retries}]
  config:
    url: {url}/in
    signingSecrets: [{{secretKeyRef: {{name: hook, key: key}}}}]
---
"""


def workflow(notify="channel: ops", name="told"):
    return f"""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: {name}}}
spec:
  entrypoint: main
  hooks:
    exit: {{template: tell}}
    running: {{expression: 'workflow.status == "Running"', template: tell}}
  templates:
  - name: main
    steps:
    - - name: a
        template: fails
        hooks:
          failed: {{expression: 'steps.a.status == "Failed"', template: tell}}
  - name: fails
    container: {{image: x, command: [sh, -c], args: ['echo oh no; exit 3']}}
  - name: tell
    plugin: {{tiphys: {{notify: {{{notify}}}}}}}
"""


class Notifications(EngineTest):
    def listed(self, *flags):
        return json.loads(self.call("notifications", "list", "-o", "json", *flags).stdout)

    def run_told(self, receiver, retries="0s", notify="channel: ops"):
        path = self.write("w.yaml", SECRET + channel(receiver.url, retries) + workflow(notify))
        p = self.call("run", path, "-o", "json", ok=None)
        return json.loads(p.stdout)

    def test_hooks_tell_their_events_in_order_and_signed(self):
        with WebhookReceiver() as receiver:
            wf = self.run_told(receiver)
        self.assertEqual(phase(wf), "Failed")
        self.assertEqual(nodes(wf)["told.onExit"]["phase"], "Succeeded")
        told = [json.loads(r["body"]) for r in receiver.requests]
        self.assertEqual([t["type"] for t in told], ["workflow.running", "node.failed", "workflow.failed"])
        self.assertEqual(told[1]["data"]["node"]["displayName"], "a")
        self.assertEqual(told[2]["data"]["failures"][0]["log"], "oh no")
        for r in receiver.requests:
            h = {k.lower(): v for k, v in r["headers"].items()}
            text = f"{h['webhook-id']}.{h['webhook-timestamp']}.{r['body']}"
            wanted = base64.b64encode(hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest())
            self.assertEqual(h["webhook-signature"], "v1," + wanted.decode())
            self.assertEqual(h["Idempotency-Key".lower()], h["webhook-id"])
        self.assertEqual({d["state"] for d in self.listed()}, {"delivered"})

    def test_what_fails_is_tried_again_under_the_same_id(self):
        with WebhookReceiver(answer=lambda earlier, _: 500 if earlier % 2 == 0 else 200) as receiver:
            wf = self.run_told(receiver, retries="0s, 50ms, 50ms, 50ms")
        self.assertEqual(nodes(wf)["told.onExit"]["phase"], "Succeeded")
        ids = [r["headers"]["webhook-id"] for r in receiver.requests]
        self.assertEqual(len(ids), 6)
        self.assertEqual(ids[0::2], ids[1::2])
        self.assertEqual([d["attempts"] for d in self.listed("--state", "delivered")], [2, 2, 2])

    def test_what_never_arrives_is_dead_and_can_be_replayed(self):
        status = [404]
        with WebhookReceiver(answer=lambda *_: status[0]) as receiver:
            wf = self.run_told(receiver)
            self.assertEqual(nodes(wf)["told.onExit"]["message"], "not delivered after 1 attempt: HTTP status 404: ok")
            dead = self.listed("--state", "dead")
            self.assertEqual(len(dead), 3)
            shown = self.call("notifications", "get", dead[0]["id"]).stdout
            self.assertIn("404", shown)
            status[0] = 200
            self.assertEqual(self.call("notifications", "replay", "--all").returncode, 0)
            self.assertEqual({d["state"] for d in self.listed()}, {"delivered"})
        self.assertEqual({r["headers"]["webhook-id"] for r in receiver.requests[-3:]}, {d["id"] for d in dead})

    def test_an_accepted_one_does_not_hold_the_workflow(self):
        with WebhookReceiver(answer=lambda *_: 503) as receiver:
            wf = self.run_told(receiver, retries="0s, 1h", notify="channel: ops, await: accepted")
        self.assertEqual(nodes(wf)["told.onExit"]["phase"], "Succeeded")
        # A lane is in order: the next one is not tried before the first has arrived.
        self.assertEqual([d["attempts"] for d in self.listed("--state", "pending")], [1, 0, 0])
        with WebhookReceiver(port=receiver.port):
            self.call("notifications", "send")
            self.assertEqual(len(self.listed("--state", "pending")), 3)  # their time has not come

    def test_no_secret_is_kept_or_shown(self):
        with WebhookReceiver() as receiver:
            self.run_told(receiver)
            shown = [self.call("notifications", "get", d["id"], "-o", "json").stdout for d in self.listed()]
        for text in shown:
            self.assertNotIn(KEY, text)
        for path in self.home.rglob("*"):
            if path.is_file() and path.name not in ("secrets.json", "w.yaml"):
                self.assertNotIn(KEY.encode(), path.read_bytes(), path)

    def test_a_mistake_in_a_channel_is_told_at_its_place(self):
        path = self.write("c.yaml", channel("http://127.0.0.1:1", "0s").replace("url:", "urk:"))
        p = self.call("apply", "-f", path, ok=False)
        self.assertIn("channel 'ops': url: required", p.stderr)
        path = self.write("c.yaml", channel("http://127.0.0.1:1", "0s").replace("kind: webhook", "kind: webhok"))
        p = self.call("apply", "-f", path, ok=False)
        self.assertIn("did you mean 'webhook'?", p.stderr)

    def test_the_metadata_service_is_never_spoken_to(self):
        notify = "kind: webhook, config: {url: 'http://169.254.169.254/latest', retries: [0s]}"
        path = self.write("w.yaml", workflow(notify.replace(", retries: [0s]", "")))
        p = self.start("run", path)
        row = wait_until(lambda: [d for d in self.listed() if d["attempts"]], what="an attempt")[0]
        self.assertIn("169.254.169.254 is link-local", row["reason"])
        self.kill(p)

    def test_killed_engines_lose_no_notification_and_make_no_second_id(self):
        count = 12
        lock = threading.Lock()
        asked = {}

        def answer(_, path):
            with lock:
                asked[path] = asked.get(path, 0) + 1
                return 500 if sum(asked.values()) % 10 in (1, 4, 7) else 200

        with WebhookReceiver(answer=answer) as receiver:
            path = self.write("c.yaml", SECRET + channel(receiver.url, ", ".join(["0s"] + ["20ms"] * 30)))
            self.call("apply", "-f", path)
            for i in range(count):
                self.call("submit", self.write(f"w{i}.yaml", workflow(name=f"told-{i}")))
            for _ in range(8):
                seen = len(receiver.requests)
                engine = self.start("server")
                self.assertTrue(receiver.wait_for(seen + 1), "an engine that tells")
                self.kill(engine)
            self.call("server", "--exit-when-idle", timeout=60)
        delivered = self.listed("--state", "delivered")
        self.assertEqual(len(delivered), 3 * count)
        self.assertEqual(len(self.listed()), 3 * count)
        events = {}
        for r in receiver.requests:
            body = json.loads(r["body"])
            events.setdefault((body["data"]["workflow"]["name"], body["type"]), set()).add(r["headers"]["webhook-id"])
        self.assertEqual(len(events), 3 * count)
        self.assertEqual({len(ids) for ids in events.values()}, {1})
