"""Requests of hooks' http templates: the node is Argo's, the message arrives all the same."""
import json

from engine import EngineTest, nodes, wait_until
from receiver import WebhookReceiver

MODE = "notifications.tiphys.dev/http-hooks"
RETRIES = "notifications.tiphys.dev/http-hook-retries"


def workflow(url, annotations="", name="told", http="", retry=""):
    return f"""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: {name}, annotations: {{{annotations}}}}}
spec:
  entrypoint: main
  hooks: {{exit: {{template: tell}}}}
  templates:
  - name: main
    container: {{image: x, command: [sh, -c], args: ['exit 3']}}
  - name: tell
    {retry}
    http: {{url: '{url}/in', method: POST, body: '{{{{workflow.name}}}} {{{{workflow.status}}}}', {http}}}
"""


class HttpHooks(EngineTest):
    def rows(self, *flags):
        return json.loads(self.call("notifications", "list", "-o", "json", *flags).stdout)

    def run_told(self, receiver, **parts):
        path = self.write("w.yaml", workflow(receiver.url, **parts))
        wf = json.loads(self.call("run", path, "-o", "json", ok=None).stdout)
        return nodes(wf)["told.onExit"]

    def keys(self, receiver):
        return [r["headers"]["Idempotency-Key"] for r in receiver.requests]

    def test_one_that_arrives_is_a_delivery(self):
        with WebhookReceiver() as receiver:
            node = self.run_told(receiver)
        self.assertEqual((node["phase"], node["outputs"]["result"]), ("Succeeded", "ok\n"))
        row, = self.rows()
        self.assertEqual((row["channel"], row["state"], row["attempts"], row["status"], row["node"]),
                         ("http", "delivered", 1, 200, "told.onExit"))
        self.assertEqual(row["destination"], receiver.url.removeprefix("http://"))
        self.assertEqual(["msg_" + key for key in self.keys(receiver)], [row["id"]])

    def test_one_that_fails_ends_its_node_as_in_argo_and_is_sent_again(self):
        with WebhookReceiver(answer=lambda earlier, _: 503 if earlier < 2 else 200) as receiver:
            node = self.run_told(receiver, annotations=f"{RETRIES}: '0s, 20ms, 20ms, 20ms'")
            self.assertEqual((node["phase"], node["message"], node["outputs"]["result"]),
                             ("Failed", "received non-2xx response code: 503", "ok\n"))
            self.call("notifications", "send")  # if its time had not come yet
            wait_until(lambda: self.call("notifications", "send") and self.rows("--state", "delivered"))
        self.assertEqual(self.rows()[0]["attempts"], 3)
        self.assertEqual(len(set(self.keys(receiver))), 1)
        self.assertEqual([r["body"] for r in receiver.requests], ["told Failed"] * 3)

    def test_one_that_nobody_takes_waits_for_a_server(self):
        with WebhookReceiver() as receiver:
            pass
        node = self.run_told(receiver, annotations=f"{RETRIES}: '0s, 200ms, 20ms'")
        self.assertEqual(node["phase"], "Failed")
        self.assertRegex(node["message"], r'^Post "http://127.0.0.1:\d+/in": dial tcp .*connection refused$')
        row, = self.rows()
        self.assertEqual((row["state"], row["attempts"]), ("pending", 1))
        with WebhookReceiver(port=receiver.port) as receiver:
            self.start_server()
            wait_until(lambda: self.rows("--state", "delivered"))
        self.assertEqual(["msg_" + key for key in self.keys(receiver)], [row["id"]])

    def test_a_refusal_is_dead_and_can_be_replayed(self):
        status = [404]
        with WebhookReceiver(answer=lambda *_: status[0]) as receiver:
            node = self.run_told(receiver)
            self.assertEqual((node["phase"], node["message"]), ("Failed", "received non-2xx response code: 404"))
            row, = self.rows("--state", "dead")
            self.assertEqual(row["reason"], "HTTP status 404: ok")
            status[0] = 200
            self.call("notifications", "replay", row["id"])
        self.assertEqual([r["state"] for r in self.rows()], ["delivered"])
        self.assertEqual(len(set(self.keys(receiver))), 1)

    def test_the_success_condition_decides(self):
        with WebhookReceiver(answer=lambda *_: 409) as receiver:
            node = self.run_told(receiver, http="successCondition: response.statusCode == 409")
            self.assertEqual((node["phase"], self.rows()[0]["state"]), ("Succeeded", "delivered"))
        self.call("delete", "told")
        with WebhookReceiver() as receiver:
            node = self.run_told(receiver, http="successCondition: 'response.body contains \"done\"'")
        self.assertEqual(node["message"], """successCondition 'response.body contains "done"' evaluated false""")
        row, = self.rows()
        self.assertEqual((row["state"], row["attempts"]), ("dead", 1))

    def test_an_awaited_one_ends_when_it_has_arrived(self):
        with WebhookReceiver(answer=lambda earlier, _: 503 if earlier < 2 else 200) as receiver:
            node = self.run_told(receiver, annotations=f"{MODE}: await, {RETRIES}: '0s, 20ms, 20ms, 20ms'")
        self.assertEqual((node["phase"], node["outputs"]["result"]), ("Succeeded", "ok\n"))
        self.assertEqual([(r["state"], r["attempts"]) for r in self.rows()], [("delivered", 3)])

    def test_an_awaited_one_survives_a_kill_between_its_attempts(self):
        with WebhookReceiver(answer=lambda earlier, _: 503 if earlier < 1 else 200) as receiver:
            path = self.write("w.yaml", workflow(receiver.url, annotations=f"{MODE}: await, {RETRIES}: '0s, 1s'"))
            engine = self.start("run", path)
            wait_until(lambda: [r for r in self.rows() if r["attempts"] == 1])
            self.kill(engine)
            self.start_server()
            wf = self.wait_for_phase("told", "Failed")
        self.assertEqual(nodes(wf)["told.onExit"]["phase"], "Succeeded")
        self.assertEqual([r["attempts"] for r in self.rows()], [2])
        self.assertEqual((len(receiver.requests), len(set(self.keys(receiver)))), (2, 1))

    def test_a_stopped_workflow_gives_up_what_it_waits_for(self):
        with WebhookReceiver(answer=lambda *_: 503) as receiver:
            path = self.write("w.yaml", workflow(receiver.url, annotations=f"{MODE}: await, {RETRIES}: '0s, 1h'"))
            self.start_server()
            self.submit(path)
            wait_until(lambda: [r for r in self.rows() if r["attempts"] == 1])
            self.call("terminate", "told")
            wf = self.wait_for_phase("told", "Failed")
            wait_until(lambda: self.rows("--state", "discarded"))
        self.assertEqual(nodes(wf)["told.onExit"]["phase"], "Failed")
        self.assertEqual(len(receiver.requests), 1)

    def test_one_that_is_waited_for_is_discarded_by_hand(self):
        with WebhookReceiver(answer=lambda *_: 503) as receiver:
            path = self.write("w.yaml", workflow(receiver.url, annotations=f"{MODE}: await, {RETRIES}: '0s, 1h'"))
            self.start_server()
            self.submit(path)
            row = wait_until(lambda: [r for r in self.rows() if r["attempts"] == 1])[0]
            self.call("notifications", "discard", row["id"])
            wf = self.wait_for_phase("told", "Failed")
        node = nodes(wf)["told.onExit"]
        self.assertEqual((node["phase"], node["message"]), ("Failed", "not delivered: discarded by hand"))
        self.assertEqual([r["reason"] for r in self.rows("--state", "discarded")], ["discarded by hand"])

    def test_without_the_outbox(self):
        with WebhookReceiver(answer=lambda *_: 503) as receiver:
            node = self.run_told(receiver, annotations=f"{MODE}: once")
            self.assertEqual((node["phase"], self.rows()), ("Failed", []))
            self.call("delete", "told")
            # A retryStrategy is the user's own way of saying how often.
            self.run_told(receiver, retry="retryStrategy: {limit: 1, retryPolicy: Always}")
        self.assertEqual(self.rows(), [])
        self.assertEqual(len(receiver.requests), 3)

    def test_steps_that_are_no_hooks_are_not_notifications(self):
        with WebhookReceiver() as receiver:
            self.run_workflow(self.write("w.yaml", f"""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: plain}}
spec:
  entrypoint: main
  templates: [{{name: main, http: {{url: '{receiver.url}'}}}}]
"""))
        self.assertEqual(self.rows(), [])

    def test_no_secret_is_kept_or_shown(self):
        secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {key: Bearer abc123xyz}\n---\n"
        with WebhookReceiver(answer=lambda *_: 503) as receiver:
            path = self.write("w.yaml", secret + workflow(
                receiver.url, annotations=f"{RETRIES}: '0s, 10ms'",
                http="headers: [{name: Authorization, valueFrom: {secretKeyRef: {name: s, key: key}}}]"))
            self.call("run", path, ok=False)
            wait_until(lambda: self.call("notifications", "send") and self.rows("--state", "dead"))
        self.assertEqual({r["headers"]["Authorization"] for r in receiver.requests}, {"Bearer abc123xyz"})
        for path in self.home.rglob("*"):
            if path.is_file() and path.name not in ("secrets.json", "w.yaml"):
                self.assertNotIn(b"abc123xyz", path.read_bytes(), path)

    def test_a_mistake_in_a_mode_is_told(self):
        with WebhookReceiver() as receiver:
            path = self.write("w.yaml", workflow(receiver.url, annotations=f"{MODE}: often"))
            p = self.call("run", path, ok=False)
            self.assertIn("an annotation cannot be read", p.stderr)
            self.assertIn("retry, await or once", p.stderr)

    def test_killed_engines_lose_no_request(self):
        count = 10
        annotations = f"{RETRIES}: '{', '.join(['0s'] + ['20ms'] * 30)}'"
        with WebhookReceiver(answer=lambda earlier, _: 500 if earlier % 3 == 1 else 200) as receiver:
            for i in range(count):
                self.call("submit", self.write(f"w{i}.yaml", workflow(receiver.url, annotations, name=f"told-{i}")))
            for _ in range(8):
                seen = len(receiver.requests)
                engine = self.start("server")
                self.assertTrue(receiver.wait_for(seen + 1), "an engine that tells")
                self.kill(engine)
            self.call("server", "--exit-when-idle", timeout=60)
            wait_until(lambda: self.call("notifications", "send") and not self.rows("--state", "pending"))
        self.assertEqual([r["state"] for r in self.rows()], ["delivered"] * count)
        told = {}
        for r in receiver.requests:
            told.setdefault(r["body"], set()).add(r["headers"]["Idempotency-Key"])
        self.assertEqual(set(told), {f"told-{i} Failed" for i in range(count)})
        self.assertEqual({len(keys) for keys in told.values()}, {1})
