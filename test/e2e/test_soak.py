"""A short run of bench/soak.py, which kills engine and supervisor at random under load. `make soak` takes an hour."""
import re
import subprocess
import sys
import unittest

from engine import PROJECT, binary

SECONDS = 12


class Soak(unittest.TestCase):
    def test_nothing_is_lost_or_done_twice(self):
        p = subprocess.run([sys.executable, "-B", PROJECT / "bench/soak.py", binary(), str(SECONDS), "--seed", "11"],
                           capture_output=True, text=True, timeout=300)
        self.assertEqual(p.returncode, 0, p.stdout + p.stderr)
        kills, workflows = re.search(r"kills (\d+) .*; (\d+) workflows", p.stdout).groups()
        self.assertGreater(int(kills), 0, p.stdout)
        self.assertGreater(int(workflows), 0, p.stdout)
