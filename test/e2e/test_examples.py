"""Each example runs against real receivers, and what arrives there is what its comments promise."""
import json
import re
import warnings

from engine import EXAMPLES, EngineTest, nodes, phase
from receiver import MailReceiver, WebhookReceiver

warnings.simplefilter("ignore")


class Examples(EngineTest):
    def setUp(self):
        super().setUp()
        self.webhook = WebhookReceiver()
        self.webhook.__enter__()
        self.addCleanup(self.webhook.__exit__)

    def run_example(self, *files, ok=True, flags=()):
        return self.run_workflow(*(EXAMPLES / f for f in files), "-p", f"receiver={self.webhook.url}", *flags, ok=ok)

    def test_exit_handler_cries(self):
        wf = self.run_example("exit-handlers.yaml", ok=False)
        self.assertEqual(phase(wf), "Failed")
        self.assertEqual(self.webhook.paths(), ["/cry"])
        body = self.webhook.body("/cry")
        self.assertEqual(body["workflow"], wf["metadata"]["name"])
        failed = json.loads(body["failures"])
        self.assertEqual([(f["displayName"], f["phase"], f["templateName"], f["message"]) for f in failed],
                         [(wf["metadata"]["name"], "Failed", "work", "main: Error (exit code 1)")])
        self.assertEqual(nodes(wf)["celebrate"]["phase"], "Skipped")
        logs = self.call("logs", wf["metadata"]["name"], "--no-color").stdout
        self.assertRegex(logs, re.escape(f"mail: {wf['metadata']['name']} is Failed after ") + r'\d+\.\d{6} s; failures: \[\{"displayName"')

    def test_exit_handler_celebrates(self):
        wf = self.run_example("exit-handlers.yaml", flags=["-p", "code=0"])
        self.assertEqual(self.webhook.paths(), ["/celebrate"])
        self.assertEqual(self.webhook.body("/celebrate"), f"hooray, {wf['metadata']['name']} is Succeeded")
        self.assertEqual(nodes(wf)["cry"]["phase"], "Skipped")

    def test_hooks_of_a_workflow(self):
        wf = self.run_example("hooks-workflow.yaml")
        name = wf["metadata"]["name"]
        self.assertEqual(self.webhook.paths(), ["/workflow/running", "/workflow/exit"])
        self.assertEqual(self.webhook.body("/workflow/running"), f"{name} Running")
        self.assertEqual(self.webhook.body("/workflow/exit"), f"{name} Succeeded")

    def test_hooks_of_steps(self):
        self.run_example("hooks-steps.yaml")
        self.assertEqual(sorted(self.webhook.paths()),
                         ["/step-1/running", "/step-1/succeeded", "/step2/running", "/step2/succeeded"])
        self.assertEqual({p.split("/")[1] for p in self.webhook.paths()[:2]}, {"step-1"}, "step2 waits for the hooks")

    def test_hooks_of_tasks(self):
        wf = self.run_example("hooks-dag.yaml")
        self.assertEqual(set(self.webhook.paths()[:2]), {"/build/running", "/build/succeeded"})
        self.assertEqual(self.webhook.paths()[2:], ["/deploy/failed", "/report/rolled-back"])
        self.assertEqual(nodes(wf)["deploy"]["phase"], "Failed")

    def test_workflow_of_workflows(self):
        wf = self.run_example("workflow-of-workflows.yaml")
        self.assertEqual(self.webhook.paths(), ["/child", "/report"])
        self.assertEqual(self.webhook.body("/child"), f"started by {wf['metadata']['name']}")
        self.assertRegex(self.webhook.body("/report"), r"^child-\w{5} Succeeded$")

    def test_exit_hook(self):
        wf = self.run_example("exit-hook.yaml")
        self.assertEqual(self.webhook.body("/exit"), {"name": wf["metadata"]["name"], "status": "Succeeded"})
        self.assertEqual([r["headers"]["Content-Type"] for r in self.webhook.requests], ["application/json"])

    def test_webhook_template(self):
        wf = self.run_example("step-notify-webhook.yaml", "notify-webhook.yaml")
        meta = wf["metadata"]
        self.assertEqual(sorted(self.webhook.paths()), ["/check", "/end", "/start"], "build succeeded: no message")
        for path, status in (("/start", "Running"), ("/check", "Failed"), ("/end", "Succeeded")):
            self.assertEqual(self.webhook.body(path), {
                "message": f"{meta['name']} {status}",
                "workflow": {"name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"],
                             "creationTimestamp": meta["creationTimestamp"], "status": status}})

    def test_webhook_template_is_used_for_its_positions_only(self):
        # The same template with other POSITIONS: succeeded workflows are not told.
        text = (EXAMPLES / "notify-webhook.yaml").read_text()
        text = text.replace("          - {name: WEBHOOK_ENDPOINT, value: \"{{workflow.parameters.receiver}}/end\"}",
                            "          - {name: POSITIONS, value: \"Failed,Error\"}\n"
                            "          - {name: WEBHOOK_ENDPOINT, value: \"{{workflow.parameters.receiver}}/end\"}")
        self.assertEqual(text.count('POSITIONS, value: "Failed,Error"'), 3)
        self.run_example("step-notify-webhook.yaml", self.write("w.yaml", text))
        self.assertEqual(sorted(self.webhook.paths()), ["/check", "/start"])

    def test_mail_template(self):
        files = [EXAMPLES / f for f in ("mail-secret.yaml", "step-notify-email.yaml", "notify-email.yaml")]
        with MailReceiver(18026) as mail:
            secret = self.write("secret.yaml", files[0].read_text().replace('"18025"', '"18026"'))
            wf = self.run_workflow(secret, *files[1:], ok=False)
            self.assertEqual(phase(wf), "Failed")
            self.assertEqual(nodes(wf)[wf["metadata"]["name"] + ".onExit"]["phase"], "Succeeded")
            self.assertEqual(len(mail.mails), 1)
            got = mail.mails[0]
            self.assertEqual(got["from"], "builds@example.org")
            self.assertEqual(got["to"], ["dev@example.org", "ops@example.org"])
            self.assertIn(f"Subject: {wf['metadata']['name']} Failed", got["text"])
            self.assertRegex(got["text"], r"status:     Failed")
            self.assertIn(wf["metadata"]["uid"], got["text"])
            self.assertEqual(mail.logins, [("builds", "not-a-real-password")])
            # A success is not among the POSITIONS of this workflow.
            self.run_workflow(secret, *files[1:], "-p", "code=0")
            self.assertEqual(len(mail.mails), 1)
