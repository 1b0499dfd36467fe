"""What a step in an image costs beyond a process of the machine, beside podman and the runtime itself.

The image is made here of busybox-static, as nothing can be pulled everywhere. Each figure is of STEPS steps, one
after the other."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap

import manifests
from measure import Failed, Row, median, spread

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "test", "e2e"))
import images  # noqa: E402  the tests' image

STEPS = {"podman": 3, "runtime": 20, "container": 20, "sandbox": 100, "host": 100}
BOX = "tiphys.bench/box:1"
AIMS = {"container": 45, "sandbox": 3}


def chain(count):
    text = manifests.chain(count)
    return text.replace("image: busybox", f"image: '{BOX}'")


def engine(bench, layouts, kind, count):
    """Seconds of a chain of `count` steps; the layers were unpacked before."""
    home = os.path.join(layouts, f"home-{kind}")
    os.makedirs(home, exist_ok=True)
    path = os.path.join(home, f"{count}.yaml")
    with open(path, "w") as f:
        f.write(chain(count).replace("metadata: {name: bench}", "metadata: {generateName: bench-}"))
    env = dict(os.environ, TIPHYS_HOME=home, NO_COLOR="1")
    return bench.timed([bench.bin, "run", path, "-o", "name", "--executor", kind, "--images", layouts], env=env)


def runtime_loop(bench, runtime, bundle):
    """Seconds of STEPS calls of a runtime on a bundle that is ready."""
    took = 0.0
    for i in range(STEPS["runtime"]):
        took += bench.timed([runtime, "--root", bundle + "/state", "run", "--bundle", bundle, f"bench-{i}"])
    return took


def podman_loop(bench, name):
    words = ["podman", "run", "--rm", "--runtime", "runc", "--ulimit", "nofile=1024:1024", "--ulimit",
             "nproc=1024:1024", "--network=host", name, "/bin/true"]
    return sum(bench.timed(words) for _ in range(STEPS["podman"]))


def write_bundle(folder):
    """A bundle as `runc spec` would have it, with our busybox."""
    root = os.path.join(folder, "rootfs")
    os.makedirs(os.path.join(root, "bin"))
    shutil.copy(images.busybox(), os.path.join(root, "bin", "true"))
    for name in ("proc", "dev", "sys"):
        os.mkdir(os.path.join(root, name))
    config = {"ociVersion": "1.0.2", "root": {"path": "rootfs"},
              "process": {"user": {"uid": 0, "gid": 0}, "args": ["/bin/true"], "env": ["PATH=/bin"], "cwd": "/"},
              "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
              "linux": {"namespaces": [{"type": n} for n in ("mount", "pid", "ipc", "uts")]}}
    with open(os.path.join(folder, "config.json"), "w") as f:
        json.dump(config, f)


def each(times, count):
    return median(times) / count * 1000


def containers(bench):
    runtime = shutil.which("runc", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if not images.busybox() or not runtime or os.geteuid() != 0:
        yield Row("steps in containers", "–", "skipped: needs root, runc and busybox-static")
        return
    with tempfile.TemporaryDirectory(prefix="tiphys-bench-", dir=bench.opt.dir) as folder:
        layouts, bundle = os.path.join(folder, "oci"), os.path.join(folder, "bundle")
        images.write_layout(layouts, BOX, {"Env": ["PATH=/bin"]})
        write_bundle(bundle)
        for kind in AIMS:
            engine(bench, layouts, kind, 1)  # unpacks the layers
        bare, one_c, many_c, one_s, many_s, one_h, many_h = bench.in_turns(
            lambda: runtime_loop(bench, runtime, bundle),
            lambda: engine(bench, layouts, "container", 1),
            lambda: engine(bench, layouts, "container", 1 + STEPS["container"]),
            lambda: engine(bench, layouts, "sandbox", 1),
            lambda: engine(bench, layouts, "sandbox", 1 + STEPS["sandbox"]),
            lambda: engine(bench, layouts, "host", 1), lambda: engine(bench, layouts, "host", 1 + STEPS["host"]))
        runtime_ms = each(bare, STEPS["runtime"])
        host_ms = (median(many_h) - median(one_h)) / STEPS["host"] * 1000
        yield podman_row(bench, folder)
        yield Row("runc run on a bundle that is ready", "–", f"{runtime_ms:.1f} ms", noise=spread(bare))
        for kind, one, many in (("container", one_c, many_c), ("sandbox", one_s, many_s)):
            ms = (median(many) - median(one)) / STEPS[kind] * 1000
            yield Row(f"a step, --executor {kind}, beyond a host step's {host_ms:.1f} ms", "runc alone", f"{ms - host_ms:.1f} ms, {(ms - host_ms) / runtime_ms:.2f} x",
                      f"≤ {AIMS[kind]} ms", ms - host_ms <= AIMS[kind], spread(one))


def podman_row(bench, folder):
    what = "podman run"
    if not shutil.which("podman"):
        return Row(what, "–", "skipped: no podman")
    name = f"localhost/tiphys-bench-{os.getpid()}:1"
    tar = os.path.join(folder, "box.tar")
    with open(tar, "wb") as f:
        f.write(images.tar_of(images.base_layer()))
    try:
        bench.timed(["podman", "import", "-q", tar, name])
        times = [podman_loop(bench, name) for _ in range(min(bench.rounds, 3))]
        return Row(what, "–", f"{each(times, STEPS['podman']):.0f} ms", noise=spread(times))
    except Failed as error:
        return Row(what, "–", "skipped: " + textwrap.shorten(str(error), 100))
    finally:
        subprocess.run(["podman", "rmi", "-f", name], capture_output=True, check=False)
