#!/usr/bin/env bash
# simulation.sh COUNT: runs the seeds 1 to COUNT of the simulation (src/sim), and of that of five engines
# a tenth as many, in as many processes as there are processors. Prints each seed that fails with what is wrong, and ends with the time taken.
set -uo pipefail
cd "$(dirname "$0")/.."
count=${1:-100000}
jobs=${JOBS:-$(nproc)}
cmake --preset simulation >/dev/null && cmake --build --preset simulation -j "$jobs" || exit 1
failed=0

# run_seeds WHAT TEST VARIABLES COUNT: the seeds 1 to COUNT of one test.
run_seeds() {
  local what=$1 test=$2 variables=$3 all=$4 began=$SECONDS bad=0 first
  local share=$(((all + jobs - 1) / jobs))
  declare -A running
  for ((first = 1; first <= all; first += share)); do
    env "${variables}_FIRST=$first" "${variables}_COUNT=$((first + share > all ? all - first + 1 : share))" nice -n 10 \
      build-simulation/tiphys_sim_test --gtest_filter="$test" >"build-simulation/$what-$first.log" 2>&1 &
    running[$first]=$!
  done
  for first in "${!running[@]}"; do
    wait "${running[$first]}" && continue
    grep -v '^\[' "build-simulation/$what-$first.log"
    bad=1
  done
  echo "$all seeds of $what in $((SECONDS - began)) s with $jobs processes: $([ $bad = 0 ] && echo ok || echo FAILED)"
  [ $bad = 0 ] || failed=1
}

run_seeds one-engine 'Simulation.Holds*' TIPHYS_SIM "$count"
run_seeds five-engines 'FleetSimulation.Holds*' TIPHYS_FLEET "$(((count + 9) / 10))"
exit $failed
