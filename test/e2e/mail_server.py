"""A real mail server, Postfix of Debian, on loopback ports of its own with TLS, logins and mailboxes.

Everything it reads and writes is below one folder, so several can run beside each other and beside the
machine's own. It needs root, as Postfix gives up its rights by itself."""
import email
import email.policy
import mailbox
import os
import pathlib
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time

POSTFIX = pathlib.Path("/usr/lib/postfix/sbin/master")
DOMAIN = "example.test"
HOST = "mail.example.test"

MAIN = """
compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
maillog_file = {dir}/log
maillog_file_prefixes = {dir}
multi_instance_enable = no
myhostname = {host}
mydestination =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {dir}/boxes
virtual_mailbox_maps = inline:{{ {boxes} }}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtpd_tls_chain_files = {dir}/server.key, {dir}/server.crt
smtpd_tls_security_level = may
smtpd_sasl_type = cyrus
cyrus_sasl_config_path = {dir}/sasl
smtpd_sasl_auth_enable = yes
smtpd_tls_auth_only = yes
smtpd_recipient_restrictions = check_recipient_access inline:{{ {{ busy@{domain} = 450 4.2.1 mailbox is busy }} }},
  permit_sasl_authenticated, reject
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_delay_reject = yes
smtpd_reject_unlisted_recipient = yes
smtpd_error_sleep_time = 0
notify_classes =
smtpd_soft_error_limit = 1000
"""

MASTER = """
{starttls} inet n - n - - smtpd
{tls} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
{login} inet n - n - - smtpd -o smtpd_sasl_path=login_only
{plain} inet n - n - - smtpd -o smtpd_tls_auth_only=no -o smtpd_tls_security_level=none
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class MailServer:
    """Runs while it is used as a context.

    `ports`: starttls (login after STARTTLS only), tls (from the first byte), login (as starttls, with
    AUTH LOGIN alone) and plain (no TLS at all). Users log in as USER@HOST with `password`. Mail for
    busy@DOMAIN is put off with 450, for whom no mailbox exists it is refused with 550.
    """

    def __init__(self, boxes=("alice", "bob"), password="correct horse"):
        self.boxes = boxes
        self.password = password
        self.user = f"ci@{HOST}"
        self.ports = dict(zip(("starttls", "tls", "login", "plain"), free_ports(4)))
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tiphys-mail-"))
        self.folder.chmod(0o755)
        self.master = None

    @staticmethod
    def missing():
        """Why it cannot run here; "" when it can."""
        if not POSTFIX.exists() or not shutil.which("saslpasswd2"):
            return "Postfix is not installed: tools/install_packages.sh test"
        return "" if os.geteuid() == 0 else "Postfix wants to be started by root"

    @property
    def certificate(self):
        """The authority that has signed the server's certificate; of use as SSL_CERT_FILE."""
        return self.folder / "ca.crt"

    def __enter__(self):
        self._make_certificates()
        self._make_users()
        owner = pwd.getpwnam("nobody")
        for name in ("queue", "data", "boxes"):
            (self.folder / name).mkdir()
        shutil.chown(self.folder / "boxes", owner.pw_uid, owner.pw_gid)
        shutil.chown(self.folder / "data", "postfix", "postfix")
        mailboxes = ", ".join(f"{{ {name}@{DOMAIN} = {name}/ }}" for name in (*self.boxes, "busy"))
        (self.folder / "main.cf").write_text(MAIN.format(
            dir=self.folder, host=HOST, domain=DOMAIN, boxes=mailboxes, uid=owner.pw_uid, gid=owner.pw_gid))
        (self.folder / "master.cf").write_text(MASTER.format(
            **{name: f"127.0.0.1:{port}" for name, port in self.ports.items()}))
        check = subprocess.run(["postfix", "-c", self.folder, "check"], capture_output=True, text=True)
        if check.returncode:
            raise AssertionError(f"postfix check: {check.stderr}")
        self.master = subprocess.Popen([POSTFIX, "-c", self.folder, "-d"], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, start_new_session=True)
        self._wait_until_up()
        return self

    def __exit__(self, *_):
        if self.master:
            os.killpg(self.master.pid, signal.SIGTERM)
            self.master.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, *words, stdin=None):
        subprocess.run([str(w) for w in words], check=True, capture_output=True, input=stdin, cwd=self.folder)

    def _make_certificates(self):
        self._run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                  "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=test authority", "-days", "2")
        self._run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                  "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
        (self.folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        self._run("openssl", "x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
                  "-CAcreateserial", "-out", "server.crt", "-days", "2", "-extfile", "names")

    def _make_users(self):
        sasl = self.folder / "sasl"
        sasl.mkdir()
        for name, mechanisms in (("smtpd", "PLAIN LOGIN"), ("login_only", "LOGIN")):
            (sasl / f"{name}.conf").write_text(
                f"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {self.folder}/sasldb2\n"
                f"mech_list: {mechanisms}\n")
        self._run("saslpasswd2", "-p", "-c", "-f", self.folder / "sasldb2", "-u", HOST, "ci",
                  stdin=self.password.encode())
        shutil.chown(self.folder / "sasldb2", "postfix", "postfix")

    def _wait_until_up(self):
        for _ in range(1500):
            if self.master.poll() is not None:
                raise AssertionError(f"Postfix has ended: {self.log()}")
            try:
                with smtplib.SMTP("127.0.0.1", self.ports["plain"], timeout=30) as server:
                    server.noop()
                return
            except (OSError, smtplib.SMTPException):
                time.sleep(0.02)
        raise AssertionError(f"Postfix does not answer: {self.log()}")

    def log(self):
        path = self.folder / "log"
        return path.read_text() if path.exists() else ""

    def mails(self, box):
        """What is in a mailbox, parsed, by the name of its file."""
        path = self.folder / "boxes" / box
        if not path.exists():
            return {}
        maildir = mailbox.Maildir(path, factory=None)
        return {key: email.message_from_bytes(maildir.get_bytes(key), policy=email.policy.default)
                for key in maildir.keys()}

    def wait_for_mails(self, box, seen, count, seconds=60):
        """The mails of a mailbox but those in `seen`, once there are `count`."""
        end = time.monotonic() + seconds
        while True:
            mails = [mail for key, mail in self.mails(box).items() if key not in seen]
            if len(mails) >= count:
                return mails
            if time.monotonic() > end:
                raise AssertionError(f"{len(mails)} mails for {box}: {self.log()[-3000:]}")
            time.sleep(0.02)
