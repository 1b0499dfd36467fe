"""A URL of a channel or a template must not make the engine speak to what only this machine can reach, however it is
written."""
import json
import socket

from engine import EngineTest, nodes
from receiver import WebhookReceiver

METADATA = ["169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "0xa9.254.0251.254", "169.254.43518",
            "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "user@169.254.169.254"]
LINK_LOCAL = ["169.254.1.1", "[fe80::1]", "[fd00:ec2::254]", "100.100.100.100"]
LOOPBACK = ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "localhost", "[::ffff:127.0.0.1]", "[::]"]


def usable(hosts):
    """Without IPv6 curl does not read its addresses."""
    try:
        socket.socket(socket.AF_INET6, socket.SOCK_STREAM).close()
    except OSError:
        return [h for h in hosts if "[" not in h]
    return hosts


def redirect(location):
    """Sends every request to another place."""
    return WebhookReceiver(answer=lambda *_: (307, {"Location": location}, b""))


NEVER = "refused to connect: .* is (link-local|a metadata service)"


class Ssrf(EngineTest):
    def env(self, **more):
        out = super().env(**more)
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "no_proxy", "NO_PROXY"):
            out.pop(name, None)
        return dict(out, **self.more)

    def setUp(self):
        super().setUp()
        self.more = {"no_proxy": "*"}

    def send_to(self, url):
        self.call("apply", self.write("c.yaml", f"""
apiVersion: notifications.tiphys.dev/v1
kind: NotificationChannel
metadata: {{name: ops}}
spec: {{kind: webhook, config: {{url: "{url}"}}}}
"""))
        return self.call("notify", "test", "ops", ok=False).stdout

    def test_metadata_services_and_link_local_addresses(self):
        for host in usable(METADATA + LINK_LOCAL):
            with self.subTest(host):
                self.assertRegex(self.send_to(f"http://{host}/latest"), "is link-local|is a metadata|metadata service")

    def test_private_addresses_where_they_are_refused(self):
        self.more["TIPHYS_NOTIFY_PUBLIC_ONLY"] = "1"
        with WebhookReceiver() as receiver:
            for host in usable(LOOPBACK):
                with self.subTest(host):
                    self.assertRegex(self.send_to(f"http://{host}:{receiver.port}/"), "is (private|loopback|this)")
        self.assertEqual(receiver.requests, [])

    def test_a_redirect_is_not_followed(self):
        with WebhookReceiver() as receiver, redirect(receiver.url + "/inside") as outer:
            self.assertIn("refused", self.send_to(outer.url))
        self.assertEqual(receiver.requests, [])

    def test_other_protocols_are_refused(self):
        for url in ("file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/x"):
            self.write("c.yaml", "apiVersion: notifications.tiphys.dev/v1\nkind: NotificationChannel\n"
                                 f"metadata: {{name: ops}}\nspec: {{kind: webhook, config: {{url: '{url}'}}}}\n")
            self.assertIn("url:", self.call("apply", self.home / "c.yaml", ok=False).stderr)

    def test_a_proxy_is_not_asked_for_such_an_address(self):
        with WebhookReceiver() as proxy:
            self.more = {"http_proxy": proxy.url}
            for host in usable(METADATA + LINK_LOCAL):
                with self.subTest(host):
                    self.assertRegex(self.send_to(f"http://{host}/latest"), NEVER)
                    self.assertRegex(self.ask(f"http://{host}/latest")["message"], NEVER)
            self.assertEqual(proxy.requests, [])
            self.assertEqual(self.ask("http://outside.example/")["phase"], "Succeeded")
            self.assertEqual([r["path"] for r in proxy.requests], ["http://outside.example/"])

    def ask(self, url):
        """The node of an http template."""
        wf = json.loads(self.call("run", self.write("w.yaml", f"""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{generateName: ask-}}
spec:
  entrypoint: ask
  templates: [{{name: ask, http: {{url: '{url}', method: POST, timeoutSeconds: 5}}}}]
"""), "-o", "json", ok=None).stdout)
        node, = nodes(wf).values()
        return node

    def test_http_templates_do_not_go_there_either(self):
        for host in usable(METADATA + LINK_LOCAL):
            with self.subTest(host):
                node = self.ask(f"http://{host}/latest")
                self.assertEqual(node["phase"], "Failed")
                self.assertRegex(node["message"], NEVER)

    def test_http_templates_do_not_follow_a_redirect_there(self):
        for location in ("http://169.254.169.254/latest", "http://0xa9fea9fe/latest"):
            with self.subTest(location), redirect(location) as outer:
                node = self.ask(outer.url)
                self.assertEqual(node["phase"], "Failed")
                self.assertRegex(node["message"], NEVER)

    def test_http_templates_and_private_addresses(self):
        with WebhookReceiver() as receiver:
            self.assertEqual(self.ask(f"http://localhost:{receiver.port}/")["phase"], "Succeeded")
            self.more["TIPHYS_NOTIFY_PUBLIC_ONLY"] = "1"
            for host in usable(LOOPBACK):
                with self.subTest(host):
                    self.assertRegex(self.ask(f"http://{host}:{receiver.port}/")["message"], "is private")
        self.assertEqual(len(receiver.requests), 1)

    def artifact(self, **source):
        """The node of a step with an input artifact."""
        wf = json.loads(self.call("run", self.write("w.yaml", json.dumps({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"generateName": "input-"},
            "spec": {"entrypoint": "main", "templates": [{
                "name": "main", "inputs": {"artifacts": [{"name": "in", "path": "/tmp/in", **source}]},
                "container": {"image": "x", "command": ["true"]}}]}})), "-o", "json", ok=None).stdout)
        node, = nodes(wf).values()
        return node

    def test_artifacts_are_not_fetched_from_there(self):
        for host in usable(METADATA + LINK_LOCAL):
            with self.subTest(host):
                node = self.artifact(http={"url": f"http://{host}/latest"})
                self.assertRegex(node["message"], NEVER)
                self.assertEqual(node["phase"], "Error")

    def test_artifacts_do_not_follow_a_redirect_there_nor_a_proxy(self):
        with redirect("http://169.254.169.254/latest") as outer:
            self.assertRegex(self.artifact(http={"url": outer.url})["message"], NEVER)
        with redirect("http://169.254.169.254/latest") as proxy:
            self.more = {"http_proxy": proxy.url}
            for url in ("http://169.254.169.254/latest", "http://outside.example/"):
                self.assertRegex(self.artifact(http={"url": url})["message"], NEVER)
            self.assertEqual([r["path"] for r in proxy.requests], ["http://outside.example/"])

    def test_artifacts_of_the_private_network_are_fetched(self):
        self.more["TIPHYS_NOTIFY_PUBLIC_ONLY"] = "1"
        with WebhookReceiver() as receiver:
            self.assertEqual(self.artifact(http={"url": receiver.url})["phase"], "Succeeded")

    def test_objects_are_not_asked_for_there(self):
        self.call("secret", "create", "keys", "--from-literal=a=a", "--from-literal=s=s")
        for host in ("169.254.169.254", "[fd00:ec2::254]"):
            node = self.artifact(s3={"endpoint": host, "insecure": True, "bucket": "b", "key": "k",
                                     "accessKeySecret": {"name": "keys", "key": "a"},
                                     "secretKeySecret": {"name": "keys", "key": "s"}})
            self.assertRegex(node["message"], NEVER)

    def test_http_hooks_do_not_go_there_and_are_not_tried_again(self):
        self.call("run", self.write("w.yaml", """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: told}
spec:
  entrypoint: main
  hooks: {exit: {template: tell}}
  templates:
  - {name: main, container: {image: x, command: ['true']}}
  - {name: tell, http: {url: 'http://169.254.169.254/latest', method: POST}}
"""), ok=None)
        row, = json.loads(self.call("notifications", "list", "-o", "json").stdout)
        self.assertEqual(row["state"], "dead")
        self.assertRegex(row["reason"], NEVER)
