"""The requests of the fake API: from paths to calls, and the streams of watches and logs."""
import http.server
import json
import re
import time
import urllib.parse

from fake_faults import VERBS, Cut, Refusal, Request, status_object

PATH = re.compile(r"/api/v1(?:/namespaces/([^/]+))?/pods(?:/([^/]+)(/log)?)?")
KINDS = {"/apis": [], "/api": [{"metadata": {}, "versions": [{"version": "v1", "resources": [{
    "resource": "pods", "singularResource": "pod", "scope": "Namespaced",
    "responseKind": {"group": "", "version": "v1", "kind": "Pod"}}]}]}]}  # as an aggregated discovery tells them
PODS = {"GET": "list", "POST": "create", "DELETE": "deletecollection"}
ONE_POD = {"GET": "get", "DELETE": "delete", "PATCH": "patch"}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    api = None  # set by FakeApi.start

    def serve(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        try:
            self.route(body)
        except Refusal as refusal:
            self.answer(refusal.status, status_object(refusal.status, str(refusal)))
        except Cut:
            self.close_connection = True
        except OSError:
            self.close_connection = True  # the client has gone
        except Exception as mistake:
            self.api.mistake = mistake  # a mistake of the test or of ours shall not look like a bad connection
            self.answer(500, status_object(500, repr(mistake)))

    do_GET = do_POST = do_DELETE = do_PATCH = do_PUT = serve

    def route(self, body):
        url = urllib.parse.urlsplit(self.path)
        query = {k: v[-1] for k, v in urllib.parse.parse_qs(url.query, keep_blank_values=True).items()}
        if url.path in ("/version", "/readyz", "/healthz", "/livez"):
            return self.answer(200, {"major": "1", "minor": "35", "gitVersion": "v1.35.4"})
        if url.path in KINDS:
            return self.answer(200, {"items": KINDS[url.path]})
        found = PATH.fullmatch(url.path)
        if not found:
            raise Refusal(404, "the server could not find the requested resource")
        namespace, name, is_log = found.groups()
        verb = "log" if is_log else (ONE_POD if name else PODS).get(self.command)
        if verb == "list" and query.get("watch", "").lower() in ("1", "true"):
            verb = "watch"
        if verb not in VERBS:
            raise Refusal(405, "the server does not allow this method on the requested resource")
        parsed = json.loads(body) if body else {}
        self.request_ = Request(verb, namespace, name, query, dict(self.headers), time.monotonic(),
                                         body=parsed)
        with self.api.changed:
            self.api.requests.append(self.request_)
            fault = self.api.take_fault(verb)
            self.api.changed.notify_all()
        if self.headers.get("Authorization") != f"Bearer {self.api.token}":
            raise Refusal(401, "Unauthorized")
        if fault and fault.delay:
            time.sleep(fault.delay)
        if fault and fault.status:
            return self.refuse(fault)
        if fault and fault.cut == "before":
            raise Cut
        self.work(verb, (namespace, name), query, parsed, fault)

    def refuse(self, fault):
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        self.answer(fault.status, status_object(fault.status, "told to fail"), headers)

    def work(self, verb, key, query, body, fault):
        api = self.api
        if verb == "watch":
            return self.watch(key[0], query, fault)
        if verb == "log":
            return self.log(key, query, fault)
        status = 200
        if verb == "list":
            out = api.list(key[0], query)
        elif verb == "get":
            with api.changed:
                out = api.get(key)
        elif verb == "create":
            out, status = api.create(key[0], body), 201
        elif verb == "delete":
            options = dict(body)
            if "gracePeriodSeconds" in query:
                options["gracePeriodSeconds"] = int(query["gracePeriodSeconds"])
            out = api.delete(key, options)
        else:
            out = api.patch(key, (self.headers.get("Content-Type") or "").split(";")[0], body,
                            query.get("fieldManager", ""))
        if fault and fault.cut == "after":
            raise Cut
        self.answer(status, out)

    def answer(self, status, value, headers=None):
        data = json.dumps(value).encode() + b"\n"
        if hasattr(self, "request_"):
            self.request_.status = status
        self.send_response(status)
        for key, text in {"Content-Type": "application/json", "Content-Length": str(len(data)),
                          **(headers or {})}.items():
            self.send_header(key, text)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass

    # Streams.

    def begin_stream(self, media):
        self.request_.status = 200
        self.send_response(200)
        self.send_header("Content-Type", media)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, data):
        if data:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()

    def end_stream(self):
        self.wfile.write(b"0\r\n\r\n")

    def watch(self, namespace, query, fault):
        version = query.get("resourceVersion") or "0"
        api, selector = self.api, query.get("labelSelector")
        if not version.isdigit():
            raise Refusal(400, f"Invalid value: {version}")
        version, first = int(version), []
        with api.changed:
            if version and version < api.oldest:
                raise Refusal(410, f"too old resource version: {version} ({api.version})")
            if not version or query.get("sendInitialEvents") == "true":
                version = api.version
                first = [("ADDED", p) for p in api.list(namespace, {"labelSelector": selector})["items"]]
        self.begin_stream("application/json")
        try:
            self.count_watch(namespace, 1)
            if fault and fault.is_hung:
                return self.hang(fault)
            self.tell(namespace, query, version, first, fault)
        finally:
            self.count_watch(namespace, -1)

    def count_watch(self, namespace, step):
        api = self.api
        with api.changed:
            api.watching[namespace] += step
            api.watching_max[namespace] = max(api.watching_max[namespace], api.watching[namespace])
            api.changed.notify_all()

    def tell(self, namespace, query, version, first, fault):
        stream = WatchStream(self, fault)
        for kind, pod in first:
            stream.event(kind, pod)
        if query.get("sendInitialEvents") == "true":
            stream.bookmark(version, {"k8s.io/initial-events-end": "true"})
        end = time.monotonic() + float(query.get("timeoutSeconds") or 3600)
        if stream.is_in_order or (not stream.is_over and self.follow(stream, namespace, query, version, end)):
            self.end_stream()
        else:
            self.close_connection = True

    def follow(self, stream, namespace, query, version, end):
        """Tells what happens until the watch's time is over; false when it was ended otherwise."""
        api = self.api
        wants_bookmarks = query.get("allowWatchBookmarks", "").lower() in ("1", "true")
        next_bookmark = time.monotonic() + api.bookmark_seconds
        while True:
            with api.changed:
                while True:
                    news = api.events_since(version, namespace, query.get("labelSelector"))
                    version = api.version
                    wait = min(end, next_bookmark) - time.monotonic()
                    if news or not api.is_up or wait <= 0:
                        break
                    api.changed.wait(wait)
                if not api.is_up:
                    return False
            for _, kind, pod in news:
                stream.event(kind, pod)
                if stream.is_over:
                    return stream.is_in_order
            if time.monotonic() >= end:
                return True
            if time.monotonic() >= next_bookmark:
                next_bookmark += api.bookmark_seconds
                if wants_bookmarks:
                    stream.bookmark(version)
                if stream.is_over:
                    return stream.is_in_order

    def hang(self, fault):
        with self.api.changed:
            while self.api.is_up and fault in self.api.faults:
                self.api.changed.wait(1)
        self.close_connection = True

    def log(self, key, query, fault):
        text, is_running = self.api.container_of(key, query)
        lines = text.splitlines(keepends=True)
        if query.get("timestamps") == "true":
            lines = [f"2026-01-01T00:00:{i % 60:02}.000000000Z {line}" for i, line in enumerate(lines)]
        if query.get("tailLines"):
            lines = lines[-int(query["tailLines"]):]
        data = "".join(lines).encode()
        if query.get("limitBytes"):
            data = data[:int(query["limitBytes"])]
        self.begin_stream("text/plain")
        if fault and fault.cut == "after":
            self.chunk(data[:len(data) // 2])
            raise Cut
        self.chunk(data)
        with self.api.changed:
            while query.get("follow") == "true" and is_running and self.api.is_up:
                self.api.changed.wait(1)
                try:
                    is_running = self.api.container_of(key, query)[1]
                except Refusal:
                    is_running = False
        self.end_stream()


class WatchStream:
    """The events of one watch, with what goes wrong there."""

    def __init__(self, handler, fault):
        self.handler, self.fault = handler, fault
        self.count = 0
        self.first_states = {}
        self.is_over = self.is_in_order = False

    def line(self, kind, value):
        return json.dumps({"type": kind, "object": value}).encode() + b"\n"

    def event(self, kind, pod):
        fault, line = self.fault, self.line(kind, pod)
        if fault and self.count == fault.cut_event:
            self.handler.chunk(line[:len(line) // 2])
            self.is_over = True
            return
        self.handler.chunk(line)
        self.count += 1
        if not fault:
            return
        if fault.is_doubled:
            self.handler.chunk(line)
        uid = pod["metadata"]["uid"]
        if fault.is_late and uid in self.first_states:
            self.handler.chunk(self.line("MODIFIED", self.first_states[uid]))
        self.first_states.setdefault(uid, pod)
        if self.count == fault.gone_after:
            self.error(410, "too old resource version")
        self.is_in_order = self.is_over = self.is_over or self.count == fault.end_after

    def error(self, status, message):
        self.handler.chunk(self.line("ERROR", status_object(status, message)))
        self.is_over = True

    def bookmark(self, version, annotations=None):
        meta = {"resourceVersion": str(version), "creationTimestamp": None}
        if annotations:
            meta["annotations"] = annotations
        self.handler.chunk(self.line("BOOKMARK", {"kind": "Pod", "apiVersion": "v1", "metadata": meta, "spec": {
            "containers": None}, "status": {}}))
        self.handler.api.bookmarks.append(version)
        if self.fault and self.fault.end_after_bookmark:
            self.is_in_order = self.is_over = True
