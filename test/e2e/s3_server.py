"""A real S3 server (versitygw) for tests: built from its Go module once, started on a port of its own."""
import os
import pathlib
import shutil
import socket
import subprocess
import time
import unittest

from engine import PROJECT

MODULE = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
TOOLS = PROJECT / "build/tools"


def program():
    """The server's binary; builds it when it is not there. Skips the test without Go or its module."""
    found = shutil.which("versitygw") or shutil.which(TOOLS / "versitygw")
    if found:
        return found
    if not shutil.which("go"):
        raise unittest.SkipTest("no S3 server: neither versitygw nor go is here")
    TOOLS.mkdir(parents=True, exist_ok=True)
    p = subprocess.run(["go", "install", MODULE], env=dict(os.environ, GOBIN=str(TOOLS)), text=True, capture_output=True,
                       timeout=1200)
    if p.returncode:
        raise unittest.SkipTest(f"no S3 server: {MODULE} cannot be built: {p.stderr.strip()[-200:]}")
    return str(TOOLS / "versitygw")


class S3Server:
    """Buckets are folders of `root`, objects files in them."""
    ACCESS, SECRET = "access-1", "secret-1"

    def __init__(self, folder, *flags, host="127.0.0.1"):
        self.root = pathlib.Path(folder) / "buckets"
        meta = pathlib.Path(folder) / "meta"
        self.root.mkdir()
        meta.mkdir()
        with socket.socket() as s:
            s.bind((host, 0))
            self.host, self.port = s.getsockname()
        self.endpoint = f"{host}:{self.port}"
        self.words = (
            [program(), "--port", self.endpoint, "--access", self.ACCESS, "--secret", self.SECRET, "--region", "us-east-1",
             "--quiet", *flags, "posix", "--sidecar", str(meta), str(self.root)])
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while True:
            try:
                socket.create_connection((self.host, self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise AssertionError("the S3 server does not start") from None
                time.sleep(0.02)

    def stop(self):
        self.process.kill()
        self.process.wait()

    def keys(self, bucket):
        base = self.root / bucket
        return sorted(str(p.relative_to(base)) for p in base.rglob("*") if p.is_file())

    def location(self, **more):
        """The fields of an artifact's `s3`, for a Secret `s3-keys`."""
        return {"endpoint": self.endpoint, "insecure": True, "bucket": "bucket",
                "accessKeySecret": {"name": "s3-keys", "key": "access"},
                "secretKeySecret": {"name": "s3-keys", "key": "secret"}, **more}
