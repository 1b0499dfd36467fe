"""Artifacts in the folder of this machine."""
import os
import subprocess
import unittest

from engine import EngineTest, binary, is_sanitized, nodes

HEAD = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec:\n  entrypoint: main\n"


class Artifacts(EngineTest):
    def test_an_expression_chooses_an_artifact(self):
        path = self.write("w.yaml", HEAD + """
  arguments: {parameters: [{name: side, value: tails}]}
  templates:
  - name: main
    steps:
    - - {name: choose, template: choose}
    - - {name: show, template: show, arguments: {artifacts: [{name: in, from: "{{steps.choose.outputs.artifacts.chosen}}"}]}}
  - name: show
    inputs: {artifacts: [{name: in, path: /tmp/in}]}
    container: {image: x, command: [cat, /tmp/in]}
  - name: choose
    inputs: {parameters: [{name: side, value: "{{workflow.parameters.side}}"}]}
    steps:
    - - {name: heads, template: flip, arguments: {parameters: [{name: says, value: heads}]}}
      - {name: tails, template: flip, arguments: {parameters: [{name: says, value: tails}]}}
    outputs:
      artifacts:
      - {name: chosen, fromExpression: "inputs.parameters.side == 'heads' ? steps.heads.outputs.artifacts.f : steps.tails.outputs.artifacts.f"}
  - name: flip
    inputs: {parameters: [{name: says}]}
    container: {image: x, command: [sh, -c, "echo {{inputs.parameters.says}} > /tmp/f"]}
    outputs: {artifacts: [{name: f, path: /tmp/f}]}
""")
        for side in ("tails", "heads"):
            all_nodes = nodes(self.run_workflow(path, "-p", f"side={side}"))
            self.assertIn(f": {side}\n", self.call("logs", "w", "--no-color").stdout)
            flip = all_nodes[side]["outputs"]["artifacts"][0]["s3"]["key"]
            self.assertEqual([("chosen", flip)], [(a["name"], a["s3"]["key"]) for a
                                                  in all_nodes["choose"]["outputs"]["artifacts"]])
            self.call("delete", "w")

    def test_a_large_file_is_not_held_in_memory(self):
        size = int(os.environ.get("TIPHYS_ARTIFACT_TEST_MIB", "200"))
        path = self.write("w.yaml", HEAD + """
  templates:
  - name: main
    steps:
    - - {name: make, template: make}
    - - {name: use, template: use, arguments: {artifacts: [{name: in, from: "{{steps.make.outputs.artifacts.f}}"}]}}
  - name: make
    container: {image: x, command: [sh, -c, "head -c SIZEM /dev/urandom > /tmp/f; sha256sum < /tmp/f"]}
    outputs: {artifacts: [{name: f, path: /tmp/f, archive: {none: {}}}]}
  - name: use
    inputs: {artifacts: [{name: in, path: /tmp/in}]}
    container: {image: x, command: [sh, -c, "wc -c < /tmp/in; sha256sum < /tmp/in"]}
""".replace("SIZE", str(size)))
        run = subprocess.Popen([binary(), "run", str(path)], env=self.env(), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(0, run.returncode)
        if not is_sanitized():
            self.assertLess(usage.ru_maxrss, 100 << 10, "KiB of the engine")
        lines = [line.split(": ")[1] for line in self.call("logs", "w", "--no-color").stdout.splitlines()]
        self.assertEqual([lines[0], str(size << 20), lines[0]], lines)


if __name__ == "__main__":
    unittest.main()
