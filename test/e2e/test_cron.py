"""CronWorkflows: the commands, and a server that keeps their schedules over crashes."""
import json
import pathlib
import re

from engine import EngineTest, phase, wait_until

MANIFEST = """
apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
metadata: {name: tick, labels: {team: a}}
spec:
  schedules: ["@every 1s"]
  OPTIONS
  workflowMetadata: {labels: {kind: tick}}
  workflowSpec:
    entrypoint: main
    arguments: {parameters: [{name: p, value: v}]}
    templates:
    - name: main
      container: {image: x, command: [sh, -c], args: ["COMMAND"]}
"""


class Cron(EngineTest):
    def create(self, options="", command="true", verb=("cron", "create")):
        return self.call(*verb, self.write("cron.yaml", MANIFEST.replace("OPTIONS", options)
                                           .replace("COMMAND", command)))

    def cron(self):
        return json.loads(self.call("cron", "get", "tick", "-o", "json").stdout)

    def status(self):
        return self.cron()["status"]

    def workflows(self):
        return json.loads(self.call("list", "-o", "json").stdout)

    def test_the_commands_speak_as_argos(self):
        out = self.create("timezone: America/Los_Angeles\n  concurrencyPolicy: Forbid\n"
                          "  startingDeadlineSeconds: 0").stdout
        pattern = (r"Name:                          tick\nNamespace:                     default\n"
                   r"Created:                       .* \((now|\d+ seconds? ago)\)\n"
                   r"Schedules:                     @every 1s\nSuspended:                     false\n"
                   r"Timezone:                      America/Los_Angeles\n"
                   r"StartingDeadlineSeconds:       0\nConcurrencyPolicy:             Forbid\n"
                   r"NextScheduledTime:             .*\nWorkflow Parameters:           \n"
                   r"  p:                           v\n")
        self.assertRegex(out, re.compile(pattern))
        p = self.call("cron", "create", self.home / "cron.yaml", ok=False)
        self.assertIn("failed to create cron workflow: 'tick' already exists", p.stderr)
        self.assertEqual(self.call("cron", "suspend", "tick").stdout, "CronWorkflow 'tick' suspended\n")
        rows = self.call("cron", "list").stdout.splitlines()
        self.assertEqual(rows[0].split("  ")[0], "NAME")
        self.assertEqual(rows[1].split()[0], "tick")
        self.assertEqual(rows[1].split()[-1], "true")
        self.assertEqual(self.call("cron", "resume", "tick").stdout, "CronWorkflow 'tick' resumed\n")
        self.assertFalse(self.cron()["spec"]["suspend"])
        self.assertEqual(self.call("cron", "list", "-o", "name", "-l", "team=a").stdout, "tick\n")
        self.assertEqual(self.call("cron", "list", "-o", "name", "-l", "team=b").stdout, "")
        self.call("cron", "lint", self.home / "cron.yaml")
        self.assertEqual(self.call("cron", "delete", "tick").stdout, "")
        self.assertIn("'tick' not found", self.call("cron", "get", "tick", ok=False).stderr)

    def test_a_malformed_schedule_is_refused_at_its_place(self):
        text = MANIFEST.replace("OPTIONS", "").replace("@every 1s", "* * 99 * *")
        p = self.call("cron", "create", self.write("bad.yaml", text), ok=False)
        self.assertRegex(p.stderr, r"bad.yaml:6:16: error: cron schedule \* \* 99 \* \* is malformed")

    def test_a_server_runs_them_and_keeps_their_history(self):
        self.start_server()
        self.create("successfulJobsHistoryLimit: 2")
        wait_until(lambda: self.status()["succeeded"] >= 4, what="four runs")
        self.call("cron", "suspend", "tick")
        wait_until(lambda: not self.status()["active"], what="the last one to be counted")
        wait_until(lambda: len(self.workflows()) == 2, what="old ones to be deleted")
        for w in self.workflows():
            meta = w["metadata"]
            self.assertRegex(meta["name"], r"^tick-\d+$")
            self.assertEqual(meta["labels"]["workflows.argoproj.io/cron-workflow"], "tick")
            self.assertEqual(meta["labels"]["kind"], "tick")
            self.assertIn("workflows.argoproj.io/scheduled-time", meta["annotations"])
            self.assertEqual(meta["ownerReferences"][0]["kind"], "CronWorkflow")
        self.call("cron", "delete", "tick")
        wait_until(lambda: not self.workflows(), what="its workflows to go with it")

    def test_forbid_and_stop_strategy(self):
        gate = self.home / "go"
        self.start_server()
        self.create("concurrencyPolicy: Forbid\n  stopStrategy: {expression: 'cronworkflow.failed >= 2'}",
                    f"while [ ! -e {gate} ]; do sleep 0.02; done; exit 1")
        wait_until(lambda: self.status()["active"], what="a first run")
        first = self.status()
        self.assertEqual(len(self.workflows()), 1)
        gate.touch()
        wait_until(lambda: self.status()["phase"] == "Stopped", what="the stop")
        wait_until(lambda: not self.status()["active"], what="the end")
        self.assertEqual(first["phase"], "Active")
        self.assertEqual(self.status()["failed"], 2)
        self.assertEqual(self.cron()["metadata"]["labels"]["cronworkflows.argoproj.io/completed"], "true")
        self.assertEqual(len(self.workflows()), 1, "failedJobsHistoryLimit is 1")
        self.create("", "true", ("cron", "update"))
        wait_until(lambda: self.status()["succeeded"] > 0, what="it to begin anew")

    def test_replace_ends_those_before(self):
        self.start_server()
        self.create("concurrencyPolicy: Replace\n  failedJobsHistoryLimit: 100", "sleep 300")
        wait_until(lambda: self.status()["failed"] >= 1, what="one to be replaced")
        self.call("cron", "suspend", "tick")
        ended = [w for w in self.workflows() if phase(w) == "Failed"]
        self.assertIn("Stopped with strategy 'Terminate'", [w["status"].get("message") for w in ended])

    def test_a_bad_when_is_a_condition(self):
        self.start_server()
        self.create("when: '{{cronworkflow.nothing}} == 1'")
        wait_until(lambda: self.status()["conditions"], what="a condition")
        self.assertEqual(self.status()["conditions"][0]["type"], "SubmissionError")
        self.assertRegex(self.call("cron", "get", "tick").stdout,
                         r"\n✖ SubmissionError              run policy error: failed to resolve")
        self.assertEqual(self.workflows(), [])

    def test_no_time_is_taken_twice_though_engines_die(self):
        out = pathlib.Path(self.home / "times")
        self.create("successfulJobsHistoryLimit: 1000\n  startingDeadlineSeconds: 60",
                    f"echo {{{{workflow.name}}}} >> {out}")
        for wanted in range(1, 7):
            server = self.start_server()
            wait_until(lambda n=wanted: out.exists() and len(out.read_text().split()) >= 2 * n,
                       what="more runs")
            self.kill(server)
        self.call("cron", "suspend", "tick")
        self.start_server()
        wait_until(lambda: all(phase(w) == "Succeeded" for w in self.workflows()), what="all to end")
        names = out.read_text().split()
        self.assertEqual(len(names), len(set(names)), names)
        self.assertEqual(sorted(names), sorted(w["metadata"]["name"] for w in self.workflows()))

    def test_one_by_hand(self):
        self.create("suspend: true")
        name = self.submit("--from", "cronwf/tick")
        self.assertRegex(name, r"^tick-[a-z0-9]{5}$")
        self.start_server()
        self.wait_for_phase(name, "Succeeded")
        self.assertEqual(self.get(name)["metadata"]["ownerReferences"][0]["name"], "tick")

    def test_backfill_runs_times_that_have_passed_one_after_the_other(self):
        out = self.home / "times"
        text = (MANIFEST.replace("OPTIONS", "timezone: Europe/Berlin\n  suspend: true\n  successfulJobsHistoryLimit: 9")
                .replace("@every 1s", "30 2 * * *").replace("name: p,", "name: cronScheduleTime,")
                .replace("COMMAND", f"echo {{{{workflow.parameters.cronScheduleTime}}}} >> {out}"))
        self.call("cron", "create", self.write("cron.yaml", text))
        days = ("--start", "Mon, 05 Jan 2026 00:00:00 UTC", "--end", "Thu, 08 Jan 2026 00:00:00 UTC")
        self.assertIn("more than 2 times are due",
                      self.call("cron", "backfill", "tick", *days, "--maxworkflowcount", "2", ok=False).stderr)
        self.assertEqual(self.workflows(), [])
        shown = self.call("cron", "backfill", "tick", "--name", "again", *days).stdout
        self.assertTrue(shown.startswith("Created again Backfill task for Cronworkflow tick \n"), shown)
        self.assertIn("Total Backfill Schedule: 3 \n", shown)
        self.start_server()
        wait_until(lambda: [phase(w) for w in self.workflows()] == ["Succeeded"] * 3, what="three runs")
        self.assertEqual(sorted(out.read_text().splitlines()),
                         [f"2026-01-0{day} 02:30:00 +0100 CET" for day in (5, 6, 7)])
        for w in self.workflows():
            self.assertEqual(w["metadata"]["labels"]["workflows.argoproj.io/backfill"], "tick")
            self.assertEqual(w["spec"]["synchronization"]["mutexes"], [{"name": "again"}])
