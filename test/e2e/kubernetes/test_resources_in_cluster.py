"""Resource templates on a real cluster: its own kinds, with the rights that the engine was given."""
from cluster import ClusterTest
from engine import nodes, phase, wait_until
from resource_templates import resource

JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {generateName: j-}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: c, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, "COMMAND"]}]
"""
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: m-}\ndata: {a: b}\n"


class Resources(ClusterTest):
    def allow(self):
        for group, kind in (("batch", "jobs"), ("", "configmaps")):
            self.give_rights(group, kind, ["create", "get", "list", "patch", "update", "delete"])

    def objects(self, path):
        return self.api.call("GET", path.replace("NS", self.namespace))["items"]

    def config_maps(self):
        found = self.objects("/api/v1/namespaces/NS/configmaps")
        return [m for m in found if m["metadata"]["name"].startswith("m-")]

    def test_a_job(self):
        self.allow()
        waits = """\
            action: create
            successCondition: status.succeeded > 0
            failureCondition: status.failed > 0
            ~
            outputs:
              parameters:
              - {name: told, valueFrom: {jsonPath: "{.status.conditions[?(@.type=='Complete')].status}"}}
            """
        done = self.run_pods(resource(manifest=JOB.replace("COMMAND", "true"), more=waits))
        node = nodes(done)["w"]
        self.assertEqual((node["phase"], node["outputs"]["parameters"][0]["value"][:4]), ("Succeeded", "True"))
        self.call("delete", "w")
        done = self.run_pods(resource(manifest=JOB.replace("COMMAND", "exit 1"), more=waits), ok=False)
        self.assertEqual(nodes(done)["w"]["message"],
                         "main: Error (exit code 64): failure condition '{status.failed gt [0]}' evaluated true")

    def test_what_it_may_not_do(self):
        done = self.run_pods(resource(manifest=CONFIG_MAP, more="action: create\n"), ok=False)
        self.assertRegex(nodes(done)["w"]["message"],
                         r"^main: Error \(exit code 64\): no more retries Error from server \(Forbidden\): error when "
                         r"creating \"/tmp/manifest.yaml\": configmaps is forbidden: User "
                         r"\"system:serviceaccount:t-\w+:tiphys\" cannot create resource \"configmaps\"")

    def test_what_is_owned_goes_with_its_workflow(self):
        self.allow()
        self.submit_pods(resource(manifest=CONFIG_MAP, more="action: create\nsetOwnerReference: true\n"))
        self.start_server()
        self.wait_for_phase("w", "Succeeded")
        self.assertEqual(len(self.config_maps()), 1)
        self.call("delete", "w")
        wait_until(lambda: not self.config_maps(), 60, "the ConfigMap to be deleted")

    def test_its_own_pod_takes_no_node_and_goes_at_the_end(self):
        done = self.run_pods(resource(
            manifest="apiVersion: v1\nkind: Pod\nmetadata: {name: '{{pod.name}}', annotations: {foo: bar}}\n",
            more="action: patch\n~\noutputs:\n  parameters:\n"
            "  - {name: told, valueFrom: {jsonPath: \"{.metadata.annotations.foo}{.spec.nodeName}\"}}\n"))
        self.assertEqual(nodes(done)["w"]["outputs"]["parameters"][0]["value"], "bar")
        wait_until(lambda: not self.pods(), 60, "its pod to go")

    def test_a_killed_engine_creates_nothing_twice(self):
        self.allow()
        self.submit_pods(resource(manifest=JOB.replace("COMMAND", "sleep 4"),
                                  more="action: create\nsuccessCondition: status.succeeded > 0\n"))
        engine = self.start_server()
        jobs = "/apis/batch/v1/namespaces/NS/jobs"
        wait_until(lambda: self.objects(jobs), 60, "the job")
        self.kill(engine)
        self.start_server()
        self.wait_for_phase("w", "Succeeded")
        self.assertEqual(len(self.objects(jobs)), 1)

    def test_a_killed_engine_patches_nothing_twice(self):
        """The patch fails where it has been done already."""
        self.allow()
        maps = f"/api/v1/namespaces/{self.namespace}/configmaps"
        self.api.call("POST", maps, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m-1"},
                                     "data": {"a": "b"}})
        self.submit_pods(resource(
            manifest='[{"op": "test", "path": "/data/a", "value": "b"}, '
                     '{"op": "replace", "path": "/data/a", "value": "c"}]\n',
            more="action: patch\nmergeStrategy: json\nflags: [cm, m-1]\nsuccessCondition: data.go == yes\n"))
        engine = self.start_server()
        wait_until(lambda: self.config_maps()[0]["data"] == {"a": "c"}, 60, "the patch")
        self.kill(engine)
        self.start_server()
        self.api.call("PATCH", f"{maps}/m-1", {"data": {"go": "yes"}}, "application/merge-patch+json")
        self.wait_for_phase("w", "Succeeded")

    def test_kinds_by_their_words(self):
        self.allow()
        steps = "".join(f"  - - {{name: {n}, template: {n}}}\n" for n in ("make", "change", "read", "clean"))
        made = self.run_pods(
            f"- name: main\n  steps:\n{steps}" +
            resource("make", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m-1, labels: {x: why}}\ndata: {a: b}\n",
                     "action: apply\n") +
            resource("change", "data: {a: c}\n", "action: patch\nflags: [cm, m-1]\n") +
            resource("read", more="action: get\nflags: [configmaps/m-1]\n~\noutputs:\n  parameters:\n"
                                  "  - {name: a, valueFrom: {jqFilter: .data.a}}\n") +
            resource("clean", more="action: delete\nflags: [configmap, --selector, x=why]\n"))
        self.assertEqual(phase(made), "Succeeded")
        self.assertEqual(nodes(made)["read"]["outputs"]["parameters"][0]["value"], "c")
        self.assertEqual(self.config_maps(), [])
