"""`tiphys lint` beside Argo's own lint on the files of the golden set: nothing that Argo refuses passes silently, and
nothing that it accepts is refused (test/conformance/lint_refused.txt).

The files stand beside the project, in ../shared/conformance (or around $TIPHYS_GOLDEN); without them these tests are
skipped."""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from engine import PROJECT, binary

GOLDEN = pathlib.Path(os.environ.get("TIPHYS_GOLDEN") or PROJECT.parent / "shared/conformance/golden")


def refused_by_argo():
    lines = (PROJECT / "test/conformance/lint_refused.txt").read_text().splitlines()
    return dict(line.split("\t", 1) for line in lines if line and not line.startswith("#"))


def errors_of(path, home):
    """The errors that lint tells of this file, the objects of the set known."""
    words = [binary(), "lint", str(GOLDEN / "objects.yaml"), str(path), "-o", "json"]
    env = dict(os.environ, TIPHYS_HOME=home, NO_COLOR="1")
    found = json.loads(subprocess.run(words, text=True, capture_output=True, env=env, check=False).stdout)
    return [f["message"] for f in found if f["severity"] == "error" and pathlib.Path(f["file"]) == path]


class LintGoldens(unittest.TestCase):
    def test_what_argo_refuses_is_refused_and_nothing_else(self):
        files = [f for folder in (GOLDEN, GOLDEN.parent / "manifests") for f in sorted(folder.glob("*.yaml"))
                 if f.name != "objects.yaml"]
        if not files:
            self.skipTest(f"no {GOLDEN}")
        refused = refused_by_argo()
        with tempfile.TemporaryDirectory(prefix="tiphys-lint-") as home, \
                concurrent.futures.ThreadPoolExecutor(2) as pool:
            found = dict(zip(files, pool.map(lambda f: errors_of(f, home), files)))
        for path, errors in found.items():
            name = f"{path.parent.name}/{path.stem}"
            with self.subTest(name):
                if name in refused:
                    self.assertTrue(any(refused[name] in e or e in refused[name] for e in errors),
                                    f"Argo says {refused[name]!r}, we say {errors}")
                else:
                    self.assertEqual(errors, [])


if __name__ == "__main__":
    unittest.main()
