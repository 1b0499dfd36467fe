"""Volumes of steps that run on this machine without images."""
import os
import unittest

from engine import EngineTest, nodes, phase


class VolumesTest(EngineTest):
    def run_with(self, spec, ok=True):
        """The finished workflow whose spec is `spec`, in YAML, with the template `main` as its entrypoint."""
        path = self.write("w.yaml", "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\n"
                          "spec:\n  entrypoint: main\n" + spec)
        return self.run_workflow(path, ok=ok)

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


if __name__ == "__main__":
    unittest.main()
