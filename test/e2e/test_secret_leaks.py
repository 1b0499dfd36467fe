"""A receiver that fails and repeats all that it was sent: no secret of any kind of channel is kept or shown."""
import base64
import json
import os
import subprocess
import urllib.parse

from engine import EngineTest, binary, wait_until
from receiver import WebhookReceiver

PLANTED = "pl4nt+ed/{}=x"  # differs where it is encoded


def echo():
    """Answers every request with 403 (at /later 503), its request line, headers and body."""
    def answer(earlier, path):
        request = [r for r in list(receiver.requests) if r["path"] == path][earlier]
        headers = "".join(f"{name}: {text}\n" for name, text in request["headers"].items())
        text = f"{path}\n{headers}\n{request['body'][:200]}".encode()
        return 503 if "later" in path else 403, {"Location": path}, text

    receiver = WebhookReceiver(answer=answer)
    return receiver


def channels(url):
    """Kind -> the fields of its configuration that are secret, and the others."""
    hook = f"{url}/hooks/" + PLANTED
    return {
        "cloudevents": ({"url": hook.format("ce")}, {"headers": {"x-key": {"secret": PLANTED.format("ceh")}}}),
        "command": ({}, {"command": ["sh", "-c", "env; env >&2; exit 75"],
                         "env": {"PASS": {"secret": PLANTED.format("cmd")}}}),
        "dingtalk": ({"url": hook.format("dt"), "secret": PLANTED.format("dts")}, {}),
        "discord": ({"url": hook.format("dc")}, {}),
        "email": ({"username": "planted-user", "password": PLANTED.format("pw")},
                  {"host": "127.0.0.1", "port": 1, "from": "a@example.com", "to": "b@example.com"}),
        "feishu": ({"url": hook.format("fs"), "secret": PLANTED.format("fss")}, {}),
        "github": ({"token": PLANTED.format("gh")},
                   {"repo": "o/r", "sha": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "apiUrl": url}),
        "lark": ({"url": hook.format("lk"), "secret": PLANTED.format("lks")}, {}),
        "mattermost": ({"url": hook.format("mm")}, {}),
        "ntfy": ({"topic": "pl4nted_topic", "password": PLANTED.format("np")}, {"url": url, "username": "u"}),
        "pagerduty": ({"routingKey": PLANTED.format("pd")}, {"url": url + "/pd"}),
        "slack": ({"token": PLANTED.format("sl")}, {"apiUrl": url, "channel": "#c"}),
        "teams": ({"url": hook.format("tm") + "?sig=" + PLANTED.format("tms")}, {}),
        "telegram": ({"token": "1234:pl4nted-token_tg"}, {"apiUrl": url, "chatId": "1"}),
        "webhook": ({"url": f"{url}/later/" + PLANTED.format("wh")},
                    {"headers": {"Authorization": {"secret": "Bearer " + PLANTED.format("whb")}}}),
        "wecom": ({"url": hook.format("wc")}, {}),
    }


class SecretLeaks(EngineTest):
    def manifests(self, url):
        """All channels with their Secret; and all texts that nobody may see."""
        planted, objects, data = {}, [], {}

        def reference(key, text):
            data[key] = text
            planted[key] = text
            return {"secretKeyRef": {"name": "planted", "key": key}}

        for kind, (secret, plain) in channels(url).items():
            config = {k: reference(f"{kind}-{k}", v) for k, v in secret.items()}
            for field, v in plain.items():
                config[field] = v
                if isinstance(v, dict):
                    config[field] = {k: reference(f"{kind}-{field}-{k}", x["secret"]) for k, x in v.items()}
            objects.append({"apiVersion": "notifications.tiphys.dev/v1", "kind": "NotificationChannel",
                            "metadata": {"name": kind},
                            "spec": {"kind": kind, "retries": ["0s", "0s"], "config": config}})
        objects.append({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "planted"}, "stringData": data})
        objects.append({"apiVersion": "notifications.tiphys.dev/v1", "kind": "Notification",
                        "metadata": {"name": "all"},
                        "spec": {"triggers": ["on-finished"], "send": [{"channel": kind} for kind in channels(url)]}})
        return "\n---\n".join(json.dumps(o) for o in objects), planted

    def forms(self, planted):
        """What a secret may look like, by where it stands."""
        out = {}
        for key, text in planted.items():
            parts = [text]
            if text.startswith("http"):  # the host is no secret
                parts = [urllib.parse.urlsplit(text).path.rsplit("/", 2)[-2] + "/" + text.rsplit("/", 1)[-1]]
            for part in parts:
                for form in (part, urllib.parse.quote(part, safe=""), urllib.parse.quote(part), json.dumps(part)[1:-1],
                             part.removeprefix("Bearer ")):
                    out[form] = key
        out[base64.b64encode(("u:" + planted["ntfy-password"]).encode()).decode()] = "ntfy's Authorization"
        return out

    def assert_clean(self, where, text, forms):
        for form, key in forms.items():
            self.assertNotIn(form, text, f"{key} in {where}")

    def test_nothing_of_any_channel_is_kept_or_shown(self):
        with echo() as receiver:
            text, planted = self.manifests(receiver.url)
            self.call("apply", self.write("c.yaml", text))
            (self.home / "c.yaml").unlink()
            path = self.write("w.yaml", """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: w}
spec:
  entrypoint: main
  templates: [{name: main, container: {image: x, command: [sh, -c, exit 1]}}]
""")
            shown = {}
            server = subprocess.Popen(
                [binary(), "server", "--loglevel", "debug", "--trace", self.home / "trace.json"], env=self.env(),
                stdout=open(self.home / "server.out", "w"), stderr=open(self.home / "server.err", "w"))
            self.engines.append(server)
            self.call("submit", path)

            def rows():
                got = json.loads(self.call("notifications", "list", "-o", "json").stdout)
                return got if len(got) == 16 and all(r["state"] == "dead" for r in got) else None
            dead = wait_until(rows, what="all to be given up")
            server.terminate()
            server.wait()
            self.assertEqual({r["channel"]: r["reason"] for r in dead if not r.get("status") and r["channel"] != "email"}, {})
            for kind in planted:
                name = kind.split("-")[0]
                for words in (("notify", "test", name), ("notify", "test", name, "--dry-run")):
                    p = self.call(*words, ok=None)
                    shown[" ".join(words)] = p.stdout + p.stderr
            for row in dead:
                for more in ((), ("-o", "json"), ("-o", "yaml")):
                    shown[f"get {row['channel']} {more}"] = self.call("notifications", "get", row["id"], *more).stdout
            for words in (("notifications", "list"), ("notifications", "list", "-o", "json"), ("metrics",),
                          ("metrics", "-o", "prometheus"), ("get", "w", "-o", "json"), ("get", "w")):
                shown[" ".join(words)] = self.call(*words).stdout
        forms = self.forms(planted)
        for where, out in shown.items():
            self.assert_clean(where, out, forms)
        for file in self.home.rglob("*"):
            if file.is_file() and file.name != "secrets.json" and not os.path.islink(file):
                self.assert_clean(file, file.read_bytes().decode("utf-8", "replace"), forms)
