"""Mails through a real Postfix: TLS of both kinds, logins, and each recipient on its own."""
import json
import unittest

from engine import EngineTest, nodes, phase
from mail_server import DOMAIN, MailServer
from receiver import WebhookReceiver

LIBRARY_WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: told-}
spec:
  entrypoint: main
  onExit: tell
  templates:
  - name: main
    container: {image: busybox, command: [sh, -c], args: ['exit 3']}
  - name: tell
    steps:
    - - name: mail
        templateRef: {name: step-notify-email, template: email, clusterScope: true}
        arguments: {parameters: [{name: CREDENTIALS_SECRET, value: mail}, {name: TO, value: "TO_ADDRESSES"}]}
      - name: hook
        templateRef: {name: step-notify-webhook, template: webhook, clusterScope: true}
        arguments: {parameters: [{name: WEBHOOK_ENDPOINT, value: "WEBHOOK_URL"}]}
"""


@unittest.skipIf(MailServer.missing(), MailServer.missing())
class Mail(EngineTest):
    @classmethod
    def setUpClass(cls):
        cls.server = MailServer()
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.__exit__)

    def setUp(self):
        super().setUp()
        self.seen = {box: set(self.server.mails(box)) for box in self.server.boxes}
        self.authority = str(self.server.certificate)

    def env(self, **more):
        return super().env(SSL_CERT_FILE=self.authority, **more)

    def new_mails(self, box, count=1):
        """The mails that this test has sent to `box`, of which there must come `count`."""
        return self.server.wait_for_mails(box, self.seen[box], count)

    def told(self, port, security, to=("alice",), password=None, retries="0s", title="build"):
        """Runs a workflow with one step that mails; gives the step's node and the deliveries by address."""
        path = self.write("w.yaml", f"""
apiVersion: v1
kind: Secret
metadata: {{name: mail}}
stringData: {{password: "{password or self.server.password}"}}
---
apiVersion: notifications.tiphys.dev/v1
kind: NotificationChannel
metadata: {{name: mail}}
spec:
  kind: email
  retries: [{retries}]
  config:
    host: localhost
    port: "{self.server.ports[port]}"
    security: {security}
    username: {self.server.user}
    password: {{secretKeyRef: {{name: mail, key: password}}}}
    from: CI <ci@{DOMAIN}>
---
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{generateName: mailed-}}
spec:
  entrypoint: tell
  templates:
  - name: tell
    plugin:
      tiphys:
        notify:
          channel: mail
          message: {{to: [{", ".join(f"{name}@{DOMAIN}" for name in to)}], title: {title}, text: "Grüße, all is done"}}
""")
        wf = json.loads(self.call("run", path, "-o", "json", ok=None).stdout)
        rows = json.loads(self.call("notifications", "list", "-o", "json").stdout)
        node, = nodes(wf).values()
        return node, {row["destination"].split("@")[0]: row for row in rows}

    def test_starttls(self):
        node, rows = self.told("starttls", "starttls")
        self.assertEqual(node["phase"], "Succeeded", rows)
        mail, = self.new_mails("alice")
        self.assertEqual((mail["From"], mail["To"], mail["Subject"]),
                         (f"CI <ci@{DOMAIN}>", f"alice@{DOMAIN}", "build"))
        self.assertIn("Grüße, all is done", mail.get_body(("plain",)).get_content())
        self.assertIn("ESMTPSA", mail["Received"], "with TLS, and logged in")
        self.assertIn(rows["alice"]["id"], mail["Message-ID"])

    def test_tls_from_the_first_byte(self):
        node, rows = self.told("tls", "tls")
        self.assertEqual(node["phase"], "Succeeded", rows)
        self.assertIn("ESMTPSA", self.new_mails("alice")[0]["Received"])

    def test_login_where_a_server_knows_no_other(self):
        node, rows = self.told("login", "starttls")
        self.assertEqual(node["phase"], "Succeeded", rows)
        self.new_mails("alice")
        self.assertIn("sasl_method=LOGIN", self.server.log())

    def test_a_server_without_tls_only_when_it_is_asked_for(self):
        node, rows = self.told("plain", "none")
        self.assertEqual(node["phase"], "Succeeded", rows)
        self.assertIn("ESMTPA", self.new_mails("alice")[0]["Received"])
        node, rows = self.told("plain", "starttls")
        self.assertEqual(node["phase"], "Failed")
        self.assertRegex(node["message"], "STARTTLS|TLS")

    def test_a_certificate_of_nobody_is_refused(self):
        self.authority = "/etc/ssl/certs/ca-certificates.crt"
        for port, security in (("starttls", "starttls"), ("tls", "tls")):
            node, _ = self.told(port, security)
            self.assertEqual(node["phase"], "Failed")
            self.assertIn("certificate", node["message"])

    def test_a_wrong_password_is_dead_at_once_with_the_answer(self):
        node, rows = self.told("starttls", "starttls", password="wrong password", retries="0s, 1h")
        self.assertEqual((rows["alice"]["state"], rows["alice"]["attempts"]), ("dead", 1))
        self.assertEqual(rows["alice"]["status"], 535)
        self.assertIn("authentication failed", rows["alice"]["reason"])
        self.assertEqual(node["phase"], "Failed")
        shown = self.call("notifications", "get", rows["alice"]["id"], "-o", "json").stdout
        self.assertNotIn("wrong password", shown)
        self.assertEqual(json.loads(shown)["attemptList"][0]["status"], 535)

    def test_one_bad_recipient_neither_repeats_nor_blocks_another(self):
        node, rows = self.told("starttls", "starttls", to=("nobody", "alice", "busy", "bob"),
                               retries="0s, 20ms, 20ms", title="several")
        self.assertEqual({name: (row["state"], row["attempts"]) for name, row in rows.items()},
                         {"nobody": ("dead", 1), "alice": ("delivered", 1), "busy": ("dead", 3),
                          "bob": ("delivered", 1)})
        self.assertEqual(node["phase"], "Failed")
        self.assertRegex(rows["nobody"]["reason"], "550 5.1.1 .*User unknown")
        self.assertRegex(rows["busy"]["reason"], "450 4.2.1 .*mailbox is busy")
        for box in ("alice", "bob"):
            mail, = self.new_mails(box)
            self.assertEqual((mail["To"], mail["Subject"]), (f"{box}@{DOMAIN}", "several"))
        ids = {row["id"] for row in rows.values()}
        self.assertEqual(len(ids), 4)
        # What is dead can be sent again, and nobody else gets a second mail by that.
        self.call("notifications", "replay", rows["busy"]["id"])
        self.assertEqual([len(self.new_mails(box)) for box in ("alice", "bob")], [1, 1])

    def test_the_templates_of_the_article(self):
        for security, port in (("True", "tls"), ("False", "plain")):
            with self.subTest(tls=security), WebhookReceiver() as receiver:
                self.seen = {box: set(self.server.mails(box)) for box in self.server.boxes}
                secret = self.write("secret.yaml", f"""
apiVersion: v1
kind: Secret
metadata: {{name: mail}}
stringData: {{host: localhost, port: "{self.server.ports[port]}", from: ci@{DOMAIN}, username: {self.server.user},
  password: "{self.server.password}", tls: "{security}"}}
""")
                text = LIBRARY_WORKFLOW.replace("TO_ADDRESSES", f"alice@{DOMAIN} bob@{DOMAIN}")
                path = self.write("w.yaml", text.replace("WEBHOOK_URL", receiver.url + "/told"))
                wf = self.run_workflow(secret, path, ok=False)
                self.assertEqual(phase(wf), "Failed")
                told = {n: nodes(wf)[n] for n in ("mail", "hook")}
                self.assertEqual({n: told[n]["phase"] for n in told}, dict.fromkeys(told, "Succeeded"), told)
                name = wf["metadata"]["name"]
                self.assertEqual(receiver.body("/told")["message"], f"{name} Failed")
                for box in ("alice", "bob"):
                    mail, = self.new_mails(box)
                    self.assertEqual(mail["Subject"], f"{name} Failed")
                    self.assertIn(wf["metadata"]["uid"], mail.get_content())

    def test_the_ready_template_with_the_secret_of_the_article(self):
        secret = self.write("secret.yaml", f"""
apiVersion: v1
kind: Secret
metadata: {{name: mail}}
stringData: {{host: localhost, port: "{self.server.ports["tls"]}", from: ci@{DOMAIN}, username: {self.server.user},
  password: "{self.server.password}", tls: "True"}}
""")
        text = LIBRARY_WORKFLOW.replace("step-notify-email", "notify-email").replace("TO_ADDRESSES", f"bob@{DOMAIN}")
        hook_at = text.index("      - name: hook")
        wf = self.run_workflow(secret, self.write("w.yaml", text[:hook_at]), ok=False)
        self.assertEqual(nodes(wf)["mail"]["phase"], "Succeeded", nodes(wf)["mail"])
        mail, = self.new_mails("bob")
        self.assertEqual(mail["Subject"], f"{wf['metadata']['name']} Failed")
        self.assertIn("Exit", mail.get_body(("plain",)).get_content().title())
