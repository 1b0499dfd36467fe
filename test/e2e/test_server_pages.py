"""What `tiphys server --listen` answers: metrics, and the links of notifications; and that a server with much to do
sees what other processes ask for."""
import json
import os
import re
import stat
import subprocess
import urllib.error
import urllib.request

from engine import EngineTest, binary, phase, wait_until
from receiver import WebhookReceiver


def channel(url):
    return f"""
apiVersion: notifications.tiphys.dev/v1
kind: NotificationChannel
metadata: {{name: ops}}
spec: {{kind: webhook, config: {{url: "{url}"}}}}
---
"""


RULE = """
apiVersion: notifications.tiphys.dev/v1
kind: Notification
metadata: {name: gates}
spec: {triggers: [%s], send: [{channel: ops}]}
"""
GATE = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: %s}
spec:
  entrypoint: main
  templates: [{name: main, suspend: {}}]
"""
FAILS = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
  templates: [{name: main, container: {image: x, command: [sh, -c, "test -e %s"]}}]
"""


class ServerPages(EngineTest):
    def serve(self, **env):
        """A server that listens; gives the address of its pages."""
        server = subprocess.Popen([binary(), "server", "--listen", ":0"], env=self.env(**env),
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.engines.append(server)
        line = server.stdout.readline()
        match = re.search(r"listening on (127\.0\.0\.1:\d+)$", line.strip())
        self.assertTrue(match, line)
        self.server = server
        return "http://" + match.group(1)

    def ask(self, url, method="GET"):
        try:
            with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=60) as r:
                return r.status, r.read().decode(), r.headers
        except urllib.error.HTTPError as e:
            with e:
                return e.code, e.read().decode(), e.headers

    def test_metrics(self):
        with WebhookReceiver() as receiver:
            self.call("apply", self.write("c.yaml", channel(receiver.url) + RULE % "on-succeeded"))
            go = self.write("go", "")
            self.call("run", self.write("w.yaml", FAILS % go))
            base = self.serve()
            status, text, headers = self.ask(base + "/metrics")
        self.assertEqual((status, headers["Content-Type"]), (200, "text/plain; version=0.0.4; charset=utf-8"))
        self.assertIn('\nargo_workflows_gauge{phase="Succeeded"} 1\n', text)
        self.assertIn('\nargo_workflows_gauge{phase="Running"} 0\n', text)
        self.assertRegex(text, r'\ntiphys_notifications_delivered_total\{channel="ops",kind="webhook"\} 1\n')
        self.assertEqual(self.ask(base + "/healthz")[:2], (200, "ok\n"))
        self.assertEqual(self.ask(base + "/")[0], 404)
        self.assertEqual(self.ask(base + "/metrics", "POST")[0], 405)

    def test_an_address_that_is_none_is_told(self):
        p = self.call("server", "--listen", "9090", ok=False)
        self.assertIn("--listen '9090': want ADDRESS:PORT", p.stderr)

    def waiting(self, receiver, name):
        """The links of the first notice of this workflow."""
        def links():
            for r in receiver.requests:
                data = json.loads(r["body"])["data"]
                if data["workflow"]["name"] == name:
                    return data["actions"]
            return None
        return wait_until(links, what="the notice of " + name)

    def test_a_link_resumes_and_a_link_stops(self):
        with WebhookReceiver() as receiver:
            self.call("apply", self.write("c.yaml", channel(receiver.url) + RULE % "on-waiting"))
            base = self.serve(TIPHYS_ACTION_URL="https://people.example/")
            for name in ("one", "two"):
                self.call("submit", self.write("w.yaml", GATE % name))
            one, two = self.waiting(receiver, "one"), self.waiting(receiver, "two")
        here = {k: v.replace("https://people.example", base) for k, v in one.items() if k.endswith("Url")}
        self.assertEqual(sorted(here), ["resumeUrl", "stopUrl"])
        self.assertTrue(one["resumeUrl"].startswith("https://people.example/actions/resume~"))
        status, text, headers = self.ask(here["resumeUrl"])
        self.assertEqual((status, headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        self.assertIn("Resume default/one?", text)
        # Chats and mail servers read links: that changes nothing.
        self.assertEqual(phase(self.get("one")), "Running")
        self.assertEqual(self.ask(here["resumeUrl"], "POST")[0], 200)
        self.wait_for_phase("one", "Succeeded")
        for method in ("GET", "POST"):  # its waiting is over
            self.assertEqual(self.ask(here["resumeUrl"], method)[0], 409)
            self.assertEqual(self.ask(here["stopUrl"], method)[0], 409)
        stop = two["stopUrl"].replace("https://people.example", base)
        self.assertEqual(self.ask(stop.replace("stop~", "resume~"), "POST")[0], 404)
        self.assertEqual(self.ask(stop[:-1] + ("0" if stop[-1] != "0" else "1"), "POST")[0], 404)
        self.assertEqual(phase(self.get("two")), "Running")
        self.assertEqual(self.ask(stop, "POST")[0], 200)
        self.wait_for_phase("two", "Failed")
        self.assertEqual(stat.S_IMODE(os.stat(self.home / "links.key").st_mode), 0o600)

    def test_without_a_base_there_are_commands_only(self):
        with WebhookReceiver() as receiver:
            self.call("apply", self.write("c.yaml", channel(receiver.url) + RULE % "on-waiting"))
            self.serve()
            self.call("submit", self.write("w.yaml", GATE % "one"))
            self.assertEqual(sorted(self.waiting(receiver, "one")), ["resume", "stop"])

    def test_a_retry_does_not_wait_for_an_undelivered_notification(self):
        with WebhookReceiver(answer=lambda *_: 503) as receiver:
            self.call("apply", self.write("c.yaml", channel(receiver.url) + RULE % "on-failed"))
            self.serve()
            flag = self.home / "go"
            self.call("submit", self.write("w.yaml", FAILS % flag))
            self.wait_for_phase("wf", "Failed")
            wait_until(lambda: receiver.requests, what="the first attempt")
            flag.touch()
            self.call("retry", "wf")
            self.wait_for_phase("wf", "Succeeded")
            rows = json.loads(self.call("notifications", "list", "-o", "json").stdout)
            self.assertEqual([r["state"] for r in rows], ["pending"])

    def test_a_server_that_finds_many_workflows_takes_all_of_them(self):
        count = 60
        with WebhookReceiver() as receiver:
            self.call("apply", self.write("c.yaml", channel(receiver.url) + RULE % "on-waiting"))
            for i in range(count):
                self.call("submit", self.write("w.yaml", GATE % f"g{i}"))
            self.call("resume", "g7")  # a command that waits, too
            self.serve()
            self.wait_for_phase("g7", "Succeeded")
            wait_until(lambda: len({r["headers"]["webhook-id"] for r in receiver.requests}) >= count - 1,
                       what="a notice of each")
            self.kill(self.server)
            self.serve()
            self.call("resume", *(f"g{i}" for i in range(count) if i != 7))
            for i in range(count):
                self.wait_for_phase(f"g{i}", "Succeeded")
