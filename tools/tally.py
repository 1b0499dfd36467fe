#!/usr/bin/env python3
"""tally.py DIR: adds up the results below DIR (JUnit .xml of ctest; .txt with a closing line) and prints
`N passed, N failed, N skipped`. Exit code 1 when something failed or nothing passed."""
import pathlib
import re
import sys
import xml.etree.ElementTree

passed = failed = skipped = 0
for path in sorted(pathlib.Path(sys.argv[1]).glob("*")):
    if path.suffix == ".xml":
        suite = xml.etree.ElementTree.parse(path).getroot()
        total, bad, out = (int(suite.get(k) or 0) for k in ("tests", "failures", "skipped"))
        out += int(suite.get("disabled") or 0)
        passed, failed, skipped = passed + total - bad - out, failed + bad, skipped + out
        continue
    lines = re.findall(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", path.read_text(), re.M)
    if not lines:
        failed += 1  # it broke off before its end
        print(f"{path.name}: no closing line")
        continue
    ok, bad, out = lines[-1]
    passed, failed, skipped = passed + int(ok), failed + int(bad), skipped + int(out or 0)
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(1 if failed or not passed else 0)
