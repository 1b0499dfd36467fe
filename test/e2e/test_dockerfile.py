"""deploy/Dockerfile: its image has the libraries that the binary needs."""
import pathlib
import re
import subprocess
import unittest

from engine import PROJECT, binary, is_sanitized


def package_of(library):
    real = str(pathlib.Path(library).resolve())
    for path in (real, real.removeprefix("/usr")):  # dpkg knows it where its package has it
        told = subprocess.run(["dpkg", "-S", path], capture_output=True, text=True)
        if told.returncode == 0:
            return told.stdout.split(":")[0]
    return real


@unittest.skipIf(is_sanitized(), "its image is of the release binary")
class Dockerfile(unittest.TestCase):
    def test_has_what_the_binary_is_linked_to_and_what_it_loads(self):
        text = (PROJECT / "deploy/Dockerfile").read_text().split(" AS tiphys\n")[1]
        installed = set(re.search(r"--no-install-recommends((?:.|\n)*?)&&", text)[1].replace("\\", "").split())
        base = {"libc6", "libgcc-s1"}  # of every Debian
        linked = subprocess.run(["ldd", binary()], capture_output=True, text=True, check=True).stdout
        loaded = [str(next(pathlib.Path("/usr/lib").glob(f"*/{name}"))) for name in ("libcurl.so.4", "libpq.so.5")]
        needed = {package_of(library) for library in re.findall(r"=> (/\S+)", linked) + loaded}
        self.assertGreater(len(needed), 5)
        self.assertLessEqual(needed, installed | base)
