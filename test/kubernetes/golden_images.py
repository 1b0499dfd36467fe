#!/usr/bin/python3
"""golden_images.py LAYOUT MANIFEST...: the images that manifests name and that an OCI layout of images.py does not
hold, one a line. Exit code 1 when there are some."""
import json
import pathlib
import re
import sys


def full(name):
    """`busybox` is docker.io/library/busybox:latest."""
    first = name.split("/")[0]
    if not re.search(r"[.:]|^localhost$", first) or "/" not in name:
        name = "docker.io/" + ("" if "/" in name else "library/") + name
    return name if ":" in name.rpartition("/")[2] else name + ":latest"


held = {m["annotations"]["io.containerd.image.name"]
        for m in json.loads((pathlib.Path(sys.argv[1]) / "index.json").read_text())["manifests"]}
named = {n for path in sys.argv[2:]
         for n in re.findall(r"""\bimage:\s*["']?([^\s"',}\\]+)""", pathlib.Path(path).read_text())}
missing = sorted(n for n in named if "{{" not in n and full(n) not in held)
print("\n".join(missing))
sys.exit(1 if missing else 0)
