#!/bin/bash
# Offers a node ten times what it can carry, in two ways: ten times the phones (closed loop), and submissions that fall due at ten
# times the best rate (open loop). It must still complete 90 % of its best, and its memory must stay flat.
#
#   tests/chaos/overload_test.sh [--epione PATH] [--duration 20] [--connections 256] [--subjects 20000] [--directory DIR] [--keep]
set -u
cd "$(dirname "$0")/../.." || exit 1
source tests/chaos/common.sh

epione=build/release/epione
duration=20 # seconds of each load
connections=256
subjects=20000 # so few that all have a session before memory is first looked at
directory=
share_min=90          # percent of the best rate
growth_max_kib=98304 # of resident memory from the first load's end to the last one's

take_options "epione duration connections subjects directory" "$@"
[[ -x $epione ]] || fail "$epione is not there; build it with scripts/build.sh, or name another with --epione"

make_work_directory "$directory"
start_node
wait_until_ready

rss_kib() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$node_pid/status"; }

# load NAME OPTIONS...: prints a line, sets $rate.
load() {
  local name=$1 code=0
  shift
  limited $((duration + load_stop_limit_ms / 1000)) "the load" "$epione" bench submit --data-dir "$work/data" --warmup 3s \
    --duration "${duration}s" --subjects "$subjects" "$@" >"$work/load.out" 2>"$work/load.err" || code=$?
  ((code == 0)) || {
    cat "$work/load.out" "$work/load.err" >&2
    fail "$name: the load ended with exit code $code"
  }
  rate=$(row "$work/load.out" "acknowledged per second")
  printf '%-44s %8s/s  p50 %9s ms  p99 %9s ms  503: %9s  resident %7s KiB\n' "$name" "$rate" \
    "$(row "$work/load.out" "latency p50")" "$(row "$work/load.out" "latency p99")" \
    "$(row "$work/load.out" "503 not_stored, unknown")" "$(rss_kib)"
}

load "$connections phones" --connections "$connections"
best=$rate
before=$(rss_kib)
((best > 0 && before > 0)) || fail "nothing was completed, or the memory of the node cannot be read"
for offered in phones rate; do
  if [[ $offered == phones ]]; then
    load "$((connections * 10)) phones" --connections $((connections * 10))
  else
    load "$((best * 10))/s due, $((connections * 10)) connections" --connections $((connections * 10)) --rate $((best * 10))
  fi
  ((rate * 100 >= best * share_min)) || fail "only $rate/s of $best/s were completed"
done
load "$connections phones again" --connections "$connections"
after=$(rss_kib)
((after - before <= growth_max_kib)) || fail "memory grew from $before to $after KiB"
stop_node
audit
passed=1
echo "PASSED: at ten times the load at least $share_min % of $best/s; resident memory $before KiB, then $after KiB"
