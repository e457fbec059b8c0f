#!/bin/bash
# Kills a node with SIGKILL at random moments under full load and proves, each time, that everything it had acknowledged is there
# exactly once with its answers, and that the chain is intact.
#
#   tests/chaos/kill_test.sh [--epione PATH] [--rounds 50] [--connections 256] [--subjects 200000] [--seed N] [--directory DIR]
#                            [--keep]
#
# The load goes on while the node is away, as phones do: what had no answer is sent again under the same key. Every fifth round
# kills the node a second time while it starts. A round in which too little was acknowledged before the kill does not count and
# is repeated. Loopback only; needs nothing but bash and the program.
set -u
cd "$(dirname "$0")/../.." || exit 1
source tests/chaos/common.sh

epione=build/release/epione
rounds=50
connections=256
subjects=200000
seed=$$
directory=
acknowledged_min=500 # before the kill, or the round does not count
invalid_max=10       # in a row; then this machine cannot carry the load

take_options "epione rounds connections subjects seed directory" "$@"
[[ -x $epione ]] || fail "$epione is not there; build it with scripts/build.sh, or name another with --epione"
RANDOM=$seed

make_work_directory "$directory"
echo "Kill test: $rounds rounds, $connections connections, seed $seed, data in $work"

total=0
round=0
attempt=0
invalid=0
worst_ready=0
delay=0
start_node
wait_until_ready
while ((round < rounds)); do
  attempt=$((attempt + 1))
  start_round "$connections" "$subjects" $((seed * 1000 + attempt))
  if ! wait_for_round "$acknowledged_min"; then
    kill -0 "$node_pid" 2>/dev/null || fail "the node ended under load; see $work/node.err"
    stop_load
    invalid=$((invalid + 1))
    echo "round $((round + 1)): too little load, repeated"
    ((invalid < invalid_max)) || fail "$invalid_max rounds in a row had too little load"
    continue
  fi
  invalid=0
  round=$((round + 1))
  between delay 0 1700
  pause_ms "$delay"
  at_least=$(ledger_records "$work/round.ledger")
  kill_node
  twice=
  if ((round % 5 == 0)); then
    start_node
    between delay 0 300
    pause_ms "$delay"
    kill_node
    twice=", killed again while it started"
  fi
  restarted=$(now_ms)
  start_node
  wait_until_ready
  ready=$(($(now_ms) - restarted))
  ((ready > worst_ready)) && worst_ready=$ready
  pause_ms 300 # what had no answer is asked for again
  stop_load
  read_back "$work/round.ledger" --data-dir "$work/data" --connections 64
  need_found "$at_least"
  total=$((total + found))
  cat "$work/round.ledger" >>"$work/all.ledger"
  echo "round $round: killed with $at_least or more acknowledged$twice, ready after $ready ms," \
    "$(row "$work/load.out" retries) retries; all $(grouped "$found") there once with their answers"
  if ((round % 10 == 0)); then
    audit
    echo "round $round: the chain is intact"
  fi
done

finish_rounds
passed=1
echo "PASSED: faults: $rounds killed, $((rounds / 5)) of them twice, $((attempt - round)) rounds repeated for too little load;" \
  "acknowledged: $(grouped "$total"), before a kill at least $acknowledged_min; missing: $missing; duplicated: $duplicated;" \
  "different: $different; chain intact; ready again within $worst_ready ms"
