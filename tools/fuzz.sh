#!/usr/bin/env bash
# fuzz.sh SECONDS: builds the fuzzers and runs them all at the same time, each for SECONDS, starting from
# its corpus. New inputs go to the build folder; one that breaks something is left there as crash-*.
# AddressSanitizer takes two to three times the memory and ten times the time. So the fuzzers are held to
# 768 MiB, and what they found is given to a program without it, which holds it to 256 MiB and to a second.
set -uo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-30}
jobs=${JOBS:-$(nproc)}
cmake --preset fuzz >/dev/null && cmake --build --preset fuzz -j "$jobs" || exit 1
export ASAN_OPTIONS=quarantine_size_mb=16
declare -A running
for name in yaml expression tag json cron rows; do
  found=build-fuzz/found/$name
  mkdir -p "$found"
  "build-fuzz/${name}_fuzz" -max_total_time="$seconds" -timeout=10 -report_slow_units=1 -rss_limit_mb=768 \
    -malloc_limit_mb=256 -max_len=4096 \
    -print_final_stats=1 -artifact_prefix="$found-" "$found" "fuzz/corpus/$name" >"$found.log" 2>&1 &
  running[$name]=$!
done
failed=0
for name in "${!running[@]}"; do
  found=build-fuzz/found/$name
  if wait "${running[$name]}"; then
    echo "fuzz $name: $(grep -Eo 'number_of_executed_units: *[0-9]+' "$found.log" | grep -Eo '[0-9]+') inputs"
  else
    tail -n 60 "$found.log"
    echo "fuzz $name: FAILED"
    failed=1
  fi
  find build-fuzz/found -name "$name-slow-unit-*" -exec mv -t "$found" {} +
done
cmake --preset release >/dev/null && cmake --build build --target fuzz_replay -j "$jobs" >/dev/null &&
  build/fuzz_replay --once build-fuzz/found || { echo "fuzz: FAILED: over its bounds"; failed=1; }
exit $failed
