#!/usr/bin/env bash
# fuzz.sh SECONDS: builds the fuzzers and runs them all at the same time, each for SECONDS, starting from
# its corpus. New inputs go to the build folder; one that breaks something is left there as crash-*.
set -uo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-30}
cmake --preset fuzz >/dev/null && cmake --build --preset fuzz -j "${JOBS:-$(nproc)}" || exit 1
declare -A running
for name in yaml expression tag json cron rows; do
  found=build-fuzz/found/$name
  mkdir -p "$found"
  "build-fuzz/${name}_fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=4096 \
    -print_final_stats=1 -artifact_prefix="$found-" "$found" "fuzz/corpus/$name" >"$found.log" 2>&1 &
  running[$name]=$!
done
failed=0
for name in "${!running[@]}"; do
  if wait "${running[$name]}"; then
    echo "fuzz $name: $(grep -Eo 'number_of_executed_units: *[0-9]+' "build-fuzz/found/$name.log" | grep -Eo '[0-9]+') inputs"
  else
    tail -n 60 "build-fuzz/found/$name.log"
    echo "fuzz $name: FAILED"
    failed=1
  fi
done
exit $failed
