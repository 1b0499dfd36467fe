"""What a commit costs in either store, each made durable: alone and in groups."""
import json
import os
import subprocess
import sys

from measure import Failed, Row, median, spread

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = 2  # a round


def measured(bench, address, rows):
    p = subprocess.run([bench.tool("store_bench"), address, str(rows), str(SECONDS)], text=True, capture_output=True,
                       check=False)
    if p.returncode != 0:
        raise Failed(p.stderr.strip())
    return json.loads(p.stdout)


def stores(bench):
    sys.path[:0] = [os.path.join(HERE, "..", "test", "e2e")]
    import postgres  # pylint: disable=import-outside-toplevel
    if postgres.programs() is None:
        yield Row("commits in PostgreSQL", "SQLite", "no PostgreSQL server is installed")
        return
    server = postgres.Server(fsync=True)
    try:
        url = server.url(server.new_database())
        with bench.folder() as folder:
            path = os.path.join(folder, "bench.db")
            for rows in 2, 20, 200, 2000:
                lite, pg = bench.in_turns(lambda n=rows: measured(bench, path, n), lambda n=rows: measured(bench, url, n))
                a, b = median([x["commits"] for x in lite]), median([x["commits"] for x in pg])
                yield Row(f"commits of {rows} rows in PostgreSQL on this machine", "SQLite",
                          f"{b:,.0f} commits/s, {b * rows:,.0f} rows/s ({a:,.0f}, {a * rows:,.0f})",
                          noise=spread([x["commits"] for x in lite]))
    finally:
        server.close()
