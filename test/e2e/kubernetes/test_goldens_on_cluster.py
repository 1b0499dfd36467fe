"""The goldens of the real Argo on a real cluster: one in TIPHYS_GOLDEN_EVERY (20), or all of them (1)."""
import os
import re
import subprocess
import sys
import unittest

from cluster import ClusterTest
from engine import binary
from test_goldens import GOLDEN, NAMES

EVERY = int(os.environ.get("TIPHYS_GOLDEN_EVERY", "20"))
# Nothing provisions volumes here: what the claims of the goldens are bound to.
CLAIMS = ["my-existing-volume", "ex-volumes-pvc-workdir", "go-artifacts-test-artifact-ephemeral-volume-8-vol",
          "td-volume-claim-template-workflow-vol", "td-retry-with-recreated-pvc-test-workdir"]
VOLUME = """apiVersion: v1
kind: PersistentVolume
metadata: {name: NAME-NS}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  hostPath: {path: DIR/NAME, type: DirectoryOrCreate}
  claimRef: {namespace: NS, name: NAME}
"""
# What was there when these were recorded, and is not here.
ELSEWHERE = {
    "ex-resource-claims": "a driver of devices",
    "ex-resource-claims-template-override": "a driver of devices",
    "td-artifactgc-artgc-dag-wf-self-delete": "an image of the argo CLI that asks the API for custom resources",
    "td-retry-on-stopped": "an image of the argo CLI that asks the API for custom resources",
    "td-resource-templates-outputs": "an image argosay without an entrypoint, whose pod fails",
}
# compare.py does not find what their records ignore (docs/CONFORMANCE.md).
MISREAD = {"fn-dag-argument-passing", "ex-scripts-bash", "ex-scripts-javascript"}


@unittest.skipUnless((GOLDEN / "run_all.py").exists(), f"no {GOLDEN}")
class Goldens(ClusterTest):
    def setUp(self):
        super().setUp()
        # Pods take their ConfigMaps and Secrets from the cluster, the engine takes the same from its state.
        parts = (GOLDEN / "objects.yaml").read_text().split("\n---\n")
        core = [p for p in parts if re.search(r"^kind: (ConfigMap|Secret|PersistentVolumeClaim)$", p, re.M)]
        self.kubectl("apply", "-n", self.namespace, "-f", "-", stdin="\n---\n".join(core))
        volumes = [VOLUME.replace("NS", self.namespace).replace("DIR", os.environ["K8S_DIR"]).replace("NAME", name)
                   for name in CLAIMS]
        self.kubectl("apply", "-f", "-", stdin="---\n".join(volumes))

    def run_goldens(self, folder, *more):
        """Name -> (verdict, remark)."""
        command = " ".join(["{bin}", "run", *self.flags(), "{objects} {yaml} -o json"])
        p = subprocess.run([sys.executable, str(GOLDEN / "run_all.py"), binary(), str(folder), "--cmd", command,
                            "--timeout", "240", "--resume-after", "12", "--jobs", "4", *more], text=True, capture_output=True, cwd=self.home,
                           env=self.env(PYTHONDONTWRITEBYTECODE="1"))
        rows = re.findall(r"^(\S+) +\S+ +(pass|FAIL|skip) +(.*)$", p.stdout, re.M)
        self.assertTrue(rows, (p.stdout + p.stderr)[-2000:])
        return {name: (verdict, remark) for name, verdict, remark in rows}

    def assert_all_pass(self, rows):
        for name, (verdict, remark) in rows.items():
            with self.subTest(golden=name):
                self.assertEqual(verdict, "pass", remark)

    def test_portable(self):
        self.give_rights("", "persistentvolumeclaims", ["create", "get", "delete"])
        every = sorted(f.stem for f in GOLDEN.glob("*.yaml") if f.with_suffix(".json").exists() and f.stem not in MISREAD)
        only = os.environ.get("TIPHYS_GOLDEN_ONLY")
        chosen = [n for n in (every if EVERY == 1 else NAMES[::EVERY]) if not only or n in only.split(",")]
        rows = self.run_goldens(GOLDEN, "--only", "^(" + "|".join(map(re.escape, chosen)) + ")$")
        self.assertEqual(sorted(rows), sorted(chosen))
        self.assert_all_pass(rows)

    @unittest.skipUnless(EVERY == 1 and (GOLDEN.parent / "cluster").exists(), "only with TIPHYS_GOLDEN_EVERY=1")
    def test_those_that_need_a_cluster(self):
        self.give_rights("*", "*", ["*"])
        every = {f.stem for f in (GOLDEN.parent / "cluster").glob("*.yaml")}
        self.assertLessEqual(set(ELSEWHERE), every)
        chosen = sorted(every - set(ELSEWHERE))
        rows = self.run_goldens(GOLDEN.parent / "cluster", "--class", "cluster", "--only",
                                "^(" + "|".join(map(re.escape, chosen)) + ")$")
        self.assertEqual(sorted(rows), chosen)
        self.assert_all_pass(rows)
