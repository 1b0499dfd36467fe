#!/usr/bin/env python3
"""on_postgres.py BIN GOLDENS [REGEX]: the goldens that must pass (passing.txt), each with its state in a PostgreSQL
database of its own."""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import threading

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(PROJECT / "test/e2e"), sys.argv[2]]

import echo_server  # of the goldens  # pylint: disable=wrong-import-position,import-error
import postgres  # pylint: disable=wrong-import-position

ECHO_PORT = 9100  # the manifests name it


def run_one(server, name):
    database = server.new_database()
    p = subprocess.run([os.path.abspath(sys.argv[1]), "conformance", sys.argv[2], "--only", f"^{re.escape(name)}$",
                        "--jobs", "1", "--timeout", "120"], text=True, capture_output=True, check=False,
                       env=dict(os.environ, TIPHYS_CONFORMANCE_STORE=server.url(database)))
    return name, p.returncode, p.stdout + p.stderr


def main():
    lines = (PROJECT / "test/conformance/passing.txt").read_text().splitlines()
    names = [n for line in lines if (n := line.split("#")[0].strip())]
    if len(sys.argv) > 3:
        names = [n for n in names if re.search(sys.argv[3], n)]
    echo = echo_server.serve(ECHO_PORT)
    threading.Thread(target=echo.serve_forever, daemon=True).start()
    server = postgres.Server()
    failed = 0
    try:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for name, code, text in pool.map(lambda n: run_one(server, n), names):
                failed += code != 0
                if code:
                    print(f"FAILED {name}\n{text}", flush=True)
    finally:
        server.close()
        echo.shutdown()
    print(f"{len(names) - failed} of {len(names)} goldens pass on PostgreSQL")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
