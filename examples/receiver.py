"""A webhook receiver and a mail server on loopback that keep what they get, for the demo and the tests.

receiver.py [PORT]: shows what webhooks send to 127.0.0.1:PORT (9000), until Ctrl-C."""
import collections
import http.server
import json
import logging
import ssl
import sys
import threading


class WebhookReceiver:
    """Listens on 127.0.0.1:PORT (0: any free one) while it is used as a context.

    `requests` holds what came, in order: dicts with method, path, headers, body, and the status of the
    answer once there is one. `answer`, if given, is called with the number of earlier requests of the same
    path and the path, and returns what to answer: a status, or (status, headers, body); None closes the
    connection without an answer. A header Content-Length that promises more than the body makes an answer
    that ends half-way. What it raises is raised again at the end of the context, or a mistake in a test
    would look like a bad connection. `tls`: (certificate file, key file).
    """

    def __init__(self, port=0, answer=None, tls=None):
        self.requests = []
        self.seen = collections.Counter()  # requests, by path
        self.changed = threading.Condition()
        self.mistake = None
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def receive(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8", "replace")
                request = {"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body}
                with receiver.changed:
                    earlier = receiver.seen[self.path]
                    receiver.seen[self.path] += 1
                    receiver.requests.append(request)
                    receiver.changed.notify_all()
                try:
                    given = answer(earlier, self.path) if answer else 200
                except Exception as mistake:
                    receiver.mistake = mistake
                    raise
                if given is None:
                    self.close_connection = True
                    return
                status, headers, content = given if isinstance(given, tuple) else (given, {}, b"ok\n")
                request["status"] = status
                self.send_response(status)
                for name, text in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, text)
                self.end_headers()
                self.wfile.write(content)
                self.close_connection = int(headers.get("Content-Length", 0)) > len(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = receive

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 512

            def handle_error(self, *_):  # a sender that was killed is none of our business
                pass

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        if self.mistake:
            raise self.mistake

    def paths(self):
        with self.changed:
            return [r["path"] for r in self.requests]

    def body(self, path):
        """The body of the only request to `path`, decoded if it is JSON."""
        with self.changed:
            bodies = [r["body"] for r in self.requests if r["path"] == path]
        assert len(bodies) == 1, f"{len(bodies)} requests to {path}; there are {self.paths()}"
        try:
            return json.loads(bodies[0])
        except ValueError:
            return bodies[0]

    def wait_for(self, count, seconds=60):
        """Waits until at least `count` requests came; returns whether they did."""
        with self.changed:
            return self.changed.wait_for(lambda: len(self.requests) >= count, seconds)


class MailReceiver:
    """An SMTP server on 127.0.0.1:PORT that takes every mail and every login, and keeps both."""

    def __init__(self, port):
        from aiosmtpd.controller import Controller
        from aiosmtpd.smtp import AuthResult
        logging.getLogger("mail.log").setLevel(logging.ERROR)

        self.mails = []   # dicts with from, to (a list), text
        self.logins = []  # (user, password)

        def login(_server, _session, _envelope, _mechanism, data):
            self.logins.append((data.login.decode(), data.password.decode()))
            return AuthResult(success=True)

        class Handler:
            async def handle_DATA(_self, _server, _session, envelope):
                self.mails.append({"from": envelope.mail_from, "to": envelope.rcpt_tos,
                                   "text": envelope.content.decode("utf-8", "replace")})
                return "250 OK"

        self.controller = Controller(Handler(), hostname="127.0.0.1", port=port, authenticator=login,
                                     auth_require_tls=False)

    def __enter__(self):
        self.controller.start()
        return self

    def __exit__(self, *_):
        self.controller.stop()


def main(port):
    with WebhookReceiver(port) as receiver:
        print(f"listening on {receiver.url} until Ctrl-C", flush=True)
        shown = 0
        while receiver.wait_for(shown + 1, None):
            for request in receiver.requests[shown:]:
                print(f"{request['method']} {request['path']}\n{request['body']}", flush=True)
                shown += 1


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 9000)
    except KeyboardInterrupt:
        pass
