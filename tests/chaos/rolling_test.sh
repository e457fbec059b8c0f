#!/bin/bash
# Restarts three nodes one after the other under load, as an operator does who brings a new version: SIGTERM, started again, the
# next one when everything is on every node again. No submission may fail for a phone that honours Retry-After: the load of each
# node, also of the one that goes, is answered in the end, and everything is there exactly once.
#
#   tests/chaos/rolling_test.sh [--epione PATH] [--old PATH | --old-commit COMMIT] [--rounds 3] [--connections 16]
#                               [--subjects 20000] [--rate-min 500] [--seed N] [--port 7500] [--directory DIR] [--keep] [--plan]
#
# With --old the nodes begin with that program and come back with the one of --epione; the next round goes the way back, as one
# does that takes an upgrade back. --old-commit builds the old one first, with scripts/build.sh in a temporary worktree: that
# takes as long as a build from nothing does. Before each stop rate_min submissions must have been acknowledged in a second,
# through all nodes together, and some through each. Loopback only.
set -u
cd "$(dirname "$0")/../.." || exit 1
source tests/chaos/common.sh
source tests/chaos/cluster_common.sh

epione=build/release/epione
old=
old_commit=
rounds=3
connections=16 # of the load through each node
subjects=20000
seed=$$
port=7500
rate_min=500
directory=
shards=4
acknowledged_min=50 # through each node before a node is stopped, and again after it came back

build_limit_s=14400
plan=0

flags+=" plan"
take_options "epione old old_commit rounds connections subjects rate_min seed port directory" "$@"
[[ -z $old || -z $old_commit ]] || fail "--old and --old-commit are two ways to say the same"
RANDOM=$seed
pauses_ms=() # before each restart
for ((i = 0; i < 3 * rounds; ++i)); do between "pauses_ms[$i]" 0 1000; done
if ((plan)); then
  for ((i = 0; i < 3 * rounds; ++i)); do
    echo "round $((i / 3 + 1)): n$((i % 3 + 1)) stopped ${pauses_ms[i]} ms after the load was enough"
  done
  exit 0
fi

# Makes $work/old, the program of that commit.
build_old() {
  local commit
  commit=$(git rev-parse --verify --quiet "$old_commit^{commit}") || fail "--old-commit: \"$old_commit\" names no commit here"
  worktree=$work/worktree
  git worktree add --quiet --detach "$worktree" "$commit" || fail "no worktree of $commit could be made"
  echo "building $commit in $worktree"
  limited "$build_limit_s" "the build of $commit" "$worktree/scripts/build.sh" >"$work/build.out" 2>&1 ||
    fail "$commit could not be built: $(tail -n 5 "$work/build.out")"
  cp "$worktree/build/release/epione" "$work/old" || fail "the build of $commit made no program"
  remove_worktree
  old=$work/old
}

worktree=
remove_worktree() {
  [[ -z $worktree ]] || git worktree remove --force "$worktree"
  worktree=
}

end_rolling() {
  remove_worktree
  end_nodes
}

[[ -x $epione ]] || fail "$epione is not there; build it with scripts/build.sh, or name another with --epione"
make_work_directory "$directory"
trap end_rolling EXIT
what=restart
[[ -z $old_commit ]] || build_old
if [[ -n $old ]]; then
  what=upgrade
  [[ -x $old ]] || fail "$old is not there"
  ! cmp -s "$old" "$epione" || fail "the old program and $epione are the same: that is no upgrade"
else
  old=$epione
fi
echo "Rolling $what test: $rounds rounds, $connections connections to each node, seed $seed, data in $work"

begin_loads() {
  local n
  for n in "${nodes[@]}"; do begin_load "$n" "$work/$round-$n.ledger" $((seed * 1000 + round * 10 + n)); done
}

# Submissions are acknowledged through every node.
wait_for_loads() {
  local n limit before
  limit=$(($(now_ms) + load_limit_ms))
  for n in "${nodes[@]}"; do
    before=$(ledger_records "$work/$round-$n.ledger")
    until (($(ledger_records "$work/$round-$n.ledger") - before >= acknowledged_min)); do
      loads_run
      (($(now_ms) < limit)) || fail "fewer than $acknowledged_min submissions through n$n in $((load_limit_ms / 1000)) s"
      sleep 0.05
    done
  done
}

# No submission failed: none refused, none with an unknown end, no other answer than 200, 202 and 503.
check_loads() {
  local n
  for n in "${nodes[@]}"; do
    grep -q '^refused, unknown *0, 0$' "$work/load-$n.out" || {
      cat "$work/load-$n.out" "$work/load-$n.err" >&2
      fail "submissions through n$n failed"
    }
    echo "round $round: through n$n $(row "$work/load-$n.out" acknowledged) acknowledged, none failed;" \
      "503 $(sed -n 's/^503 not_stored, unknown *//p' "$work/load-$n.out" | sed 's/, / not stored, /') unknown," \
      "connections lost $(row "$work/load-$n.out" "connections lost"), retries $(row "$work/load-$n.out" retries)," \
      "slowest $(row "$work/load-$n.out" "latency max") ms"
  done
}

# roll NODE PROGRAM PAUSE_MS
roll() {
  local began stop_ms
  wait_for_loads
  need_load "$work/$round-"[123].ledger
  pause_ms "$3"
  began=$(now_ms)
  stop "$1"
  stop_ms=$(($(now_ms) - began))
  ((stop_ms <= worst_stop)) || worst_stop=$stop_ms
  programs[$1]=$2
  began=$(now_ms)
  start "$1"
  wait_whole "$(($1 % 3 + 1))"
  count_fault "$what"
  echo "round $round: n$1 stopped in $stop_ms ms and started again; everything on every node $(($(now_ms) - began)) ms later"
}

round=0
worst_stop=0
for n in "${nodes[@]}"; do programs[$n]=$old; done
make_cluster $shards
start_all
for ((round = 1; round <= rounds; ++round)); do
  if ((round % 2)); then program=$epione; else program=$old; fi
  begin_loads
  for n in "${nodes[@]}"; do roll "$n" "$program" "${pauses_ms[3 * (round - 1) + n - 1]}"; done
  wait_for_loads
  stop_loads
  check_loads
  cat "$work/$round-"[123].ledger >>"$work/all.ledger"
done
for n in "${nodes[@]}"; do verify "$work/all.ledger" "$n"; done
total=$found
stop_and_compare $shards
passed=1
echo "no submission failed; a node stopped within $worst_stop ms"
echo "PASSED: $(figures)"
