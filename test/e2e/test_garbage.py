"""What workflows give up: artifacts (artifactGC) and logs (podGC)."""
import json
import os
import signal

from engine import EngineTest, nodes, wait_until
from s3_server import S3Server


def step(script, *artifacts, name="main"):
    return {"name": name, "container": {"image": "x", "command": ["sh", "-c"], "args": [script]},
            "outputs": {"artifacts": list(artifacts)}}


def artifact(name, gc=None, **more):
    made = {"name": name, "path": f"/tmp/{name}", "archive": {"none": {}}, **more}
    return {**made, "artifactGC": {"strategy": gc}} if gc else made


class Garbage(EngineTest):
    def manifest(self, name, *templates, objects=(), **spec):
        workflow = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": name},
                    "spec": {"entrypoint": "main", "templates": list(templates), **spec}}
        return self.write(f"{name}.yaml", "\n---\n".join(json.dumps(o) for o in [*objects, workflow]))

    def artifacts(self):
        root = self.home / "artifacts"
        return sorted(p.name for p in root.glob("[!.]*/**/*") if p.is_file())

    def logs(self):
        return sorted(p.name for p in self.home.glob("runs/*/logs/*"))

    def condition(self, workflow, kind):
        return next((c for c in workflow["status"]["conditions"] if c["type"] == kind), None)


class Artifacts(Garbage):
    WRITE = "for i in a b c d; do echo $i > /tmp/$i; done"

    def test_each_artifact_goes_when_its_strategy_says(self):
        path = self.manifest("w", step(self.WRITE, artifact("a", "OnWorkflowCompletion"),
                                       artifact("b", "OnWorkflowDeletion"), artifact("c", "Never"), artifact("d")),
                             artifactGC={"strategy": "OnWorkflowDeletion"})
        w = self.run_workflow(path)
        self.assertEqual(self.artifacts(), ["b", "c", "d"])
        self.assertEqual([a.get("deleted", False) for a in nodes(w)["w"]["outputs"]["artifacts"]],
                         [True, False, False, False])
        self.assertEqual(w["status"]["artifactGCStatus"], {"strategiesProcessed": {"OnWorkflowCompletion": True}})
        self.assertEqual(w["metadata"]["finalizers"], ["workflows.argoproj.io/artifact-gc"])
        self.assertEqual(self.get("w"), w)
        self.call("delete", "w")
        self.assertEqual(self.artifacts(), ["c"])
        self.assertEqual(self.get("w"), {})

    def test_what_another_workflow_names_goes_with_the_last_one(self):
        out = artifact("a", "OnWorkflowDeletion", s3={"key": "shared/a.txt"})
        for name in ("one", "two"):
            self.run_workflow(self.manifest(name, step(f"echo {name} > /tmp/a", out)))
        self.call("delete", "one")
        self.assertEqual(self.artifacts(), ["a.txt"])
        self.call("delete", "two")
        self.assertEqual(list((self.home / "artifacts/default").iterdir()), [], "folders go, too")

    def test_archived_logs_go_with_the_workflows_strategy(self):
        self.run_workflow(self.manifest("w", step("echo x"), archiveLogs=True,
                                        artifactGC={"strategy": "OnWorkflowCompletion"}))
        self.assertEqual(self.artifacts(), ["main.log"], "no template has an output: as in Argo, it is not looked for")
        self.run_workflow(self.manifest("v", step("echo x > /tmp/a", artifact("a")), archiveLogs=True,
                                        artifactGC={"strategy": "OnWorkflowCompletion"}))
        self.assertEqual(self.artifacts(), ["main.log"], "only that of w")

    def test_a_server_removes_artifacts_with_expired_workflows(self):
        self.start_server()
        path = self.manifest("w", step("echo x > /tmp/a", artifact("a", "OnWorkflowDeletion")),
                             ttlStrategy={"secondsAfterCompletion": 0})
        self.submit(path)
        wait_until(lambda: not self.get("w"), what="the workflow to be deleted")
        self.assertEqual(self.artifacts(), [])


class ArtifactsOnAServer(Garbage):
    def setUp(self):
        super().setUp()
        self.s3 = S3Server(self.home)
        self.addCleanup(self.s3.stop)
        (self.s3.root / "bucket").mkdir()
        self.secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s3-keys"},
                       "stringData": {"access": S3Server.ACCESS, "secret": S3Server.SECRET}}

    def on_server(self, name, gc):
        return artifact(name, gc, s3=self.s3.location(key=f"k/{name}"))

    def test_objects_are_removed(self):
        path = self.manifest("w", step("echo x > /tmp/a; mkdir /tmp/b; echo y > /tmp/b/1; echo z > /tmp/b/2",
                                       self.on_server("a", "OnWorkflowCompletion"),
                                       self.on_server("b", "OnWorkflowDeletion")), objects=[self.secret])
        self.run_workflow(path)
        self.assertEqual(self.s3.keys("bucket"), ["k/b/1", "k/b/2"])
        self.call("delete", "w")
        self.assertEqual(self.s3.keys("bucket"), [])

    def test_a_failure_is_a_condition_and_keeps_the_workflow_until_it_is_forced(self):
        path = self.manifest("w", step("echo x > /tmp/a", self.on_server("a", "OnWorkflowDeletion")),
                             objects=[self.secret])
        self.run_workflow(path)
        self.s3.stop()
        p = self.call("delete", "w", ok=False)
        self.assertIn("workflow 'w' is not deleted, since its artifactGC has failed", p.stderr)
        condition = self.condition(self.get("w"), "ArtifactGCError")
        self.assertEqual(condition["status"], "True")
        self.assertTrue(condition["message"])
        self.call("delete", "w", "--force")
        self.assertEqual(self.get("w"), {})

    def test_a_killed_engine_leaves_no_artifact_behind(self):
        hold = self.home / "hold"
        path = self.manifest(
            "w", step("echo x > /tmp/a", self.on_server("a", "OnWorkflowCompletion"), name="make"),
            step(f"touch {hold}.up; while [ ! -e {hold} ]; do sleep 0.05; done", name="wait"),
            {"name": "main", "steps": [[{"name": "make", "template": "make"}],
                                       [{"name": "wait", "template": "wait"}]]}, objects=[self.secret])
        engine = self.start("run", path)
        wait_until(lambda: (self.home / "hold.up").exists(), what="the second step")
        self.assertEqual(self.s3.keys("bucket"), ["k/a"])
        os.kill(self.s3.process.pid, signal.SIGSTOP)  # it takes requests and does not answer
        try:
            hold.touch()
            self.wait_for_phase("w", "Succeeded")
            self.kill(engine)
        finally:
            os.kill(self.s3.process.pid, signal.SIGCONT)
        self.start_server()
        w = wait_until(lambda: (w := self.get("w")) and "strategiesProcessed" in w["status"]["artifactGCStatus"] and w,
                       what="the artifacts to be collected")
        self.assertEqual(self.s3.keys("bucket"), [])
        self.assertIsNone(self.condition(w, "ArtifactGCError"))
        self.assertNotIn("finalizers", w["metadata"])


class Pods(Garbage):
    BOTH = [step("echo good", name="good"), step("echo bad; exit 1", name="bad"),
            {"name": "main", "steps": [[{"name": "good", "template": "good"},
                                        {"name": "bad", "template": "bad", "continueOn": {"failed": True}}]]}]

    def kept(self, name, *templates, **gc):
        """The templates whose pods have logs after a run."""
        self.run_workflow(self.manifest(name, *templates, podGC=gc), ok=None)
        kept = [log.split("-")[1] for log in self.logs() if log.startswith(f"{name}-")]
        self.call("delete", name)
        return kept

    def test_logs_go_by_strategy(self):
        self.assertEqual(self.kept("none", *self.BOTH), ["bad", "good"])
        self.assertEqual(self.kept("pods", *self.BOTH, strategy="OnPodCompletion"), [])
        self.assertEqual(self.kept("success", *self.BOTH, strategy="OnPodSuccess"), ["bad"])
        self.assertEqual(self.kept("over", *self.BOTH, strategy="OnWorkflowCompletion"), [])
        self.assertEqual(self.kept("well", *self.BOTH, strategy="OnWorkflowSuccess"), [])
        bad = {"name": "main", "steps": [[{"name": "bad", "template": "bad"}]]}
        self.assertEqual(self.kept("ill", self.BOTH[1], bad, strategy="OnWorkflowSuccess"), ["bad"])

    def test_only_pods_with_the_labels(self):
        good = {**self.BOTH[0], "metadata": {"labels": {"app": "x"}}}
        self.assertEqual(self.kept("w", good, *self.BOTH[1:], strategy="OnPodCompletion",
                                   labelSelector={"matchLabels": {"app": "x"}}), ["bad"])

    def test_archived_logs_stay(self):
        self.run_workflow(self.manifest("w", step("echo hello"), archiveLogs=True,
                                        podGC={"strategy": "OnPodCompletion"}))
        self.assertEqual(self.logs(), [])
        self.assertEqual(self.artifacts(), ["main.log"])

    def test_a_delay_is_kept_and_a_server_does_what_is_left(self):
        path = self.manifest("w", step("echo hello"), podGC={"strategy": "OnPodCompletion",
                                                            "deleteDelayDuration": "1h"})
        self.run_workflow(path)
        self.assertEqual(self.logs(), ["w.log"])
        self.run_workflow(self.manifest("v", step("echo hello"), podGC={
            "strategy": "OnPodCompletion", "deleteDelayDuration": "1s"}))
        self.start_server()
        wait_until(lambda: self.logs() == ["w.log"], what="the log of v to be removed")
