"""A PostgreSQL server of a test's own: in a temporary folder, on a Unix socket only."""
import glob
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import unittest

from engine import wait_until


def programs():
    """Where the newest server's programs are, or None."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
    return pathlib.Path(found[-1]).parent if found else None


def need_postgres():
    if programs() is None:
        raise unittest.SkipTest("no PostgreSQL server is installed (postgresql-15)")


class Server:
    """The server program refuses to run as root; then it runs as the user `postgres` of the package."""

    def __init__(self, fsync=False):
        """Without fsync: most tests do not cut the power."""
        self.fsync = fsync
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tiphys-pg-"))
        self.process = None
        self.databases = 0
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        subprocess.run(self.words("initdb", "-D", self.folder / "data", "-A", "trust", "-U", "tiphys", "--no-sync",
                                  "-E", "UTF8", "--locale=C"),
                       check=True, cwd=self.folder, stdout=subprocess.DEVNULL)
        self.start()

    def words(self, program, *args):
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--pdeathsig=QUIT", "--"]
        return [*(as_user if os.getuid() == 0 else []), str(programs() / program), *map(str, args)]

    def start(self):
        with open(self.folder / "log", "a") as log:
            self.process = subprocess.Popen(
                self.words("postgres", "-D", self.folder / "data", "-k", self.folder, "-c", "listen_addresses=",
                           "-c", "fsync=on" if self.fsync else "fsync=off", "-c", "max_connections=200"),
                cwd=self.folder, stdout=log, stderr=log)
        wait_until(lambda: self.sql("SELECT 1", check=False).returncode == 0, 120, "the server to answer")

    def stop(self, how=signal.SIGQUIT):
        """SIGQUIT: as a crash; connections are cut and nothing is waited for."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait()
            self.process = None

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, text, database="postgres", check=True):
        return subprocess.run([programs() / "psql", "-X", "-q", "-A", "-t", "-h", self.folder, "-U", "tiphys", "-d",
                               database, "-v", "ON_ERROR_STOP=1", "-c", text],
                              check=check, text=True, capture_output=True)

    def new_database(self):
        """Its name."""
        self.databases += 1
        name = f"test{self.databases}"
        self.sql(f"CREATE DATABASE {name}")
        return name

    def url(self, database):
        return f"postgresql://tiphys@/{database}?host={self.folder}"


class OnPostgres:
    """For EngineTests: one server for the class, a database for each test."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        need_postgres()
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)

    def setUp(self):
        self.database = self.server.new_database()
        super().setUp()

    def env(self, **more):
        return super().env(**{"TIPHYS_STORE": self.server.url(self.database), **more})

    def sql(self, text):
        return self.server.sql(text, self.database).stdout
