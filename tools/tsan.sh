#!/usr/bin/env bash
# tsan.sh [WORD...]: the folders that have threads under ThreadSanitizer: their unit tests, and the
# end-to-end tests whose names hold a WORD, run with a binary that ends at the first race.
set -uo pipefail
cd "$(dirname "$0")/.."
jobs=${JOBS:-$(nproc)}
words=("$@")
[ $# -gt 0 ] || words=(Notifications Plugins Control Observed S3 InstantSteps Resources States Requests Watches Outages PodsOfSeveralEngines)
tests=()
for folder in notify observe net store executor kube runtime; do tests+=("tiphys_${folder}_test"); done
cmake --preset tsan >/dev/null && cmake --build --preset tsan -j "$jobs" --target tiphys "${tests[@]}" || exit 1
export TSAN_OPTIONS="halt_on_error=1 exitcode=66 second_deadlock_stack=1"
failed=0
# ThreadSanitizer makes a fork of each vfork, so that the errno of a failed execve is not seen.
without="-ProcessTest.SaysThatAProgramIsNotThere"
for test in "${tests[@]}"; do
  build-tsan/"$test" --gtest_brief=1 --gtest_filter="$without" || { echo "$test FAILED" >&2; failed=1; }
done
/usr/bin/python3 test/e2e/run.py build-tsan/tiphys "${words[@]}" || failed=1
exit $failed
