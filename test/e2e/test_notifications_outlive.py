"""What was not told as yet is not lost with its workflow, and a person can give it up."""
import json
import sqlite3
import time

from engine import EngineTest, wait_until
from receiver import WebhookReceiver
from test_notifications import SECRET, channel, workflow


class Outlive(EngineTest):
    def listed(self, *flags):
        return json.loads(self.call("notifications", "list", "-o", "json", *flags).stdout)

    def submit_told(self, receiver, retries, name="told", spec="", await_="accepted"):
        path = self.write("c.yaml", SECRET + channel(receiver.url, retries))
        self.call("apply", "-f", path)
        text = workflow(f"channel: ops, await: {await_}", name).replace("spec:\n", f"spec:\n{spec}", 1)
        return self.submit(self.write(f"{name}.yaml", text))

    def test_a_workflow_whose_time_is_over_waits_for_its_notifications(self):
        status = [503]
        with WebhookReceiver(answer=lambda *_: status[0]) as receiver:
            self.start_server()
            name = self.submit_told(receiver, "0s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s",
                                    spec="  ttlStrategy: {secondsAfterCompletion: 1}\n")
            self.wait_for_phase(name, "Failed")
            time.sleep(2.5)
            self.assertEqual(len(self.listed()), 3)
            self.assertTrue(self.get(name))
            status[0] = 200
            wait_until(lambda: {d["state"] for d in self.listed()} == {"delivered"}, 30, "all to be delivered")

    def test_dead_ones_outlive_their_workflow_and_can_be_replayed(self):
        status = [404]
        with WebhookReceiver(answer=lambda *_: status[0]) as receiver:
            self.start_server()
            name = self.submit_told(receiver, "0s", spec="  ttlStrategy: {secondsAfterCompletion: 1}\n")
            wait_until(lambda: len(self.listed("--state", "dead")) == 3, 30, "three dead ones")
            wait_until(lambda: not self.get(name), 90, "the workflow to be deleted")
            dead = self.listed("--state", "dead")
            self.assertEqual(len(dead), 3)
            status[0] = 200
            self.call("notifications", "replay", "--all")
            wait_until(lambda: {d["state"] for d in self.listed()} == {"delivered"}, 30, "all to be delivered")
            wait_until(lambda: not list(self.home.glob("runs/*")), 10, "its folder to go")
        self.assertEqual({r["headers"]["webhook-id"] for r in receiver.requests[-3:]}, {d["id"] for d in dead})

    def test_dead_ones_are_kept_for_their_time_and_then_go(self):
        hours = {}
        self.env = lambda **more: EngineTest.env(self, **hours, **more)
        with WebhookReceiver(answer=lambda *_: 404) as receiver:
            path = self.write("c.yaml", SECRET + channel(receiver.url, "0s"))
            self.call("run", path, self.write("w.yaml", workflow()), ok=False)
        dead = {d["id"] for d in self.listed("--state", "dead")}
        self.assertEqual(len(dead), 3)
        hours["TIPHYS_KEEP_DELIVERED_HOURS"] = "0"  # is about others
        self.call("notifications", "prune")
        self.assertEqual({d["id"] for d in self.listed()}, dead)
        hours["TIPHYS_KEEP_DEAD_HOURS"] = "0"
        self.call("notifications", "prune")
        self.assertEqual(self.listed(), [])
        counted = self.call("metrics", "-o", "prometheus").stdout
        self.assertRegex(counted, r'tiphys_notifications_dead_total\{[^}]*channel="ops"[^}]*\} 3')
        self.assertTrue(self.get("told"), "the workflow stays")

    def test_a_finished_workflow_is_deleted_at_once_and_what_it_has_to_tell_is_told(self):
        status = [503]
        with WebhookReceiver(answer=lambda *_: status[0]) as receiver:
            self.start_server()
            name = self.submit_told(receiver, "0s, 2s, 2s, 2s, 2s, 2s")
            self.wait_for_phase(name, "Failed")
            begun = time.monotonic()
            self.call("delete", name)
            self.assertLess(time.monotonic() - begun, 20)
            self.assertFalse(self.get(name))
            self.assertEqual(len(self.listed("--state", "pending")), 3)
            self.kill(self.engines[-1])
            status[0] = 200
            self.start_server()
            wait_until(lambda: {d["state"] for d in self.listed()} == {"delivered"}, 30, "all to be delivered")
            wait_until(lambda: not list(self.home.glob("runs/*")), 10, "its folder to go")

    def test_a_pending_one_is_discarded_while_its_engine_runs(self):
        with WebhookReceiver(answer=lambda *_: 503) as receiver:
            self.start_server()
            name = self.submit_told(receiver, "0s, 1h", await_="delivered")
            first = wait_until(lambda: [d for d in self.listed() if d.get("attempts")], 30, "an attempt")[0]
            self.call("notifications", "discard", first["id"])
            shown = [d for d in self.listed() if d["id"] == first["id"]][0]
            self.assertEqual((shown["state"], shown["reason"]), ("discarded", "discarded by hand"))
            for _ in range(2):  # those that waited for it in its lane
                waiting = wait_until(lambda: [d for d in self.listed("--state", "pending") if d["attempts"]], 30, "the next")
                self.call("notifications", "discard", waiting[0]["id"])
            self.wait_for_phase(name, "Failed")
            again = self.call("notifications", "discard", first["id"], ok=False)
            self.assertIn("is discarded already", again.stderr)
            self.assertEqual(self.sql_commands(), 0)

    def sql_commands(self):
        with sqlite3.connect(f"file:{self.home / 'tiphys.db'}?mode=ro", uri=True) as store:
            return store.execute("SELECT count(*) FROM commands").fetchone()[0]

SLACK = """apiVersion: v1
kind: Secret
metadata: {name: slack}
stringData: {token: xoxb-1}
---
apiVersion: notifications.tiphys.dev/v1
kind: NotificationChannel
metadata: {name: chat}
spec:
  kind: slack
  config: {apiUrl: URL, token: {secretKeyRef: {name: slack, key: token}}, channel: C1}
---
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: threaded}
spec:
  entrypoint: main
  hooks:
    exit: {template: tell}
    running: {expression: 'workflow.status == "Running"', template: tell}
  templates:
  - name: main
    container: {image: x, command: [sh, -c], args: ['while [ ! -e HOME/go ]; do sleep 0.05; done']}
  - name: tell
    plugin: {tiphys: {notify: {channel: chat}}}
"""


class Threads(EngineTest):
    def test_a_thread_goes_on_after_the_engine_was_killed(self):
        def posted(earlier, _):
            return 200, {}, json.dumps({"ok": True, "channel": "C1", "ts": f"{earlier + 1}.5"}).encode()

        slack = self.enterContext(WebhookReceiver(answer=posted))
        text = SLACK.replace("URL", slack.url).replace("HOME", str(self.home))
        secret, chat, wf = text.split("---\n")
        self.call("apply", "-f", self.write("c.yaml", secret + "---\n" + chat))
        first = self.start_server()
        self.submit(self.write("w.yaml", wf))
        wait_until(lambda: self.call("notifications", "list", "--state", "delivered", "-o", "name").stdout, 30, "the first")
        self.kill(first)
        (self.home / "go").touch()
        self.start_server()
        self.wait_for_phase("threaded", "Succeeded")
        self.assertEqual([json.loads(r["body"]).get("thread_ts") for r in slack.requests], [None, "1.5"])
