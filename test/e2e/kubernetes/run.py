#!/usr/bin/env python3
"""run.py BIN [WORD...]: the tests of the Kubernetes executor on a real single-node cluster of its own.

Starts the cluster of test/kubernetes once, runs the files beside this one as test/e2e/run.py does, and takes it down.
Says in a line why everything was skipped when the cluster cannot start.
  K8S_BIN            the cluster's binary (default build-kubernetes/k8s)
  K8S_BUILD_SECONDS  how long that may be built if it has to (default 900; 0: not at all)
  K8S_DIR            a cluster that runs, to be used and left alone
  STEP_BINARY        the program of the pods (default: tiphys-step beside BIN)
  K8S_IMAGES         see test/kubernetes/images.py; `goldens` where those are beside the project
  TIPHYS_GOLDEN_EVERY  1: all goldens, not one in 20
  TIPHYS_GOLDEN_ONLY   names with commas between: of those that are chosen, these"""
import importlib.util
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent.parent.parent
CLUSTER = PROJECT / "test/kubernetes"
START_SECONDS = 180


class Skip(Exception):
    pass


def runner():
    """test/e2e/run.py, told to look for tests here."""
    spec = importlib.util.spec_from_file_location("run_e2e", HERE.parent / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.HERE = HERE
    return module


def free_ports():
    """The first of five ports that nobody listens on, for K8S_PORT."""
    for _ in range(100):
        first = random.randrange(20000, 30000, 10)
        sockets = []
        try:
            for port in range(first, first + 5):
                sockets.append(socket.socket())
                sockets[-1].bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
        finally:
            for s in sockets:
                s.close()
    raise Skip("no five free ports in a row")


def free_network():
    """The first three bytes of a network that no interface of this machine is in."""
    taken = subprocess.run(["ip", "-o", "-4", "addr"], capture_output=True, text=True).stdout
    while True:
        network = f"10.{random.randrange(128, 250)}.{random.randrange(250)}"
        if f" {network}." not in taken:
            return network


def build(environment):
    """Makes sure that the cluster's packages and its binary are there; build.sh knows whether one has to be built."""
    is_there = os.access(environment["K8S_BIN"], os.X_OK)
    seconds = int(environment.get("K8S_BUILD_SECONDS", "900"))
    if not seconds:
        if not is_there:
            raise Skip(f"{environment['K8S_BIN']} is not there (make kubernetes-build)")
        return
    if not is_there:
        print(f"building {environment['K8S_BIN']}: some 7 minutes", flush=True)
    # A group of its own: the compilers are to end with their time.
    p = subprocess.Popen([CLUSTER / "build.sh"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         text=True, start_new_session=True)
    try:
        told = p.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, 9)
        p.communicate()
        raise Skip(f"the cluster's binary was not built within {seconds} s") from None
    if p.returncode:
        raise Skip("the cluster's binary cannot be built: " + (told.strip().splitlines() or ["?"])[-1])


def start(environment):
    """Starts the cluster; its state folder is K8S_DIR."""
    if os.geteuid() != 0:
        raise Skip("a cluster needs root")
    build(environment)
    for program in ("containerd", "runc", "unshare", "ip", "openssl", "busybox"):
        if not shutil.which(program, path=environment["PATH"] + ":/usr/sbin:/sbin"):
            raise Skip(f"no {program} (tools/install_packages.sh kubernetes)")
    environment.update(K8S_PORT=str(free_ports()), K8S_NET=free_network())
    try:
        p = subprocess.run([CLUSTER / "up.sh"], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                           text=True, timeout=START_SECONDS)
    except subprocess.TimeoutExpired:
        raise Skip(f"the cluster did not start within {START_SECONDS} s") from None
    if p.returncode:
        raise Skip("the cluster does not start: " + (p.stderr.strip().splitlines() or ["?"])[-1])


def temporary_folder():
    memory = pathlib.Path("/dev/shm")
    has_room = memory.is_dir() and shutil.disk_usage(memory).free > 4 << 30
    return tempfile.mkdtemp(prefix="k8s-", dir=memory if has_room else None)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the cluster is taken down then, too
    binary = os.path.abspath(sys.argv[1])
    environment = os.environ
    environment.setdefault("K8S_BIN", str(PROJECT / "build-kubernetes/k8s"))
    environment.setdefault("ENGINE_BINARY", binary)
    environment.setdefault("STEP_BINARY", str(pathlib.Path(binary).parent / "tiphys-step"))
    golden = pathlib.Path(environment.get("TIPHYS_GOLDEN") or PROJECT.parent / "shared/conformance/golden")
    environment.setdefault("K8S_IMAGES", "goldens" if golden.exists() else "small")
    environment["PYTHONPATH"] = f"{HERE}:{HERE.parent}"
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    is_own = "K8S_DIR" not in environment
    try:
        if is_own:
            environment["K8S_DIR"] = temporary_folder()
            start(environment)
        return runner().main()
    except Skip as skip:
        print(f"skipped: kubernetes: {skip}\n0 passed, 0 failed, 1 skipped")
        return 0
    finally:
        if is_own and "K8S_DIR" in environment:
            subprocess.run([CLUSTER / "down.sh"], env=environment, check=False)
            shutil.rmtree(environment["K8S_DIR"], ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
