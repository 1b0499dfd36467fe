#!/usr/bin/python3
"""images.py FOLDER: makes an OCI layout with the images of the tests in FOLDER; nothing can be pulled where they run.

  STEP_BINARY  the static program that goes into tiphys-step:dev as /tiphys-step (default build/tiphys-step; left out
               when it is not there)
  K8S_IMAGES   `small` (default): busybox under the usual names, argosay, a distroless one; `goldens`: also those that
               have Python, bash, jq, curl and node, taken from this machine with their libraries

A layer is an uncompressed tar, so that no time goes into packing. registry.py serves the folder, load.sh imports it."""
import hashlib
import io
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
PATH = "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
PYTHON_UNUSED = {"dist-packages", "test", "idlelib", "tkinter", "lib2to3", "ensurepip", "pydoc_data", "unittest"}


class Layer:
    """A file system layer: a tar whose bytes depend on its contents only."""

    def __init__(self):
        self.entries = {}

    def _parents(self, path):
        for parent in reversed(pathlib.PurePath(path).parents):
            if str(parent) != "." and str(parent) not in self.entries:
                self.folder(str(parent))

    def folder(self, path, mode=0o755):
        info = tarfile.TarInfo(path)
        info.type, info.mode = tarfile.DIRTYPE, mode
        self.entries[path] = (info, None)

    def file(self, path, data, mode=0o755):
        self._parents(path)
        info = tarfile.TarInfo(path)
        info.size, info.mode = len(data), mode
        self.entries[path] = (info, data)

    def link(self, path, target):
        self._parents(path)
        info = tarfile.TarInfo(path)
        info.type, info.linkname = tarfile.SYMTYPE, target
        self.entries[path] = (info, None)

    def copy(self, source, path=None):
        source = pathlib.Path(source)
        self.file(path or str(source).lstrip("/"), source.read_bytes(), source.stat().st_mode & 0o777)

    def program(self, name):
        """A program of this machine, by its name, with the libraries that it is linked to."""
        where = pathlib.Path(shutil.which(name, path="/usr/bin:/bin")).resolve()
        self.copy(where, f"usr/bin/{name}")
        self.libraries([where])

    def libraries(self, files):
        told = subprocess.run(["ldd", *map(str, files)], capture_output=True, text=True).stdout
        for word in set(told.split()):
            if word.startswith("/") and not word.endswith(":"):
                self.copy(word)

    def tar(self):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as t:
            for info, data in self.entries.values():
                t.addfile(info, data and io.BytesIO(data))
        return out.getvalue()


class Layout:
    """An OCI layout that is being written; each layer is written once."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.manifests = []
        self.layers = {}
        shutil.rmtree(self.folder / "blobs", ignore_errors=True)
        (self.folder / "blobs/sha256").mkdir(parents=True)

    def blob(self, data, media):
        digest = hashlib.sha256(data).hexdigest()
        (self.folder / "blobs/sha256" / digest).write_bytes(data)
        return {"mediaType": f"application/vnd.oci.image.{media}", "digest": f"sha256:{digest}", "size": len(data)}

    def image(self, names, config, *layers):
        for layer in layers:
            if layer not in self.layers:
                self.layers[layer] = self.blob(layer.tar(), "layer.v1.tar")
        described = [self.layers[layer] for layer in layers]
        machine = {"aarch64": "arm64"}.get(platform.machine(), "amd64")
        config = self.blob(json.dumps({
            "architecture": machine, "os": "linux", "config": {"Env": [PATH], **config},
            "rootfs": {"type": "layers", "diff_ids": [d["digest"] for d in described]}}).encode(), "config.v1+json")
        manifest = self.blob(json.dumps({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config,
            "layers": described}).encode(), "manifest.v1+json")
        for name in names:
            self.manifests.append({**manifest, "annotations": {"io.containerd.image.name": name}})

    def close(self):
        (self.folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        index = self.folder / "index.json.new"  # renamed, as registry.py may be reading
        index.write_text(json.dumps({"schemaVersion": 2, "manifests": self.manifests}))
        index.rename(self.folder / "index.json")


def compiled(source):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "program"
        subprocess.run([os.environ.get("CC", "cc"), "-Os", "-static", "-s", "-o", out, HERE / source], check=True)
        return out.read_bytes()


def busybox():
    program = shutil.which("busybox")
    layer = Layer()
    layer.copy(program, "bin/busybox")
    for applet in subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split():
        if applet != "busybox":
            layer.link(f"bin/{applet}", "busybox")
    layer.link("usr/bin/env", "../../bin/env")
    layer.file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n", 0o644)
    layer.file("etc/group", b"root:x:0:\nnobody:x:65534:\n", 0o644)
    layer.file("etc/os-release", b"ID=busybox\n", 0o644)
    layer.folder("root")
    layer.folder("var")
    layer.folder("tmp", 0o1777)
    return layer


def argosay():
    layer = Layer()
    layer.copy(HERE / "programs/argosay", "argosay")
    layer.link("bin/argosay", "/argosay")
    layer.copy(HERE / "programs/cowsay", "bin/cowsay")
    return layer


def debian():
    """Python, bash, jq and curl of this machine, over busybox's other programs."""
    layer = Layer()
    for name in ("bash", "jq", "curl", "python3"):
        layer.program(name)
    for link in ("usr/bin/python", "usr/local/bin/python", "usr/local/bin/python3"):
        layer.link(link, "/usr/bin/python3")
    layer.link("bin/bash", "/usr/bin/bash")
    standard = pathlib.Path(json.__file__).parent.parent
    modules = [p for p in sorted(standard.rglob("*")) if p.is_file()
               and not PYTHON_UNUSED & set(p.relative_to(standard).parts) and not p.match("config-*/*")]
    for module in modules:
        layer.copy(module)
    layer.libraries([m for m in modules if m.suffix == ".so"])
    return layer


def engine(binary):
    """tiphys with what it is linked to, and what it loads when it is needed."""
    layer = Layer()
    layer.copy(binary, "usr/bin/tiphys")
    loaded = sorted(p for name in ("libcurl.so.4", "libpq.so.5") for p in pathlib.Path("/usr/lib").glob(f"*/{name}"))
    for library in loaded:
        layer.copy(library)
    layer.libraries([binary, *loaded])
    layer.folder("tmp", 0o1777)
    return layer


def node():
    layer = Layer()
    layer.program("node")
    return layer


def main():
    layout = Layout(sys.argv[1])
    choice = layout.folder / "choice"  # of the last time, for load.sh
    which = os.environ.get("K8S_IMAGES") or (choice.read_text() if choice.exists() else "small")
    if which not in ("small", "goldens"):
        sys.exit(f"images.py: K8S_IMAGES is 'small' or 'goldens', not '{which}'")
    choice.write_text(which)
    hub, library = "docker.io/", "docker.io/library/"

    pause, hello, box, say = Layer(), Layer(), busybox(), argosay()
    pause.file("pause", compiled("programs/pause.c"))
    hello.file("hello", compiled("programs/hello.c"))
    layout.image(["localhost/pause:1"], {"Entrypoint": ["/pause"]}, pause)
    layout.image(["localhost/distroless:1"], {"Entrypoint": ["/hello"], "Cmd": ["world"], "User": "65532"}, hello)
    layout.image([library + n for n in ("busybox:latest", "alpine:latest", "alpine:3.23", "alpine:3.6")],
                 {"Cmd": ["/bin/sh"]}, box)
    system = debian() if which == "goldens" else None
    under = [box, system] if system else [box]
    layout.image([hub + "argoproj/argosay:v2"], {"Entrypoint": ["/argosay"]}, *under, say)
    layout.image([hub + "argoproj/argosay:v1"], {"Cmd": ["cowsay"]}, *under, say)
    step = pathlib.Path(os.environ.get("STEP_BINARY", PROJECT / "build/tiphys-step"))
    if step.exists():
        layer = Layer()
        layer.file("tiphys-step", step.read_bytes())
        layout.image([library + "tiphys-step:dev"], {"Entrypoint": ["/tiphys-step"]}, layer)
    binary = os.environ.get("ENGINE_BINARY", str(PROJECT / "build/tiphys"))
    if pathlib.Path(binary).exists():
        layout.image([library + "tiphys:dev"], {"Cmd": ["tiphys"]}, engine(binary))
    if system:
        layout.image([library + n for n in ("python:latest", "python:alpine", "python:alpine3.23")],
                     {"Cmd": ["python3"]}, box, system)
        layout.image([library + n for n in ("debian:latest", "debian:9.4", "debian:9.1", "debian:8.9", "ubuntu:latest",
                                             "ubuntu:17.10")], {"Cmd": ["bash"]},
                     box, system)
        layout.image([hub + "stedolan/jq:latest"], {"Entrypoint": ["jq"]}, box, system)
        layout.image([hub + "curlimages/curl:latest"], {"Entrypoint": ["curl"]}, box, system)
        layout.image([hub + "docker/whalesay:latest"], {"Cmd": ["bash"]}, box, system, say)
        if shutil.which("node", path="/usr/bin"):
            layout.image([library + "node:latest", library + "node:9.1-alpine"], {"Cmd": ["node"]}, box, node())
    layout.close()


if __name__ == "__main__":
    main()
