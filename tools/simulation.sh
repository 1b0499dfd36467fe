#!/usr/bin/env bash
# simulation.sh COUNT: runs the seeds 1 to COUNT of the simulation (src/sim), in as many processes as
# there are processors. Prints each seed that fails with what is wrong, and ends with the time taken.
set -uo pipefail
cd "$(dirname "$0")/.."
count=${1:-100000}
jobs=${JOBS:-$(nproc)}
cmake --preset simulation >/dev/null && cmake --build --preset simulation -j "$jobs" || exit 1
share=$(((count + jobs - 1) / jobs))
began=$SECONDS
declare -A running
for ((first = 1; first <= count; first += share)); do
  TIPHYS_SIM_FIRST=$first TIPHYS_SIM_COUNT=$((first + share > count ? count - first + 1 : share)) nice -n 10 \
    build-simulation/tiphys_sim_test --gtest_filter='Simulation.Holds*' >"build-simulation/seeds-$first.log" 2>&1 &
  running[$first]=$!
done
failed=0
for first in "${!running[@]}"; do
  wait "${running[$first]}" && continue
  grep -v '^\[' "build-simulation/seeds-$first.log"
  failed=1
done
echo "$count seeds in $((SECONDS - began)) s with $jobs processes: $([ $failed = 0 ] && echo ok || echo FAILED)"
exit $failed
