"""Containers without `command` on Kubernetes: their registry is asked what the image starts."""
import hashlib
import json
import pathlib
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "kubernetes"))
from engine import PROJECT, nodes, phase  # noqa: E402
from pods_engine import FakeApiTest, workflow  # noqa: E402


def write_layout(folder):
    """An OCI layout with the image org/app:1, which starts `/app -h`."""
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)

    def add(content, kind):
        data = json.dumps(content).encode()
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {"mediaType": f"application/vnd.oci.image.{kind}.v1+json", "digest": f"sha256:{digest}", "size": len(data)}
    config = add({"config": {"Entrypoint": ["/app", "$(HOME)"], "Cmd": ["-h"]}, "rootfs": {}}, "config")
    manifest = add({"schemaVersion": 2, "config": config, "layers": []}, "manifest")
    index = add({"schemaVersion": 2, "manifests": [
        {**manifest, "platform": {"os": "linux", "architecture": a}} for a in ("amd64", "arm64")]}, "index")
    (folder / "index.json").write_text(json.dumps({"manifests": [
        {**index, "annotations": {"io.containerd.image.name": "docker.io/org/app:1"}}]}))


class Images(FakeApiTest):
    def start_registry(self, user=""):
        """Its `host:port`."""
        write_layout(self.home / "layout")
        p = subprocess.Popen([sys.executable, PROJECT / "test/kubernetes/registry.py", self.home / "layout", "0", user],
                             stdout=subprocess.PIPE, text=True)
        self.engines.append(p)
        return f"127.0.0.1:{p.stdout.readline().strip()}"

    def words(self):
        """What the main container of the only pod runs under tiphys-step."""
        pod, = self.api.pods.values()
        main = next(c for c in pod["spec"]["containers"] if c["name"] == "main")
        command = main["command"]
        return command[command.index("--") + 1:] + (main.get("args") or [])

    def test_the_entrypoint_comes_from_the_registry(self):
        image = self.start_registry() + "/org/app:1"
        made = self.run_pods(f"- {{name: main, container: {{image: '{image}'}}}}\n")
        self.assertEqual(phase(made), "Succeeded")
        self.assertEqual(self.words(), ["/app", "$$(HOME)", "-h"])

    def test_args_stand_for_cmd(self):
        image = self.start_registry() + "/org/app:1"
        self.run_pods(f"- {{name: main, container: {{image: '{image}', args: [-v, now]}}}}\n")
        self.assertEqual(self.words(), ["/app", "$$(HOME)", "-v", "now"])

    def test_a_registry_that_wants_to_know_who_asks(self):
        registry = self.start_registry("ann:s3cret")
        config = self.write("config.json", json.dumps(
            {"auths": {registry: {"username": "ann", "password": "s3cret"}}}))
        templates = f"- {{name: main, container: {{image: '{registry}/org/app:1'}}}}\n"
        made = self.run_pods(templates, ok=False)
        node = nodes(made)["w"]
        self.assertEqual(node["phase"], "Error")
        self.assertEqual(node["message"], f'image "{registry}/org/app:1" has no command in the template, and its registry '
                         f"does not tell one: {registry} answered 401: there is no such image, or it needs "
                         "imagePullSecrets; set command")
        self.call("secret", "create", "pull", "--from-file", f".dockerconfigjson={config}")
        made = self.run_pods(templates, name="w2", spec="imagePullSecrets: [{name: pull}]")
        self.assertEqual(phase(made), "Succeeded")
        self.assertEqual(self.words(), ["/app", "$$(HOME)", "-h"])

    def test_a_step_that_is_ended_while_its_registry_is_asked(self):
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            image = f"127.0.0.1:{deaf.getsockname()[1]}/a"
            manifest = workflow(f"- {{name: main, container: {{image: '{image}'}}}}\n")
            running = self.start("run", self.write("w.yaml", manifest))
            deaf.settimeout(60)
            connection, _ = deaf.accept()  # it asks
            with connection:
                self.call("terminate", "w")
                self.assertNotEqual(running.wait(60), 0)
                self.assertNotIn("its registry", nodes(self.get("w"))["w"]["message"])  # nobody waits for it
        self.assertEqual(self.api.pods, {})
