"""Receivers that answer badly: a channel is tried again or refused as its page says, and nothing of it is in the way."""
import json
import pathlib
import shutil
import subprocess
import time

from engine import EngineTest, is_sanitized, wait_until
from receiver import WebhookReceiver

CHANNEL = """
apiVersion: notifications.tiphys.dev/v1
kind: NotificationChannel
metadata: {{name: ops}}
spec: {{kind: webhook, retries: [{retries}], config: {{url: "{url}/in"{more}}}}}
"""

WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: told}
spec:
  entrypoint: tell
  templates: [{name: tell, plugin: {tiphys: {notify: {channel: ops, await: accepted, message: hello}}}}]
"""


def in_turn(*answers):
    """The answers to the requests, one after the other; the last one to all that follow."""
    return lambda earlier, _: answers[min(earlier, len(answers) - 1)]


class HostileReceivers(EngineTest):
    more_env = {}

    def env(self, **more):
        return super().env(**{**self.more_env, **more})

    def tell(self, url, retries="0s, 10ms", more="", seconds=60):
        """The row of the only notification when it is done with, and its attempts."""
        self.call("apply", "-f", self.write("c.yaml", CHANNEL.format(url=url, retries=retries, more=more)))
        self.start_server()
        self.submit(self.write("w.yaml", WORKFLOW))

        def over():
            row, = json.loads(self.call("notifications", "list", "-o", "json").stdout) or [{"state": "pending"}]
            return row if row["state"] != "pending" else None
        row = wait_until(over, seconds, "the notification to be done with")
        return row, json.loads(self.call("notifications", "get", row["id"], "-o", "json").stdout)["attemptList"]

    def test_one_that_hangs_is_given_up_after_15_s_and_tried_again(self):
        def answer(earlier, _):
            if earlier == 0:
                receiver.wait_for(2)
            return 200
        with WebhookReceiver(answer=answer) as receiver:
            row, (first, second) = self.tell(receiver.url)
        self.assertEqual((row["state"], first["error"]), ("delivered", "no answer within 15 s"))
        self.assertGreaterEqual(first["latencyMs"], 14900)
        self.assertEqual(second["status"], 200)

    def test_one_that_closes_without_an_answer_or_half_way_is_tried_again(self):
        half = (200, {"Content-Length": "1000"}, b"and then noth")
        with WebhookReceiver(answer=in_turn(None, half, 200)) as receiver:
            row, attempts = self.tell(receiver.url, "0s, 10ms, 10ms")
        self.assertEqual((row["state"], row["attempts"], attempts[2]["status"]), ("delivered", 3, 200))
        self.assertTrue(attempts[0]["error"] and attempts[1]["error"], attempts)
        self.assertEqual(len({r["headers"]["webhook-id"] for r in receiver.requests}), 1)

    def test_a_redirect_is_refused_wherever_it_leads(self):
        with WebhookReceiver() as inside:
            for location in (inside.url + "/inside", "http://169.254.169.254/latest", "file:///etc/passwd"):
                with self.subTest(location), WebhookReceiver(
                        answer=lambda *_, to=location: (302, {"Location": to}, b"over there")) as receiver:
                    self.call("apply", "-f", self.write("c.yaml", CHANNEL.format(url=receiver.url, retries="0s", more="")))
                    p = self.call("notify", "test", "ops", ok=False)
                    self.assertIn("302", p.stdout)
                    self.assertEqual(len(receiver.requests), 1)
            self.assertEqual(inside.requests, [])

    def test_a_redirect_is_dead_at_once(self):
        with WebhookReceiver(answer=in_turn((302, {"Location": "http://169.254.169.254/"}, b""))) as receiver:
            row, attempts = self.tell(receiver.url, "0s, 1h")
        self.assertEqual((row["state"], row["status"], len(attempts)), ("dead", 302, 1))

    def test_of_a_huge_answer_a_part_is_read_and_its_first_kilobyte_kept(self):
        huge = b"x" * (300 << 20)
        with WebhookReceiver(answer=in_turn((200, {}, huge))) as receiver:
            row, (attempt,) = self.tell(receiver.url)
            server = self.engines[-1].pid
            peak = [line for line in pathlib.Path(f"/proc/{server}/status").read_text().splitlines() if "VmHWM" in line]
        self.assertEqual((row["state"], attempt["status"]), ("delivered", 200))
        self.assertEqual(attempt["answer"], "x" * 1024)
        if not is_sanitized():
            self.assertLess(int(peak[0].split()[1]), 100_000, "kB")

    def test_a_refusal_with_a_huge_answer_is_a_refusal(self):
        with WebhookReceiver(answer=in_turn((400, {}, b"no! " * (8 << 20)))) as receiver:
            row, attempts = self.tell(receiver.url, "0s, 1h")
        self.assertEqual((row["state"], row["status"], len(attempts)), ("dead", 400, 1))

    def test_429_is_tried_again_when_it_asks_for_it_and_not_before(self):
        with WebhookReceiver(answer=in_turn((429, {"Retry-After": "2"}, b"slow down"), 200)) as receiver:
            begun = time.monotonic()
            row, (first, _) = self.tell(receiver.url)
            self.assertGreater(time.monotonic() - begun, 2)
        self.assertEqual((row["state"], first["status"], first["answer"]), ("delivered", 429, "slow down"))

    def certificate(self, host):
        """Of an authority of its own: (certificate, key)."""
        if not shutil.which("openssl"):
            self.skipTest("no openssl")
        files = str(self.home / "tls.crt"), str(self.home / "tls.key")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=receiver",
                        "-addext", f"subjectAltName={host}", "-out", files[0], "-keyout", files[1]],
                       check=True, capture_output=True)
        return files

    def test_a_certificate_that_is_known_is_taken(self):
        files = self.certificate("IP:127.0.0.1")
        self.more_env = {"SSL_CERT_FILE": files[0]}
        with WebhookReceiver(tls=files) as receiver:
            row, _ = self.tell(receiver.url)
        self.assertEqual((row["state"], row["attempts"], len(receiver.requests)), ("delivered", 1, 1))

    def test_a_certificate_of_nobody_or_of_another_host_is_not_and_nothing_is_said(self):
        for host, known in (("IP:127.0.0.1", False), ("DNS:elsewhere.example", True)):
            files = self.certificate(host)
            self.more_env = {"SSL_CERT_FILE": files[0]} if known else {}
            with self.subTest(host), WebhookReceiver(tls=files) as receiver:
                self.call("apply", "-f", self.write("c.yaml", CHANNEL.format(url=receiver.url, retries="0s", more="")))
                p = self.call("notify", "test", "ops", ok=False)
                self.assertRegex(p.stdout, "(?i)certificate|subject name")
                self.assertEqual(receiver.requests, [])

    def test_a_certificate_is_not_looked_at_where_the_channel_says_so(self):
        with WebhookReceiver(tls=self.certificate("DNS:elsewhere.example")) as receiver:
            row, _ = self.tell(receiver.url, more=", insecureSkipVerify: true")
        self.assertEqual((row["state"], len(receiver.requests)), ("delivered", 1))
