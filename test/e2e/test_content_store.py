"""The repository of this machine keeps each content once, and nobody can change what another has."""
import json

from engine import EngineTest, nodes, wait_until


def step(name, script, *outputs, inputs=()):
    return {"name": name, "inputs": {"artifacts": [{"name": i, "path": f"/tmp/{i}"} for i in inputs]},
            "container": {"image": "x", "command": ["sh", "-c"], "args": [script]},
            "outputs": {"artifacts": [{"name": o, "path": f"/tmp/{o}", "archive": {"none": {}}} for o in outputs]}}


class ContentStore(EngineTest):
    def workflow(self, name, *templates, **spec):
        made = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": name},
                "spec": {"entrypoint": templates[-1]["name"], "templates": list(templates), **spec}}
        return self.write(f"{name}.yaml", json.dumps(made))

    def place(self, workflow, node, index=0):
        return self.home / "artifacts/default" / nodes(workflow)[node]["outputs"]["artifacts"][index]["s3"]["key"]

    def blobs(self):
        return [p for p in (self.home / "artifacts/.content/sha256").rglob("*") if p.is_file()]

    def scratch(self):
        folder = self.home / "artifacts/.content/new"
        return list(folder.iterdir()) if folder.exists() else []

    def space(self):
        """Bytes on the disk, each file once however many names it has."""
        files = {p.stat().st_ino: p.stat().st_blocks * 512 for p in (self.home / "artifacts").rglob("*") if p.is_file()}
        return sum(files.values())

    def test_the_same_content_takes_its_space_once_and_goes_with_the_last_key(self):
        make = step("make", "mkdir /tmp/d; head -c 4M /dev/zero | tr '\\0' x | tee /tmp/f > /tmp/d/f", "f", "d")
        gc = {"artifactGC": {"strategy": "OnWorkflowDeletion"}}
        one, two = (self.run_workflow(self.workflow(name, make, **gc)) for name in ("one", "two"))
        self.assertEqual(len(self.blobs()), 1)
        self.assertLess(self.space(), 5 << 20)
        self.call("delete", "one")
        self.assertFalse(self.place(one, "one").exists())
        self.assertEqual(self.place(two, "two").read_bytes(), b"x" * (4 << 20))
        self.assertEqual((self.place(two, "two", 1) / "f").stat().st_nlink, 3)
        self.call("delete", "two")
        self.assertEqual((self.blobs(), self.scratch(), self.space()), ([], [], 0))

    def test_a_step_that_overwrites_its_input_changes_nobody_elses(self):
        spoil = step("spoil", "echo spoilt > /tmp/in; echo more >> /tmp/d/f; cat /tmp/in", inputs=("in", "d"))
        show = step("show", "cat /tmp/in /tmp/d/f", inputs=("in", "d"))
        arguments = {"artifacts": [{"name": "in", "from": "{{steps.make.outputs.artifacts.f}}"},
                                   {"name": "d", "from": "{{steps.make.outputs.artifacts.d}}"}]}
        w = self.run_workflow(self.workflow(
            "w", step("make", "echo good > /tmp/f; mkdir /tmp/d; echo good > /tmp/d/f", "f", "d"), spoil, show,
            {"name": "main", "steps": [[{"name": "make", "template": "make"}],
                                       [{"name": "spoil", "template": "spoil", "arguments": arguments}],
                                       [{"name": "show", "template": "show", "arguments": arguments}]]}))
        self.assertEqual(self.place(w, "make").read_text(), "good\n")
        logs = self.call("logs", "w", "--no-color").stdout
        self.assertEqual([line.split(": ")[1] for line in logs.splitlines()], ["spoilt", "good", "good"])
        self.assertEqual(len(self.blobs()), 1)

    def test_many_steps_store_the_same_at_once(self):
        make = step("make", "head -c 1M /dev/zero > /tmp/f", "f")
        main = {"name": "main", "steps": [[{"name": "a", "template": "make", "withSequence": {"count": "12"}}]]}
        runs = [self.start("run", self.workflow(f"w{i}", make, main)) for i in range(3)]
        self.assertEqual([run.wait(120) for run in runs], [0, 0, 0])
        kept = [p for p in (self.home / "artifacts/default").rglob("f") if p.is_file()]
        self.assertEqual(len(kept), 36)
        self.assertEqual({p.stat().st_ino for p in kept}, {p.stat().st_ino for p in self.blobs()})
        self.assertEqual(self.scratch(), [])

    def test_a_killed_engine_leaves_nothing_that_is_not_swept(self):
        size = 512 << 20
        make = step("make", f"truncate -s {size} /tmp/f", "f")
        path = self.workflow("w", make, artifactGC={"strategy": "OnWorkflowDeletion"})
        engine = self.start("run", path)
        wait_until(self.scratch, what="an artifact that is being copied")
        self.kill(engine)
        self.assertTrue(self.scratch())
        self.start_server()
        w = self.wait_for_phase("w", "Succeeded")
        wait_until(lambda: not self.scratch(), what="the half file to be swept")
        self.assertEqual(self.place(w, "w").stat().st_size, size)
        self.assertEqual(len(self.blobs()), 1)
        self.call("delete", "w")
        self.assertEqual((self.blobs(), self.scratch()), ([], []))

    def test_keys_of_an_older_store_go_on_to_work(self):
        old = self.home / "artifacts/b/old.txt"
        old.parent.mkdir(parents=True)
        old.write_text("from before\n")
        at = {"name": "in", "path": "/tmp/in", "s3": {"bucket": "b", "key": "old.txt"}}
        copy = {**step("copy", "cat /tmp/in > /tmp/out", "out"), "inputs": {"artifacts": [at]}}
        w = self.run_workflow(self.workflow("w", copy))
        self.assertEqual(self.place(w, "w").read_text(), "from before\n")
        self.assertEqual(old.stat().st_nlink, 1)

    def test_no_location_names_the_bytes_themselves(self):
        for bucket in (".content", "x/../.content", "."):
            out = {"name": "f", "path": "/tmp/f", "archive": {"none": {}}, "s3": {"bucket": bucket, "key": "sha256/k"}}
            make = {**step("make", "echo x > /tmp/f"), "outputs": {"artifacts": [out]}}
            w = self.run_workflow(self.workflow("w", make), ok=False)
            self.assertIn("its location is not of this machine", nodes(w)["w"]["message"])
            self.call("delete", "w")

    def test_a_check_names_what_is_damaged(self):
        w = self.run_workflow(self.workflow("w", step("make", "echo hello > /tmp/f; cp /tmp/f /tmp/g", "f", "g")))
        self.assertEqual(self.call("store", "check").stdout, "contents: 1, bytes: 6, files: 2, removed without a file: 0\n")
        self.place(w, "w").write_text("jello\n")
        p = self.call("store", "check", ok=False)
        self.assertEqual(p.stdout.splitlines()[:2], ["damaged: default/w/w/f", "damaged: default/w/w/g"])
        self.assertIn("2 of the files of artifacts hold other bytes than were stored", p.stderr)
