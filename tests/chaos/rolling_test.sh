#!/bin/bash
# Restarts three nodes one after the other under load, as an operator does who brings a new version: SIGTERM, started again, the next
# one when everything is on every node again. No submission may fail for a phone that honours Retry-After: the load of each node,
# also of the one that goes, is answered in the end, and everything is there exactly once.
#
#   tests/chaos/rolling_test.sh [--epione PATH] [--old PATH --new PATH] [--rounds 3] [--connections 16] [--subjects 20000] [--seed N]
#                               [--port 7500] [--directory DIR] [--keep]
#
# With --old and --new the nodes begin with the old program and come back with the new one; the next round goes the way back, as one
# does that takes an upgrade back. Loopback only.
set -u
cd "$(dirname "$0")/../.." || exit 1
source tests/chaos/common.sh
source tests/chaos/cluster_common.sh

epione=build/release/epione
old=
new=
rounds=3
connections=16 # of the load through each node
subjects=20000
seed=$$
port=7500
directory=
shards=4
acknowledged_min=50 # through each node before a node is stopped, and again after it came back

take_options "epione old new rounds connections subjects seed port directory" "$@"
[[ -n $old || -z $new ]] || fail "--new without --old"
[[ -n $new || -z $old ]] || fail "--old without --new"
[[ -n $old ]] || old=$epione new=$epione
for program in "$old" "$new"; do
  [[ -x $program ]] || fail "$program is not there; build it with scripts/build.sh, or name another with --epione, or --old and --new"
done
epione=$new # of the load and the commands
RANDOM=$seed
make_work_directory "$directory"
declare -A loads=()
end_loads() {
  local n
  for n in "${!loads[@]}"; do kill -KILL "${loads[$n]}" 2>/dev/null; done
  end_nodes
}
trap end_loads EXIT
what=restart
cmp -s "$old" "$new" || what=upgrade
echo "Rolling $what test: $rounds rounds, $connections connections to each node, seed $seed, data in $work"

start_loads() {
  local n
  for n in "${nodes[@]}"; do
    "$epione" bench submit --http "$(http_of "$n")" --connections "$connections" --duration 1h --subjects "$subjects" \
      --seed $((seed * 1000 + round * 10 + n)) --ledger "$work/$round-$n.ledger" >"$work/load-$n.out" 2>"$work/load-$n.err" &
    loads[$n]=$!
  done
}

# Submissions are acknowledged through every node.
wait_for_loads() {
  local n limit before
  limit=$(($(now_ms) + 60000))
  for n in "${nodes[@]}"; do
    before=$(ledger_records "$work/$round-$n.ledger")
    until (($(ledger_records "$work/$round-$n.ledger") - before >= acknowledged_min)); do
      kill -0 "${loads[$n]}" 2>/dev/null || fail "the load through n$n ended: $(cat "$work/load-$n.out" "$work/load-$n.err" | tail -n 20)"
      (($(now_ms) < limit)) || fail "fewer than $acknowledged_min submissions through n$n in 60 s"
      sleep 0.05
    done
  done
}

# No submission failed: none refused, none with an unknown end, no other answer than 200, 202 and 503.
stop_loads() {
  local n code
  for n in "${nodes[@]}"; do kill -TERM "${loads[$n]}" 2>/dev/null; done
  for n in "${nodes[@]}"; do
    code=0
    wait "${loads[$n]}" || code=$?
    unset "loads[$n]"
    if ((code != 0)) || ! grep -q '^refused, unknown *0, 0$' "$work/load-$n.out"; then
      cat "$work/load-$n.out" "$work/load-$n.err" >&2
      fail "submissions through n$n failed (exit code $code)"
    fi
    echo "round $round: through n$n $(row "$work/load-$n.out" acknowledged) acknowledged, none failed;" \
      "503 $(sed -n 's/^503 not_stored, unknown *//p' "$work/load-$n.out" | sed 's/, / not stored, /') unknown," \
      "connections lost $(row "$work/load-$n.out" "connections lost"), retries $(row "$work/load-$n.out" retries)," \
      "slowest $(row "$work/load-$n.out" "latency max") ms"
  done
}

round=0
worst_stop=0
for n in "${nodes[@]}"; do programs[$n]=$old; done
make_cluster $shards
start_all
for ((round = 1; round <= rounds; ++round)); do
  if ((round % 2)); then program=$new; else program=$old; fi
  start_loads
  for n in "${nodes[@]}"; do
    wait_for_loads
    pause_ms "$(between 0 1000)"
    began=$(now_ms)
    stop "$n"
    stop_ms=$(($(now_ms) - began))
    ((stop_ms > worst_stop)) && worst_stop=$stop_ms
    programs[$n]=$program
    began=$(now_ms)
    start "$n"
    wait_whole "$((n % 3 + 1))"
    echo "round $round: n$n stopped in $stop_ms ms and started again; everything on every node $(($(now_ms) - began)) ms later"
  done
  wait_for_loads
  stop_loads
  cat "$work/$round-"[123].ledger >>"$work/all.ledger"
done
for n in "${nodes[@]}"; do verify "$work/all.ledger" "$n"; done
stop_and_compare $shards
passed=1
echo "PASSED: rolling $what, $rounds rounds, no submission failed; all $(grouped "$found") acknowledged there exactly once on every node," \
  "chains and submissions the same; a node stops within $worst_stop ms"
