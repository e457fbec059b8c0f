#!/bin/bash
# Measures how long a patient waits when the node that leads the shard dies: from kill -9 of the leader, under light load, to the next
# acknowledged write of that shard; then the same from a leader that is frozen (SIGSTOP). Ends with 1 when that takes too long.
#
#   tests/chaos/failover_test.sh [--epione PATH] [--kills 100] [--freezes 30] [--kill_limit_ms 1500] [--freeze_limit_ms 3000]
#                                [--connections 4] [--attempt_ms 500] [--seed N] [--port 7400] [--directory DIR] [--keep]
#
# The write is that of one patient whose phone tries the two other nodes in turn, under the same key: the first at once, the next after
# 10 ms when the answer was a refusal, or when none came within attempt_ms. The limits are for the 99th percentile.
set -u
cd "$(dirname "$0")/../.." || exit 1
source tests/chaos/common.sh
source tests/chaos/cluster_common.sh

epione=build/release/epione
kills=100
freezes=30
kill_limit_ms=1500
freeze_limit_ms=3000
connections=4 # of the load meanwhile: one submission after the other on each
attempt_ms=500
seed=$$
port=7400
directory=
shards=16
subjects=20000
give_up_ms=60000

take_options "epione kills freezes kill_limit_ms freeze_limit_ms connections attempt_ms seed port directory" "$@"
[[ -x $epione ]] || fail "$epione is not there; build it with scripts/build.sh, or name another with --epione"
RANDOM=$seed
make_work_directory "$directory"
trap end_nodes EXIT
echo "Fail-over test: $kills kills and $freezes freezes, load of $connections connections, seed $seed, data in $work"

# submit NODE PATIENT KEY: sets $status; empty when there was no answer in time.
submit() {
  local body connection
  status=
  body="{\"patientId\":$2,\"key\":\"$3\",\"data\":{\"form\":\"phq-9\",\"authored\":\"2024-05-01T08:30:00+08:00\",\"answers\":"
  body+='{"q1":1,"q2":0,"q3":2,"q4":1,"q5":0,"q6":1,"q7":0,"q8":0,"q9":0}}}'
  { exec {connection}<>"/dev/tcp/127.0.0.1/$((port + 1000 + $1))"; } 2>/dev/null || return
  printf 'POST /patient/data HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nContent-Type: application/json\r\nContent-Length: %s\r\nConnection: close\r\n\r\n%s' \
    $((port + 1000 + $1)) "${#body}" "$body" >&"$connection"
  read -r -t "$((attempt_ms / 1000)).$(printf %03d $((attempt_ms % 1000)))" -u "$connection" _ status _ || status=
  exec {connection}>&-
}

# locate PATIENT: sets $leader and $shard. While a leadership moves nobody is known to have it.
locate() {
  local limit
  limit=$(($(now_ms) + 30000))
  until "$epione" cluster locate --cluster "$file" --node n1 --patient "$1" --json >"$work/locate.json" 2>&1; do
    (($(now_ms) < limit)) || fail "nobody leads the shard of patient $1: $(cat "$work/locate.json")"
    sleep 0.1
  done
  leader=$(sed -n 's/.*"leader": *"n\([0-9]\)".*/\1/p' "$work/locate.json")
  shard=$(sed -n 's/.*"shard": *\([0-9]*\).*/\1/p' "$work/locate.json")
  [[ -n $leader && -n $shard ]] || fail "it is not said who leads: $(cat "$work/locate.json")"
}

start_load() { # NODE
  local limit
  limit=$(($(now_ms) + 30000))
  rm -f "$work/round.ledger"
  "$epione" bench submit --http "$(http_of "$1")" --connections "$connections" --duration 1h --subjects $subjects \
    --seed $((seed * 1000 + round)) --ledger "$work/round.ledger" >"$work/load.out" 2>"$work/load.err" &
  load_pid=$!
  until (($(ledger_records "$work/round.ledger") > 0)); do
    kill -0 "$load_pid" 2>/dev/null || fail "the load ended: $(tail -n 3 "$work/load.err")"
    (($(now_ms) < limit)) || fail "nothing of the load was acknowledged in 30 s"
    sleep 0.05
  done
  pause_ms "$(between 0 1000)"
}

stop_load() {
  local code=0
  kill -TERM "$load_pid" 2>/dev/null
  wait "$load_pid" || code=$?
  load_pid=
  ((code == 0)) || fail "the load ended with exit code $code: $(cat "$work/load.out" "$work/load.err" | tail -n 20)"
  cat "$work/round.ledger" >>"$work/all.ledger"
}

# next_acknowledged PATIENT KEY NODE NODE: sets $through and $attempts.
next_acknowledged() {
  local patient=$1 key=$2 limit
  limit=$(($(now_ms) + give_up_ms))
  shift 2
  for ((attempts = 1; ; ++attempts)); do
    through=$1
    submit "$through" "$patient" "$key"
    case $status in
      200 | 202) return ;;
      '' | 503) ;;
      *) fail "node $through answered $status" ;;
    esac
    (($(now_ms) < limit)) || fail "no write of shard $shard was acknowledged for $give_up_ms ms after its leader n$leader was gone"
    set -- "$2" "$1"
    sleep 0.01
  done
}

# one_failover SIGNAL NAME: appends the milliseconds to $work/NAME.
one_failover() {
  local patient others began took found_leader
  wait_whole 1
  patient=$(between 1 $subjects)
  locate "$patient"
  found_leader=$leader
  others=($((leader % 3 + 1)) $(((leader + 1) % 3 + 1)))
  ((RANDOM % 2)) && others=("${others[1]}" "${others[0]}")
  start_load "${others[0]}"
  locate "$patient"
  if [[ $leader != "$found_leader" ]]; then # leaderships spread while all is well
    stop_load
    return 1
  fi
  [[ $1 == KILL ]] && disown "${pids[$leader]}" # bash need not report its end
  began=${EPOCHREALTIME/[.,]/}
  kill "-$1" "${pids[$leader]}"
  next_acknowledged "$patient" "failover-$seed-$round" "${others[@]}"
  took=$(((${EPOCHREALTIME/[.,]/} - began) / 1000))
  echo "$took" >>"$work/$2"
  echo "$round: n$leader, which led shard $shard, $2; acknowledged by n$through after $took ms, $attempts attempts"
  if [[ $1 == KILL ]]; then
    while kill -0 "${pids[$leader]}" 2>/dev/null; do sleep 0.01; done
    start "$leader"
  else
    kill -CONT "${pids[$leader]}"
  fi
  wait_whole "${others[0]}"
  stop_load
}

# percentile FILE PERCENT: the nearest rank.
percentile() { sort -n "$1" | awk -v p="$2" '{ v[NR] = $1 } END { i = int(NR * p / 100); if (i < NR * p / 100) ++i; print v[i < 1 ? 1 : i] }'; }

# report NAME LIMIT_MS: a line; returns 1 when over the limit.
report() {
  local p99
  [[ -s $work/$1 ]] || return 0
  p99=$(percentile "$work/$1" 99)
  echo "$(wc -l <"$work/$1") $1: next acknowledged write after p50 $(percentile "$work/$1" 50) ms, p99 $p99 ms, max" \
    "$(percentile "$work/$1" 100) ms; allowed are $2 ms at p99"
  ((p99 <= $2))
}

make_cluster $shards
start_all
for ((round = 1; round <= kills; ++round)); do
  until one_failover KILL killed; do :; done
done
for ((; round <= kills + freezes; ++round)); do
  until one_failover STOP frozen; do :; done
done
verify "$work/all.ledger" 1
echo "$(grouped "$found") acknowledged submissions of the load, each there once with its answers"
stop_and_compare $shards
passed=1
late=0
report killed "$kill_limit_ms" || late=1
report frozen "$freeze_limit_ms" || late=1
if ((late)); then
  echo "FAILED: a shard was without a leader for too long" >&2
  exit 1
fi
echo "PASSED"
