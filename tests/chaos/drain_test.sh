#!/bin/bash
# Stops a node by SIGTERM under full load: it must end by itself with exit code 0 within the limit, and everything it had
# acknowledged must be there when it starts again. The same with a second SIGTERM on the heels of the first, which ends it at
# once, with any exit code but never with a loss.
#
#   tests/chaos/drain_test.sh [--epione PATH] [--rounds 3] [--connections 128] [--subjects 20000] [--seed N] [--directory DIR]
#                             [--keep]
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

# one_round NAME SIGNALS
one_round() {
  local name=$1 signals=$2 limit delay begun took at_least
  start_node
  wait_until_ready
  rm -f "$work/round.ledger"
  "$epione" bench submit --data-dir "$work/data" --connections "$connections" --duration 1h --subjects "$subjects" \
    --seed $((seed * 100 + round)) --ledger "$work/round.ledger" >"$work/load.out" 2>"$work/load.err" &
  load_pid=$!
  limit=$(($(now_ms) + load_limit_ms))
  until (($(ledger_records "$work/round.ledger") >= acknowledged_min)); do
    kill -0 "$node_pid" 2>/dev/null || fail "$name: the node ended under load; see $work/node.err"
    (($(now_ms) < limit)) || fail "$name: fewer than $acknowledged_min submissions in $((load_limit_ms / 1000)) s"
    sleep 0.01
  done
  between delay 0 800
  pause_ms "$delay"
  at_least=$(ledger_records "$work/round.ledger")
  begun=$(now_ms)
  kill -TERM "$node_pid"
  if ((signals > 1)); then
    between delay 0 20
    pause_ms "$delay"
    kill -TERM "$node_pid" 2>/dev/null
  fi
  wait_end "$node_pid" "$stop_wait_limit_ms" "$name: the node"
  node_pid=
  took=$(($(now_ms) - begun))
  ((took <= stop_limit_ms)) || fail "$name: the node took $took ms to stop, allowed are $stop_limit_ms"
  ((signals > 1 || ended == 0)) || fail "$name: the node ended with exit code $ended after SIGTERM under load"
  kill -TERM "$load_pid" 2>/dev/null
  wait_end "$load_pid" "$load_stop_limit_ms" "$name: the load, after SIGTERM," # it lost its node, as its exit code says
  load_pid=
  audit # of the stopped node's directory
  start_node
  wait_until_ready
  read_back "$work/round.ledger" --data-dir "$work/data" --connections 32
  ((found >= at_least)) || fail "$name: $found found, at least $at_least acknowledged"
  total=$((total + found))
  ((took <= worst)) || worst=$took
  stop_node
  echo "round $round, $name: stopped after $took ms; all $(grouped "$found") acknowledged there once with their answers"
}

round=0
total=0
worst=0
for ((i = 0; i < rounds; i++)); do
  round=$((round + 1))
  one_round "one signal" 1
  round=$((round + 1))
  one_round "two signals" 2
done
audit
passed=1
echo "PASSED: $rounds stops by one signal and $rounds by two, within $worst ms; acknowledged: $(grouped "$total"), before a" \
  "stop at least $acknowledged_min; missing: $missing; duplicated: $duplicated; different: $different; chain intact"
