"""The channels that docs/NOTIFICATIONS-CHANNELS.md shows: each is stored as it stands there, and sends the sample below it."""
import email
import email.policy
import json
import re

import yaml

from engine import PROJECT, EngineTest

BLOCK = re.compile(r"```yaml\n(?P<manifest>.*?)```\n\n<!-- sample (?P<name>\S+) -->\n```text\n(?P<sample>.*?)```\n", re.S)
SECRETS = {"signing": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "accessToken": "566cc69d", "key": "693a91f6",
           "token": "123456:ABC", "routingKey": "R0123456789ABCDEF0123456789ABCDE", "secret": "SEC1", "password": "-"}


def examples():
    text = (PROJECT / "docs" / "NOTIFICATIONS-CHANNELS.md").read_text()
    found = [m.groupdict() for m in BLOCK.finditer(text)]
    assert len(found) == text.count("<!-- sample "), "a sample without an example above it"
    return found


class ChannelExamples(EngineTest):
    def test_there_is_one_of_each_kind(self):
        kinds = re.search("kinds: (.*)", self.call("notifications", "channels", "--kinds").stdout)[1].split()
        shown = {yaml.safe_load(e["manifest"])["spec"]["kind"] for e in examples()}
        self.assertEqual(shown, set(kinds))

    def test_each_is_stored_and_sends_its_sample(self):
        for e in examples():
            with self.subTest(e["name"]):
                self.assertEqual(yaml.safe_load(e["manifest"])["metadata"]["name"], e["name"])
                first = e["sample"].splitlines()[0]
                for name, key in set(re.findall(r"secretKeyRef: \{name: ([\w-]+), key: (\w+)\}", e["manifest"])):
                    self.assertEqual(name, e["name"])
                keys = sorted(set(re.findall(r"key: (\w+)\}", e["manifest"])))
                if keys:
                    given = {k: first.split()[1] if k == "url" else SECRETS[k] for k in keys}
                    self.call("secret", "create", e["name"], *(f"--from-literal={k}={v}" for k, v in given.items()))
                lint = self.call("apply", "-f", self.write("c.yaml", e["manifest"]))
                self.assertNotIn("warning", lint.stdout + lint.stderr)
                shown = self.call("notify", "test", e["name"], "--dry-run").stdout
                shown = re.sub(r"^# to .*\n", "", shown)
                self.assertEqual(self.content(shown), self.content(e["sample"]))

    def content(self, text):
        """What is sent, without ids, times, signatures and hidden secrets."""
        head, _, body = text.partition("\n\n")
        if "MAIL FROM" in head:
            mail = email.message_from_string(text.partition("\n\n")[2], policy=email.policy.default)
            return head, {k: mail[k] for k in ("From", "To", "Subject", "References")}, [
                (p.get_filename(), p.get_content()) for p in mail.walk() if not p.is_multipart()]
        names = [line.split(":")[0].split("=")[0] for line in head.splitlines()[1:]]
        if not body.startswith("{"):
            return names, body.rstrip("\n")
        found = json.loads(re.sub(r"20\d\d-\d\d-\d\dT[\d:]+Z", "TIME", body))
        for name in ("timestamp", "sign", "id", "routing_key"):
            found.pop(name, None)
        return names, found
