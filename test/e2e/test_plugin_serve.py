"""`tiphys plugin serve`, asked as Argo's agent asks its executor plugins."""
import json
import os
import re
import time
import urllib.error
import urllib.request

import yaml

from engine import PROJECT, EngineTest, wait_until
from receiver import WebhookReceiver

TOKEN = "a-token-of-the-agent"


class Agent:
    """What `argoexec agent` does for a plugin template: one call, again after 503 or no answer, and again
    as long as the node is Running, after the `requeue` of the answer."""

    def __init__(self, port, token=TOKEN):
        self.url = f"http://localhost:{port}/api/v1/template.execute"
        self.token = token
        self.calls = 0

    def call(self, template, uid="uid-1", name="wf"):
        self.calls += 1
        body = {"workflow": {"metadata": {"name": name, "namespace": "argo", "uid": uid}}, "template": template}
        request = urllib.request.Request(self.url, json.dumps(body).encode(), {
            "Content-Type": "application/json", "Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def execute(self, template, seconds=60, **workflow):
        """The node when it has ended."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                reply = self.call(template, **workflow)
            except urllib.error.HTTPError as error:
                if error.code != 503:
                    raise
                reply = {"node": {"phase": "Pending"}, "requeue": "1s"}
            except OSError:
                reply = {"node": {"phase": "Pending"}, "requeue": "1s"}
            if reply.get("node", {}).get("phase") not in ("Running", "Pending"):
                return reply.get("node")
            assert re.fullmatch(r"\d+s", reply["requeue"])
            time.sleep(0.05)  # Argo waits as long as the answer says
        raise AssertionError("the node does not end")


def template(message="done", **notify):
    return {"name": "tell", "inputs": {}, "outputs": {}, "metadata": {},
            "plugin": {"tiphys": {"notify": {"channel": "ops", "message": message, **notify}}}}


class PluginServe(EngineTest):
    def serve(self, receiver, port=0, retries="0s, 50ms, 50ms", flags=()):
        channels = self.write("channels.yaml", f"""
apiVersion: v1
kind: Secret
metadata: {{name: hook}}
stringData: {{url: '{receiver.url}/in'}}
---
apiVersion: notifications.tiphys.dev/v1
kind: NotificationChannel
metadata: {{name: ops}}
spec:
  kind: webhook
  retries: [{retries}]
  config: {{url: {{secretKeyRef: {{name: hook, key: url}}}}}}
""")
        token = self.write("token", TOKEN + "\n")
        p = self.start("plugin", "serve", "--listen", f"127.0.0.1:{port}", "--token-file", token,
                       "--channels", channels, *flags)
        line = p.stdout.readline()
        match = re.search(r"listening on 127\.0\.0\.1:(\d+)", line)
        self.assertTrue(match, line)
        return p, int(match[1])

    def rows(self):
        return json.loads(self.call("notifications", "list", "-o", "json").stdout)

    def test_a_template_ends_when_its_message_has_arrived(self):
        with WebhookReceiver(answer=lambda earlier, _: 500 if earlier == 0 else 200) as receiver:
            _, port = self.serve(receiver)
            node = Agent(port).execute(template(event={"phase": "Failed", "message": "oh"}))
        self.assertEqual(node["phase"], "Succeeded")
        row, = self.rows()
        self.assertEqual((row["state"], row["attempts"], row["workflow"]), ("delivered", 2, "wf"))
        self.assertEqual(node["outputs"]["parameters"], [{"name": "notification", "value": row["id"]}])
        self.assertEqual({r["headers"]["webhook-id"] for r in receiver.requests}, {row["id"]})
        body = json.loads(receiver.requests[0]["body"])
        self.assertEqual((body["type"], body["data"]["workflow"]["name"], body["data"]["workflow"]["message"]),
                         ("workflow.failed", "wf", "oh"))

    def test_a_template_fails_with_what_the_receiver_said(self):
        with WebhookReceiver(answer=lambda *_: 404) as receiver:
            _, port = self.serve(receiver)
            node = Agent(port).execute(template())
        self.assertEqual((node["phase"], node["message"]),
                         ("Failed", "not delivered after 1 attempt: HTTP status 404: ok"))

    def test_a_killed_server_and_agent_make_no_second_message(self):
        up = []
        with WebhookReceiver(answer=lambda *_: 200 if up else 503) as receiver:
            server, port = self.serve(receiver, retries="0s, 100ms, " + ", ".join(["100ms"] * 300))
            self.assertEqual(Agent(port).call(template())["node"]["phase"], "Running")
            wait_until(lambda: receiver.requests)
            self.kill(server)
            up.append(True)
            self.serve(receiver, port=port)
            node = Agent(port).execute(template())
            self.assertEqual(node["phase"], "Succeeded")
        self.assertEqual(len(self.rows()), 1)
        self.assertEqual(len({r["headers"]["webhook-id"] for r in receiver.requests}), 1)

    def test_the_same_words_in_another_workflow_are_another_message(self):
        with WebhookReceiver() as receiver:
            _, port = self.serve(receiver)
            agent = Agent(port)
            for uid in ("uid-1", "uid-2", "uid-1"):
                self.assertEqual(agent.execute(template(), uid=uid)["phase"], "Succeeded")
            self.assertEqual(agent.execute(template("more"), uid="uid-1")["phase"], "Succeeded")
        self.assertEqual(len(receiver.requests), 3)

    def test_an_accepted_one_ends_at_once(self):
        with WebhookReceiver(answer=lambda *_: 503) as receiver:
            _, port = self.serve(receiver, retries="0s, 1h")
            reply = Agent(port).call(template(**{"await": "accepted"}))
        self.assertEqual(reply["node"]["phase"], "Succeeded")
        self.assertEqual([r["state"] for r in self.rows()], ["pending"])

    def test_templates_of_other_plugins_are_left_to_them(self):
        with WebhookReceiver() as receiver:
            _, port = self.serve(receiver)
            self.assertEqual(Agent(port).call({"name": "x", "plugin": {"hello": {}}}), {})

    def test_nobody_else_may_call(self):
        with WebhookReceiver() as receiver:
            _, port = self.serve(receiver)
            for token in ("", "another"):
                with self.assertRaises(urllib.error.HTTPError) as refused:
                    Agent(port, token).call(template())
                self.assertEqual(refused.exception.code, 401)
                refused.exception.close()
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=30) as answer:
                self.assertEqual(answer.read(), b"ok\n")
        self.assertEqual(self.rows(), [])

    def test_a_caller_cannot_bring_a_channel(self):
        """Who may write a workflow would run programs beside the secrets of all channels."""
        ran = self.home / "ran"
        command = {"kind": "command", "config": {"command": ["sh", "-c", f"touch {ran}"]}}
        with WebhookReceiver() as receiver, WebhookReceiver() as thief:
            stolen = {"kind": "webhook", "config": {"url": thief.url, "headers": {
                "x": {"secretKeyRef": {"name": "hook", "key": "url"}}}}}
            plain = {"kind": "webhook", "config": {"url": thief.url}}
            server, port = self.serve(receiver)
            for notify in (command, stolen, plain, dict(command, channel="")):
                node = Agent(port).execute({"name": "tell", "plugin": {"tiphys": {"notify": notify}}})
                self.assertEqual(node["phase"], "Error")
                self.assertIn("--allow-inline", node["message"])
            self.kill(server)
            _, port = self.serve(receiver, flags=["--allow-inline"])
            for notify, words in ((command, "kind 'command'"), (stolen, "secretKeyRef")):
                node = Agent(port).execute({"name": "tell", "plugin": {"tiphys": {"notify": notify}}})
                self.assertEqual(node["phase"], "Error")
                self.assertIn(words, node["message"])
            self.assertEqual(thief.requests, [])
            node = Agent(port).execute({"name": "tell", "plugin": {"tiphys": {"notify": plain}}})
            self.assertEqual(node["phase"], "Succeeded")
        self.assertEqual((len(thief.requests), receiver.requests), (1, []))
        self.assertFalse(ran.exists())

    def test_channels_can_come_from_a_variable(self):
        with WebhookReceiver() as receiver:
            os.environ["MY_CHANNELS"] = f"""
apiVersion: notifications.tiphys.dev/v1
kind: NotificationChannel
metadata: {{name: ops}}
spec: {{kind: webhook, config: {{url: "{receiver.url}"}}}}
"""
            self.addCleanup(os.environ.pop, "MY_CHANNELS")
            p = self.start("plugin", "serve", "--listen", "127.0.0.1:0", "--token-file",
                           self.write("token", TOKEN), "--channels-env", "MY_CHANNELS")
            port = int(re.search(r":(\d+) ", p.stdout.readline())[1])
            self.assertEqual(Agent(port).execute(template())["phase"], "Succeeded")
        p = self.call("plugin", "serve", "--token-file", self.write("token", TOKEN), "--channels-env", "NONE", ok=False)
        self.assertIn("'NONE' is not set", p.stderr)

    def test_mistakes_are_told(self):
        token = self.write("token", TOKEN)
        self.assertIn("want ADDRESS:PORT", self.call("plugin", "serve", "--listen", "here", ok=False).stderr)
        self.assertIn("missing", self.call("plugin", "serve", "--token-file", self.home / "missing", ok=False).stderr)
        self.assertIn("holds no token", self.call("plugin", "serve", "--token-file", self.write("none", "\n"),
                                                  ok=False).stderr)
        other = self.write("w.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: b}\n")
        self.assertIn("want NotificationChannel and Secret",
                      self.call("plugin", "serve", "--token-file", token, "--channels", other, ok=False).stderr)

    def test_the_manifest_is_what_argo_reads(self):
        """What `argo executor-plugin build` makes: a labelled ConfigMap with the container's YAML."""
        text = (PROJECT / "docs" / "argo-executor-plugin.yaml").read_text()
        config, = [d for d in yaml.safe_load_all(text) if d["kind"] == "ConfigMap"]
        self.assertEqual(config["metadata"]["labels"], {"workflows.argoproj.io/configmap-type": "ExecutorPlugin"})
        self.assertTrue(config["metadata"]["name"].endswith("-executor-plugin"))
        container = yaml.safe_load(config["data"]["sidecar.container"])
        self.assertEqual(container["args"][:2], ["plugin", "serve"])
        port = container["ports"][0]["containerPort"]
        self.assertIn(f"127.0.0.1:{port}", container["args"])
        self.assertNotIn("volumeMounts", container)  # plugins of Argo have no volumes
        variable = container["args"][container["args"].index("--channels-env") + 1]
        self.assertIn(variable, [e["name"] for e in container["env"]])
        for field in ("resources", "securityContext"):  # Argo refuses a sidecar without them
            self.assertTrue(container[field])
        self.assertEqual(set(container["resources"]), {"requests", "limits"})
