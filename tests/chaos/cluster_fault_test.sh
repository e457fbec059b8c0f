#!/bin/bash
# Three nodes on this machine under load, and one whole-node fault after the other: killed (-9), frozen (SIGSTOP) and let go on, its
# directory deleted and the node replaced. Proves that everything that was acknowledged is there exactly once with its answers,
# whichever node is asked, and that all replicas hold the very same chains.
#
#   tests/chaos/cluster_fault_test.sh [--epione PATH] [--faults 200] [--connections 32] [--subjects 50000] [--seed N] [--port 7300]
#                                     [--freeze_min 5] [--freeze_max 40] [--rate_min 500] [--directory DIR] [--keep]
#
# Each fault comes only while at least rate_min submissions a second are acknowledged; otherwise it waits. The load goes through the
# nodes that are not to be hit next, as phones do that another node answers. Loopback only.
set -u
cd "$(dirname "$0")/../.." || exit 1
source tests/chaos/common.sh

epione=build/release/epione
faults=200
connections=32
subjects=50000
seed=$$
port=7300
freeze_min=5
freeze_max=40
rate_min=500
directory=
whole_limit_ms=180000

take_options "epione faults connections subjects seed port freeze_min freeze_max rate_min directory" "$@"
[[ -x $epione ]] || fail "$epione is not there; build it with scripts/build.sh, or name another with --epione"
RANDOM=$seed
make_work_directory "$directory"
echo "Cluster fault test: $faults faults, $connections connections, seed $seed, data in $work"
file=$work/cluster.toml
declare -A pids=()

# Before end_all of common.sh.
end_nodes() {
  local n
  for n in "${!pids[@]}"; do kill -KILL "${pids[$n]}" 2>/dev/null; done
  end_all
}
trap end_nodes EXIT

http_of() { echo "http://127.0.0.1:$((port + 1000 + $1))"; }

"$epione" cert init-authority --out "$work/authority" >/dev/null || fail "no authority could be made"
{
  printf 'replication_factor = 3\nshards = 4\n\n[peers]\ncertificate = "certs/{node}.crt"\nkey = "certs/{node}.key"\nauthorities = "certs/authorities.crt"\n'
  for n in 1 2 3; do
    printf '\n[nodes.n%s]\npeer = "127.0.0.1:%s"\nhttp = "127.0.0.1:%s"\ndata_dir = "n%s"\n' "$n" $((port + n)) $((port + 1000 + n)) "$n"
  done
} >"$file"
for n in 1 2 3; do
  "$epione" cert issue --node "n$n" --authority "$work/authority" --out "$work/certs" >/dev/null || fail "no certificate for n$n"
done
"$epione" cluster init --cluster "$file" >/dev/null || fail "the cluster could not be begun"

# The store of a shard is written down often, so that what a node misses is not in the others' logs any more.
start() {
  local options=(--storage-store-checkpoint-bytes 1MiB)
  [[ $1 == 1 && ${2:-} == demo ]] && options+=(--demo)
  "$epione" serve --node "n$1" --cluster "$file" "${options[@]}" >>"$work/n$1.out" 2>>"$work/n$1.err" &
  pids[$1]=$!
}

wait_whole() {
  local limit=$(($(now_ms) + whole_limit_ms)) n
  until "$epione" cluster status --cluster "$file" --node "n$1" --json >"$work/status.json" 2>&1; do
    for n in 1 2 3; do
      kill -0 "${pids[$n]}" 2>/dev/null || {
        tail -n 5 "$work/n$n.err" >&2
        fail "node $n has ended"
      }
    done
    (($(now_ms) < limit)) || {
      "$epione" cluster status --cluster "$file" --node "n$1" >&2
      fail "not everything is on every node again after $((whole_limit_ms / 1000)) s"
    }
    sleep 0.1
  done
}

ledger_bytes() { stat -c %s "$work/round.ledger" 2>/dev/null || echo 0; }

start_load() {
  attempt=$((attempt + 1))
  rm -f "$work/round.ledger"
  "$epione" bench submit --http "$(http_of "$1")" --connections "$connections" --duration 1h --subjects "$subjects" \
    --seed $((seed * 1000 + attempt)) --ledger "$work/round.ledger" >"$work/load.out" 2>"$work/load.err" &
  load_pid=$!
  local limit=$(($(now_ms) + 60000)) before
  while :; do
    before=$(ledger_bytes)
    sleep 1
    ((($(ledger_bytes) - before) / 32 >= rate_min)) && return
    kill -0 "$load_pid" 2>/dev/null || fail "the load ended: $(tail -n 3 "$work/load.err")"
    (($(now_ms) < limit)) || fail "this machine does not carry $rate_min submissions a second"
  done
}

stop_load() {
  local code=0
  kill -TERM "$load_pid" 2>/dev/null
  wait "$load_pid" || code=$?
  load_pid=
  ((code == 0)) || fail "the load ended with exit code $code: $(tail -n 3 "$work/load.err")"
}

verify() {
  local code=0
  "$epione" bench verify --http "$(http_of "$2")" --ledger "$1" --connections 16 >"$work/verify.out" 2>&1 || code=$?
  ((code == 0)) || {
    cat "$work/verify.out" >&2
    tail -v -n 5 "$work"/n[123].err | cut -c1-300 >&2
    fail "verification through node $2 ended with exit code $code"
  }
}

attempt=0
total=0
declare -A done_faults=()
start 1 demo
sleep 1
start 2
start 3
wait_whole 1
for ((fault = 1; fault <= faults; ++fault)); do
  victim=$(between 1 3)
  through=$((victim % 3 + 1))
  start_load "$through"
  pause_ms "$(between 0 1500)"
  at_least=$(($(ledger_bytes) / 32 - 1))
  kind=$(between 1 10)
  if ((kind <= 6)); then
    what=killed
    kill -KILL "${pids[$victim]}"
    wait "${pids[$victim]}" 2>/dev/null
    pause_ms "$(between 0 4000)"
    start "$victim"
  elif ((kind <= 9)); then
    what=frozen
    kill -STOP "${pids[$victim]}"
    pause_ms "$(between $((freeze_min * 1000)) $((freeze_max * 1000)))"
    kill -CONT "${pids[$victim]}"
  else
    what=replaced
    kill -KILL "${pids[$victim]}"
    wait "${pids[$victim]}" 2>/dev/null
    rm -rf "$work/n$victim"
    pause_ms 2000
    "$epione" cluster replace "n$victim" --cluster "$file" --node "n$through" >"$work/replace.out" 2>&1 ||
      fail "node $victim could not be replaced: $(cat "$work/replace.out")"
    start "$victim"
  fi
  done_faults[$what]=$((${done_faults[$what]:-0} + 1))
  began=$(now_ms)
  wait_whole "$through"
  whole_ms=$(($(now_ms) - began))
  stop_load
  verify "$work/round.ledger" "$victim"
  acknowledged=$(row "$work/verify.out" acknowledged)
  found=$(row "$work/verify.out" "found exactly once")
  ((acknowledged >= at_least && found == acknowledged)) || fail "fault $fault: $found of $acknowledged found, at least $at_least sent"
  total=$((total + acknowledged))
  cat "$work/round.ledger" >>"$work/all.ledger"
  echo "fault $fault: n$victim $what under load through n$through; whole again $whole_ms ms after it came back;" \
    "all $(grouped "$found") there once with their answers, asked through n$victim"
done

for n in 1 2 3; do
  verify "$work/all.ledger" "$n"
  [[ $(row "$work/verify.out" "found exactly once") == "$total" ]] || fail "$total were acknowledged in all rounds"
done
wait_whole 1
pause_ms 1000 # followers hear of the last commit with a heartbeat
for n in 1 2 3; do
  code=0
  kill -TERM "${pids[$n]}"
  wait "${pids[$n]}" || code=$?
  unset "pids[$n]"
  ((code == 0)) || fail "node $n ended with exit code $code after SIGTERM"
done
# File, number of events and head of each shard's chain, a line each.
heads() { awk -F'"' '/"file"/ { file = $4; sub(/.*\//, "", file) } /"last"/ { last = $3 } /"head"/ { if (file ~ /^shard-/) print file last $4 }' "$1"; }
for n in 1 2 3; do
  "$epione" audit verify --data-dir "$work/n$n" --json >"$work/audit-$n.json" 2>"$work/audit-$n.err" || {
    cat "$work/audit-$n.err" >&2
    fail "a chain of node $n is not intact"
  }
  heads "$work/audit-$n.json" >"$work/heads-$n"
  [[ $(wc -l <"$work/heads-$n") -eq 5 ]] || fail "node $n has not the chains of 4 shards and the catalog"
  diff "$work/heads-1" "$work/heads-$n" >&2 || fail "nodes 1 and $n hold different chains"
done
passed=1
printf 'PASSED: %s faults (' "$faults"
separator=
for what in "${!done_faults[@]}"; do
  printf '%s%s %s' "$separator" "${done_faults[$what]}" "$what"
  separator=', '
done
echo "), $(grouped "$total") acknowledged submissions, each there exactly once with its answers on every node; chains intact and the same on all nodes"
