"""Resource templates on one machine: workflows that create workflows, and other objects of the engine's store."""
import json
import textwrap

from engine import EngineTest, nodes, phase, wait_until
from resource_templates import resource

CHILD = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {NAME}
spec:
  entrypoint: main
  templates: [{name: main, script: {image: sh, command: [sh], source: "SOURCE"}}]
"""


def child(source="true", name="generateName: child-"):
    return CHILD.replace("NAME", name).replace("SOURCE", source)


def workflow(templates, name="parent"):
    return (f"apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {{name: {name}}}\n"
            f"spec:\n  entrypoint: main\n  templates:\n{textwrap.indent(templates, '  ')}")


WAITS = "action: create\nsuccessCondition: status.phase == Succeeded\n" \
        "failureCondition: status.phase in (Failed, Error)\n"
OUTPUTS = """~
outputs:
  parameters:
  - {name: name, valueFrom: {jsonPath: "{.metadata.name}"}}
  - {name: phase, valueFrom: {jqFilter: ".status.phase, (.status.nodes | length)"}}
"""
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, labels: {clean: 'up'}}\ndata: {a: b}\n"


class Resources(EngineTest):
    def run_resource(self, *templates, ok=True):
        return self.run_workflow(self.write("w.yaml", workflow("".join(templates))), ok=ok)

    def children(self):
        listed = json.loads(self.call("list", "-o", "json").stdout or "[]") or []
        return [w for w in listed if w["metadata"]["name"] != "parent"]

    def test_a_workflow_creates_another_and_waits_for_it(self):
        done = self.run_resource(resource(manifest=child("sleep 0.5"), more=WAITS + OUTPUTS))
        made = self.children()
        self.assertEqual([phase(w) for w in made], ["Succeeded"])
        node = nodes(done)["parent"]
        self.assertEqual((node["type"], node["phase"], node["outputs"]["exitCode"]), ("Pod", "Succeeded", "0"))
        self.assertEqual({p["name"]: p["value"] for p in node["outputs"]["parameters"]},
                         {"name": made[0]["metadata"]["name"], "phase": "Succeeded\n1"})
        self.assertIn("workflow.argoproj.io/child-", self.call("logs", "parent").stdout)

    def test_the_failure_condition(self):
        done = self.run_resource(resource(manifest=child("exit 1"), more=WAITS), ok=False)
        self.assertEqual(nodes(done)["parent"]["message"],
                         "main: Error (exit code 64): failure condition '{status.phase in [Error Failed]}' "
                         "evaluated true")

    def test_an_invalid_workflow_is_created_and_fails_as_in_argo(self):
        wrong = child().replace("entrypoint: main", "entrypoint: none")
        done = self.run_resource(resource(manifest=wrong, more=WAITS), ok=False)
        self.assertEqual(nodes(done)["parent"]["phase"], "Failed")
        self.assertIn(phase(self.children()[0]), ("Failed", "Error"))

    def test_run_ends_when_what_it_has_created_has_ended(self):
        self.run_resource(resource(manifest=child("sleep 1"), more="action: create\n"))
        self.assertEqual([phase(w) for w in self.children()], ["Succeeded"])

    def test_a_killed_engine_creates_nothing_twice(self):
        text = workflow(resource(manifest=child("sleep 3"), more=WAITS))
        self.call("submit", self.write("w.yaml", text))
        engine = self.start_server()
        wait_until(self.children, 30, "the child")
        self.kill(engine)
        self.start_server()
        wait_until(lambda: phase(self.get("parent")) == "Succeeded", 60, "the parent's end")
        self.assertEqual([phase(w) for w in self.children()], ["Succeeded"])

    def test_what_is_owned_goes_with_its_workflow(self):
        owned = "action: create\nsetOwnerReference: true\n"
        self.call("submit", self.write("w.yaml", workflow(
            "- name: main\n  steps:\n  - - {name: a, template: a}\n    - {name: b, template: b}\n" +
            resource("a", child(), owned) + resource("b", child("sleep 600"), owned))))
        self.start_server()
        wait_until(lambda: phase(self.get("parent")) == "Succeeded", 60, "the parent's end")
        made = self.children()
        self.assertEqual(len(made), 2)
        self.assertEqual({w["metadata"]["ownerReferences"][0]["name"] for w in made}, {"parent"})
        self.call("delete", "parent")
        wait_until(lambda: not self.children(), 60, "the children to be deleted, the one that runs, too")

    def test_it_labels_and_stops_its_own_workflow(self):
        stop = resource("stop", "spec: {shutdown: Stop}\n",
                        "action: patch\nmergeStrategy: merge\nflags: [workflow, '{{workflow.name}}']\n")
        label = resource("label", "- {op: add, path: /metadata/labels/team, value: blue}\n",
                         "action: patch\nmergeStrategy: json\nflags: [wf, '{{workflow.name}}']\n")
        done = self.run_resource(
            "- name: main\n  steps:\n  - - {name: label, template: label}\n  - - {name: stop, template: stop}\n"
            "  - - {name: late, template: late}\n", label, stop,
            "- name: late\n  container: {image: sh, command: [sleep, '600']}\n", ok=False)
        self.assertEqual(done["metadata"]["labels"]["team"], "blue")
        self.assertEqual(phase(done), "Failed")

    def test_config_maps(self):
        steps = "".join(f"  - - {{name: {n}, template: {n}}}\n" for n in ("make", "change", "read", "clean", "look"))
        get = "action: get\nflags: [configmap, m]\n~\noutputs:\n  parameters:\n" \
              "  - {name: a, valueFrom: {jsonPath: \"{.data.a}{.data.c}\"}}\n"
        look = "action: get\nflags: [cm, m, --ignore-not-found]\n~\noutputs:\n  parameters:\n" \
               "  - {name: a, valueFrom: {jsonPath: \"{.data.a}\", default: gone}}\n"
        done = self.run_resource(
            f"- name: main\n  steps:\n{steps}", resource("make", CONFIG_MAP, "action: create\n"),
            resource("change", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {c: d}\n",
                     "action: apply\n"),
            resource("read", more=get), resource("clean", more="action: delete\nflags: [cm, -l, clean=up]\n"),
            resource("look", more=look))
        self.assertEqual(nodes(done)["read"]["outputs"]["parameters"][0]["value"], "bd")
        self.assertEqual(nodes(done)["look"]["outputs"]["parameters"][0]["value"], "gone")

    def test_what_is_wrong_is_told_as_kubectl_tells_it(self):
        self.call("apply", self.write("m.yaml", CONFIG_MAP))
        for more, manifest, message in (
                ("action: create\n", CONFIG_MAP,
                 "no more retries Error from server (AlreadyExists): error when creating \"/tmp/manifest.yaml\": "
                 "configmaps \"m\" already exists"),
                ("action: get\nflags: [cm, none]\n", "",
                 "no more retries Error from server (NotFound): configmaps \"none\" not found"),
                ("action: get\nflags: [pod, p]\n", "",
                 "its objects (pod) are a Kubernetes cluster's, and there is none here (steps run there with "
                 "--executor kubernetes)")):
            with self.subTest(message=message):
                done = self.run_resource(resource(manifest=manifest, more=more), ok=False)
                self.assertEqual(nodes(done)["parent"]["message"], "main: Error (exit code 64): " + message)
                self.call("delete", "parent")

    def test_terminating_ends_the_wait(self):
        self.call("submit", self.write("w.yaml", workflow(resource(manifest=child("sleep 600"), more=WAITS))))
        self.start_server()
        wait_until(self.children, 30, "the child")
        self.call("terminate", "parent")
        wait_until(lambda: phase(self.get("parent")) == "Failed", 30, "the parent's end")
        self.assertEqual(phase(self.children()[0]), "Running")  # it is a workflow of its own

    def test_a_manifest_from_an_artifact(self):
        templates = (
            "- name: main\n  inputs:\n    artifacts:\n    - name: m\n      path: /tmp/m.yaml\n      raw:\n"
            f"        data: |\n{textwrap.indent(child(), '          ')}"
            "  resource:\n    action: create\n    successCondition: status.phase == Succeeded\n"
            "    manifestFrom: {artifact: {name: m}}\n")
        self.run_workflow(self.write("w.yaml", workflow(templates)))
        self.assertEqual([phase(w) for w in self.children()], ["Succeeded"])
