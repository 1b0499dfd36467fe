"""A URL of a channel must not make the engine speak to what only this machine can reach, however it is written."""
import http.server
import socket
import threading

from engine import EngineTest
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


class Ssrf(EngineTest):
    def env(self, **more):
        return super().env(**self.more, **more)

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
        class Redirect(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.send_response(307)
                self.send_header("Location", receiver.url + "/inside")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        outer = http.server.HTTPServer(("127.0.0.1", 0), Redirect)
        threading.Thread(target=outer.serve_forever, args=(0.02,), daemon=True).start()
        with WebhookReceiver() as receiver:
            self.assertIn("refused", self.send_to(f"http://127.0.0.1:{outer.server_address[1]}/"))
        outer.shutdown()
        outer.server_close()
        self.assertEqual(receiver.requests, [])

    def test_other_protocols_are_refused(self):
        for url in ("file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/x"):
            self.write("c.yaml", "apiVersion: notifications.tiphys.dev/v1\nkind: NotificationChannel\n"
                                 f"metadata: {{name: ops}}\nspec: {{kind: webhook, config: {{url: '{url}'}}}}\n")
            self.assertIn("url:", self.call("apply", self.home / "c.yaml", ok=False).stderr)
