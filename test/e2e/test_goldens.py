"""The goldens of the real Argo that are known to pass (test/conformance/passing.txt) must go on passing.

They stand beside the project, in ../shared/conformance/golden (or $TIPHYS_GOLDEN); without them these
tests are skipped."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from engine import PROJECT, binary

GOLDEN = pathlib.Path(os.environ.get("TIPHYS_GOLDEN") or PROJECT.parent / "shared/conformance/golden")
NAMES = [line.split("#")[0].strip() for line in (PROJECT / "test/conformance/passing.txt").read_text().splitlines()]
NAMES = [n for n in NAMES if n]


class Goldens(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not (GOLDEN / "run_all.py").exists():
            raise unittest.SkipTest(f"no {GOLDEN}")
        only = "^(" + "|".join(map(re.escape, NAMES)) + ")$"
        with tempfile.TemporaryDirectory(prefix="tiphys-goldens-") as cwd:
            env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
            p = subprocess.run([sys.executable, str(GOLDEN / "run_all.py"), binary(), str(GOLDEN), "--only", only,
                                "--jobs", "4"], text=True, capture_output=True, cwd=cwd, env=env)
        cls.output = p.stdout + p.stderr
        cls.rows = {m.group(1): m for m in re.finditer(r"^(\S+) +\S+ +(pass|FAIL|skip) +(.*)$", p.stdout, re.M)}


def golden(name):
    def test(self):
        self.assertIn(name, self.rows, self.output[-2000:])
        self.assertEqual(self.rows[name].group(2), "pass", self.rows[name].group(3))
    return test


for name in NAMES:
    setattr(Goldens, "test_" + name, golden(name))
