"""The hook cases of test/hooks: each pins one behaviour of hooks and exit handlers."""
import re
import subprocess
import sys
import unittest

from engine import PROJECT, binary

CASES = PROJECT / "test" / "hooks" / "cases"


class HookCases(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        p = subprocess.run([sys.executable, str(CASES.parent / "check.py"), binary()], text=True,
                           capture_output=True)
        cls.verdicts, cls.output = {}, p.stdout + p.stderr
        name = None
        for line in p.stdout.splitlines():
            m = re.match(r"(ok|known|FAILED) +(\S+)", line)
            if m:
                name = m.group(2)
                cls.verdicts[name] = [m.group(1), ""]
            elif line.startswith("    ") and name:
                cls.verdicts[name][1] += line.strip() + "\n"


def case(name):
    def test(self):
        self.assertIn(name, self.verdicts, self.output[-2000:])
        verdict, detail = self.verdicts[name]
        self.assertIn(verdict, ("ok", "known"), detail)
    return test


for file in sorted(CASES.glob("*.yaml")):
    if not file.name.endswith(".defaults.yaml"):
        setattr(HookCases, "test_" + file.stem, case(file.stem))
