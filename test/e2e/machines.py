"""Engines on machines of their own (a state folder each) that share a database."""
import pathlib
import shutil
import signal
import subprocess
import tempfile

from engine import binary, supervisors_of
from postgres import OnPostgres

LEASE_SECONDS = 2


class OnSeveralMachines(OnPostgres):
    """For EngineTests."""

    def setUp(self):
        super().setUp()
        self.homes = []

    def clean_up(self):
        for engine in self.engines:
            if engine.poll() is None:
                engine.send_signal(signal.SIGCONT)
        super().clean_up()
        for home in self.homes:
            shutil.rmtree(home, ignore_errors=True)

    def left_behind(self):
        return [pid for home in [self.home, *self.homes] for pid in supervisors_of(home)]

    def new_home(self):
        home = pathlib.Path(tempfile.mkdtemp(prefix="tiphys-home-"))
        self.homes.append(home)
        return home

    def env(self, **more):
        return super().env(**{"TIPHYS_LEASE_SECONDS": str(LEASE_SECONDS), **more})

    def serve(self, home, log=None, words=("server",)):
        p = subprocess.Popen([binary(), *words], env=dict(self.env(), TIPHYS_HOME=str(home)), text=True,
                             stdout=subprocess.PIPE, stderr=log or subprocess.DEVNULL)
        self.engines.append(p)
        self.assertRegex(p.stdout.readline(), r"server", "the server must say when it is ready")
        return p
