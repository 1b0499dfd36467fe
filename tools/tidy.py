#!/usr/bin/env python3
"""tidy.py BUILD_DIR [FILE...]: clang-tidy over src/, except for what it has found clean before.

A file's key is a hash of its text, of all project headers that it reaches, of its compile flags, of
.clang-tidy and of the version of clang-tidy. Keys of clean files are kept in ~/.cache/tiphys-tidy, so a
second run, even in a fresh clone, looks only at what has changed."""
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

TIDY = "clang-tidy-19"
ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "tiphys-tidy"
DAYS_KEPT = 60


@functools.cache
def reach(path):
    """The project files that `path` includes, directly or not, and itself."""
    out, todo = {path}, [path]
    while todo:
        for name in re.findall(r'^#include "([^"]+)"', todo.pop().read_text(errors="replace"), re.M):
            header = ROOT / "src" / name
            if header.exists() and header not in out:
                out.add(header)
                todo.append(header)
    return frozenset(out)


def key(path, flags, base):
    h = hashlib.sha256(base)
    h.update(flags.encode())
    for f in sorted(reach(path)):
        h.update(str(f.relative_to(ROOT)).encode() + b"\0" + f.read_bytes() + b"\0")
    return h.hexdigest()


def check(path, build):
    p = subprocess.run([TIDY, "--quiet", "-p", build, str(path)], capture_output=True, text=True)
    text = p.stdout.strip()
    if p.returncode and not text:
        text = p.stderr.strip()
    return p.returncode, text


def main():
    build, only = sys.argv[1], sys.argv[2:]
    version = subprocess.run([TIDY, "--version"], capture_output=True, check=True).stdout
    base = version + (ROOT / ".clang-tidy").read_bytes()
    commands = json.loads(pathlib.Path(build, "compile_commands.json").read_text())
    todo = {}
    for c in commands:
        path = pathlib.Path(c["file"])
        if (ROOT / "src") not in path.parents or path.name.endswith("_test.cc"):
            continue
        if only and not any(path.samefile(f) for f in only):
            continue
        flags = " ".join(re.findall(r"(?<=\s)-(?:D|O|std)\S+", c["command"]))
        todo[path] = key(path, flags, base)
    CACHE.mkdir(parents=True, exist_ok=True)
    for old in CACHE.iterdir():
        if time.time() - old.stat().st_mtime > DAYS_KEPT * 86400:
            old.unlink()
    stale = []
    for path, k in todo.items():
        if (CACHE / k).exists():
            os.utime(CACHE / k)
        else:
            stale.append(path)
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, (code, text) in zip(stale, pool.map(lambda p: check(p, build), stale)):
            if code:
                bad += 1
                print(text, flush=True)
            else:
                (CACHE / todo[path]).touch()
    print(f"clang-tidy: {len(todo)} files, {len(todo) - len(stale)} known to be clean, {bad} with findings")
    return 1 if bad or not todo else 0


if __name__ == "__main__":
    sys.exit(main())
