#!/usr/bin/python3
"""registry.py FOLDER PORT [USER:PASSWORD [PEM]]: a registry on 127.0.0.1 that gives the images of an OCI layout, and takes none.

Enough of the distribution API for containerd and for whoever reads an image's configuration. As a mirror it is asked
for `?ns=docker.io`; asked under its own name it finds an image by what follows the host. With port 0 it takes a free
one and prints it. With a user, each request needs a token of `/token`, which that user gets. PEM is a file with the key
and the certificate of TLS."""
import base64
import hashlib
import http.server
import json
import pathlib
import re
import ssl
import sys
import urllib.parse

FOLDER = pathlib.Path(sys.argv[1])
USER, PEM = (sys.argv[3:] + ["", ""])[:2]
TOKEN = hashlib.sha256(USER.encode()).hexdigest()


def find_manifest(host, repository, reference):
    """The descriptor of an image by tag or digest; None when there is none."""
    for found in json.loads((FOLDER / "index.json").read_text())["manifests"]:
        name, _, tag = found["annotations"]["io.containerd.image.name"].rpartition(":")
        its_host, _, its_repository = name.partition("/")
        if repository == its_repository and host in (None, its_host):
            if reference in (tag, found["digest"]):
                return found
            for part in json.loads(blob_of(found).read_text()).get("manifests", []):  # of an index
                if reference == part["digest"]:
                    return part
    return None


def blob_of(descriptor):
    return FOLDER / "blobs/sha256" / descriptor["digest"].removeprefix("sha256:")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, media, data, headers=()):
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(data)))
        for name, text in headers:
            self.send_header(name, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def refuse(self, status, code, headers=()):
        self.answer(status, "application/json", json.dumps({"errors": [{"code": code}]}).encode(), headers)

    def give(self, descriptor):
        digest = [("Docker-Content-Digest", descriptor["digest"])]
        self.answer(200, descriptor["mediaType"], blob_of(descriptor).read_bytes(), digest)

    def give_token(self):
        packed = self.headers.get("Authorization", "").removeprefix("Basic ")
        if base64.b64decode(packed).decode() != USER:
            return self.refuse(401, "UNAUTHORIZED")
        return self.answer(200, "application/json", json.dumps({"token": TOKEN}).encode())

    def accepts(self, media):
        kinds = self.headers.get("Accept", "*/*")
        return media in kinds or "*/*" in kinds

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        host = urllib.parse.parse_qs(url.query).get("ns", [None])[0]
        if USER and url.path == "/token":
            return self.give_token()
        if USER and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            realm = f"http{'s' if PEM else ''}://{self.headers['Host']}/token"
            return self.refuse(401, "UNAUTHORIZED", [("WWW-Authenticate", f'Bearer realm="{realm}",service="test"')])
        if url.path == "/v2/":
            return self.answer(200, "application/json", b"{}")
        found = re.fullmatch(r"/v2/(.+)/manifests/([^/]+)", url.path)
        manifest = found and find_manifest(host, *found.groups())
        if manifest and self.accepts(manifest["mediaType"]):
            return self.give(manifest)
        blob = re.fullmatch(r"/v2/.+/blobs/(sha256:[0-9a-f]{64})", url.path)
        if blob and blob_of({"digest": blob[1]}).exists():
            return self.give({"digest": blob[1], "mediaType": "application/octet-stream"})
        return self.refuse(404, "MANIFEST_UNKNOWN" if found else "BLOB_UNKNOWN")

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


server = Server(("127.0.0.1", int(sys.argv[2])), Handler)
if PEM:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)
    server.socket = context.wrap_socket(server.socket, server_side=True)
if sys.argv[2] == "0":
    print(server.server_port, flush=True)
server.serve_forever()
