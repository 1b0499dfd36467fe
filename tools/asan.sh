#!/usr/bin/env bash
# asan.sh [WORD...]: the end-to-end tests (those whose names hold a WORD) with a program that ends at its first
# mistake with memory or undefined behaviour; what it has not given back when it ends is a failure, too.
set -uo pipefail
cd "$(dirname "$0")/.."
cmake --preset asan >/dev/null &&
  cmake --build --preset asan -j "${JOBS:-$(nproc)}" --target tiphys tiphys_faults || exit 1
/usr/bin/python3 -B test/e2e/run.py build-asan/tiphys "$@"
