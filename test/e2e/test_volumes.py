"""Volumes of steps that run on this machine without images."""
import ctypes
import os
import threading
import unittest

from engine import EngineTest, nodes, phase


class VolumesTest(EngineTest):
    def run_with(self, spec, ok=True, flags=()):
        """The finished workflow whose spec is `spec`, in YAML, with the template `main` as its entrypoint."""
        path = self.write("w.yaml", "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\n"
                          "spec:\n  entrypoint: main\n" + spec)
        return self.run_workflow(path, *flags, ok=ok)

    def logs(self):
        return self.call("logs", "w", "--no-color").stdout

    def test_a_mount_of_no_volume_is_an_error(self):
        w = self.run_with("""
  templates:
  - name: main
    container: {image: x, command: [ls, /nope], volumeMounts: [{name: nope, mountPath: /nope}]}
""", ok=False)
        self.assertEqual("Error", phase(w))
        self.assertEqual(("Error", "volume 'nope' not found in workflow spec"),
                         (nodes(w)["w"]["phase"], nodes(w)["w"]["message"]))

    HOST_PATH = """
  volumes: [{name: h, hostPath: {path: FOLDER}}]
  templates:
  - name: main
    container: {image: x, command: [sh, -c, "cat /of-host/f; ls /of-host"], volumeMounts: [{name: h, mountPath: /of-host}]}
"""

    def test_a_folder_of_the_machine_is_mounted_only_if_it_is_allowed(self):
        folder = self.home / "shared"
        folder.mkdir()
        (folder / "f").write_text("of the host\n")
        told = f"hostPath '{folder}' is not allowed on this machine: name a folder that holds it in " \
               "TIPHYS_HOST_PATHS or --host-paths"
        w = self.run_with(self.HOST_PATH.replace("FOLDER", str(folder)), ok=False)
        self.assertEqual(("Error", told), (nodes(w)["w"]["phase"], nodes(w)["w"]["message"]))
        self.assertIn(f":7:40: warning: {told}", self.call("lint", self.home / "w.yaml").stdout)
        self.assertIn(f"warning: {told}", self.call("run", self.home / "w.yaml", "--name", "x", ok=False).stderr)
        self.call("delete", "w")
        for name, list_ in (("y", f"/srv:{self.home}"), ("z", "/")):
            p = self.call("run", self.home / "w.yaml", "--name", name, "--host-paths", list_)
            self.assertNotIn(told, p.stderr)
            self.assertIn("of the host", self.call("logs", name).stdout)

    def test_no_link_leads_out_of_the_allowed_folders(self):
        for name in ("open", "closed"):
            (self.home / name).mkdir()
        (self.home / "closed" / "f").write_text("secret\n")
        (self.home / "open" / "link").symlink_to(self.home / "closed")
        for path, more in (("open/link", ""), ("open", ", subPath: link")):
            w = self.run_with(self.HOST_PATH.replace("FOLDER", f"{self.home}/{path}")
                              .replace("mountPath: /of-host", "mountPath: /of-host" + more), ok=False,
                              flags=("--host-paths", f"{self.home}/open"))
            self.assertEqual("Error", nodes(w)["w"]["phase"])
            self.assertIn("not allowed" if not more else "subPath 'link' leads out of its volume",
                          nodes(w)["w"]["message"])
            self.call("delete", "w")

    @unittest.skipUnless(os.geteuid() == 0, "mounts need root")
    def test_a_link_that_comes_between_the_look_and_the_mount_is_not_followed(self):
        for name in ("open/a/b", "closed/b"):
            (self.home / name).mkdir(parents=True)
        (self.home / "open/a/b/f").write_text("mine\n")
        (self.home / "closed/b/f").write_text("secret\n")
        (self.home / "open/link").symlink_to(self.home / "closed")
        paths = [os.fsencode(self.home / "open" / name) for name in ("a", "link")]
        exchange, done = ctypes.CDLL(None).renameat2, threading.Event()

        def swap():
            while not done.is_set():
                exchange(-100, paths[0], -100, paths[1], 2)  # AT_FDCWD, RENAME_EXCHANGE

        thread = threading.Thread(target=swap)
        thread.start()
        try:
            self.run_with("""
  volumes: [{name: h, hostPath: {path: FOLDER/open}}]
  templates:
  - name: main
    steps: [[{name: s, template: show, withSequence: {count: "60"}, continueOn: {error: true, failed: true}}]]
  - name: show
    container: {image: x, command: [cat, /of-host/f], volumeMounts: [{name: h, mountPath: /of-host, subPath: a/b}]}
""".replace("FOLDER", str(self.home)), ok=None, flags=("--host-paths", f"{self.home}/open"))
        finally:
            done.set()
            thread.join()
        self.assertIn("mine", self.logs())
        self.assertNotIn("secret", self.logs())

    @unittest.skipUnless(os.geteuid() == 0, "mounts need root")
    def test_what_is_mounted_read_only_cannot_be_written(self):
        self.run_with("""
  volumes:
  - {name: e, emptyDir: {}}
  - {name: c, persistentVolumeClaim: {claimName: c, readOnly: true}}
  - {name: d, persistentVolumeClaim: {claimName: c}}
  templates:
  - name: main
    script:
      image: x
      command: [sh]
      source: "for d in e c d e/in; do touch /tiphys-ro/$d/f 2> /dev/null && echo wrote $d; done; true"
      volumeMounts:
      - {name: e, mountPath: /tiphys-ro/e, readOnly: true}
      - {name: c, mountPath: /tiphys-ro/c}
      - {name: d, mountPath: /tiphys-ro/d}
      - {name: d, mountPath: /tiphys-ro/e/in}
""")
        self.assertEqual(["w: wrote d", "w: wrote e/in"], self.logs().splitlines())

    def test_files_of_a_volume_have_their_modes_and_tell_of_the_pod(self):
        path = self.write("w.yaml", """
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data: {a: one, b: two}
---
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: w, namespace: default}
spec:
  entrypoint: main
  volumes:
  - {name: c, configMap: {name: c, defaultMode: 0440, items: [{key: a, path: x/a, mode: 0400}, {key: b, path: b}]}}
  - name: d
    downwardAPI:
      items:
      - {path: labels, fieldRef: {fieldPath: metadata.labels}}
      - {path: team, fieldRef: {fieldPath: "metadata.labels['team']"}}
      - {path: name, fieldRef: {fieldPath: metadata.name}, mode: 0400}
      - {path: cpu, resourceFieldRef: {resource: limits.cpu}}
  templates:
  - name: main
    metadata: {labels: {team: 'a "b"'}}
    container:
      image: x
      command: [sh, -c, "cd /tiphys-v; stat -c '%a %n' c/x/a c/b d/name; cat d/name d/team d/labels"]
      volumeMounts: [{name: c, mountPath: /tiphys-v/c}, {name: d, mountPath: /tiphys-v/d}]
""")
        err = self.call("run", path).stderr
        self.assertIn("volumes.downwardAPI.items.resourceFieldRef is not acted on yet", err)
        self.assertEqual(["400 c/x/a", "440 c/b", "400 d/name", 'wa "b"team="a \\"b\\""',
                          'workflows.argoproj.io/completed="false"', 'workflows.argoproj.io/workflow="w"'],
                         [line.removeprefix("w: ") for line in self.logs().splitlines()])


if __name__ == "__main__":
    unittest.main()
