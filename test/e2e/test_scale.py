"""docs/SCALE.md says what bench/scale.py computes."""
import subprocess
import sys
import unittest

from engine import PROJECT


class Scale(unittest.TestCase):
    def test_each_line_of_the_arithmetic_is_in_the_page(self):
        printed = subprocess.run([sys.executable, PROJECT / "bench/scale.py"], check=True, capture_output=True, text=True)
        page = (PROJECT / "docs/SCALE.md").read_text().splitlines()
        lines = printed.stdout.splitlines()
        self.assertGreater(len(lines), 10)
        self.assertEqual([line for line in lines if f"    {line}" not in page], [])
