"""Each ready template that tiphys sends itself, run unmodified against a receiver on loopback.

Where a template has the service's host built in, the request goes to it through an HTTPS proxy, which is this test: with a
certificate for those hosts, which the engine is told to trust."""
import base64
import email
import email.policy
import hashlib
import hmac
import json
import re
import shutil
import socket
import subprocess
import threading
import urllib.parse

from engine import PROJECT, EngineTest, nodes
from receiver import MailReceiver, WebhookReceiver

HOSTS = ["api.github.com", "api.telegram.org", "events.pagerduty.com", "oapi.dingtalk.com", "qyapi.weixin.qq.com",
         "slack.com"]
SHA = "6dcb09b5b57875f334f61aebed695e2e4193db5e"
ACCEPTED = json.dumps({"ok": True, "errcode": 0, "code": 0, "status": "success", "channel": "C1", "ts": "1.5"}).encode()

# (template set, template) -> (parameters, data of the secret, path of the request); URL stands for the receiver.
CASES = {
    ("notify-cloudevents", "cloudevents"): ({"ENDPOINT": "URL/ce"}, {}, "/ce"),
    ("notify-dingtalk", "dingtalk"): ({"AT_MOBILES": "13800000000"}, {"accessToken": "tok", "secret": "SEC1"},
                                      r"/robot/send\?access_token=tok&timestamp=\d+&sign=.+"),
    ("notify-discord", "discord"): ({"CONTENT": "look"}, {"url": "URL/dc"}, "/dc"),
    ("notify-feishu", "feishu"): ({}, {"url": "URL/fs", "secret": "s"}, "/fs"),
    ("notify-github", "github"): ({"REPO": "o/r", "SHA": SHA, "STATE": "pending"}, {"token": "ghp"},
                                  f"/repos/o/r/statuses/{SHA}"),
    ("notify-lark", "lark"): ({}, {"url": "URL/lk", "secret": "s"}, "/lk"),
    ("notify-mattermost", "mattermost"): ({"CHANNEL": "town-square"}, {"url": "URL/mm"}, "/mm"),
    ("notify-ntfy", "ntfy"): ({"SERVER": "URL", "PRIORITY": "5", "TAGS": "tada"}, {"topic": "builds", "token": "tk"},
                              "/builds"),
    ("notify-pagerduty", "pagerduty"): ({"DEDUP_KEY": "k", "SEVERITY": "warning"}, {"routingKey": "R" * 32}, "/v2/enqueue"),
    ("notify-slack", "slack"): ({}, {"url": "URL/sl"}, "/sl"),
    ("notify-slack", "slack-bot"): ({"CHANNEL": "#builds"}, {"token": "xoxb"}, "/api/chat.postMessage"),
    ("notify-teams", "teams"): ({}, {"url": "URL/tm"}, "/tm"),
    ("notify-telegram", "telegram"): ({"CHAT_ID": "-1001"}, {"token": "1:a"}, "/bot1:a/sendMessage"),
    ("notify-webhook", "webhook"): ({"WEBHOOK_ENDPOINT": "URL/wh"}, {}, "/wh"),
    ("notify-webhook", "signed-webhook"): ({}, {"url": "URL/sw", "signing": "whsec_" + base64.b64encode(b"k" * 24).decode()},
                                           "/sw"),
    ("notify-wecom", "wecom"): ({"MSG_TYPE": "text", "MENTIONED_LIST": "@all"}, {"key": "k1"}, r"/cgi-bin/webhook/send\?key=k1"),
}


class Proxy:
    """Joins every CONNECT, to whatever host, with one port of this machine."""

    def __init__(self, port):
        self.port, self.asked = port, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.join, args=(client,), daemon=True).start()

    def join(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        self.asked.append(head.split()[1].decode())
        inner = socket.create_connection(("127.0.0.1", self.port))
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        back = threading.Thread(target=self.copy, args=(inner, client), daemon=True)
        back.start()
        self.copy(client, inner)
        back.join()
        client.close()
        inner.close()

    def copy(self, source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class ReadyTemplates(EngineTest):
    more_env = {}

    def env(self, **more):
        return super().env(**{**self.more_env, **more})

    def setUp(self):
        super().setUp()
        if not shutil.which("openssl"):
            self.skipTest("no openssl")
        self.tls = str(self.home / "tls.crt"), str(self.home / "tls.key")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=services",
                        "-addext", "subjectAltName=" + ",".join(f"DNS:{h}" for h in HOSTS),
                        "-out", self.tls[0], "-keyout", self.tls[1]], check=True, capture_output=True)

    def test_all_of_them_are_run_here(self):
        files = (PROJECT / "src" / "notify" / "templates").glob("notify-*.yaml")
        there = {(f.stem, name) for f in files for name in re.findall(r"^    - name: (\S+)", f.read_text(), re.M)}
        self.assertEqual(there, set(CASES) | {("notify-email", "email"), ("notify-command", "command")})

    def run_all(self, cases, url="", command="echo oh no; exit 3"):
        """A workflow that fails, with an exit handler that has a task for each; the nodes of those, by name."""
        secrets, tasks = [], []
        for (of, template), (parameters, data, _) in cases.items():
            given = {k: v.replace("URL", url) for k, v in parameters.items()}
            if data:
                secrets.append(json.dumps({
                    "apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"s-{template}"},
                    "stringData": {k: v.replace("URL", url) for k, v in data.items()}}))
                given["CREDENTIALS_SECRET" if of == "notify-email" else "SECRET"] = f"s-{template}"
            tasks.append({"name": template, "templateRef": {"name": of, "template": template, "clusterScope": True},
                          "arguments": {"parameters": [{"name": k, "value": v} for k, v in given.items()]}})
        workflow = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"generateName": "told-"}, "spec": {
            "entrypoint": "main", "onExit": "tell", "templates": [
                {"name": "main", "container": {"image": "x", "command": ["sh", "-c", command]}},
                {"name": "tell", "dag": {"tasks": tasks}}]}}
        path = self.write("w.yaml", "\n---\n".join([*secrets, json.dumps(workflow)]))
        by_name = nodes(json.loads(self.call("run", path, "-o", "json", ok=None, timeout=60).stdout))
        for _, template in cases:
            self.assertEqual(by_name[template]["phase"], "Succeeded", by_name[template])

    def test_each_http_one_reaches_its_service(self):
        def answer(*_):
            return 200, {"Content-Type": "application/json"}, ACCEPTED
        with WebhookReceiver(answer=answer) as plain, WebhookReceiver(answer=answer, tls=self.tls) as services, \
                Proxy(services.port) as proxy:
            self.more_env = {"https_proxy": proxy.url, "SSL_CERT_FILE": self.tls[0], "no_proxy": "127.0.0.1"}
            self.run_all(CASES, plain.url)
        got = plain.requests + services.requests
        self.assertEqual({host.split(":")[0] for host in proxy.asked}, set(HOSTS))
        for (_, template), (_, _, path) in CASES.items():
            of_it = [r for r in got if re.fullmatch(path, r["path"])]
            self.assertEqual(len(of_it), 1, template)
            self.assertIn("told", of_it[0]["body"] + of_it[0]["headers"].get("Title", ""), template)
        self.assertEqual(len(got), len(CASES))
        self.look_at({re.split(r"[?/]", r["path"])[1]: r for r in got})

    def look_at(self, by_start):
        """What the parameters have become."""
        def body(start):
            return json.loads(by_start[start]["body"])
        self.assertEqual(by_start["ce"]["headers"]["ce-type"], "dev.tiphys.workflow.failed")
        self.assertEqual(body("robot")["at"]["atMobiles"], ["13800000000"])
        self.assertEqual(body("dc")["content"], "look")
        for start in ("fs", "lk"):
            sent = body(start)
            key = f"{sent['timestamp']}\ns".encode()
            self.assertEqual(sent["sign"], base64.b64encode(hmac.new(key, digestmod=hashlib.sha256).digest()).decode())
        self.assertEqual((body("repos")["state"], by_start["repos"]["headers"]["Authorization"]), ("pending", "Bearer ghp"))
        self.assertEqual(body("mm")["channel"], "town-square")
        ntfy = by_start["builds"]["headers"]
        self.assertEqual((ntfy["Priority"], ntfy["Tags"], ntfy["Authorization"]), ("5", "tada", "Bearer tk"))
        self.assertEqual((body("v2")["dedup_key"], body("v2")["payload"]["severity"]), ("k", "warning"))
        self.assertEqual((body("api")["channel"], by_start["api"]["headers"]["Authorization"]), ("#builds", "Bearer xoxb"))
        self.assertEqual(body("tm")["attachments"][0]["content"]["type"], "AdaptiveCard")
        self.assertEqual(body("bot1:a")["chat_id"], "-1001")
        self.assertEqual(body("wh")["type"], "workflow.failed")
        self.assertEqual(body("cgi-bin")["text"]["mentioned_list"], ["@all"])
        signed = by_start["sw"]
        text = ".".join([signed["headers"]["webhook-id"], signed["headers"]["webhook-timestamp"], signed["body"]])
        wanted = base64.b64encode(hmac.new(b"k" * 24, text.encode(), hashlib.sha256).digest()).decode()
        self.assertEqual(signed["headers"]["webhook-signature"], "v1," + wanted)
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(by_start["robot"]["path"]).query)
        key = f"{query['timestamp'][0]}\nSEC1".encode()
        self.assertEqual(query["sign"][0], base64.b64encode(hmac.new(b"SEC1", key, hashlib.sha256).digest()).decode())

    def test_the_command(self):
        out = self.home / "told"
        self.run_all({("notify-command", "command"): (
            {"COMMAND": json.dumps(["sh", "-c", f"cat > {out}; echo $TIPHYS_TITLE >> {out}"])}, {}, "")})
        self.assertRegex(out.read_text(), r'(?s)"type": ?"workflow.failed".*told-\w+ Failed\n$')

    def test_the_mail(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with MailReceiver(port) as server:
            self.run_all({("notify-email", "email"): ({"TO": "ann@example.com, bob@example.com"}, {
                "host": "127.0.0.1", "port": str(port), "from": "ci@example.com", "username": "u", "password": "p",
                "tls": "False"}, "")})
        self.assertEqual(sorted(m["to"][0] for m in server.mails), ["ann@example.com", "bob@example.com"])
        self.assertIn("oh no", server.mails[0]["text"])

    def test_the_mail_has_the_log_of_the_step_or_its_last_mebibyte(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        for lines, is_whole in ((1000, True), (100_000, False)):
            with self.subTest(lines), MailReceiver(port) as server:
                self.run_all({("notify-email", "email"): ({"TO": "ann@example.com"}, {
                    "host": "127.0.0.1", "port": str(port), "from": "ci@example.com", "username": "u", "password": "p",
                    "tls": "False"}, "")}, command=f"seq -f 'line %.0f of the log' {lines}; exit 3")
                mail, = (email.message_from_string(m["text"], policy=email.policy.default) for m in server.mails)
                self.assertIn(f"| line {lines} of the log", mail.get_body(("plain",)).get_content())
                attached, = mail.iter_attachments()
                log = attached.get_content().splitlines()
                self.assertEqual(log[-1], f"line {lines} of the log")
                if is_whole:
                    self.assertEqual((log[0], len(log)), ("line 1 of the log", lines))
                else:
                    self.assertRegex(log[0], r"^\[… the \d+ bytes before this are left out\]$")
                    self.assertTrue(300_000 < len(attached.get_content()) < (1 << 20) + 100)
