#!/usr/bin/env bash
# Runs the recorded workflows of a folder, with the HTTP server that their manifests name (127.0.0.1:9100).
set -euo pipefail
golden=$1
if ! test -f "$golden/manifest.json"; then
  echo "skipped: there are no recorded workflows in $golden"
  exit 0
fi
if ! (exec 3<>/dev/tcp/127.0.0.1/9100) 2>/dev/null; then
  /usr/bin/python3 -B "$golden/echo_server.py" 9100 >/dev/null 2>&1 &
  server=$!
  trap 'kill "$server"' EXIT
  until (exec 3<>/dev/tcp/127.0.0.1/9100) 2>/dev/null; do sleep 0.05; done
fi
build/tiphys conformance --timeout 120 --jobs 2 "$golden"
