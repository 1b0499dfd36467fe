"""Rules and subscriptions: who hears of what, once, whatever becomes of the engine."""
import json
import pathlib
import subprocess
import time

from engine import EngineTest, phase, wait_until
from receiver import WebhookReceiver


def channel(url, name="ops"):
    return f"""
apiVersion: notifications.tiphys.dev/v1
kind: NotificationChannel
metadata: {{name: {name}}}
spec: {{kind: webhook, retries: [0s, 50ms], config: {{url: "{url}/{name}"}}}}
---
"""


def rule(spec, name="told", channel_name="ops"):
    return f"""
apiVersion: notifications.tiphys.dev/v1
kind: Notification
metadata: {{name: {name}}}
spec: {json.dumps(dict({"send": [{"channel": channel_name}]}, **spec))}
---
"""


def workflow(command="true", name="wf", extra="", labels=None, annotations=None):
    metadata = {"name": name, "labels": labels or {}, "annotations": annotations or {}}
    return f"""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {json.dumps(metadata)}
spec:
  entrypoint: main
  {extra}
  templates:
  - name: main
    container: {{image: x, command: [sh, -c, {json.dumps(command)}]}}
"""


class Told(EngineTest):
    def told(self, receiver):
        """The bodies in order; what a killed engine has sent again under its id is one."""
        first = {}
        for r in receiver.requests:
            first.setdefault(r["headers"]["webhook-id"], json.loads(r["body"]))
        return list(first.values())

    def types(self, receiver):
        return [t["type"] for t in self.told(receiver)]

    def run_ruled(self, receiver, spec, *workflows):
        path = self.write("rule.yaml", channel(receiver.url) + rule(spec))
        self.call("apply", path)
        for i, text in enumerate(workflows):
            self.call("run", self.write(f"w{i}.yaml", text), "-o", "name", ok=None)


class Subscriptions(Told):
    def test_ready_triggers_and_selectors(self):
        with WebhookReceiver() as receiver:
            self.run_ruled(receiver, {"triggers": ["on-started", "on-failed", "on-succeeded"],
                                      "selector": {"matchLabels": {"team": "a"}}},
                           workflow("echo oh no; exit 3", "bad", labels={"team": "a"}),
                           workflow("true", "other", labels={"team": "b"}),
                           workflow("true", "good", labels={"team": "a"}))
        told = self.told(receiver)
        self.assertEqual([(t["data"]["workflow"]["name"], t["type"]) for t in told],
                         [("bad", "workflow.running"), ("bad", "workflow.failed"),
                          ("good", "workflow.running"), ("good", "workflow.succeeded")])
        self.assertEqual(told[1]["data"]["failures"][0]["log"], "oh no")
        self.assertEqual(told[1]["data"]["trigger"], "told/on-failed")
        rows = json.loads(self.call("notifications", "list", "-o", "json").stdout)
        self.assertEqual({r["state"] for r in rows}, {"delivered"})

    def test_an_expression_over_the_whole_event_and_a_message_of_its_own(self):
        with WebhookReceiver() as receiver:
            self.run_ruled(receiver, {
                "triggers": ['node.phase == "Failed" && attempt == 1 && node.isAttempt'],
                "message": {"body": {"text": "{{workflow.name}} {{node.displayName}} {{=attempt + 1}}"}}},
                workflow("exit 3", extra="").replace(
                    "  - name: main\n", "  - name: main\n    retryStrategy: {limit: 1}\n"))
        self.assertEqual(self.told(receiver), [{"text": "wf wf(1) 2"}])

    def test_only_the_last_attempt(self):
        with WebhookReceiver() as receiver:
            self.run_ruled(receiver, {"triggers": ["on-step-failed"], "lastAttemptOnly": True},
                           workflow("exit 3").replace(
                               "  - name: main\n", "  - name: main\n    retryStrategy: {limit: 2}\n"))
        self.assertEqual([(t["data"]["node"]["displayName"], t["data"]["attempt"]) for t in self.told(receiver)],
                         [("wf", 2)])

    def test_the_third_failure_in_a_row_and_the_recovery(self):
        with WebhookReceiver() as receiver:
            self.run_ruled(receiver, {"triggers": ["on-failed", "on-recovered"], "afterFailures": 3,
                                      "selector": {"names": ["nightly-*"]}},
                           *[workflow("exit 1", f"nightly-{i}") for i in range(4)],
                           workflow("exit 1", "other"),
                           workflow("true", "nightly-4"), workflow("true", "nightly-5"))
        told = [(t["data"]["workflow"]["name"], t["type"], t["data"]["consecutiveFailures"])
                for t in self.told(receiver)]
        self.assertEqual(told, [("nightly-2", "workflow.failed", 3), ("nightly-4", "workflow.succeeded", 4)])

    def test_engines_count_one_streak_together(self):
        with WebhookReceiver() as receiver:
            self.call("apply", self.write("rule.yaml", channel(receiver.url) + rule(
                {"triggers": ["on-failed"], "afterFailures": 8, "selector": {"names": ["w*"]}})))
            engines = [self.start("run", self.write(f"w{i}.yaml", workflow("exit 1", f"w{i}"))) for i in range(8)]
            for engine in engines:
                engine.communicate()
        self.assertEqual([t["data"]["consecutiveFailures"] for t in self.told(receiver)], [8])

    def test_once_per_key(self):
        with WebhookReceiver() as receiver:
            self.run_ruled(receiver, {"triggers": ["on-failed"], "oncePer": "workflow.labels.commit"},
                           *[workflow("exit 1", f"w{i}", labels={"commit": c}) for i, c in enumerate("aab")])
        self.assertEqual([t["data"]["workflow"]["name"] for t in self.told(receiver)], ["w0", "w2"])

    def test_an_overdue_workflow_is_told_once_also_after_a_kill(self):
        with WebhookReceiver() as receiver:
            self.call("apply", self.write("rule.yaml", channel(receiver.url) + rule(
                {"triggers": ["on-overdue"], "overdueAfter": "1s"})))
            flag = self.home / "go"
            server = self.start_server()
            self.submit(self.write("w.yaml", workflow(f"while [ ! -e {flag} ]; do sleep 0.1; done")))
            wait_until(lambda: self.types(receiver) == ["workflow.overdue"], what="the notice")
            self.kill(server)
            self.start_server()
            flag.touch()
            self.wait_for_phase("wf", "Succeeded")
        self.assertEqual(self.types(receiver), ["workflow.overdue"])
        self.assertGreaterEqual(self.told(receiver)[0]["data"]["workflow"]["duration"], 1)

    def test_a_deadline_that_passed_while_no_engine_ran(self):
        with WebhookReceiver() as receiver:
            self.call("apply", self.write("rule.yaml", channel(receiver.url) + rule(
                {"triggers": ["on-overdue"], "overdueAfter": "2s"})))
            flag = self.home / "go"
            server = self.start_server()
            self.submit(self.write("w.yaml", workflow(f"while [ ! -e {flag} ]; do sleep 0.1; done")))
            self.wait_for_phase("wf", "Running")
            self.kill(server)
            time.sleep(2)
            self.start_server()
            wait_until(lambda: self.types(receiver) == ["workflow.overdue"], what="the notice")
            flag.touch()
            self.wait_for_phase("wf", "Succeeded")

    def test_waiting_for_a_person_tells_how_to_go_on(self):
        text = workflow(name="gate").replace("container: {image: x, command: [sh, -c, \"true\"]}", "suspend: {}")
        with WebhookReceiver() as receiver:
            self.call("apply", self.write("rule.yaml", channel(receiver.url) + rule({"triggers": ["on-waiting"]})))
            self.start_server()
            self.submit(self.write("w.yaml", text))
            wait_until(lambda: self.told(receiver), what="the notice")
            data = self.told(receiver)[0]["data"]
            words = data["actions"]["resume"].split()
            self.assertEqual(words[:3], ["tiphys", "resume", "gate"])
            self.call(*words[1:])
            self.wait_for_phase("gate", "Succeeded")
        self.assertEqual(self.types(receiver), ["node.waiting"])

    def test_an_invalid_spec(self):
        text = workflow().replace("entrypoint: main", "entrypoint: nowhere")
        with WebhookReceiver() as receiver:
            self.call("apply", self.write("rule.yaml", channel(receiver.url) + rule({"triggers": ["on-invalid"]})))
            self.call("run", self.write("w.yaml", text), "-o", "json", ok=None)
        self.assertEqual(self.types(receiver), ["workflow.invalid"])
        self.assertIn("invalid spec", self.told(receiver)[0]["data"]["workflow"]["message"])

    def test_quiet_hours_hold_or_drop(self):
        always = {"from": "00:00", "to": "24:00"}
        with WebhookReceiver() as receiver:
            self.run_ruled(receiver, {"triggers": ["on-failed"], "quietHours": always}, workflow("exit 1", "held"))
            self.run_ruled(receiver, {"triggers": ["on-failed"], "quietHours": dict(always, then="drop")},
                           workflow("exit 1", "dropped"))
        self.assertEqual(receiver.requests, [])
        rows = json.loads(self.call("notifications", "list", "-o", "json").stdout)
        self.assertEqual([(r["workflow"], r["state"], r["attempts"]) for r in rows], [("held", "pending", 0)])

    def test_mute_by_hand_and_by_annotation(self):
        with WebhookReceiver() as receiver:
            self.run_ruled(receiver, {"triggers": ["on-failed"]})
            self.call("notifications", "rules", "mute", "told")
            self.assertIn("muted", self.call("notifications", "rules", "list").stdout)
            self.call("run", self.write("a.yaml", workflow("exit 1", "a")), ok=None)
            self.call("notifications", "rules", "unmute", "told")
            self.call("run", self.write("b.yaml", workflow(
                "exit 1", "b", annotations={"notifications.tiphys.dev/mute": "true"})), ok=None)
            self.call("run", self.write("c.yaml", workflow("exit 1", "c")), ok=None)
        self.assertEqual([t["data"]["workflow"]["name"] for t in self.told(receiver)], ["c"])

    def test_annotations_of_a_workflow_of_its_template_and_of_the_defaults(self):
        key = "notifications.tiphys.dev/subscribe.on-failed.ops"
        template = f"""
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {{name: t, annotations: {{{key}: ""}}}}
spec:
  entrypoint: main
  templates: [{{name: main, container: {{image: x, command: [sh, -c, exit 1]}}}}]
"""
        with WebhookReceiver() as receiver:
            self.call("apply", self.write("c.yaml", channel(receiver.url)))
            self.call("apply", self.write("t.yaml", template))
            self.call("run", self.write("a.yaml", workflow("exit 1", "a", annotations={key: ""})), ok=None)
            self.call("run", self.write("b.yaml", """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: b}
spec: {workflowTemplateRef: {name: t}}
"""), ok=None)
            self.call("apply", self.write("d.yaml", f"""
apiVersion: v1
kind: ConfigMap
metadata: {{name: workflow-controller-configmap}}
data:
  workflowDefaults: |
    metadata: {{annotations: {{{key}: ""}}}}
    spec: {{activeDeadlineSeconds: 77}}
"""))
            self.call("run", self.write("e.yaml", workflow("exit 1", "e")), ok=None)
        self.assertEqual([t["data"]["workflow"]["name"] for t in self.told(receiver)], ["a", "b", "e"])
        self.assertEqual(self.get("e")["spec"]["activeDeadlineSeconds"], 77)

    def test_a_failing_notice_never_changes_a_workflow_and_is_seen(self):
        self.call("apply", self.write("rule.yaml", channel("http://127.0.0.1:1") + rule({"triggers": ["on-succeeded"]})))
        self.call("notifications", "delete-channel", "ops")
        wf = self.run_workflow(self.write("w.yaml", workflow()))
        self.assertEqual(phase(wf), "Succeeded")
        rows = json.loads(self.call("notifications", "list", "-o", "json").stdout)
        self.assertEqual([(r["state"], r["reason"]) for r in rows],
                         [("dead", "there is no channel 'ops' in namespace 'default'")])
        with WebhookReceiver() as receiver:  # somebody mends it
            self.call("apply", self.write("channel.yaml", channel(receiver.url)))
            self.call("notifications", "replay", "--all")
        self.assertEqual(self.types(receiver), ["workflow.succeeded"])

    def test_recipients_outlive_a_channel_that_was_not_there(self):
        told = {"triggers": ["on-succeeded"], "send": [{"channel": "ops", "recipients": ["red", "blue"]}]}
        with WebhookReceiver() as receiver:
            ntfy = f"""
apiVersion: notifications.tiphys.dev/v1
kind: NotificationChannel
metadata: {{name: ops}}
spec: {{kind: ntfy, config: {{topic: green, url: "{receiver.url}"}}}}
---
"""
            self.call("apply", self.write("rule.yaml", ntfy + rule(told)))
            self.call("notifications", "delete-channel", "ops")
            self.run_workflow(self.write("w.yaml", workflow()))
            p = self.call("notifications", "replay", "--all", ok=False)
            self.assertIn("dead: there is no channel 'ops' in namespace 'default': apply one, then replay", p.stdout)
            self.assertEqual(receiver.requests, [])
            self.call("apply", self.write("channel.yaml", ntfy))
            self.call("notifications", "replay", "--all")
            self.assertEqual({r["path"] for r in receiver.requests}, {"/red", "/blue"})
        rows = json.loads(self.call("notifications", "list", "-o", "json").stdout)
        self.assertEqual([(r["destination"], r["kind"], r["state"]) for r in rows],
                         [("red", "ntfy", "delivered"), ("blue", "ntfy", "delivered")])

    def test_annotations_of_a_template_are_about_its_steps(self):
        text = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - [{name: a, template: quiet}, {name: b, template: loud}]
  - name: quiet
    container: {image: x, command: [sh, -c, exit 1]}
  - name: loud
    metadata: {annotations: {notifications.tiphys.dev/subscribe.on-step-failed.ops: ""}}
    container: {image: x, command: [sh, -c, exit 1]}
"""
        with WebhookReceiver() as receiver:
            self.call("apply", self.write("c.yaml", channel(receiver.url)))
            self.call("run", self.write("w.yaml", text), ok=None)
        self.assertEqual([t["data"]["node"]["displayName"] for t in self.told(receiver)], ["b"])
        wrong = self.write("x.yaml", text.replace("on-step-failed", "on-failed"))
        out = self.call("lint", wrong, ok=False).stdout
        self.assertRegex(out, "x.yaml:14:.*'on-failed' is about workflows, and a template has steps")
        wrong = self.write("x.yaml", text.replace("failed.ops", "failed.nowhere"))
        self.assertRegex(self.call("lint", wrong, ok=False).stdout, "x.yaml:14:.*there is no channel 'nowhere'")

    def test_triggers_of_events_in_yaml(self):
        """Readers of YAML take the key `on` for true."""
        with WebhookReceiver() as receiver:
            path = self.write("rule.yaml", channel(receiver.url) + """
apiVersion: notifications.tiphys.dev/v1
kind: Notification
metadata: {name: block}
spec:
  triggers:
  - on: [node.failed]
    when: node.type == "Pod"
  send: [{channel: ops}]
---
apiVersion: notifications.tiphys.dev/v1
kind: Notification
metadata: {name: flow}
spec: {triggers: [{on: workflow.failed, when: 'true'}], send: [{channel: ops}]}
""")
            self.call("lint", path)
            self.call("apply", path)
            self.call("run", self.write("w.yaml", workflow("exit 3")), ok=None)
        self.assertEqual(sorted(self.types(receiver)), ["node.failed", "workflow.failed"])

    def test_lint_tells_what_cannot_work_at_its_place(self):
        path = self.write("bad.yaml", """apiVersion: notifications.tiphys.dev/v1
kind: Notification
metadata: {name: bad}
spec:
  triggers:
  - on-faild
  - workflow.phse == "Failed"
  when: workflow.duration >
  snd: 1
  send:
  - channel: nowhere
    message: {title: '{{workflow.nme}}'}
  quietHours: {from: "25:00", to: "07:00", timeZone: Mars/Olympus}
""")
        out = self.call("lint", path, ok=False).stdout
        for part in ("bad.yaml:6:5", "did you mean 'on-failed'?", "bad.yaml:7:5", "'workflow.phse' is no field",
                     "bad.yaml:8:9", "bad.yaml:9:3", "unknown field 'snd'", "bad.yaml:11:14",
                     "there is no channel 'nowhere'", "bad.yaml:12:", "'{{workflow.nme}}' is no field",
                     "bad.yaml:13:23", "there is no time zone 'Mars/Olympus'"):
            self.assertIn(part, out)
        self.call("apply", path, ok=False)
        self.assertNotIn("bad", self.call("notifications", "rules", "list").stdout)
        annotated = self.write("w.yaml", workflow(
            annotations={"notifications.tiphys.dev/subscribe.on-faild.ops": ""}))
        self.assertIn("did you mean 'on-failed'?", self.call("lint", annotated, ok=False).stdout)

    def test_simulate_shows_what_rules_would_send(self):
        path = self.write("w.yaml", channel("http://127.0.0.1:1") + rule(
            {"triggers": ["on-failed"], "message": {"title": "{{workflow.name}} broke", "text": "at {{attempt}}"}}) +
            rule({"triggers": ["on-overdue"], "overdueAfter": "10s"}, "slow") +
            rule({"triggers": ["on-step-failed"], "digest": "1m"}, "all") + workflow(
                annotations={"notifications.tiphys.dev/subscribe.on-started.ops": ""}))
        got = json.loads(self.call("simulate", path, "--fail", "wf", "--duration", "wf=30s", "-o", "json",
                                   ok=False).stdout)
        self.assertEqual([(n["at"], n["rule"], n["channel"], n["title"]) for n in got["notifications"]], [
            ("0s", "@subscribe.on-started.ops", "ops", "wf Running"), ("10s", "slow", "ops", "wf overdue (Running)"),
            ("30s", "told", "ops", "wf broke"), ("90s", "all", "ops",
                                                 "all: 1 notification since 2026-01-01T00:00:30Z")])
        text = self.call("simulate", path, "--fail", "wf", ok=False).stdout
        self.assertIn("Notifies   ops (webhook) by rule told\n          | wf broke\n          | at 0\n", text)
        self.assertEqual(json.loads(self.call("notifications", "list", "-o", "json").stdout), [])

    def test_a_message_may_show_logs_and_says_what_there_is_not(self):
        text = "{{=failures[0].log}}|{{failures.0.phase}}|{{workflow.labels.team}}|{{=failures[3].log}}"
        with WebhookReceiver() as receiver:
            self.run_ruled(receiver, {"triggers": ["on-failed"], "message": text}, workflow("echo oh no; exit 3", "bad"))
        told, = self.told(receiver)
        first, second, third, fourth = told["data"]["message"]["text"].split("|")
        self.assertEqual((first, second, third), ("oh no", "Failed", "(workflow.labels.team: none)"))
        self.assertTrue(fourth.startswith("(failures[3].log: ") and fourth.endswith(")"), fourth)

    def test_a_tag_that_cannot_work_is_told_at_its_place(self):
        for given, wanted in (("{{workflow.nam}}", "'{{workflow.nam}}' is no field of an event; did you mean 'workflow.name'?"),
                              ("{{workflow.name", "'{{' without '}}'"), ("{{=1 +}}", "")):
            path = self.write("rule.yaml", channel("http://127.0.0.1:1") + rule(
                {"triggers": ["on-failed"], "message": {"title": given}}))
            for command in ("lint", "apply"):
                p = self.call(command, path, ok=False)
                self.assertRegex(p.stdout + p.stderr, r"rule\.yaml:\d+:\d+: error: ")
                self.assertIn(wanted, p.stdout + p.stderr)

    def test_never_missed_and_never_twice_over_kills(self):
        with WebhookReceiver() as receiver:
            self.call("apply", self.write("rule.yaml", channel(receiver.url) + rule(
                {"triggers": ["on-started", "on-succeeded", "on-step-succeeded"]})))
            names = [self.submit(self.write(f"w{i}.yaml", workflow("sleep 0.2", f"w{i}"))) for i in range(12)]
            for _ in range(6):
                seen = len(receiver.requests)
                server = self.start_server()
                self.assertTrue(receiver.wait_for(seen + 2), "an engine that tells")
                self.kill(server)
            self.start_server()
            for name in names:
                self.wait_for_phase(name, "Succeeded")
            wait_until(lambda: len({r["headers"]["webhook-id"] for r in receiver.requests}) >= 36,
                       what="all notices")
            rows = json.loads(self.call("notifications", "list", "-o", "json").stdout)
        told = {}
        for r in receiver.requests:
            body = json.loads(r["body"])
            told.setdefault((body["data"]["workflow"]["name"], body["type"]), set()).add(r["headers"]["webhook-id"])
        self.assertEqual(len(told), 36)
        self.assertEqual({len(ids) for ids in told.values()}, {1})
        self.assertEqual(len(rows), 36)


class Digests(Told):
    """By a clock that the test sets."""

    def setUp(self):
        super().setUp()
        shim = self.home / "clock_shim.so"
        source = pathlib.Path(__file__).with_name("clock_shim.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, source], check=True)
        self.offset = self.home / "offset"
        self.variables = {"LD_PRELOAD": str(shim), "TIPHYS_CLOCK_OFFSET": str(self.offset)}

    def env(self, **more):
        return super().env(**{**self.variables, **more})

    def test_a_digest_gathers_and_survives_a_kill(self):
        with WebhookReceiver() as receiver:
            self.run_ruled(receiver, {"triggers": ["on-failed"], "digest": "1h"},
                           *[workflow("exit 1", f"w{i}") for i in range(3)])
            self.kill(self.start_server())
            self.assertEqual(receiver.requests, [])
            self.offset.write_text("3700")
            self.start_server()
            wait_until(lambda: receiver.requests, what="the digest")
        told = self.told(receiver)
        self.assertEqual(len(told), 1)
        self.assertEqual(told[0]["data"]["digest"]["count"], 3)
        self.assertEqual([e["workflow"]["name"] for e in told[0]["data"]["digest"]["events"]], ["w0", "w1", "w2"])

    def test_a_digest_speaks_in_the_words_of_its_rule(self):
        with WebhookReceiver() as receiver:
            self.run_ruled(receiver, {"triggers": ["on-failed"], "digest": {"window": "1h", "title": "{{digest.count}} red"},
                                      "message": "{{workflow.name}}: {{=failures[0].log}}"},
                           *[workflow(f"echo no {i}; exit 1", f"w{i}") for i in range(2)])
            self.offset.write_text("3700")
            self.call("notifications", "send")
        told, = self.told(receiver)
        self.assertEqual(told["data"]["message"], {"title": "2 red", "text": "w0: no 0\nw1: no 1"})

    def test_an_end_of_quiet_hours_is_kept(self):
        hour = time.gmtime(time.time() + 3600)
        quiet = {"from": time.strftime("%H:%M", time.gmtime(time.time() - 3600)), "to": time.strftime("%H:%M", hour)}
        with WebhookReceiver() as receiver:
            self.run_ruled(receiver, {"triggers": ["on-failed"], "quietHours": quiet}, workflow("exit 1", "held"))
            self.call("notifications", "send")
            self.assertEqual(receiver.requests, [])
            self.offset.write_text("3700")
            self.call("notifications", "send")
        self.assertEqual(self.types(receiver), ["workflow.failed"])
