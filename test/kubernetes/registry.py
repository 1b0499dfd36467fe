#!/usr/bin/python3
"""registry.py FOLDER PORT: a registry on 127.0.0.1 that gives the images of an OCI layout, and takes none.

Enough of the distribution API for containerd and for whoever reads an image's configuration. As a mirror it is asked
for `?ns=docker.io`; asked under its own name it finds an image by what follows the host."""
import http.server
import json
import pathlib
import re
import sys
import urllib.parse

FOLDER = pathlib.Path(sys.argv[1])


def find_manifest(host, repository, reference):
    """The descriptor of an image by tag or digest; None when there is none."""
    for found in json.loads((FOLDER / "index.json").read_text())["manifests"]:
        name, _, tag = found["annotations"]["io.containerd.image.name"].rpartition(":")
        its_host, _, its_repository = name.partition("/")
        if repository == its_repository and host in (None, its_host) and reference in (tag, found["digest"]):
            return found
    return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, media, data, digest=None):
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(data)))
        if digest:
            self.send_header("Docker-Content-Digest", digest)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def give(self, descriptor):
        blob = FOLDER / "blobs/sha256" / descriptor["digest"].removeprefix("sha256:")
        self.answer(200, descriptor["mediaType"], blob.read_bytes(), descriptor["digest"])

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        host = urllib.parse.parse_qs(url.query).get("ns", [None])[0]
        if url.path == "/v2/":
            return self.answer(200, "application/json", b"{}")
        found = re.fullmatch(r"/v2/(.+)/manifests/([^/]+)", url.path)
        manifest = found and find_manifest(host, *found.groups())
        if manifest:
            return self.give(manifest)
        blob = re.fullmatch(r"/v2/.+/blobs/sha256:([0-9a-f]{64})", url.path)
        if blob and (FOLDER / "blobs/sha256" / blob[1]).exists():
            return self.give({"digest": f"sha256:{blob[1]}", "mediaType": "application/octet-stream"})
        code = "MANIFEST_UNKNOWN" if found else "BLOB_UNKNOWN"
        self.answer(404, "application/json", json.dumps({"errors": [{"code": code}]}).encode())

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
