"""Images for tests, made here of busybox-static: nothing can be pulled where tests run."""
import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile

BUSYBOX = "/bin/busybox"
APPLETS = ("sh", "true", "false", "echo", "cat", "sleep", "ls", "id", "mkdir", "touch", "env", "pwd", "rm", "ps",
           "mount", "hostname", "kill", "stat", "test", "wc", "seq", "chmod", "ln", "printf", "head", "grep", "tr")


def busybox():
    """Where a static busybox is; None when there is none."""
    for path in ("/usr/bin/busybox", BUSYBOX):
        if os.path.exists(path):
            return path
    return shutil.which("busybox")


def entry(name, data=b"", mode=0o644, link=None, folder=False):
    info = tarfile.TarInfo(name)
    info.mode = 0o755 if folder else mode
    if folder:
        info.type = tarfile.DIRTYPE
    elif link is not None:
        info.type, info.linkname = tarfile.SYMTYPE, link
    else:
        info.size = len(data)
    return info, data


def tar_of(entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as t:
        for info, data in entries:
            t.addfile(info, io.BytesIO(data) if info.isreg() else None)
    return out.getvalue()


def base_layer():
    """A small Linux: busybox under the names of its applets, two users."""
    with open(busybox(), "rb") as f:
        program = f.read()
    yield entry("bin", folder=True)
    yield entry("bin/busybox", program, 0o755)
    for applet in APPLETS:
        yield entry(f"bin/{applet}", link="busybox")
    yield entry("etc", folder=True)
    yield entry("etc/passwd", b"root:x:0:0::/root:/bin/sh\napp:x:1234:1235::/home/app:/bin/sh\n")
    yield entry("etc/group", b"root:x:0:\napp:x:1235:\nmore:x:1300:app\n")
    yield entry("var", folder=True)
    yield entry("run", folder=True)
    yield entry("var/run", link="/run")
    yield entry("opt", folder=True)
    yield entry("opt/gone", b"of the first layer\n")
    yield entry("opt/kept", b"of the first layer\n")
    yield entry("opt/old", folder=True)
    yield entry("opt/old/inside", b"of the first layer\n")


def second_layer():
    """What hides a file and a folder's contents of the first."""
    yield entry("opt", folder=True)
    yield entry("opt/.wh.gone")
    yield entry("opt/old", folder=True)
    yield entry("opt/old/.wh..wh..opq")
    yield entry("opt/old/new", b"of the second layer\n")


def write_layout(folder, name, config, layers=None):
    """An OCI layout with one image; `config` is what its author has set (Entrypoint, Env …)."""
    blobs = os.path.join(folder, "blobs", "sha256")
    os.makedirs(blobs, exist_ok=True)

    def blob(data, media):
        digest = hashlib.sha256(data).hexdigest()
        with open(os.path.join(blobs, digest), "wb") as f:
            f.write(data)
        return {"mediaType": f"application/vnd.oci.image.{media}", "digest": "sha256:" + digest, "size": len(data)}

    tars = [tar_of(entries) for entries in layers or (base_layer(), second_layer())]
    packed = [blob(gzip.compress(t, 1, mtime=0), "layer.v1.tar+gzip") for t in tars]
    described = blob(json.dumps({"architecture": "amd64", "os": "linux", "config": config, "rootfs": {
        "type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(t).hexdigest() for t in tars]}}).encode(),
        "config.v1+json")
    manifest = blob(json.dumps({"schemaVersion": 2, "config": described, "layers": packed}).encode(),
                    "manifest.v1+json")
    manifest["annotations"] = {"org.opencontainers.image.ref.name": name}
    index = os.path.join(folder, "index.json")
    known = json.load(open(index))["manifests"] if os.path.exists(index) else []
    with open(index, "w") as f:
        json.dump({"schemaVersion": 2, "manifests": [*known, manifest]}, f)
    with open(os.path.join(folder, "oci-layout"), "w") as f:
        json.dump({"imageLayoutVersion": "1.0.0"}, f)
