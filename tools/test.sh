#!/usr/bin/env bash
# Builds and runs all tests: unit tests, conformance vectors and some end-to-end tests under sanitizers, then
# everything that drives the release binary. Ends with `N passed, N failed, N skipped`.
set -uo pipefail
cd "$(dirname "$0")/.."
python=/usr/bin/python3
jobs=${JOBS:-$(nproc)}
results=build/results
rm -rf $results
mkdir -p $results
tools/install_packages.sh build test || exit 1
ulimit -s 131072  # frames are several times as large under the sanitizers, and a test nests 1,000 deep

failed_step() {  # a step that could not run at all counts as a failed test
  echo "0 passed, 1 failed, 0 skipped" >"$results/$1.txt"
  echo "FAILED: $1" >&2
}

cmake --preset asan >/dev/null && cmake --build --preset asan -j "$jobs" || failed_step asan-build
ctest --preset asan -j "$jobs" --output-junit "$PWD/$results/unit.xml" || [ -s $results/unit.xml ] || failed_step unit
# Those in which most of the engine takes part: a minute. `make asan` runs all of them.
tools/asan.sh test_faults test_mistakes test_control test_crash test_secrets | tee $results/e2e-asan.txt

if cmake --preset release >/dev/null && cmake --build --preset faults -j "$jobs"; then
  $python test/e2e/run.py build/tiphys | tee $results/e2e.txt
else
  failed_step release-build
fi
$python tools/tally.py $results
