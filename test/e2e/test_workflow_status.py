"""What the Workflow object tells beside its nodes: locks, and labels that are worked out."""
import json

from engine import EngineTest, phase, wait_until


def step(script):
    return {"name": "main", "container": {"image": "x", "command": ["sh", "-c"], "args": [script]}}


class StatusTest(EngineTest):
    def manifest(self, name, *templates, **spec):
        return self.write(f"{name}.yaml", json.dumps({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": name},
            "spec": {"entrypoint": "main", "templates": list(templates), **spec}}))


class Locks(StatusTest):
    def test_the_status_tells_who_holds_and_who_waits(self):
        self.start_server()
        hold = self.home / "hold"
        for name in ("one", "two"):
            self.submit(self.manifest(name, {**step(f"while [ ! -e {hold} ]; do sleep 0.05; done"),
                                             "synchronization": {"mutexes": [{"name": "m"}]}}))
            if name == "one":
                wait_until(lambda: "synchronization" in self.get("one").get("status", {}), what="the lock")
        one = self.get("one")["status"]["synchronization"]
        self.assertEqual(one, {"mutex": {"holding": [{"mutex": "default/Mutex/m", "holder": "default/one/one"}]}})
        two = wait_until(lambda: self.get("two").get("status", {}).get("synchronization"), what="the second to wait")
        self.assertEqual(two, {"mutex": {"waiting": [{"mutex": "default/Mutex/m", "holder": "default/one/one"}]}})
        hold.touch()
        self.assertNotIn("synchronization", self.wait_for_phase("two", "Succeeded")["status"])


class Progress(StatusTest):
    def test_steps_tell_how_far_they_are(self):
        hold = self.home / "hold"
        script = f"echo 50/100 > $ARGO_PROGRESS_FILE; while [ ! -e {hold} ]; do sleep 0.05; done; echo 70/200 >> $ARGO_PROGRESS_FILE"
        self.start_server()
        self.submit(self.manifest("w", step(script)))
        wait_until(lambda: self.get("w").get("status", {}).get("progress") == "50/100", what="the progress")
        self.assertEqual([n["progress"] for n in self.get("w")["status"]["nodes"].values()], ["50/100"])
        hold.touch()
        w = self.wait_for_phase("w", "Succeeded")
        self.assertEqual(w["status"]["progress"], "200/200")
        self.assertEqual(list(self.home.glob("runs/*/work/*")), [])


class Labels(StatusTest):
    def test_labels_are_worked_out_from_parameters(self):
        w = self.run_workflow(self.manifest(
            "w", step("echo {{workflow.labels.team}}"), arguments={"parameters": [{"name": "p", "value": "blue"}]},
            workflowMetadata={"labelsFrom": {"team": {"expression": "workflow.parameters.p + '-team'"}}}))
        self.assertEqual(w["metadata"]["labels"]["team"], "blue-team")
        self.assertEqual(phase(w), "Succeeded")
        self.assertIn("blue-team", self.call("logs", "w").stdout)
        self.assertIn("w", self.call("list", "-l", "team=blue-team").stdout)
