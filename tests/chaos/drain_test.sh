#!/bin/bash
# Stops a node by SIGTERM under full load: it must end by itself with exit code 0 within the limit, and everything it had
# acknowledged must be there when it starts again. The same with a second SIGTERM on the heels of the first, which ends it at once,
# with any exit code but never with a loss.
#
#   tests/chaos/drain_test.sh [--epione PATH] [--rounds 3] [--connections 128] [--subjects 20000] [--seed N] [--directory DIR] [--keep]
set -u
cd "$(dirname "$0")/../.." || exit 1
source tests/chaos/common.sh

epione=build/release/epione
rounds=3 # of each kind
connections=128
subjects=20000
seed=$$
directory=
acknowledged_min=500 # before the signal, or the load was none
stop_limit_ms=30000  # the node's own limit, as docs/limits.md has it
load_limit_ms=60000

take_options "epione rounds connections subjects seed directory" "$@"
[[ -x $epione ]] || fail "$epione is not there; build it with scripts/build.sh, or name another with --epione"
RANDOM=$seed

make_work_directory "$directory"
echo "Drain test: $rounds rounds of each kind, $connections connections, seed $seed, data in $work"

ledger_bytes() { stat -c %s "$work/round.ledger" 2>/dev/null || echo 0; }

# one_round NAME SIGNALS
one_round() {
  local name=$1 signals=$2 limit code=0 begun took at_least found
  start_node
  wait_until_ready
  rm -f "$work/round.ledger"
  "$epione" bench submit --data-dir "$work/data" --connections "$connections" --duration 1h --subjects "$subjects" \
    --seed $((seed * 100 + round)) --ledger "$work/round.ledger" >"$work/load.out" 2>"$work/load.err" &
  load_pid=$!
  limit=$(($(now_ms) + load_limit_ms))
  until (($(ledger_bytes) >= 32 * (acknowledged_min + 1))); do
    kill -0 "$node_pid" 2>/dev/null || fail "$name: the node ended under load; see $work/node.err"
    (($(now_ms) < limit)) || fail "$name: fewer than $acknowledged_min submissions in $((load_limit_ms / 1000)) s"
    sleep 0.01
  done
  pause_ms "$(between 0 800)"
  at_least=$(($(ledger_bytes) / 32 - 1))
  begun=$(now_ms)
  kill -TERM "$node_pid"
  if ((signals > 1)); then
    pause_ms "$(between 0 20)"
    kill -TERM "$node_pid" 2>/dev/null
  fi
  wait "$node_pid" || code=$?
  node_pid=
  took=$(($(now_ms) - begun))
  ((took <= stop_limit_ms)) || fail "$name: the node took $took ms to stop, allowed are $stop_limit_ms"
  ((signals > 1 || code == 0)) || fail "$name: the node ended with exit code $code after SIGTERM under load"
  kill -TERM "$load_pid" 2>/dev/null
  wait "$load_pid" 2>/dev/null # it lost its node: its exit code says so
  load_pid=
  audit # of the stopped node's directory
  start_node
  wait_until_ready
  code=0
  "$epione" bench verify --data-dir "$work/data" --ledger "$work/round.ledger" --connections 32 >"$work/verify.out" 2>&1 || code=$?
  ((code == 0)) || {
    cat "$work/verify.out" >&2
    fail "$name: verification ended with exit code $code"
  }
  found=$(row "$work/verify.out" "found exactly once")
  ((found >= at_least && found == $(row "$work/verify.out" acknowledged))) || fail "$name: $found found, at least $at_least acknowledged"
  stop_node
  echo "round $round, $name: stopped after $took ms; all $(grouped "$found") acknowledged submissions there once with their answers"
}

round=0
for ((i = 0; i < rounds; i++)); do
  round=$((round + 1))
  one_round "one signal" 1
  round=$((round + 1))
  one_round "two signals" 2
done
audit
passed=1
echo "PASSED: $rounds rounds of each kind; nothing acknowledged was lost, chain intact"
