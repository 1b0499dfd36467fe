"""The program itself: how big, how quick to start, how long to build."""
import os
import shutil
import subprocess

from measure import Row, median, spread

STARTS = 20  # a round; one start is too short to be measured


def size(bench):
    with bench.folder() as folder:
        path = os.path.join(folder, "tiphys")
        shutil.copy(bench.bin, path)
        subprocess.run(["strip", path], check=True)
        megabytes = os.path.getsize(path) / 1e6
    yield Row("the binary, stripped", "", f"{megabytes:.1f} MB", "< 15 MB", megabytes < 15)


def start(bench):
    bare, shell, mine = bench.in_turns(lambda: bench.loop(STARTS, 1, "/bin/true"),
                                       lambda: bench.loop(STARTS, 1, "sh", "-c", "true"),
                                       lambda: bench.loop(STARTS, 1, bench.bin, "version"))
    each = [median(x) / STARTS * 1000 for x in (bare, shell, mine)]
    yield Row("`tiphys version`, start to exit", "`/bin/true`, `sh -c true`",
              f"{each[2]:.1f} ms ({each[0]:.1f}, {each[1]:.1f} ms)", "< 8 ms", each[2] < 8, spread(bare))


def cold_build(bench):
    if not bench.opt.cold:
        return
    with bench.folder() as folder:
        source = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        env = dict(os.environ, CCACHE_DISABLE="1")
        configure = bench.timed(["cmake", "-S", source, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                                 "-DTIPHYS_TESTS=OFF"], env=env)
        took = configure + bench.timed(["cmake", "--build", folder, "--target", "tiphys"], env=env)
    yield Row("building it, without a cache", f"{os.cpu_count()} cores", f"{took:.0f} s")
