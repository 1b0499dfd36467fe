"""The value of a secret reaches the step or the request that asks for it, and nothing else."""
import json

from engine import EngineTest, nodes, phase
from receiver import WebhookReceiver

VALUE = "s3cr3t-Value-0815"
SECRET = f"""
apiVersion: v1
kind: Secret
metadata: {{name: account}}
stringData: {{token: {VALUE}}}
"""
WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: w}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: env, template: env}
      - {name: request, template: request}
  - name: env
    container:
      image: x
      command: [sh, -c]
      args: ['printf %s "$TOKEN" | wc -c']
      env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: account, key: token}}}]
  - name: request
    http:
      url: 'URL/'
      headers: [{name: Authorization, valueFrom: {secretKeyRef: {name: account, key: token}}}]
"""


class Secrets(EngineTest):
    def assert_nowhere(self, *texts):
        for text in texts:
            self.assertNotIn(VALUE, text)
        for path in self.home.rglob("*"):
            if path.is_file() and path.name not in ("secrets.json", "secret.yaml"):
                self.assertNotIn(VALUE.encode(), path.read_bytes(), path)

    def check(self, *files):
        with WebhookReceiver() as receiver:
            path = self.write("w.yaml", WORKFLOW.replace("URL", receiver.url))
            p = self.call("run", *files, path, "-o", "json")
            wf = json.loads(p.stdout)
            self.assertEqual(phase(wf), "Succeeded")
            self.assertEqual([r["headers"]["Authorization"] for r in receiver.requests], [VALUE])
        logs = self.call("logs", "w", "--no-color").stdout
        self.assertIn(f": {len(VALUE)}", logs, "the step did get it")
        self.assertIn("request", nodes(wf))
        self.assert_nowhere(p.stdout, p.stderr, logs, self.call("get", "w", "-o", "yaml").stdout,
                            self.call("get", "w").stdout, self.call("list", "-o", "json").stdout,
                            self.call("secret", "list").stdout, self.call("secret", "get", "account").stdout)

    def test_given_beside_the_workflow(self):
        self.check(self.write("secret.yaml", SECRET))

    def test_stored_before(self):
        self.call("apply", self.write("secret.yaml", SECRET))
        self.check()

    def test_only_the_owner_may_read_it(self):
        self.call("apply", self.write("secret.yaml", SECRET))
        self.assertEqual((self.home / "secrets.json").stat().st_mode & 0o777, 0o600)

    def test_a_secret_that_is_missing(self):
        with WebhookReceiver() as receiver:
            path = self.write("w.yaml", WORKFLOW.replace("URL", receiver.url))
            wf = self.run_workflow(path, ok=False)
            self.assertIn(phase(wf), ("Failed", "Error"))
            self.assertEqual(receiver.requests, [], "nothing is sent without it")
